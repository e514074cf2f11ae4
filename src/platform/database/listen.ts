import pg from 'pg';
import { pause, withDeadline } from '../deadline.ts';
import { clientConfig, connectTimeoutMs, requireAddress, type DatabaseEnvironment } from './pool.ts';

export interface Listener {
  /** Resolves when the first connection listens; rejects only when the listener was closed before. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/**
 * What came: a notification's payload, or `null` when the listener (re)connected and notifications may have been
 * missed, so that the receiver looks by itself.
 */
export type OnNotify = (payload: string | null) => void;

export interface ListenOptions {
  /** Told of each failure; the listener itself goes on trying. */
  readonly onError?: (error: unknown) => void;
  /** How often the connection is probed: a half-open one would stay silent for ever. */
  readonly probeMs?: number;
}

const channelName = /^[a-z_][a-z0-9_]{0,62}$/;

/**
 * LISTENs on a connection of its own and reconnects by itself, waiting 0.1 s at first and 5 s at most. Each time it is
 * connected anew it calls `onNotify(null)`. `onNotify` must not throw; if it does, `onError` hears of it.
 */
export function listenOn(env: DatabaseEnvironment, channel: string, onNotify: OnNotify, options: ListenOptions = {}): Listener {
  if (!channelName.test(channel)) throw new Error('A channel is named in lower case, digits and underscores.');
  const { onError = () => undefined, probeMs = 15_000 } = options;
  const closing = new AbortController();
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => undefined);

  const notify = (payload: string | null): void => {
    try {
      onNotify(payload);
    } catch (error) {
      onError(error);
    }
  };

  async function listenOnce(connected: () => void): Promise<void> {
    const client = new pg.Client(clientConfig(requireAddress(env), env.postgresStatementTimeoutMs, `hivesync listen ${channel}`));
    const broken = Promise.withResolvers<never>();
    broken.promise.catch(() => undefined);
    client.on('error', (error) => broken.reject(error));
    client.on('end', () => broken.reject(new Error('The listening connection ended.')));
    client.on('notification', (message) => notify(message.payload ?? ''));
    try {
      await Promise.race([client.connect(), broken.promise]);
      await Promise.race([withDeadline(() => client.query(`LISTEN ${channel}`), connectTimeoutMs, 'LISTEN'), broken.promise]);
      connected();
      notify(null);
      for (;;) {
        await Promise.race([pause(probeMs, closing.signal), broken.promise]);
        await Promise.race([withDeadline(() => client.query('SELECT 1'), connectTimeoutMs, 'The probe of the listener'), broken.promise]);
      }
    } finally {
      await endClient(client);
    }
  }

  async function run(): Promise<void> {
    let waitMs = 100;
    while (!closing.signal.aborted) {
      try {
        await listenOnce(() => {
          waitMs = 100;
          ready.resolve();
        });
      } catch (error) {
        if (closing.signal.aborted) break;
        onError(error);
        await pause(waitMs, closing.signal).catch(() => undefined);
        waitMs = Math.min(waitMs * 2, 5_000);
      }
    }
    ready.reject(new Error('The listener was closed.'));
  }

  const running = run();
  return {
    ready: ready.promise,
    close: async () => {
      closing.abort(new Error('The listener was closed.'));
      await running;
    },
  };
}

/** Ends a connection, by force when it does not answer within a second. */
async function endClient(client: pg.Client): Promise<void> {
  try {
    await withDeadline(() => client.end(), 1_000, 'Closing the listener');
  } catch {
    const { connection } = client as pg.Client & { connection?: { stream?: { destroy(): void } } };
    connection?.stream?.destroy();
  }
}
