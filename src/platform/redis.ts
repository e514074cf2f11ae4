/**
 * Redis: ioredis for everything of ours, and the options with which bee-queue opens its own redis@3 clients (it cannot
 * be handed an ioredis instance: it then connects to 127.0.0.1:6379 in silence).
 */
import { Redis, type RedisOptions } from 'ioredis';
import type { Environment, RedisAddress } from '#config/environment.ts';
import { withDeadline } from './deadline.ts';
import type { Logger } from './log.ts';

export type { Redis };
export type RedisEnvironment = Pick<Environment, 'redis'>;

const connectTimeoutMs = 5_000;
const keepAliveDelayMs = 10_000;
/** The longest a command may take: what needs Redis has a way without it, and takes it rather than wait longer. */
const commandTimeoutMs = 2_000;
const longestRetryMs = 2_000;

function requireAddress(env: RedisEnvironment): RedisAddress {
  if (env.redis === null) {
    throw new Error('No Redis is configured: set REDIS_URL or REDIS_HOST, or use npm start, which starts one.');
  }
  return env.redis;
}

const retryAfterMs = (attempt: number): number => Math.min(50 * 2 ** Math.min(attempt, 10), longestRetryMs);

function clientOptions(address: RedisAddress): Omit<RedisOptions, 'replyMapping'> {
  return {
    host: address.host,
    port: address.port,
    db: address.db,
    ...(address.username === null ? {} : { username: address.username }),
    ...(address.password === null ? {} : { password: address.password.reveal() }),
    ...(address.tls ? { tls: {} } : {}),
    connectTimeout: connectTimeoutMs,
    keepAlive: keepAliveDelayMs,
    retryStrategy: retryAfterMs,
    // After a failover the old primary answers READONLY: connect anew, to where the name points now.
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
  };
}

/**
 * The client for commands. Commands of one turn of the event loop leave together (auto-pipelining). While Redis is away
 * a command fails at once instead of waiting in a queue, and no command waits longer than two seconds. It connects in
 * the background and for ever tries again; `redisReady` waits for it.
 */
export function openRedis(env: RedisEnvironment, log?: Pick<Logger, 'warn' | 'info'>): Redis {
  const redis = new Redis({
    ...clientOptions(requireAddress(env)),
    commandTimeout: commandTimeoutMs,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: true,
  });
  sayTransitions(redis, log, 'commands');
  return redis;
}

/** Resolves when the client is connected and signed in; rejects after `timeoutMs`, or at once when the password is wrong. */
export async function redisReady(redis: Redis, timeoutMs = connectTimeoutMs): Promise<void> {
  if (redis.status === 'ready') return;
  let forget = (): void => undefined;
  try {
    await withDeadline(
      () =>
        new Promise<void>((resolve, reject) => {
          const onReady = (): void => resolve();
          const onError = (error: Error): void => {
            if (/WRONGPASS|NOAUTH|invalid password/i.test(error.message)) reject(new Error('Redis refused the password.', { cause: error }));
          };
          forget = () => {
            redis.off('ready', onReady);
            redis.off('error', onError);
          };
          redis.on('ready', onReady);
          redis.on('error', onError);
        }),
      timeoutMs,
      'Connecting to Redis',
    );
  } finally {
    forget();
  }
}

export interface Subscriber {
  /** Calls `onMessage` for every message on the channel until the returned function is called. */
  subscribe(channel: string, onMessage: (message: string) => void): Promise<() => Promise<void>>;
  /** Called after each reconnection: messages may have been missed. */
  onReconnect(listener: () => void): void;
  close(): void;
}

/**
 * One connection for any number of subscriptions; a channel is subscribed once however many listen, and again by itself
 * after a reconnection. Redis keeps no messages: what was published while we were away is lost, `onReconnect` says so.
 */
export function openSubscriber(env: RedisEnvironment, log?: Pick<Logger, 'warn' | 'info' | 'error'>): Subscriber {
  const redis = new Redis({ ...clientOptions(requireAddress(env)), maxRetriesPerRequest: null, autoResubscribe: true });
  sayTransitions(redis, log, 'subscriptions');
  const receivers = new Map<string, Set<(message: string) => void>>();
  const reconnectListeners = new Set<() => void>();
  let connectedBefore = false;
  redis.on('ready', () => {
    if (connectedBefore) for (const listener of reconnectListeners) listener();
    connectedBefore = true;
  });
  redis.on('message', (channel: string, message: string) => {
    for (const receive of receivers.get(channel) ?? []) {
      try {
        receive(message);
      } catch (error) {
        log?.error('redis.receiver_failed', 'A receiver of a published message failed', { error });
      }
    }
  });
  return {
    async subscribe(channel, onMessage) {
      // Its own function, so that the same receiver may subscribe twice.
      const receive = (message: string): void => onMessage(message);
      const present = receivers.get(channel);
      if (present === undefined) {
        receivers.set(channel, new Set([receive]));
        await withDeadline(() => redis.subscribe(channel), connectTimeoutMs, 'Subscribing in Redis').catch((error: unknown) => {
          receivers.get(channel)?.delete(receive);
          if (receivers.get(channel)?.size === 0) receivers.delete(channel);
          throw error;
        });
      } else {
        present.add(receive);
      }
      return async () => {
        const left = receivers.get(channel);
        if (left === undefined || !left.delete(receive) || left.size > 0) return;
        receivers.delete(channel);
        if (redis.status === 'ready') await withDeadline(() => redis.unsubscribe(channel), connectTimeoutMs, 'Unsubscribing in Redis');
      };
    },
    onReconnect(listener) {
      reconnectListeners.add(listener);
    },
    close() {
      redis.disconnect();
    },
  };
}

/** Options for redis@3, which is what bee-queue speaks through. */
export interface QueueRedisOptions {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly user?: string;
  readonly password?: string;
  readonly tls?: { readonly servername: string };
  readonly connect_timeout: number;
  readonly socket_keepalive: boolean;
  readonly socket_initial_delay: number;
  readonly enable_offline_queue: boolean;
  readonly retry_strategy: (state: { readonly attempt: number }) => number;
}

/**
 * What bee-queue's `redis` setting takes. A producer's offline queue is off, so that `save()` fails at once while Redis
 * is away (it still needs a time limit of its own: a half-open connection hangs); a worker's is on.
 */
export function redisOptions(env: RedisEnvironment, use: 'producer' | 'worker'): QueueRedisOptions {
  const address = requireAddress(env);
  return {
    host: address.host,
    port: address.port,
    db: address.db,
    ...(address.username === null ? {} : { user: address.username }),
    ...(address.password === null ? {} : { password: address.password.reveal() }),
    ...(address.tls ? { tls: { servername: address.host } } : {}),
    // redis@3 counts this over all attempts together: a day, so that it never gives up by itself.
    connect_timeout: 86_400_000,
    socket_keepalive: true,
    // Without it the kernel first asks after two hours: whoever waits for a message on a half-open connection would hear of none so long.
    socket_initial_delay: keepAliveDelayMs,
    enable_offline_queue: use === 'worker',
    retry_strategy: ({ attempt }) => retryAfterMs(attempt),
  };
}

/** Logs going and coming back once each, not every attempt. The listener is also what keeps an error from ending the process. */
function sayTransitions(redis: Redis, log: Pick<Logger, 'warn' | 'info'> | undefined, use: string): void {
  let away = false;
  redis.on('error', (error: Error) => {
    if (away) return;
    away = true;
    log?.warn('redis.away', 'Redis cannot be reached', { use, error });
  });
  redis.on('ready', () => {
    if (away) log?.info('redis.back', 'Redis is back', { use });
    away = false;
  });
}
