/** Somebody who listens to webhooks: keeps what came, and answers what a test says. */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly path: string;
  /** `webhook-id`. */
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly atMs: number;
}

/** How one is answered; nothing said is 204. The times are those that its id has come, this one counted. */
export type Answers = (received: Received, times: number) => { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string } | 'hang' | 'cut' | void;

export class WebhookReceiver {
  readonly received: Received[] = [];
  /** Being answered at this moment, by path, and the most there ever were. */
  readonly #open = new Map<string, number>();
  mostAtOnce = new Map<string, number>();
  answers: Answers = () => undefined;
  readonly #server: Server;
  readonly #hanging = new Set<ServerResponse>();

  constructor() {
    this.#server = createServer((request, response) => {
      const path = request.url ?? '';
      const open = (this.#open.get(path) ?? 0) + 1;
      this.#open.set(path, open);
      this.mostAtOnce.set(path, Math.max(open, this.mostAtOnce.get(path) ?? 0));
      response.once('close', () => this.#open.set(path, (this.#open.get(path) ?? 1) - 1));
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const one = { path, id: String(request.headers['webhook-id']), headers: request.headers, body: Buffer.concat(chunks).toString(), atMs: Date.now() };
        this.received.push(one);
        const answer = this.answers(one, this.received.filter(({ id, path: of }) => id === one.id && of === path).length) ?? {};
        if (answer === 'hang') this.#hanging.add(response);
        else if (answer === 'cut') response.destroy();
        else response.writeHead(answer.status ?? 204, answer.headers).end(answer.body);
      });
    });
  }

  /** Where it listens; each path is an endpoint of its own. */
  url(path = '/'): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  /** What came to a path, parsed. */
  at<Body = Record<string, unknown>>(path: string): Body[] {
    return this.received.filter((one) => one.path === path).map(({ body }) => JSON.parse(body) as Body);
  }

  /** Answers whatever hangs. */
  release(): void {
    for (const response of this.#hanging) response.writeHead(204).end();
    this.#hanging.clear();
  }

  clear(): void {
    this.received.length = 0;
    this.mostAtOnce = new Map();
    this.answers = () => undefined;
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async close(): Promise<void> {
    this.release();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => { this.#server.close(() => resolve()); });
  }
}
