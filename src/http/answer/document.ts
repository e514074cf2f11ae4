import { createHash } from 'node:crypto';
import type { RequestHandler } from 'express';
import { noneMatchHolds, quoteEntityTag } from '../conditional.ts';
import { exchangeOf } from '../exchange.ts';
import { send } from './send.ts';

/** Serves the contract itself; the text is made once. */
export function sendDocument(document: Readonly<Record<string, unknown>>): RequestHandler {
  const text = JSON.stringify(document);
  const version = createHash('sha256').update(text).digest('hex').slice(0, 32);
  const headers = ['Cache-Control', 'public, no-cache', 'ETag', quoteEntityTag(version), 'Access-Control-Allow-Origin', '*', 'Cross-Origin-Resource-Policy', 'cross-origin'];
  return (req) => {
    const isKnown = noneMatchHolds(req.headers['if-none-match'], version);
    send(exchangeOf(req), { status: isKnown ? 304 : 200, headers, text: isKnown ? null : text });
  };
}
