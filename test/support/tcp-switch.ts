/** A place on the network that can go away: passes connections on to another port, refuses them, or forgets those there are. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface TcpSwitch {
  readonly port: number;
  /** Breaks every connection, and refuses new ones from now on. */
  off(): Promise<void>;
  on(): Promise<void>;
  /** Connections that are open stay so and carry nothing any more, as where a NAT forgot them; new ones are passed on. Answers how many. */
  forget(): number;
}

/** Begins switched on, at a port of its own. */
export async function startTcpSwitch(target: number): Promise<TcpSwitch> {
  const open = new Set<Socket>();
  let server: Server | null = null;
  const listen = async (port: number): Promise<number> => {
    server = createServer((near) => {
      const far = connect(target, '127.0.0.1');
      for (const [one, other] of [[near, far], [far, near]] as const) {
        open.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => { open.delete(one); other.destroy(); });
        one.pipe(other);
      }
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('A TCP server listens on a port.');
    return address.port;
  };
  const port = await listen(0);
  return {
    port,
    off: async () => {
      const ended = server;
      server = null;
      if (ended === null) return;
      const closed = once(ended, 'close');
      ended.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
    forget: () => {
      let forgotten = 0;
      for (const socket of open) {
        socket.unpipe();
        socket.resume();
        forgotten += 1;
      }
      return forgotten / 2;
    },
    on: async () => { if (server === null) await listen(port); },
  };
}
