import { ServiceError } from '#platform/errors.ts';
import type { Caller } from '#platform/call.ts';
import type { Redis } from '#platform/redis.ts';
import type { Logger } from '#platform/log.ts';
import { newId } from '#platform/ids.ts';
import { streamsKey } from '#platform/open-streams.ts';
import { subjectOf } from '../gate/limits.ts';

/** How many streams a caller may hold open at once over all replicas, and what it is told beyond that; null = no cap. */
export type StreamCap = (caller: Caller) => StreamBound | null | Promise<StreamBound | null>;
export interface StreamBound {
  readonly cap: number;
  readonly refusal?: (used: number) => ServiceError | Promise<ServiceError>;
}

/** A held place. `renew` is called with every heartbeat; a process that dies stops renewing and its places come free. */
export interface StreamSlot {
  renew(): Promise<void>;
  release(): Promise<void>;
}

/** Three heartbeats. */
const leaseMs = 45_000;

const takeScript = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[3]))
return 1`;
const renewScript = `
local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], tonumber(time[1]) * 1000 + tonumber(ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[2]))
return 1`;

/** Counts open streams per caller: in Redis for all replicas, in this process while Redis is away. */
export class StreamSlots {
  readonly #redis: Redis;
  readonly #cap: StreamCap;
  readonly #log: Logger;
  readonly #here = new Map<string, number>();

  constructor(redis: Redis, cap: StreamCap, log: Logger) {
    this.#redis = redis;
    this.#cap = cap;
    this.#log = log;
  }

  /** Throws QUOTA_EXCEEDED where every place is taken. */
  async take(caller: Caller, ip: string): Promise<StreamSlot> {
    const bound = await this.#cap(caller);
    const cap = bound?.cap ?? null;
    // Phones that watch one thing share its places, wherever they are.
    const subject = caller.kind === 'preview' ? `preview:${caller.sessionId ?? caller.jobId ?? ''}` : subjectOf(caller, ip);
    const open = this.#here.get(subject) ?? 0;
    if (bound !== null && open >= bound.cap) throw await full(bound);
    // Taken here at once, so that two that ask together are counted.
    this.#here.set(subject, open + 1);
    const key = streamsKey(subject);
    const id = newId();
    if (bound !== null && !(await this.#takeShared(key, id, bound.cap))) {
      this.#letGo(subject);
      throw await full(bound);
    }
    return {
      renew: async () => {
        if (cap !== null) await this.#quietly(() => this.#redis.eval(renewScript, 1, key, id, leaseMs));
      },
      release: async () => {
        this.#letGo(subject);
        if (cap !== null) await this.#quietly(() => this.#redis.zrem(key, id));
      },
    };
  }

  async #takeShared(key: string, id: string, cap: number): Promise<boolean> {
    try {
      return (await this.#redis.eval(takeScript, 1, key, id, cap, leaseMs)) === 1;
    } catch (error) {
      // Redis is away: this process' own count, already taken, is all there is.
      this.#log.debug('streams.counted_here', 'Redis is away: open streams are counted by this process alone', { error });
      return true;
    }
  }

  /** Redis away costs the count its reach, never a stream its life: a lease that is not renewed or released runs out. */
  async #quietly(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#log.debug('streams.not_told', 'Redis could not be told of an open stream', { error });
    }
  }

  #letGo(subject: string): void {
    const open = (this.#here.get(subject) ?? 1) - 1;
    if (open > 0) this.#here.set(subject, open);
    else this.#here.delete(subject);
  }
}

const full = async ({ cap, refusal }: StreamBound): Promise<ServiceError> => refusal?.(cap)
  ?? new ServiceError('QUOTA_EXCEEDED', `No more than ${cap} streams may be open at once. Close one first.`, {
    details: { limit: 'streams_at_once', allowed: cap, used: cap, tier: null, upgrade_to: null },
  });
