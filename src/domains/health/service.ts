import type { DeepHealth, Health, PartHealth } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import { DeadlineError, withDeadline } from '#platform/deadline.ts';
import { ServiceError } from '#platform/errors.ts';
import type { JobProducer } from '#platform/queue.ts';
import { allQueues } from '#platform/queue.ts';
import type { Redis } from '#platform/redis.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';
import { livingWorkersSql } from './queries.ts';

const deadlineMs = 2_000;
/** How long an outcome stands, so that asking often costs nothing. */
const standsMs = { shallow: 1_000, deep: 5_000 };
/** More waiting than this is a queue that does not keep up. */
const longQueue = 500;

interface HealthDependencies {
  readonly db: Database;
  readonly redis: Redis;
  readonly storage: ObjectStorage;
  readonly producer: JobProducer;
  readonly clock: Clock;
  readonly version: string;
  /** Whether the process is going down. */
  readonly isStopping: () => boolean;
}

type Outcome = Pick<PartHealth, 'status' | 'detail'>;

export class HealthService {
  readonly #on: HealthDependencies;
  readonly #kept = new Map<PartHealth['name'], { part: Promise<PartHealth>; atMs: number }>();

  constructor(dependencies: HealthDependencies) {
    this.#on = dependencies;
  }

  /** Touches nothing outside the process. */
  shallow(): Health {
    if (this.#on.isStopping()) throw new ServiceError('SERVICE_UNAVAILABLE', 'The service is going down. Try again shortly.', { retryAfterSeconds: 5 });
    return { status: 'ok', version: this.#on.version, time: this.#now() };
  }

  async database(): Promise<PartHealth> {
    return this.#shown(await this.#part('database', standsMs.shallow));
  }

  async redis(): Promise<PartHealth> {
    return this.#shown(await this.#part('redis', standsMs.shallow));
  }

  /** Every part at once; told apart only to an administrator, or to a monitor that holds METRICS_TOKEN. */
  async deep(call: Call): Promise<DeepHealth> {
    const names = ['database', 'redis', 'storage', 'workers', 'queues'] as const;
    const parts = await Promise.all(names.map((name) => this.#part(name, standsMs.deep)));
    const isTold = call.caller.kind === 'system' || (call.caller.kind === 'user' && call.caller.tier === 'admin');
    const told = isTold ? parts : null;
    const isDown = (name: PartHealth['name']): boolean => parts.some((part) => part.name === name && part.status === 'down');
    if (isDown('database') || isDown('storage') || isDown('workers')) {
      throw new ServiceError('SERVICE_UNAVAILABLE', 'A part of the service is down.', { details: told === null ? null : { parts: told }, retryAfterSeconds: 5 });
    }
    const status = parts.some((part) => part.status !== 'ok') ? 'degraded' : 'ok';
    return { status, version: this.#on.version, time: this.#now(), parts: told };
  }

  #shown(part: PartHealth): PartHealth {
    if (part.status !== 'down') return { ...part, detail: null };
    throw new ServiceError('SERVICE_UNAVAILABLE', `The ${part.name} does not answer.`, { retryAfterSeconds: 2 });
  }

  #part(name: PartHealth['name'], standsForMs: number): Promise<PartHealth> {
    const known = this.#kept.get(name);
    const atMs = this.#on.clock.now();
    if (known !== undefined && atMs - known.atMs < standsForMs) return known.part;
    const part = this.#check(name);
    this.#kept.set(name, { part, atMs });
    return part;
  }

  async #check(name: PartHealth['name']): Promise<PartHealth> {
    const begun = performance.now();
    const checked_at = this.#now();
    try {
      const outcome = await withDeadline(() => this.#ask(name), deadlineMs, `the check of ${name}`);
      return { name, ...outcome, latency_ms: Math.round((performance.now() - begun) * 10) / 10, checked_at };
    } catch (error) {
      const late = error instanceof DeadlineError;
      return { name, status: 'down', latency_ms: null, checked_at, detail: late ? 'No answer within two seconds.' : 'The check failed.' };
    }
  }

  async #ask(name: PartHealth['name']): Promise<Outcome> {
    const { db, redis, storage } = this.#on;
    switch (name) {
      case 'database':
        await db.named('health.database', 'select 1 as one', []);
        return { status: 'ok', detail: null };
      case 'redis':
        await redis.ping();
        return { status: 'ok', detail: null };
      case 'storage':
        await storage.check();
        return { status: 'ok', detail: null };
      case 'workers': {
        const [row] = await db.named<{ living: number; silent: number }>('health.workers', livingWorkersSql, []);
        const living = row?.living ?? 0;
        const silent = row?.silent ?? 0;
        if (living === 0) return { status: 'down', detail: 'No worker has given a sign of life.' };
        return { status: silent > 0 ? 'degraded' : 'ok', detail: `${living} alive, ${silent} silent.` };
      }
      case 'queues':
      case 'autoscaler': {
        const waiting = await this.#waiting();
        return { status: waiting > longQueue ? 'degraded' : 'ok', detail: `${waiting} jobs wait.` };
      }
    }
  }

  async #waiting(): Promise<number> {
    const depths = await Promise.all(allQueues.map(({ queueClass, priority }) => this.#on.producer.depth(queueClass, priority)));
    return depths.reduce((sum, depth) => sum + depth.waiting, 0);
  }

  #now(): string {
    return new Date(this.#on.clock.now()).toISOString();
  }
}
