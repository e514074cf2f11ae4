import type { Readable } from 'node:stream';
import type { StreamEvent } from '../route.ts';

/** What goes over the wire: a status, headers of its own, and one kind of body. */
export interface Answer {
  readonly status: number;
  /** Beside the static ones and those of the exchange: name, value, name, value… They replace static ones of the same name. */
  readonly headers: readonly string[];
  readonly text: string | null;
  readonly stream?: Readable;
  readonly events?: AsyncIterable<StreamEvent>;
}

export const jsonType = 'application/json; charset=utf-8';

export const errorEnvelope = (code: string, message: string, details: unknown): string =>
  JSON.stringify({ ok: false, data: null, error: { code, message, details: details ?? null } });
