import { hasBody } from '../body/declared.ts';
import type { Exchange } from '../exchange.ts';
import { commonHeaders, type StaticHeaders } from '../headers.ts';
import { jsonType, type Answer } from './answer.ts';

/** The rest of a body nobody wants is read up to this much, so that the client sees the answer and not a reset. */
const lingerBytes = 1024 * 1024;
const lingerMs = 2_000;

/** Every header of an answer, in the flat form writeHead takes. The answer's own replace static ones of the same name. */
export function headOf(exchange: Exchange, answer: Answer, statics: StaticHeaders = commonHeaders): string[] {
  const base = exchange.isHttps ? statics.https : statics.http;
  const { headers } = answer;
  const head: string[] = [];
  if (headers.length === 0) {
    head.push(...base);
  } else {
    const own = new Set<string>();
    for (let at = 0; at < headers.length; at += 2) own.add((headers[at] ?? '').toLowerCase());
    for (let at = 0; at < base.length; at += 2) {
      const name = base[at] ?? '';
      if (!own.has(name.toLowerCase())) head.push(name, base[at + 1] ?? '');
    }
    head.push(...headers);
  }
  head.push(...exchange.head);
  return head;
}

/** Sends a whole answer: one writeHead, one end. The first answer of an exchange wins; any later one is dropped. */
export function send(exchange: Exchange, answer: Answer, statics?: StaticHeaders): void {
  if (!settle(exchange)) return;
  const { res } = exchange;
  const head = headOf(exchange, answer, statics);
  const { text } = answer;
  const hasContent = text !== null && answer.status !== 204 && answer.status !== 304;
  const bytes = hasContent ? Buffer.from(text, 'utf8') : null;
  if (bytes !== null) head.push('Content-Type', jsonType, 'Content-Length', String(bytes.length));
  if (isBodyUnread(exchange)) {
    head.push('Connection', 'close');
    res.writeHead(answer.status, head);
    linger(exchange, bytes);
    return;
  }
  res.writeHead(answer.status, head);
  if (bytes === null) res.end();
  else res.end(bytes);
}

/** Marks the exchange as answered; false when it was already, or when nobody is left to answer. */
export function settle(exchange: Exchange): boolean {
  if (exchange.isAnswered) return false;
  exchange.isAnswered = true;
  if (exchange.deadlineTimer !== null) clearTimeout(exchange.deadlineTimer);
  return !exchange.res.headersSent && !exchange.res.destroyed;
}

const isBodyUnread = (exchange: Exchange): boolean => hasBody(exchange) && !exchange.req.complete;

/**
 * The client is still sending what was refused. Closing now would reset the connection under an answer it has not
 * read, so what still comes is thrown away for a short while, bounded in bytes and time.
 */
function linger({ req, res }: Exchange, bytes: Buffer | null): void {
  const socket = res.socket;
  let thrownAway = 0;
  const end = (): void => {
    clearTimeout(timer);
    req.off('data', onData);
    req.off('end', end);
    req.off('close', end);
    if (!res.writableEnded) res.end();
    if (!req.complete) socket?.destroySoon();
  };
  const onData = (chunk: Buffer): void => {
    thrownAway += chunk.length;
    if (thrownAway > lingerBytes) end();
  };
  const timer = setTimeout(end, lingerMs);
  if (bytes !== null && req.method !== 'HEAD') res.write(bytes);
  else res.flushHeaders();
  req.on('data', onData);
  req.on('end', end);
  req.on('close', end);
  req.resume();
}
