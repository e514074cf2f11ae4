/**
 * The one way to the API: a `fetch` that authenticates anew, repeats what may be repeated, keeps the deadline, and
 * throws `HiveSyncError` for every answer that is no success. The generated client is handed it in place of `fetch`.
 */
import { errorOf, HiveSyncError } from './errors.ts';

export interface TransportOptions {
  readonly fetch: typeof fetch;
  /** Over all attempts, answers' bodies included; streams only until they begin. */
  readonly timeoutMs: number;
  /** Repeats after the first attempt. */
  readonly maxRetries: number;
  /** Asked for a new access token when the API refuses the old one; null: none can be had. */
  readonly refresh: (() => Promise<string | null>) | null;
  /** Waits between attempts; tests hand in their own. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The answers after which the same request may succeed. 504 is not here: a build that takes too long goes on by itself. */
const passing: ReadonlySet<number> = new Set([408, 429, 500, 502, 503]);
/** Refused before anything was done: may be repeated whatever the method. */
const refused: ReadonlySet<number> = new Set([429]);
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);
const longestPauseMs = 8_000;

export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal.addEventListener('abort', stop, { once: true });
  });
}

/** Half a second, doubled each time, between half and the whole of it, so that many clients do not come back as one. */
export const backOffMs = (attempt: number): number =>
  Math.min(longestPauseMs, 500 * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2);

interface Attempt {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  /** The bytes of a body that is held in memory and can be sent again; a stream when it cannot. */
  readonly body: ArrayBuffer | ReadableStream<Uint8Array> | null;
}

async function hold(request: Request): Promise<Attempt> {
  const { method, url, headers } = request;
  if (request.body === null) return { method, url, headers, body: null };
  const isJson = /^application\/json\b/i.test(headers.get('content-type') ?? '');
  return { method, url, headers, body: isJson ? await request.arrayBuffer() : request.body };
}

function mayRepeat(attempt: Attempt): boolean {
  if (attempt.body instanceof ReadableStream) return false;
  return safeMethods.has(attempt.method) || attempt.headers.has('idempotency-key');
}

async function send(options: TransportOptions, attempt: Attempt, signal: AbortSignal): Promise<Response> {
  const init: RequestInit & { duplex?: 'half' } = {
    method: attempt.method,
    headers: attempt.headers,
    body: attempt.body,
    signal,
    ...(attempt.body instanceof ReadableStream ? { duplex: 'half' } : {}),
  };
  const response = await options.fetch(attempt.url, init);
  if (!response.ok) throw await errorOf(response);
  if (!/^application\/json\b/i.test(response.headers.get('content-type') ?? '')) return response;
  // Read here, so that a body that breaks off is repeated like a connection that does.
  const body = await response.arrayBuffer();
  return new Response(body, { status: response.status, statusText: response.statusText, headers: response.headers });
}

/** How long to wait before the next attempt; null when there must be none. */
function nextPause(error: HiveSyncError, attempt: Attempt, count: number, options: TransportOptions, leftMs: number): number | null {
  if (count > options.maxRetries || attempt.body instanceof ReadableStream) return null;
  const inProgress = error.code === 'REQUEST_IN_PROGRESS';
  const lost = error.code === 'CONNECTION_FAILED';
  const worthIt = refused.has(error.status) || (mayRepeat(attempt) && (lost || inProgress || passing.has(error.status)));
  if (!worthIt) return null;
  const pauseMs = error.retryAfterSeconds === null ? backOffMs(count) : error.retryAfterSeconds * 1000;
  // Waiting past the deadline would only turn a clear answer into a vague one.
  return pauseMs < leftMs ? pauseMs : null;
}

function failure(cause: unknown, outer: AbortSignal | undefined, late: AbortSignal, timeoutMs: number): HiveSyncError {
  if (cause instanceof HiveSyncError) return cause;
  if (outer?.aborted === true) return new HiveSyncError('ABORTED', 'The call was broken off.', { cause });
  if (late.aborted) return new HiveSyncError('DEADLINE_EXCEEDED', `There was no answer within ${timeoutMs} ms.`, { cause });
  return new HiveSyncError('CONNECTION_FAILED', 'HiveSync could not be reached.', { cause });
}

/** A `fetch` for the generated client. It never answers with a status outside 200–299: it throws. */
export function createTransport(options: TransportOptions): (input: Request) => Promise<Response> {
  return async (request) => {
    const outer = request.signal;
    const late = new AbortController();
    const startedAt = performance.now();
    const timer = setTimeout(() => late.abort(), options.timeoutMs);
    const signal = AbortSignal.any([outer, late.signal]);
    let refreshed = false;
    try {
      const attempt = await hold(request);
      for (let count = 1; ; count += 1) {
        try {
          return await send(options, attempt, signal);
        } catch (cause) {
          const error = failure(cause, outer, late.signal, options.timeoutMs);
          const canRefresh = options.refresh !== null && !refreshed && error.status === 401 && attempt.headers.has('authorization');
          if (canRefresh && !(attempt.body instanceof ReadableStream)) {
            refreshed = true;
            const token = await options.refresh?.() ?? null;
            if (token === null) throw error;
            attempt.headers.set('authorization', `Bearer ${token}`);
            // Not an attempt that failed: the request was never looked at.
            count -= 1;
            continue;
          }
          const pauseMs = nextPause(error, attempt, count, options, options.timeoutMs - (performance.now() - startedAt));
          if (pauseMs === null) throw error;
          await options.pause(pauseMs, signal).catch((reason: unknown) => {
            throw failure(reason, outer, late.signal, options.timeoutMs);
          });
        }
      }
    } finally {
      clearTimeout(timer);
    }
  };
}
