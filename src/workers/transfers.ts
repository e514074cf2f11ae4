/** Files from and to presigned URLs. The URLs are secrets: no error here names one. */
import { openAsBlob } from 'node:fs';
import { retrying } from './retrying.ts';

/** Storage said no (an expired or wrong signature), and will again. */
export class TransferRefused extends Error {
  readonly status: number;

  constructor(what: string, status: number) {
    super(`Storage refused ${what} with ${status}.`);
    this.name = 'TransferRefused';
    this.status = status;
  }
}

/** Storage did not answer, or answered that it cannot now. */
export class TransferFailed extends Error {
  constructor(what: string, reason: string, cause?: unknown) {
    super(`Storage failed ${what}: ${reason}.`, { cause });
    this.name = 'TransferFailed';
  }
}

export interface TransferOptions {
  /** Names the file in errors. */
  readonly what: string;
  readonly signal: AbortSignal;
  /** For how long failed tries are repeated. */
  readonly retryForMs: number;
}

/** One try: a floor, and a second for each 256 KiB, which a slow line manages. */
const timeoutOf = (sizeBytes: number): number => 15_000 + Math.ceil(sizeBytes / 262_144) * 1_000;

/** Asks for a file, once; answers its body when the answer's head is there. The deadline covers the body too. */
export async function download(url: string, sizeBytes: number, options: TransferOptions): Promise<AsyncIterable<Uint8Array>> {
  const response = await request(url, { method: 'GET' }, sizeBytes, options);
  if (response.ok) return response.body ?? emptyBody();
  await response.body?.cancel();
  throw refusalOf(response.status, options.what);
}

/** Sends a file as it is, with exactly these headers and its length. Repeats tries that may go better. */
export async function upload(url: string, headers: Readonly<Record<string, string>>, path: string, sizeBytes: number, options: TransferOptions): Promise<void> {
  await retryTransfer(options, async () => {
    // A blob backed by the file: read while it is sent, and of known length, so that Content-Length is set. Its type is
    // empty; Content-Type is the one that was signed.
    const body = await openAsBlob(path);
    const response = await request(url, { method: 'PUT', headers, body }, sizeBytes, options);
    await response.body?.cancel();
    if (!response.ok) throw refusalOf(response.status, options.what);
  });
}

async function request(url: string, init: RequestInit, sizeBytes: number, { what, signal }: TransferOptions): Promise<Response> {
  const deadline = AbortSignal.timeout(timeoutOf(sizeBytes));
  try {
    return await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.any([signal, deadline]) });
  } catch (error) {
    signal.throwIfAborted();
    // The cause of a failed fetch names host and port at most; the URL stays out.
    throw new TransferFailed(what, deadline.aborted ? 'no answer in time' : 'no connection', error instanceof Error ? error.cause : undefined);
  }
}

/** Repeats what failed on the way: no connection, an answer that says later, a body that broke off. */
export async function retryTransfer<T>(options: TransferOptions, work: () => Promise<T>): Promise<T> {
  return await retrying(work, {
    forMs: options.retryForMs,
    signal: options.signal,
    waitMs: (error) => (isTransferFailure(error) ? { atLeastMs: 0 } : null),
  });
}

/** A body that breaks off surfaces as fetch's TypeError, one that is late as TimeoutError. */
export const isTransferFailure = (error: unknown): boolean =>
  error instanceof TransferFailed || (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError' || (error instanceof TypeError && error.message === 'terminated')));

const isTransient = (status: number): boolean => status >= 500 || status === 429 || status === 408;

const refusalOf = (status: number, what: string): Error =>
  isTransient(status) ? new TransferFailed(what, `answered ${status}`) : new TransferRefused(what, status);

const emptyBody = (): ReadableStream<Uint8Array> => new Blob([]).stream();
