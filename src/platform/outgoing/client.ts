/**
 * HTTP to addresses that users name. By node:http and node:https, because fetch lets nobody into its socket's lookup; with
 * agents of our own, because the global one would follow the environment's proxy variables, behind which no address is
 * judged. A connection is used once, so that each request resolves its name anew.
 */
import http from 'node:http';
import https from 'node:https';
import { isIPv6, type LookupFunction } from 'node:net';
import { resolverOf, type Resolve } from './resolve.ts';
import type { OutgoingRules } from './rules.ts';
import { addressOf, outgoingUrlFault } from './url.ts';

export interface OutgoingPost {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** For all of it: resolving, connecting, sending, and the answer's head and body. */
  readonly timeoutMs: number;
  /** No more of the answer's body is read. */
  readonly maxAnswerBytes: number;
  readonly signal?: AbortSignal;
}

export interface OutgoingAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** As much of it as came within the time and the bound. */
  readonly body: Buffer;
}

/** Why no answer came. */
export type OutgoingFault = 'timeout' | 'dns' | 'connection' | 'tls' | 'address_refused';

export class OutgoingFailure extends Error {
  readonly fault: OutgoingFault;

  constructor(fault: OutgoingFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'OutgoingFailure';
    this.fault = fault;
  }
}

export interface Outgoing {
  readonly rules: OutgoingRules;
  /** Any answer is an answer, redirects too, which are not followed. Throws OutgoingFailure, or the signal's reason. */
  post(request: OutgoingPost): Promise<OutgoingAnswer>;
}

/** A name's addresses are tried one after the other; without an answer the next one's turn comes after this long. Node's 250 ms are too short for the other side of the world. */
const nextAddressMs = 2_000;
const connecting = { keepAlive: false, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: nextAddressMs };
const agents = { 'http:': new http.Agent(connecting), 'https:': new https.Agent(connecting) };

/** @param resolve what names are looked up by; DNS unless told */
export function createOutgoing(rules: OutgoingRules, resolve: Resolve = resolverOf()): Outgoing {
  return { rules, post: (request) => post(rules, resolve, request) };
}

async function post(rules: OutgoingRules, resolve: Resolve, { url: text, headers, body, timeoutMs, maxAnswerBytes, signal }: OutgoingPost): Promise<OutgoingAnswer> {
  signal?.throwIfAborted();
  // Sockets look up names alone: an address that is written in the URL is judged here.
  const fault = outgoingUrlFault(text, rules);
  if (fault !== null) throw new OutgoingFailure('address_refused', `The URL ${fault}.`);
  const url = new URL(text);
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(new OutgoingFailure('timeout', `No answer within ${timeoutMs} ms.`)), timeoutMs);
  const onAbort = (): void => stop.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const response = await head(url, { rules, resolve, headers, body, signal: stop.signal });
    return { status: response.statusCode ?? 0, headers: response.headers, body: await beginningOf(response, maxAnswerBytes) };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

interface Sending {
  readonly rules: OutgoingRules;
  readonly resolve: Resolve;
  readonly headers: OutgoingPost['headers'];
  readonly body: string;
  readonly signal: AbortSignal;
}

/** Sends, and answers when the answer's head is there. */
function head(url: URL, { rules, resolve, headers, body, signal }: Sending): Promise<http.IncomingMessage> {
  const isTls = url.protocol === 'https:';
  /** What an error that comes now is about. */
  let stage: OutgoingFault = 'dns';
  const lookup = judgedLookup(rules, resolve, signal, () => { stage = 'connection'; });
  return new Promise((fulfil, reject) => {
    const content = Buffer.from(body);
    const request = (isTls ? https : http).request(url, {
      method: 'POST', agent: agents[url.protocol as keyof typeof agents], lookup, signal,
      headers: { 'accept-encoding': 'identity', ...headers, 'content-length': content.length },
    });
    request.on('socket', (socket) => {
      if (addressOf(url) !== null) stage = 'connection';
      socket.once('connect', () => { stage = isTls ? 'tls' : 'connection'; });
      socket.once('secureConnect', () => { stage = 'connection'; });
    });
    request.once('response', fulfil);
    request.once('upgrade', (response, socket) => { socket.destroy(); fulfil(response); });
    request.on('error', (error) => {
      if (signal.aborted) reject(signal.reason as Error);
      else reject(error instanceof OutgoingFailure ? error : new OutgoingFailure(stage, messageOf(error), { cause: error }));
    });
    request.end(content);
  });
}

/** Resolves for a socket, which connects to nothing else: one address that is refused refuses the name. */
function judgedLookup(rules: OutgoingRules, resolve: Resolve, signal: AbortSignal, resolved: () => void): LookupFunction {
  return (hostname, options, callback) => {
    const judge = async (): Promise<readonly string[]> => {
      const address = addressOf({ hostname });
      const addresses = address === null ? await resolve(hostname, signal) : [address];
      if (addresses.length === 0) throw new OutgoingFailure('dns', 'The name has no address.');
      if (!addresses.every((one) => rules.admits(one))) throw new OutgoingFailure('address_refused', 'The name leads to an address that is not public.');
      return addresses;
    };
    judge().then((addresses) => {
      resolved();
      const found = addresses.map((one) => ({ address: one, family: isIPv6(one) ? 6 : 4 }));
      if (options.all === true) callback(null, found);
      else callback(null, found[0]?.address ?? '', found[0]?.family ?? 4);
    }, (error: unknown) => callback(error as NodeJS.ErrnoException, '', 0));
  };
}

/** What came until the bound, the deadline or the end of the connection: whatever cuts it short, the answer stands. */
async function beginningOf(response: http.IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= maxBytes) break;
    }
  } catch {
    // Cut off: what came is kept.
  }
  return Buffer.concat(chunks).subarray(0, maxBytes);
}

/** An AggregateError, of several addresses that were tried, has no message of its own. */
const messageOf = (error: Error): string => error.message || ((error as NodeJS.ErrnoException).code ?? 'No connection.');
