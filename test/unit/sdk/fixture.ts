/** A small HTTP server on loopback that answers as a test says, and remembers what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { HiveSync, type HiveSyncOptions } from '#sdk/index.ts';

export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export type Answer = (asked: Asked, response: ServerResponse) => void | Promise<void>;

export interface Fixture {
  readonly baseUrl: string;
  readonly asked: Asked[];
  /** Pauses the client made between attempts, in ms; none of them was waited for. */
  readonly pauses: number[];
  answer: Answer;
  client(options?: Partial<HiveSyncOptions>): HiveSync;
  close(): Promise<void>;
}

export const envelope = (data: unknown): string => JSON.stringify({ ok: true, data, error: null });

export function sendData(response: ServerResponse, data: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'x-request-id': 'req-1' }).end(envelope(data));
}

export function sendError(response: ServerResponse, status: number, code: string, headers: Record<string, string> = {}, details: unknown = null): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'req-1', ...headers })
    .end(JSON.stringify({ ok: false, data: null, error: { code, message: `It is ${code}.`, details } }));
}

/** Answers one after the other; the last one goes on for ever. */
export const inTurn = (...answers: readonly Answer[]): Answer => {
  let next = 0;
  return async (asked, response) => {
    const answer = answers[Math.min(next, answers.length - 1)];
    next += 1;
    await answer?.(asked, response);
  };
};

export async function openFixture(): Promise<Fixture> {
  const asked: Asked[] = [];
  const pauses: number[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const one: Asked = { method: request.method ?? '', target: request.url ?? '', headers: request.headers, body: await buffer(request) };
    asked.push(one);
    await fixture.answer(one, response);
  };
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const baseUrl = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const fixture: Fixture = {
    baseUrl, asked, pauses,
    answer: (_asked, response) => sendError(response, 500, 'INTERNAL_ERROR'),
    client: (options = {}) => new HiveSync({
      baseUrl,
      accessToken: 'token-1',
      pause: async (ms, signal) => {
        signal.throwIfAborted();
        pauses.push(ms);
      },
      ...options,
    }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return fixture;
}

/** The error a call must end in. */
export async function failureOf(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error('expected a failure');
}
