/**
 * How jobs travel: bee-queue on Redis, a queue for each priority of each class. Only ids travel; Postgres is the truth, and
 * a message that is lost, doubled or late changes nothing (`claimJob` decides).
 *
 * Facts of bee-queue 2.0.0 this is built around: it speaks through redis@3 and takes options, not an ioredis client;
 * after a Redis restart its scripts must be loaded again; `save()` of an id that exists answers a job without id; a
 * half-open connection hangs a `save`, so each has a deadline; finished jobs must leave Redis, or their id is never
 * enqueued again.
 */
import { createRequire } from 'node:module';
import BeeQueue from 'bee-queue';
import { pause, withDeadline } from '#platform/deadline.ts';
import type { Logger } from '#platform/log.ts';
import type { QueueRedisOptions } from '#platform/redis.ts';

/** `cpu` and `gpu` are the workers' own; `system` is what the backend's own process group takes. */
export const queueClasses = ['cpu', 'gpu', 'system'] as const;
export const queuePriorities = ['high', 'normal', 'low'] as const;
export type QueueClass = (typeof queueClasses)[number];
export type QueuePriority = (typeof queuePriorities)[number];

/** What a message carries: the job, and which enqueueing of it this is. */
export interface JobMessage {
  readonly jobId: string;
  readonly epoch: number;
}

/** Workers' queues go by priority; the system's own work has one queue, `system_tasks`. */
const prioritiesOf = (queueClass: QueueClass): readonly QueuePriority[] => (queueClass === 'system' ? ['normal'] : queuePriorities);

/** Every queue there is. */
export const allQueues: readonly { readonly queueClass: QueueClass; readonly priority: QueuePriority }[] =
  queueClasses.flatMap((queueClass) => prioritiesOf(queueClass).map((priority) => ({ queueClass, priority })));

export const queueName = (queueClass: QueueClass, priority: QueuePriority): string =>
  (queueClass === 'system' ? 'system_tasks' : `${queueClass}_tasks:${priority}`);

/**
 * Thrown by a taker that gives a message back unread: it goes to the queue again at once, for whoever else takes it; at
 * its end, or at the front, where it keeps its turn.
 */
export class MessageHandedBack extends Error {
  readonly place: 'front' | 'end';

  constructor(message = 'The message was handed back.', place: 'front' | 'end' = 'end') {
    super(message);
    this.name = 'MessageHandedBack';
    this.place = place;
  }
}

/** How a message is fetched: `wait` for as long as it takes one to come, `look` whether one is there. */
export type Fetching = 'wait' | 'look';

/** Who says when messages are fetched. Each fetch ends with the message's `take`, or with `missed`. */
export interface Fetcher {
  wanted(priority: QueuePriority): Promise<Fetching>;
  missed(priority: QueuePriority): void;
}

/** A send that takes longer is unknown, and its repeat is harmless. */
const sendTimeoutMs = 5_000;
/** What is looked at while a slot is free waits for nobody; a message whose answer was lost comes back after the stall interval. */
const lookTimeoutMs = 2_000;
const stallIntervalMs = 10_000;
const closeTimeoutMs = 5_000;
/** How often a wait is ended before its connection is cut, and how long each is given. */
const endWaitTries = 20;
const endWaitPauseMs = 50;
/** After a fetch that failed, doubled up to the bound. */
const fetchAgainMs = { first: 100, most: 5_000 };

const lua = createRequire(import.meta.url)('bee-queue/lib/lua/index.js') as { buildCache(client: unknown): Promise<unknown> };
interface ConnectedQueue { readonly client?: { on(event: 'ready', listener: () => void): unknown } }

type Done<Answer> = (error: Error | null, answer: Answer) => void;
interface Commands {
  lrem(key: string, count: number, value: string): Commands;
  srem(key: string, value: string): Commands;
  rpush(key: string, value: string): Commands;
  exec(done: (error: Error | null) => void): void;
}
/** What of bee-queue's inside the taking side steps into: it has no way of its own to fetch later, or to give back at the front. */
interface TakingQueue {
  readonly paused: boolean;
  readonly client: {
    multi(): Commands;
    llen(key: string, done: Done<number>): void;
    rpoplpush(from: string, to: string, done: Done<string | null>): void;
    client(command: 'UNBLOCK', connection: number, done: Done<number>): void;
  };
  readonly bclient: {
    brpoplpush(from: string, to: string, timeoutSeconds: number, done: Done<string | null>): void;
    client(command: 'ID', done: Done<number>): void;
    on(event: 'ready', listener: () => void): unknown;
  };
  toKey(name: string): string;
  emit(event: 'error', error: unknown): boolean;
  createJob(message: JobMessage): BeeQueue.Job<JobMessage>;
  _waitForJob(): Promise<BeeQueue.Job<JobMessage> | null>;
  _getNextJob(): Promise<unknown>;
  _finishJob(error: unknown, data: unknown, job: { readonly id: string }): Promise<unknown>;
}

/** One command's answer, or a rejection when it does not come: a half-open connection gives none. */
const answerOf = <Answer>(ask: (done: Done<Answer>) => void, what: string): Promise<Answer> =>
  withDeadline(() => new Promise<Answer>((resolve, reject) => { ask((error, answer) => { if (error === null) resolve(answer); else reject(error); }); }), lookTimeoutMs, what);

/** Fetches a message only when one is wanted, and as it is wanted. Once it was closed nothing is fetched: the loop that asks ends by itself. */
function fetchWhen(queue: TakingQueue, priority: QueuePriority, fetcher: Fetcher): void {
  const wait = queue._getNextJob.bind(queue);
  queue._getNextJob = async () => {
    for (;;) {
      const how = await fetcher.wanted(priority);
      if (queue.paused) return null;
      const job = how === 'wait' ? await wait() : await lookInto(queue);
      if (job !== null || queue.paused) return job;
      fetcher.missed(priority);
    }
  };
}

/** The next message, if there is one. */
async function lookInto(queue: TakingQueue): Promise<unknown> {
  try {
    const id = await answerOf<string | null>((done) => queue.client.rpoplpush(queue.toKey('waiting'), queue.toKey('active'), done), 'looking for a message');
    return id === null ? null : queue.createJob(messageOf(id)).setId(id);
  } catch (error) {
    if (!queue.paused) queue.emit('error', error);
    return null;
  }
}

/**
 * Knows a message by its id, which says all of it. bee-queue would read it from Redis, one after the other and each before
 * the next is fetched; and an id whose particulars are gone (its job ended while a stalled copy of it waited) it neither hands
 * over nor takes away, so that it would come back for ever.
 *
 * Answers how to end the waiting: bee-queue would cut its connection, and what Redis hands over in that moment is in
 * nobody's hands until it counts as stalled.
 */
function knowById(queue: TakingQueue): () => Promise<void> {
  const waits = new Set<Promise<unknown>>();
  let connection: number | null = null;
  let isEnding = false;
  const nothingMore = (): Promise<null> => new Promise(() => undefined);
  const learnConnection = (): void => queue.bclient.client('ID', (_, id) => { connection = id; });
  learnConnection();
  queue.bclient.on('ready', learnConnection);
  queue._waitForJob = async () => {
    for (let waitMs = fetchAgainMs.first; !isEnding; waitMs = Math.min(waitMs * 2, fetchAgainMs.most)) {
      const next = new Promise<string | null>((resolve, reject) => {
        queue.bclient.brpoplpush(queue.toKey('waiting'), queue.toKey('active'), 0, (error, fetched) => { if (error === null) resolve(fetched); else reject(error); });
      });
      const wait = next.then(async (id) => {
        if (id !== null && isEnding) await putAtFront(queue, id);
        return id;
      });
      waits.add(wait);
      try {
        const id = await wait;
        if (isEnding) break;
        return id === null ? null : queue.createJob(messageOf(id)).setId(id);
      } catch (error) {
        if (queue.paused) return null;
        queue.emit('error', error);
        await pause(waitMs);
      } finally {
        waits.delete(wait);
      }
    }
    return nothingMore();
  };
  return async () => {
    isEnding = true;
    // Several may stand behind each other on the connection, and each is ended by itself.
    for (let tries = 0; waits.size > 0 && connection !== null && tries < endWaitTries; tries += 1) {
      const unblocked = connection;
      const isHeard = await answerOf<number>((done) => queue.client.client('UNBLOCK', unblocked, done), 'ending a wait').then(() => true, () => false);
      // Redis is away, or does not let us: the connection is cut, and what was on its way comes back when it counts as stalled.
      if (!isHeard) return;
      await Promise.race([Promise.allSettled(waits), pause(endWaitPauseMs)]);
    }
  };
}

const idOf = ({ jobId, epoch }: JobMessage): string => `${jobId}.${epoch}`;

function messageOf(id: string): JobMessage {
  const at = id.lastIndexOf('.');
  return { jobId: id.slice(0, at), epoch: Number(id.slice(at + 1)) };
}

/** Puts what is handed back with its turn where it was taken from: messages are taken at the right end of the list. */
function giveBackAtFront(queue: TakingQueue): void {
  const finish = queue._finishJob.bind(queue);
  queue._finishJob = async (error, data, job) => {
    if (!(error instanceof MessageHandedBack) || error.place !== 'front') return finish(error, data, job);
    await putAtFront(queue, job.id);
    return ['retrying', error];
  };
}

const putAtFront = (queue: TakingQueue, id: string): Promise<void> => new Promise((resolve, reject) => {
  queue.client.multi()
    .lrem(queue.toKey('active'), 0, id).srem(queue.toKey('stalling'), id).rpush(queue.toKey('waiting'), id)
    .exec((failure) => { if (failure === null) resolve(); else reject(failure); });
});

/**
 * Loads bee-queue's scripts again whenever its connection comes back, since a restarted Redis has forgotten them, and where it
 * forgot them on a connection that stood (SCRIPT FLUSH, or another server behind a proxy).
 */
async function open(queue: BeeQueue<JobMessage>, log: Logger): Promise<BeeQueue<JobMessage>> {
  queue.on('error', (error) => {
    log.warn('queue.error', error.message, { queue: queue.name });
    if (areScriptsGone(error)) loadScripts(queue, log);
  });
  await withDeadline(() => queue.ready(), sendTimeoutMs * 2, `queue ${queue.name}`);
  (queue as unknown as ConnectedQueue).client?.on('ready', () => loadScripts(queue, log));
  return queue;
}

const areScriptsGone = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOSCRIPT');

function loadScripts(queue: BeeQueue<JobMessage>, log: Logger): void {
  const { client } = queue as unknown as ConnectedQueue;
  lua.buildCache(client).catch((error: unknown) => log.warn('queue.scripts', 'Scripts could not be loaded', { queue: queue.name, error }));
}

/** The sending side: one producer a queue, opened at first use. */
export class JobProducer {
  readonly #redis: QueueRedisOptions;
  readonly #log: Logger;
  readonly #queues = new Map<string, Promise<BeeQueue<JobMessage>>>();

  constructor(redis: QueueRedisOptions, log: Logger) {
    this.#redis = redis;
    this.#log = log;
  }

  /**
   * Puts messages on one queue; answers when Redis has them all, throws when any may not be there. Sending the same
   * message again changes nothing.
   */
  async send(queueClass: QueueClass, priority: QueuePriority, messages: readonly JobMessage[]): Promise<void> {
    const queue = await this.#queue(queueName(queueClass, priority));
    const jobs = messages.map((message) => queue.createJob(message).setId(idOf(message)));
    const errors = await withDeadline(() => queue.saveAll(jobs), sendTimeoutMs, `sending to ${queue.name}`);
    const [first] = errors.values();
    if (areScriptsGone(first)) loadScripts(queue, this.#log);
    if (first !== undefined) throw first;
  }

  /** Whether Redis still holds this message, waiting or being worked on. */
  async holds(queueClass: QueueClass, priority: QueuePriority, message: JobMessage): Promise<boolean> {
    const queue = await this.#queue(queueName(queueClass, priority));
    const job: BeeQueue.Job<JobMessage> | null = await withDeadline(
      () => queue.getJob(idOf(message)), sendTimeoutMs, `looking into ${queue.name}`,
    );
    return job !== null;
  }

  /** How many messages wait and are being worked on. */
  async depth(queueClass: QueueClass, priority: QueuePriority): Promise<{ waiting: number; active: number }> {
    const queue = await this.#queue(queueName(queueClass, priority));
    const health = await withDeadline(() => queue.checkHealth(), sendTimeoutMs, `depth of ${queue.name}`);
    return { waiting: health.waiting, active: health.active };
  }

  async close(): Promise<void> {
    const queues = await Promise.allSettled(this.#queues.values());
    await Promise.allSettled(queues.filter((opened) => opened.status === 'fulfilled').map((opened) => opened.value.close(closeTimeoutMs)));
  }

  #queue(name: string): Promise<BeeQueue<JobMessage>> {
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const opening = open(
      new BeeQueue<JobMessage>(name, { redis: this.#redis, isWorker: false, getEvents: false, sendEvents: false, storeJobs: false }),
      this.#log,
    ).catch((error: unknown) => {
      this.#queues.delete(name);
      throw error;
    });
    this.#queues.set(name, opening);
    return opening;
  }
}

/** The receiving side: every priority of one class, each message handed to `take`. */
export class JobConsumer {
  readonly #queues: BeeQueue<JobMessage>[] = [];
  readonly #open: { readonly priority: QueuePriority; readonly queue: TakingQueue; readonly endWait: () => Promise<void> }[] = [];

  /**
   * Opens the class's queues. `take` resolves when the message is dealt with, or throws MessageHandedBack; up to `prefetch`
   * messages of each priority are in hand at once, and each is fetched when the `fetcher` says so. Messages of consumers that
   * died come back after the stall interval.
   */
  async start(options: {
    redis: QueueRedisOptions;
    queueClass: QueueClass;
    prefetch: number;
    log: Logger;
    fetcher?: Fetcher;
    take(message: JobMessage, priority: QueuePriority): Promise<void>;
  }): Promise<void> {
    for (const priority of prioritiesOf(options.queueClass)) {
      const queue = new BeeQueue<JobMessage>(queueName(options.queueClass, priority), {
        redis: options.redis,
        getEvents: false,
        sendEvents: false,
        storeJobs: false,
        removeOnSuccess: true,
        removeOnFailure: true,
        stallInterval: stallIntervalMs,
      });
      // Known before it is open: a start that fails is closed like any other.
      this.#queues.push(queue);
      await open(queue, options.log);
      const taking = queue as unknown as TakingQueue;
      this.#open.push({ priority, queue: taking, endWait: knowById(taking) });
      giveBackAtFront(taking);
      if (options.fetcher !== undefined) fetchWhen(taking, priority, options.fetcher);
      queue.process(options.prefetch, async (job) => {
        try {
          await options.take(job.data, priority);
        } catch (error) {
          // One retry, without delay: bee-queue's own way of putting a message back, at the end.
          if (error instanceof MessageHandedBack) job.retries(1);
          throw error;
        }
      });
      // Resolves after its first check and goes on by itself; a failed check is emitted as an error.
      await queue.checkStalledJobs(stallIntervalMs);
    }
  }

  /** The priorities whose queues hold messages that nobody has fetched. */
  async backlog(): Promise<readonly QueuePriority[]> {
    const lengths = await Promise.all(this.#open.map(({ queue }) => answerOf<number>((done) => queue.client.llen(queue.toKey('waiting'), done), 'looking at a queue')));
    return this.#open.filter((_, nth) => (lengths[nth] ?? 0) > 0).map(({ priority }) => priority);
  }

  /** Takes no more messages and waits, bounded, for those in hand. */
  async close(timeoutMs: number): Promise<void> {
    await Promise.allSettled(this.#open.map(({ endWait }) => endWait()));
    await Promise.allSettled(this.#queues.map((queue) => queue.close(timeoutMs)));
  }
}
