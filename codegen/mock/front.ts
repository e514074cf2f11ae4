/**
 * The mock: Prism under the real base path, in the real envelope, with event streams. What it answers are the
 * contract's examples, so it knows one story (Ada, Field Notes) whatever is asked of it, and keeps nothing.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { randomUUID } from 'node:crypto';
import { type Contract, isSuccess, methods, type Operation, operationsOf, resolve } from '../contract.ts';
import { byPath } from '../server/routes.ts';
import { after, eventsOf, play } from './events.ts';
import { type Answered, type Asked, openPrism, type Prism } from './prism.ts';
import { invalid, Refusal, refusalText, statusOf } from './refusal.ts';

export interface MockOptions {
  /** Between two events of a stream. */
  readonly eventPauseMs: number;
}

interface Found { readonly operation: Operation; readonly path: string; readonly query: Record<string, string | string[]> }

/** A body sent where none is taken is read and not looked at. */
const bodyNobodyAskedForBytes = 65_536;

const cors = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'ETag, Location, Retry-After, X-Request-Id',
} as const;

function read(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((done, fail) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
    });
    request.on('end', () => {
      if (size > maxBytes) fail(new Refusal('PAYLOAD_TOO_LARGE', `The body may hold at most ${maxBytes} bytes.`, { max_bytes: maxBytes }));
      else done(Buffer.concat(chunks));
    });
    request.on('error', fail);
  });
}

const matcher = (template: string): RegExp => new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`);

class Front {
  readonly #contract: Contract;
  readonly #prism: Prism;
  readonly #options: MockOptions;
  readonly #base: string;
  readonly #table: readonly { readonly pattern: RegExp; readonly operation: Operation }[];

  constructor(contract: Contract, prism: Prism, options: MockOptions) {
    this.#contract = contract;
    this.#prism = prism;
    this.#options = options;
    this.#base = contract.servers?.[0]?.url ?? '';
    this.#table = [...operationsOf(contract)].sort(byPath).map((operation) => ({ pattern: matcher(operation.path), operation }));
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const common = { ...cors, 'X-Request-Id': String(request.headers['x-request-id'] ?? randomUUID()) };
    for (const [name, value] of Object.entries(common)) response.setHeader(name, value);
    if (request.method === 'OPTIONS') {
      response.writeHead(204, { 'Access-Control-Allow-Methods': methods.join(', ').toUpperCase(), 'Access-Control-Allow-Headers': request.headers['access-control-request-headers'] ?? '*', 'Access-Control-Max-Age': '600' }).end();
      return;
    }
    try {
      await this.#answer(request, response);
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal('INTERNAL_ERROR', `The mock failed: ${(error as Error).message}`);
      if (response.headersSent) {
        response.destroy();
        return;
      }
      response.writeHead(statusOf(this.#contract, refusal.code), { 'Content-Type': 'application/json', ...refusal.headers }).end(refusalText(refusal));
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const found = this.#find(request);
    const { operation } = found;
    const asked: Asked = {
      method: operation.method, path: found.path, query: found.query, headers: headersOf(request),
      body: await this.#body(request, operation), prefer: preferOf(request),
    };
    const example = this.#eventsOf(operation);
    const answered = await this.#prism(example === null ? asked : { ...asked, headers: { ...asked.headers, accept: '*/*' } });
    if (example !== null && isSuccess(answered.status)) {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      response.flushHeaders();
      await play(response, after(eventsOf(example), asked.headers['last-event-id']), this.#options.eventPauseMs);
      return;
    }
    this.#send(response, operation, found.path, answered);
  }

  #find(request: IncomingMessage): Found {
    const url = new URL(request.url ?? '/', 'http://mock');
    if (url.pathname !== this.#base && !url.pathname.startsWith(`${this.#base}/`)) throw new Refusal('NOT_FOUND', `There is nothing here: the API lies below ${this.#base}.`);
    const path = url.pathname.slice(this.#base.length) || '/';
    const here = this.#table.filter(({ pattern }) => pattern.test(path)).map(({ operation }) => operation);
    if (here.length === 0) throw new Refusal('NOT_FOUND', 'There is nothing here, or nothing you may see.');
    const operation = here.find(({ method }) => method === request.method?.toLowerCase());
    if (operation === undefined) throw new Refusal('METHOD_NOT_ALLOWED', 'This path does not take this method.', null, { Allow: here.map(({ method }) => method.toUpperCase()).join(', ') });
    const query: Record<string, string | string[]> = {};
    for (const name of new Set(url.searchParams.keys())) {
      const values = url.searchParams.getAll(name);
      query[name] = values.length === 1 ? values[0] ?? '' : values;
    }
    // Prism passes what it does not know.
    const unknown = Object.keys(query).filter((name) => !operation.parameters.some((parameter) => parameter.in === 'query' && parameter.name === name));
    if (unknown.length > 0) throw invalid(unknown.map((name) => ({ pointer: `#/query/${name}`, message: 'must NOT have additional properties', rule: 'additionalProperties' })));
    return { operation, path, query };
  }

  async #body(request: IncomingMessage, operation: Operation): Promise<unknown> {
    const bytes = await read(request, operation.raw['x-max-body'] ?? bodyNobodyAskedForBytes);
    if (operation.body === null || bytes.length === 0) return undefined;
    const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
    const types = Object.keys(operation.body.content);
    if (!types.includes(type)) throw new Refusal('UNSUPPORTED_MEDIA_TYPE', `Send the body as ${types.join(' or ')}.`);
    if (type !== 'application/json') return bytes.toString('latin1');
    try {
      return JSON.parse(bytes.toString('utf8'));
    } catch (error) {
      throw invalid([{ pointer: '#/body', message: `is not JSON: ${(error as Error).message}`, rule: 'json' }]);
    }
  }

  /** The text of an operation's event stream; null where it answers none. */
  #eventsOf(operation: Operation): string | null {
    const media = operation.answers.get(200)?.content?.['text/event-stream'];
    if (media === undefined) return null;
    const [example] = Object.values(media.examples ?? {});
    const value = example === undefined ? '' : resolve(this.#contract, example).value;
    return typeof value === 'string' ? value : '';
  }

  #send(response: ServerResponse, operation: Operation, path: string, { status, headers, body }: Answered): void {
    const sent: Record<string, string> = {};
    for (const [name, value] of Object.entries(headers)) sent[name.toLowerCase()] = value;
    const id = (body as { data?: { id?: string; job?: { id?: string } } } | undefined)?.data;
    // Prism makes up "string" for headers; these two are followed and sent back by clients.
    if (sent['location'] !== undefined) sent['location'] = `${this.#base}${path}/${id?.id ?? id?.job?.id ?? ''}`.replace(/\/$/, '');
    if (sent['etag'] !== undefined) sent['etag'] = '"1"';
    if (status === 401) sent['www-authenticate'] = 'Bearer';
    if (status === 429 || status === 503) sent['retry-after'] = '1';
    const isJson = operation.answers.get(status)?.content?.['application/json'] !== undefined;
    response.writeHead(status, sent);
    if (body === undefined || status === 204 || status === 304) response.end();
    else response.end(isJson || typeof body !== 'string' ? JSON.stringify(body) : body);
  }
}

const headersOf = (request: IncomingMessage): Record<string, string> => Object.fromEntries(
  Object.entries(request.headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]])),
);

/** `Prefer: code=409, example=default` picks the answer; `dynamic=true` makes values up. */
function preferOf(request: IncomingMessage): Asked['prefer'] {
  const wishes = new Map<string, string>();
  for (const wish of String(request.headers['prefer'] ?? '').split(/[,;]/)) {
    const [name = '', value = ''] = wish.split('=').map((word) => word.trim().replaceAll('"', ''));
    wishes.set(name, value);
  }
  const code = Number(wishes.get('code'));
  const example = wishes.get('example');
  return { ...(Number.isInteger(code) && code > 0 ? { code } : {}), ...(example === undefined ? {} : { example }), dynamic: wishes.get('dynamic') === 'true' };
}

/** A server that has not begun to listen. */
export async function createMock(contract: Contract, options: MockOptions = { eventPauseMs: 500 }): Promise<Server> {
  const front = new Front(contract, await openPrism(contract), options);
  return createServer((request, response) => { void front.handle(request, response); });
}

