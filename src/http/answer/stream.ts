import { pipeline } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import type { Logger } from '#platform/log.ts';
import type { Exchange } from '../exchange.ts';
import type { StaticHeaders } from '../headers.ts';
import type { Answer } from './answer.ts';
import { headOf, settle } from './send.ts';

/** A client that takes nothing for this long has gone without saying so. */
const idleTimeoutMs = 60_000;

/**
 * Sends a stream at the client's pace. A fault in the middle destroys the connection, so that nobody takes half a file
 * for a whole one; a client that goes away ends the source.
 */
export async function sendStream(exchange: Exchange, answer: Answer & { readonly stream: Readable }, statics: StaticHeaders, log: Logger): Promise<void> {
  const { res, req } = exchange;
  const { stream } = answer;
  if (!settle(exchange)) {
    stream.destroy();
    return;
  }
  res.writeHead(answer.status, headOf(exchange, answer, statics));
  if (req.method === 'HEAD') {
    stream.destroy();
    res.end();
    return;
  }
  const onIdle = (): void => void res.destroy();
  res.setTimeout(idleTimeoutMs, onIdle);
  // The source's own fault, as against its end because the client went away (which the access log says).
  stream.once('error', (error) => {
    if (exchange.abort.signal.aborted || res.destroyed) return;
    log.error('http.stream_failed', 'An answer broke off in the middle', { operation_id: exchange.route?.operationId ?? null, error });
  });
  try {
    await pipeline(stream, res, { signal: exchange.abort.signal });
  } catch {
    // Told above, or nobody's fault.
    res.destroy();
  }
}
