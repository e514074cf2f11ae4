/**
 * The Redis of last resort, as a process of its own: js-redis-server on the loopback with a password. It keeps nothing,
 * and ends with whoever started it. Started by redis.ts, which sends `{port, password}` over IPC and is answered
 * `{listening: port}`.
 *
 * BRPOPLPUSH, which bee-queue lives on and this server lacks, is added as the server's own command over its BLMOVE, so
 * that every client has it without being changed.
 */
import { createServer, type Socket } from 'node:net';
import {
  attachSession, createRedisCommandExecutor, defineCommand, redisCommandDefinitions, RedisServerState, SocketConnectionTransport,
  type CommandDefinition, type CommandExecutor,
} from 'js-redis-server/core';

/** BRPOPLPUSH source destination timeout = BLMOVE source destination RIGHT LEFT timeout. */
export function brpoplpush(): CommandDefinition {
  const blmove = redisCommandDefinitions.find(({ name }) => name === 'blmove');
  if (blmove === undefined) throw new Error('js-redis-server has no BLMOVE.');
  const { since: _since, ...rest } = blmove;
  return defineCommand<unknown>({
    ...rest,
    name: 'brpoplpush',
    schema: {
      ...blmove.schema,
      parse: (input, index, context) => {
        const own = input.slice(index);
        const [source, destination, timeout] = own;
        // The wrong number of arguments is left to BLMOVE's own parser to refuse.
        const mapped = own.length === 3 && source !== undefined && destination !== undefined && timeout !== undefined
          ? [source, destination, Buffer.from('RIGHT'), Buffer.from('LEFT'), timeout]
          : own.slice(0, 2);
        const parsed = blmove.schema.parse(mapped, 0, context);
        return { ...parsed, nextIndex: input.length };
      },
    },
  });
}

/** Listens on 127.0.0.1 with a password; gives the port. */
export async function listenBuiltIn(port: number, password: string): Promise<{ port: number; close(): Promise<void> }> {
  const state = new RedisServerState({ databaseCount: 16, requirepass: password });
  const executor = createRedisCommandExecutor({ extraCommands: [brpoplpush()] });
  const server = createServer({ keepAlive: true }, (socket) => serve(socket, state, executor));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1' }, () => resolve());
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: async () => {
      await new Promise<void>((resolve) => { server.close(() => resolve()); });
      state.close();
    },
  };
}

function serve(socket: Socket, state: RedisServerState, executor: CommandExecutor): void {
  const { session } = attachSession(new AttentiveTransport(socket), {
    state, executor, clientAddress: `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`,
  });
  socket.once('close', () => session.close());
}

/** Commands a client may send ahead of the one that runs; beyond it the client waits. */
const maxReadAheadBytes = 1_048_576;

/**
 * A connection that is read while a command runs. The server's own stops reading then, so a client that goes away while
 * it waits (BRPOPLPUSH) would keep its place in line and swallow the next message.
 */
class AttentiveTransport extends SocketConnectionTransport {
  readonly #socket: Socket;
  readonly #ahead: Buffer[] = [];
  #aheadBytes = 0;
  #hasEnded = false;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    super(socket);
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#ahead.push(chunk);
      this.#aheadBytes += chunk.length;
      if (this.#aheadBytes > maxReadAheadBytes) socket.pause();
      this.#wake();
    });
    for (const event of ['end', 'close', 'error'] as const) {
      socket.on(event, () => {
        this.#hasEnded = true;
        this.#wake();
      });
    }
  }

  override async *read(): AsyncGenerator<Buffer> {
    for (;;) {
      const chunk = this.#ahead.shift();
      if (chunk !== undefined) {
        this.#aheadBytes -= chunk.length;
        if (this.#socket.isPaused()) this.#socket.resume();
        yield chunk;
      } else if (this.#hasEnded || this.signal.aborted) return;
      else await new Promise<void>((resolve) => { this.#wake = resolve; });
    }
  }
}

if (import.meta.main) {
  process.once('message', (message: { port: number; password: string }) => {
    listenBuiltIn(message.port, message.password).then(
      ({ port }) => process.send?.({ listening: port }),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
  process.once('disconnect', () => process.exit(0));
  // Whoever started us may have died while we were loading.
  if (process.connected !== true) process.exit(0);
  // A Ctrl-C is for the supervisor, which stops this process when nobody needs it any more.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => process.exit(0));
}
