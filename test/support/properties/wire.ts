/** Requests as bytes: what `fetch` would mend or refuse is sent as it is. */
import { Agent, request } from 'node:http';
import { note } from '../operations.ts';

export interface WireRequest {
  readonly method: string;
  /** With the query, encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | null;
  /** Sends the body in chunks, without saying its length. */
  readonly chunked?: boolean;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface Envelope {
  readonly ok: boolean;
  readonly data: unknown;
  readonly error: { readonly code: string; readonly message: string; readonly details: unknown } | null;
}

const deadlineMs = 30_000;
let addresses = 0;

/** An address of its own for each request, for limits that are counted by address. */
export function freshAddress(): string {
  addresses += 1;
  return `10.${(addresses >> 16) & 255}.${(addresses >> 8) & 255}.${addresses & 255}`;
}

export class Wire {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });
  readonly #origin: URL;

  constructor(baseUrl: string) {
    this.#origin = new URL(baseUrl);
  }

  /** Sends and reads the whole answer; of an event stream its beginning. */
  async send({ method, path, headers = {}, body = null, chunked = false }: WireRequest): Promise<WireAnswer> {
    const bytes = body === null ? null : typeof body === 'string' ? Buffer.from(body) : body;
    const answer = await new Promise<WireAnswer>((resolve, reject) => {
      const req = request({
        agent: this.#agent, host: this.#origin.hostname, port: this.#origin.port, method, path,
        headers: {
          'x-forwarded-for': freshAddress(), ...headers,
          ...(bytes === null || chunked || headers['content-length'] !== undefined ? {} : { 'content-length': String(bytes.length) }),
        },
        signal: AbortSignal.timeout(deadlineMs),
      }, (res) => {
        const chunks: Buffer[] = [];
        const finish = (): void => resolve({ status: res.statusCode ?? 0, headers: res.headers, text: Buffer.concat(chunks).toString('utf8') });
        if (res.headers['content-type']?.startsWith('text/event-stream') === true) {
          finish();
          res.destroy();
          return;
        }
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('end', finish);
        res.on('error', reject);
      });
      req.on('error', reject);
      // Refused by its headers: the body is never asked for, and never sent.
      if (headers['expect'] !== undefined) req.flushHeaders();
      else if (bytes === null) req.end();
      else if (chunked) { req.write(bytes); req.end(); }
      else req.end(bytes);
    });
    note(method, path.split('?', 1)[0] ?? '', answer.status);
    return answer;
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** The envelope of a JSON answer; throws on anything else. */
export function envelopeOf({ status, text }: WireAnswer): Envelope {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`An answer with ${status} that is not JSON: ${text.slice(0, 300)}`);
  }
  if (typeof value !== 'object' || value === null || Object.keys(value).sort().join() !== 'data,error,ok') {
    throw new Error(`An answer with ${status} that is no envelope: ${text.slice(0, 300)}`);
  }
  return value as Envelope;
}

/** Where a VALIDATION_ERROR points to. */
export function pointersOf({ error }: Envelope): string[] {
  return Array.isArray(error?.details) ? error.details.map((detail: { pointer?: unknown }) => String(detail.pointer)) : [];
}
