/** Files from and to presigned URLs. The URLs are secrets: no error here names one. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type ClientRequest, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
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

/**
 * Up to this size a file is read whole and sent in one piece. Measured with what a build makes, 7 MB in six files: 11 ms of
 * this process's time, where `fetch` takes 26 and a stream 21; beside a build that ends, that is most of what sending takes.
 */
const wholeBytes = 8 * 1024 * 1024;
const pieceBytes = 1024 * 1024;

/**
 * Sends bytes as they are, or a file, with exactly these headers and the length. Repeats tries that may go better.
 *
 * @param content the bytes, or the path of the file
 */
export async function upload(url: string, headers: Readonly<Record<string, string>>, content: Uint8Array | string, sizeBytes: number, options: TransferOptions): Promise<void> {
  await retryTransfer(options, async () => {
    const status = await put(url, headers, content, sizeBytes, options);
    if (status < 200 || status > 299) throw refusalOf(status, options.what);
  });
}

/** One try; answers the status. */
async function put(url: string, headers: Readonly<Record<string, string>>, content: Uint8Array | string, sizeBytes: number, { what, signal }: TransferOptions): Promise<number> {
  const deadline = AbortSignal.timeout(timeoutOf(sizeBytes));
  const body = typeof content === 'string' && sizeBytes <= wholeBytes ? await readFile(content) : content;
  const send = async (): Promise<Sent> => await sendBody(url, { ...headers, 'content-length': sizeBytes }, body, AbortSignal.any([signal, deadline]));
  try {
    let sent = await send();
    // A kept connection that the other side had just let go says nothing about the store.
    if (sent.status === null && sent.wasKept && !signal.aborted && !deadline.aborted) sent = await send();
    if (sent.status === null) throw sent.error;
    return sent.status;
  } catch (error) {
    signal.throwIfAborted();
    throw new TransferFailed(what, deadline.aborted ? 'no answer in time' : 'no connection', error);
  }
}

/** An answer's status, or why none came; no error here names the URL. */
type Sent = { readonly status: number } | { readonly status: null; readonly error: unknown; readonly wasKept: boolean };

async function sendBody(url: string, headers: Readonly<Record<string, string | number>>, body: Uint8Array | string, signal: AbortSignal): Promise<Sent> {
  return await new Promise((resolve) => {
    let request: ClientRequest | null = null;
    const fail = (error: unknown): void => resolve({ status: null, error, wasKept: request?.reusedSocket === true });
    request = (url.startsWith('https:') ? httpsRequest : httpRequest)(url, { method: 'PUT', headers, signal });
    request.on('error', fail);
    request.once('response', (response) => {
      // Read, so that the connection is kept; what fails from here on changes nothing.
      response.on('error', () => undefined).resume();
      resolve({ status: response.statusCode ?? 0 });
    });
    if (typeof body !== 'string') request.end(body);
    else createReadStream(body, { highWaterMark: pieceBytes }).on('error', (error) => request?.destroy(error)).pipe(request);
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
