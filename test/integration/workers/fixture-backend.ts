/**
 * A backend for one worker, with only the worker operations and a store of objects, so that a test can decide what it
 * answers and see what it was asked. Signatures are checked by the very text the real pipeline checks.
 */
import { createHmac, createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type {
  ClaimedJob, JobInput, JobProgress, JobProgressReply, JobResultReceipt, JobResultReport, JobUploadsCreate, WorkerHeartbeat, WorkerRegistration,
} from '#generated/sdk/types.gen.ts';
import { Secret } from '#config/environment.ts';
import { signedText } from '#http/authenticate/worker.ts';
import { sha256Hex } from '#platform/crypto.ts';
import { newId } from '#platform/ids.ts';

export const sharedSecret = new Secret('a shared secret of more than thirty-two characters');

export interface Refusal { readonly status: number; readonly code: string; readonly headers?: Readonly<Record<string, string>>; readonly details?: object }
type Answer = object | Refusal | 'cut';
type Answering<Body> = (body: Body, jobId: string) => Answer;

export const isRefusal = (answer: Answer): answer is Refusal => typeof answer === 'object' && 'status' in answer && 'code' in answer;

export class FixtureBackend {
  readonly registrations: WorkerRegistration[] = [];
  readonly heartbeats: WorkerHeartbeat[] = [];
  readonly claims: { jobId: string; epoch: number }[] = [];
  readonly claimKeys: string[] = [];
  readonly progress: { jobId: string; body: JobProgress }[] = [];
  readonly reports: JobResultReport[] = [];
  /** What was refused because its signature did not hold, and why. */
  readonly unsigned: string[] = [];
  readonly objects = new Map<string, { bytes: Buffer; headers: Readonly<Record<string, string>> }>();
  readonly jobs = new Map<string, ClaimedJob>();
  /** Added to this backend's clock. */
  clockOffsetMs = 0;
  leaseMs = 20_000;
  heartbeatSeconds = 1;

  answerRegistration: Answering<WorkerRegistration> = () => this.#registered();
  answerHeartbeat: Answering<WorkerHeartbeat> = () => ({ drain: false, stop_job_ids: [], heartbeat_seconds: this.heartbeatSeconds, server_time: new Date(this.now()).toISOString() });
  answerClaim: Answering<{ epoch: number }> = (_body, jobId) => this.jobs.get(jobId) ?? { status: 409, code: 'CONFLICT' };
  answerProgress: Answering<JobProgress> = () => this.extended();
  answerReport: Answering<JobResultReport> = (body) => ({ accepted: true, job_status: body.status === 'SUCCESS' ? 'succeeded' : 'failed', reason: null }) satisfies JobResultReceipt;
  /** Asked to reuse what is stored: true copies, null has nothing, false is from before anybody could ask. */
  knowsReuse: boolean | null = null;
  answerPut: (path: string) => number = () => 200;

  readonly #nodeId = newId();
  #nodeKey = randomBytes(32);
  readonly #seen = new Set<string>();
  readonly #server: Server;
  #name = '';

  constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => { this.#server.listen(0, '127.0.0.1', () => resolve()); });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => { this.#server.close(() => resolve()); });
  }

  get baseUrl(): string {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the fixture does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  now(): number {
    return Date.now() + this.clockOffsetMs;
  }

  /** Another secret from now on: what a node signs with its old key is refused until it registers again. */
  changeNodeKey(): void {
    this.#nodeKey = randomBytes(32);
  }

  extended(): JobProgressReply {
    return { lease_expires_at: new Date(this.now() + this.leaseMs).toISOString(), stop: false, reason: null, live_changes: [] };
  }

  /** A job that can be claimed. */
  addJob(input: JobInput, more: Partial<ClaimedJob> = {}): ClaimedJob {
    const job: ClaimedJob = {
      job_id: newId(), kind: input.kind, attempt: 1, max_attempts: 3, epoch: 0, lease_token: `hsl_${randomBytes(20).toString('hex')}`,
      lease_expires_at: new Date(this.now() + this.leaseMs).toISOString(), timeout_ms: 60_000, input, ...more,
    };
    this.jobs.set(job.job_id, job);
    return job;
  }

  /** Where a stored object is read. */
  urlOf(key: string): string {
    return `${this.baseUrl}/storage/${key}`;
  }

  put(key: string, bytes: Buffer, headers: Readonly<Record<string, string>> = {}): string {
    this.objects.set(key, { bytes, headers });
    return this.urlOf(key);
  }

  #registered(): object {
    const at = new Date(this.now()).toISOString();
    return {
      worker: {
        id: this.#nodeId, name: this.#name, type: 'cpu', status: 'active', concurrency: 1, capabilities: { kinds: ['preview'], sdk_versions: [], sandbox: 'none', local_model: false },
        cloudflare_id: null, version: '0.0.0', running_jobs: 0, metrics: null, last_heartbeat_at: at, created_at: at, updated_at: at,
      },
      node_key: this.#nodeKey.toString('base64url'),
      heartbeat_seconds: this.heartbeatSeconds,
    };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const { pathname } = new URL(request.url ?? '/', 'http://fixture');
    response.sendDate = false;
    response.setHeader('date', new Date(this.now()).toUTCString());
    if (pathname.startsWith('/storage/')) {
      this.#store(request, response, pathname.slice('/storage/'.length), body);
      return;
    }
    const refused = this.#signatureFault(request, pathname, body);
    if (refused !== null) {
      if (refused !== 'AUTH_EXPIRED') this.unsigned.push(refused);
      this.#refuse(response, { status: 401, code: refused === 'AUTH_EXPIRED' ? refused : 'AUTH_INVALID' });
      return;
    }
    const answer = this.#answer(pathname, JSON.parse(body.toString('utf8')) as unknown);
    if (answer === 'cut') response.destroy();
    else if (isRefusal(answer)) this.#refuse(response, answer);
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ ok: true, data: answer, error: null }));
  }

  #refuse(response: ServerResponse, { status, code, headers = {}, details }: Refusal): void {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify({ ok: false, data: null, error: { code, message: 'Refused by the fixture.', details: details ?? null } }));
  }

  #signatureFault(request: IncomingMessage, path: string, body: Buffer): string | null {
    const header = (name: string): string => String(request.headers[name] ?? '');
    const isRegistration = path === '/api/v1/workers/register';
    const node = header('x-hivesync-node');
    const timestamp = header('x-hivesync-timestamp');
    if (!/^[0-9]{10}$/u.test(timestamp)) return `a timestamp that is no integer: ${timestamp}`;
    if (isRegistration) this.#name = node;
    else if (node !== this.#nodeId) return `an unknown node: ${node}`;
    const key = createSecretKey(isRegistration ? Buffer.from(sharedSecret.reveal()) : this.#nodeKey);
    const expected = `v1=${createHmac('sha256', key).update(signedText('POST', path, node, timestamp, body)).digest('hex')}`;
    if (header('x-hivesync-signature') !== expected) return `a wrong signature of ${path}`;
    if (Math.abs(this.now() - Number(timestamp) * 1000) > 5 * 60_000) return 'AUTH_EXPIRED';
    if (this.#seen.has(expected)) return `a signature for the second time: ${path}`;
    this.#seen.add(expected);
    return null;
  }

  #answer(path: string, body: unknown): Answer {
    const [, jobId = '', operation] = /^\/api\/v1\/workers\/jobs\/([^/]+)\/(claim|progress|uploads)$/u.exec(path) ?? [];
    if (path === '/api/v1/workers/register') {
      this.registrations.push(body as WorkerRegistration);
      return this.answerRegistration(body as WorkerRegistration, '');
    }
    if (path === '/api/v1/workers/heartbeat') {
      this.heartbeats.push(body as WorkerHeartbeat);
      return this.answerHeartbeat(body as WorkerHeartbeat, '');
    }
    if (path === '/api/v1/workers/callback') {
      this.reports.push(body as JobResultReport);
      return this.answerReport(body as JobResultReport, '');
    }
    if (operation === 'claim') {
      const { epoch, claim_key: claimKey } = body as { epoch: number; claim_key: string };
      this.claims.push({ jobId, epoch });
      this.claimKeys.push(claimKey);
      return this.answerClaim(body as { epoch: number }, jobId);
    }
    if (operation === 'progress') {
      this.progress.push({ jobId, body: body as JobProgress });
      return this.answerProgress(body as JobProgress, jobId);
    }
    if (operation === 'uploads') return this.#uploads(body as JobUploadsCreate, jobId);
    return { status: 404, code: 'NOT_FOUND' };
  }

  #uploads(body: JobUploadsCreate, jobId: string): Answer {
    if (this.knowsReuse === false && body.objects.some((object) => 'reuse' in object)) return { status: 400, code: 'VALIDATION_ERROR' };
    return {
      uploads: body.objects.map((object) => {
        const key = `jobs/${jobId}/${object.content_encoding}/${object.path}`;
        const held = object.reuse === true ? [...this.objects.values()].find(({ bytes }) => sha256Hex(bytes) === object.sha256) : undefined;
        if (this.knowsReuse === true && held !== undefined) {
          this.objects.set(key, held);
          return { path: object.path, object_key: key, upload_url: null, headers: {} };
        }
        return {
          path: object.path,
          object_key: key,
          upload_url: `${this.urlOf(key)}?grant=${randomUUID()}&size=${object.size}&sha256=${object.sha256}`,
          headers: { 'content-type': object.content_type, ...(object.content_encoding === 'identity' ? {} : { 'content-encoding': object.content_encoding }) },
        };
      }),
      expires_in: 900,
    };
  }

  #store(request: IncomingMessage, response: ServerResponse, key: string, body: Buffer): void {
    if (request.method === 'GET') {
      const found = this.objects.get(decodeURI(key));
      if (found === undefined) response.writeHead(404).end();
      else response.writeHead(200, { 'content-length': found.bytes.length, ...found.headers }).end(found.bytes);
      return;
    }
    const status = this.answerPut(key);
    const { searchParams } = new URL(request.url ?? '/', 'http://fixture');
    // As a real store does: length and checksum are those that were signed.
    const isAsSigned = request.headers['content-length'] === searchParams.get('size') && sha256Hex(body) === searchParams.get('sha256');
    if (status === 200 && !isAsSigned) {
      response.writeHead(400).end();
      return;
    }
    if (status === 200) {
      const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = request.headers;
      this.objects.set(decodeURI(key), { bytes: body, headers: { 'content-type': type, 'content-encoding': encoding } });
    }
    response.writeHead(status).end();
  }
}
