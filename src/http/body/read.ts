import type { Readable } from 'node:stream';
import { PassThrough } from 'node:stream';
import type { Exchange, Step } from '../exchange.ts';
import type { Route } from '../route.ts';
import { ServiceError } from '#platform/errors.ts';
import { fault } from '../validation/faults.ts';
import { hasBody, tooLarge } from './declared.ts';

/** The client went away in the middle of its body: nobody is left to answer. */
export class ClientGone extends Error {
  constructor() {
    super('The client went away.');
    this.name = 'ClientGone';
  }
}

/** A JSON body must be here whole within this time, however slowly it trickles. */
const wholeBodyTimeoutMs = 30_000;
/** A streamed body may take its time, but not pause for longer than this. */
const pauseTimeoutMs = 30_000;

const empty = Buffer.alloc(0);

/**
 * Stays on a request for good. Node emits the error of a connection that breaks when somebody listened a tick before: with
 * the last listener gone in between, it would end the process.
 */
const unheard = (): void => undefined;

const tooSlow = (what: string): ServiceError =>
  new ServiceError('VALIDATION_ERROR', `The body arrived too slowly: ${what}.`, {
    details: [fault('#/body', `must arrive ${what}`, 'timeout')],
  });

/** Reads the body into `rawBody`, counting while it arrives: a chunked body says nothing of its length beforehand. */
export function readBody(route: Route, timeoutMs = wholeBodyTimeoutMs): Step {
  return async (exchange) => {
    exchange.rawBody = hasBody(exchange) ? await gather(exchange, route.maxBodyBytes, timeoutMs) : empty;
  };
}

async function gather(exchange: Exchange, maxBytes: number, timeoutMs: number): Promise<Buffer> {
  const { req } = exchange;
  // Gone while it was authenticated: neither `end` nor `close` would come any more.
  if (req.destroyed) throw new ClientGone();
  req.on('error', unheard);
  goOn(exchange);
  return await new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      req.off('data', onData);
      req.off('end', onEnd);
      req.off('error', onGone);
      req.off('close', onGone);
      settle();
    };
    const refuse = (error: Error): void => end(() => {
      req.pause();
      reject(error);
    });
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > maxBytes) refuse(tooLarge(maxBytes));
      else chunks.push(chunk);
    };
    const onEnd = (): void => end(() => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size)));
    const onGone = (): void => end(() => reject(new ClientGone()));
    const timer = setTimeout(() => refuse(tooSlow(`within ${timeoutMs / 1000} seconds`)), timeoutMs);
    req.on('data', onData);
    req.on('end', onEnd);
    req.on('error', onGone);
    req.on('close', onGone);
  });
}

/**
 * Hands the body on as a stream that is cut off at the operation's bound: the reader sees a PAYLOAD_TOO_LARGE error in
 * place of the byte too many, and an error where the client pauses too long or goes away. It never ends short in silence.
 */
export function streamBody(route: Route, timeoutMs = pauseTimeoutMs): Step {
  return (exchange) => {
    exchange.stream = hasBody(exchange) ? bounded(exchange, route.maxBodyBytes, timeoutMs) : emptyStream();
  };
}

function emptyStream(): Readable {
  const stream = new PassThrough();
  stream.end();
  return stream;
}

function bounded(exchange: Exchange, maxBytes: number, timeoutMs: number): Readable {
  const { req } = exchange;
  let size = 0;
  let isContinued = false;
  const out = new PassThrough({
    // The client is told to go on when somebody reads, not before: a refusal before that spares it the upload.
    read(bytes) {
      if (!isContinued) {
        isContinued = true;
        goOn(exchange);
        req.on('data', onData);
        restart();
      }
      PassThrough.prototype._read.call(this, bytes);
    },
  });
  let timer: NodeJS.Timeout | undefined;
  const restart = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => fail(tooSlow(`without pauses of more than ${timeoutMs / 1000} seconds`)), timeoutMs);
  };
  const release = (): void => {
    clearTimeout(timer);
    req.off('data', onData);
    req.off('end', onEnd);
    req.off('error', onGone);
    req.off('close', onGone);
  };
  const fail = (error: Error): void => {
    release();
    req.pause();
    out.destroy(error);
  };
  const onData = (chunk: Buffer): void => {
    size += chunk.length;
    if (size > maxBytes) {
      fail(tooLarge(maxBytes));
      return;
    }
    if (out.write(chunk)) {
      restart();
      return;
    }
    // The reader is slower than the client: its pause is not the client's.
    clearTimeout(timer);
    req.pause();
    out.once('drain', () => {
      restart();
      req.resume();
    });
  };
  const onEnd = (): void => {
    release();
    out.end();
  };
  const onGone = (): void => fail(new ClientGone());
  req.on('error', unheard);
  req.on('end', onEnd);
  req.on('error', onGone);
  req.on('close', onGone);
  out.on('close', release);
  // Before somebody reads, or where nobody will, there is nobody to tell; who reads later finds `errored`.
  out.on('error', () => undefined);
  if (req.destroyed) onGone();
  return out;
}

/** Answers `Expect: 100-continue`, which the server leaves to us: only a request that got this far may send its body. */
function goOn({ req, res }: Exchange): void {
  if (req.headers.expect?.toLowerCase() === '100-continue') res.writeContinue();
}
