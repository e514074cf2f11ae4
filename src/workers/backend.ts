/**
 * The backend as a worker knows it: the worker operations, each request signed over the very bytes that are sent (the
 * generated client serialises after its interceptors, so this one is written by hand over the generated types).
 */
import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import type {
  ClaimedJob, JobProgress, JobProgressReply, JobResultReceipt, JobResultReport, JobUploads, JobUploadsCreate,
  WorkerHeartbeat, WorkerHeartbeatReply, WorkerRegistered, WorkerRegistration,
} from '#generated/sdk/types.gen.ts';
import type { Secret } from '#config/environment.ts';
import { sha256Hex } from '#platform/crypto.ts';
import { DeadlineError } from '#platform/deadline.ts';
import { post, type PostAnswer } from './post.ts';
import { retrying, type RetryBounds } from './retrying.ts';

/** The backend said no, and will say so again: a 4xx other than 408 and 429. */
export class BackendRefusal extends Error {
  readonly status: number;
  readonly code: string;
  /** What `details.reason` says, where it says anything. */
  readonly reason: string | null;

  constructor(operation: string, status: number, { code, message, reason }: Pick<EnvelopeError, 'code' | 'message' | 'reason'>) {
    super(`${operation} was refused with ${status} ${code}: ${message}`);
    this.name = 'BackendRefusal';
    this.status = status;
    this.code = code;
    this.reason = reason;
  }
}

/** No answer, or one that says "later" (5xx, 408, 429). */
export class BackendUnreachable extends Error {
  /** How long the backend asked to wait, if it did. */
  readonly retryAfterMs: number | null;

  constructor(operation: string, reason: string, options: { retryAfterMs?: number | null; cause?: unknown } = {}) {
    super(`${operation}: ${reason}`, { cause: options.cause });
    this.name = 'BackendUnreachable';
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** For how long failed tries are repeated; 0 tries once. */
  readonly retryForMs?: number;
  /** Of one try. */
  readonly timeoutMs?: number;
}

const basePath = '/api/v1';
const defaultTimeoutMs = 10_000;
const maxAnswerBytes = 32 * 1024 * 1024;
/** Signatures remembered so that none is sent twice: the backend takes each once. Old ones have left its window. */
const rememberedSignatures = 10_000;

export class WorkerBackend {
  readonly #origin: string;
  readonly #name: string;
  readonly #sharedKey: KeyObject;
  #node: { readonly id: string; readonly key: KeyObject } | null = null;
  #clockOffsetMs = 0;
  readonly #signed = new Set<string>();

  /** @param options.baseUrl where the API is, without /api/v1 */
  constructor(options: { baseUrl: string; name: string; sharedSecret: Secret }) {
    this.#origin = options.baseUrl.replace(/\/+$/u, '');
    this.#name = options.name;
    this.#sharedKey = createSecretKey(Buffer.from(options.sharedSecret.reveal()));
  }

  /** The node's id, once it is registered. */
  get nodeId(): string | null {
    return this.#node?.id ?? null;
  }

  /** The backend's clock as its answers tell it, within a second: this machine's own may be wrong. */
  now(): number {
    return Date.now() + this.#clockOffsetMs;
  }

  /** Proves the shared secret and learns the node's own key, which signs everything after. */
  async register(body: WorkerRegistration, options: CallOptions = {}): Promise<WorkerRegistered> {
    const registered = await this.#call<WorkerRegistered>('registerWorker', '/workers/register', body, options, true);
    this.#node = { id: registered.worker.id, key: createSecretKey(Buffer.from(registered.node_key, 'base64url')) };
    return registered;
  }

  async heartbeat(body: WorkerHeartbeat, options: CallOptions = {}): Promise<WorkerHeartbeatReply> {
    const sentAt = performance.now();
    const reply = await this.#call<WorkerHeartbeatReply>('reportHeartbeat', '/workers/heartbeat', body, options);
    // Said while the answer was made: about half way between asking and hearing.
    this.#clockOffsetMs = Date.parse(reply.server_time) + (performance.now() - sentAt) / 2 - Date.now();
    return reply;
  }

  /**
   * The job with its whole input; null when there is nothing to claim, and what to do with its message where it is another
   * worker's. Tries whose answers are lost are one claim.
   */
  async claim(jobId: string, epoch: number, options: CallOptions = {}): Promise<ClaimedJob | 'another_worker' | null> {
    const claiming = this.#call<ClaimedJob>('claimJob', `/workers/jobs/${jobId}/claim`, { epoch, claim_key: randomBytes(24).toString('base64url') }, options);
    return unlessRefusedWith([404, 409], claiming.catch((error: unknown) => {
      if (error instanceof BackendRefusal && error.reason === 'another_worker') return 'another_worker' as const;
      throw error;
    }));
  }

  /** Extends the lease; null when it is lost. */
  async progress(jobId: string, body: JobProgress, options: CallOptions = {}): Promise<JobProgressReply | null> {
    return unlessRefusedWith([404, 409], this.#call<JobProgressReply>('reportJobProgress', `/workers/jobs/${jobId}/progress`, body, options));
  }

  /** Where to PUT what the job made; null when the lease is lost. */
  async createUploads(jobId: string, body: JobUploadsCreate, options: CallOptions = {}): Promise<JobUploads | null> {
    return unlessRefusedWith([404, 409], this.#call<JobUploads>('createJobUploads', `/workers/jobs/${jobId}/uploads`, body, options));
  }

  /** Says how the job ended. May be repeated: the backend takes it once. */
  async report(body: JobResultReport, options: CallOptions = {}): Promise<JobResultReceipt> {
    return await this.#call<JobResultReceipt>('reportJobResult', '/workers/callback', body, options);
  }

  async #call<T>(operation: string, path: string, body: unknown, options: CallOptions, isRegistration = false): Promise<T> {
    const bytes = Buffer.from(JSON.stringify(body));
    const bounds: RetryBounds = {
      forMs: options.retryForMs ?? 0,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      waitMs: (error) => (error instanceof BackendUnreachable ? { atLeastMs: error.retryAfterMs ?? 0 } : null),
    };
    const attempt = async (): Promise<T> => await this.#try<T>(operation, path, bytes, options, isRegistration);
    return await retrying(async () => {
      const before = this.#clockOffsetMs;
      try {
        return await attempt();
      } catch (error) {
        // A wrong clock on this machine: the answer told the right time, so sign once more by it.
        const isClock = error instanceof BackendRefusal && error.code === 'AUTH_EXPIRED' && Math.abs(this.#clockOffsetMs - before) > 1_000;
        if (!isClock) throw error;
        return await attempt();
      }
    }, bounds);
  }

  async #try<T>(operation: string, path: string, bytes: Buffer, options: CallOptions, isRegistration: boolean): Promise<T> {
    const url = new URL(`${this.#origin}${basePath}${path}`);
    const timeoutMs = Math.ceil(options.timeoutMs ?? defaultTimeoutMs);
    let answer: PostAnswer;
    try {
      answer = await post(url, {
        headers: { 'content-type': 'application/json', accept: 'application/json', ...this.#signatureOf(url.pathname, bytes, isRegistration) },
        body: bytes, timeoutMs, maxAnswerBytes, what: operation, signal: options.signal,
      });
    } catch (error) {
      options.signal?.throwIfAborted();
      throw new BackendUnreachable(operation, error instanceof DeadlineError ? error.message : 'no answer', { cause: error });
    }
    this.#learnTime(answer);
    const envelope = parseEnvelope(answer.text);
    const isOk = answer.status >= 200 && answer.status < 300;
    if (isOk && envelope?.ok === true) return envelope.data as T;
    const told = envelope?.error ?? { code: 'UNKNOWN', message: 'an answer that is not the API\'s', reason: null };
    if (answer.status >= 500 || answer.status === 429 || answer.status === 408 || isOk || envelope === null) {
      throw new BackendUnreachable(operation, `answered ${answer.status} ${told.code}`, { retryAfterMs: retryAfterMs(answer) });
    }
    throw new BackendRefusal(operation, answer.status, told);
  }

  /**
   * `v1=<hex HMAC-SHA256>` over method, path, node id, timestamp and the body's hash. The backend takes a signature once:
   * an equal request within the same second is signed for the next one (the window is five minutes).
   */
  #signatureOf(path: string, bytes: Buffer, isRegistration: boolean): Record<string, string> {
    const node = isRegistration ? { id: this.#name, key: this.#sharedKey } : this.#node;
    if (node === null) throw new Error('This worker has not registered yet.');
    const hash = sha256Hex(bytes);
    for (let seconds = Math.floor(this.now() / 1000); ; seconds += 1) {
      const signature = createHmac('sha256', node.key).update(`POST\n${path}\n${node.id}\n${seconds}\n${hash}`).digest('hex');
      if (this.#signed.has(signature)) continue;
      this.#signed.add(signature);
      if (this.#signed.size > rememberedSignatures) for (const oldest of this.#signed) { this.#signed.delete(oldest); break; }
      return { 'x-hivesync-node': node.id, 'x-hivesync-timestamp': String(seconds), 'x-hivesync-signature': `v1=${signature}` };
    }
  }

  /** The Date header has seconds only: it corrects a clock that is clearly wrong; heartbeats do the rest. */
  #learnTime({ headers }: PostAnswer): void {
    const told = Date.parse(headers.date ?? '');
    if (Number.isNaN(told)) return;
    const offsetMs = told + 500 - Date.now();
    if (Math.abs(offsetMs - this.#clockOffsetMs) > 2_000) this.#clockOffsetMs = offsetMs;
  }
}

async function unlessRefusedWith<T>(statuses: readonly number[], call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof BackendRefusal && statuses.includes(error.status)) return null;
    throw error;
  }
}

interface EnvelopeError { readonly code: string; readonly message: string; readonly reason: string | null }
interface Envelope { readonly ok: boolean; readonly data: unknown; readonly error: EnvelopeError | null }

/** Null for what is not our envelope: a proxy's page, or half an answer. */
function parseEnvelope(text: string): Envelope | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || !('ok' in value) || !('data' in value)) return null;
  const error = 'error' in value && typeof value.error === 'object' && value.error !== null ? value.error : null;
  const field = (name: string): string => {
    const told: unknown = error === null ? undefined : Reflect.get(error, name);
    return typeof told === 'string' ? told : 'UNKNOWN';
  };
  const details: unknown = error === null ? null : Reflect.get(error, 'details');
  const reason: unknown = typeof details === 'object' && details !== null ? Reflect.get(details, 'reason') : null;
  return { ok: value.ok === true, data: value.data, error: error === null ? null : { code: field('code'), message: field('message'), reason: typeof reason === 'string' ? reason : null } };
}

function retryAfterMs({ headers }: PostAnswer): number | null {
  const seconds = Number(headers['retry-after'] ?? NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}
