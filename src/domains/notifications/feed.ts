/**
 * The streams of notifications that this process holds open, fed together: whoever is told something is published in Redis
 * (`events:<user>`), each replica reads for all its streams that may have something new in one statement, and looks by
 * itself every few seconds, since Redis may lose what it was told.
 *
 * Why nothing is missed and nothing told twice: a stream's place is the time of the last notification it was given. The
 * times of one person's notifications rise in the order in which they are committed (queries.ts, insertSql), so what is
 * committed later is later than every place; and one loop reads for all streams of the process, so no two reads of one
 * stream overlap. Words of Redis that come twice, or for nothing, only make it look.
 */
import type { Database } from '#platform/database.ts';
import { newId } from '#platform/ids.ts';
import type { Logger } from '#platform/log.ts';
import type { Redis, Subscriber } from '#platform/redis.ts';
import { columns, type NotificationRow } from './listing.ts';

/** How late a word that Redis lost can make somebody. */
const usualPollMs = 3_000;
/** Streams read for in one statement, and notifications of one stream. */
const streamsAtOnce = 1_000;
const rowsAtOnce = 100;

const afterSql = `
  select w.nth, n.* from unnest($1::uuid[], $2::timestamptz[]) with ordinality as w (user_id, place, nth)
    cross join lateral (
      select ${columns} from notifications n where n.user_id = w.user_id and n.in_app and n.created_at > w.place
       order by n.created_at, n.id limit ${rowsAtOnce}) n
   order by w.nth, n.created_at, n.id`;

interface Reader {
  readonly userId: string;
  place: string;
  /** Read and not yet taken. */
  rows: NotificationRow[];
  /** There may be more than was read. */
  isBehind: boolean;
  wake: () => void;
}

export interface FeedDependencies {
  readonly db: Database;
  readonly redis: Redis;
  readonly subscriber: Subscriber;
  readonly log: Logger;
  readonly pollMs?: number;
}

export class NotificationFeed {
  readonly #on: FeedDependencies;
  /** By person. */
  readonly #readers = new Map<string, Set<Reader>>();
  /** What this process publishes, so that it does not look twice for its own words. */
  readonly #mark = newId();
  readonly #wanted = new Set<Reader>();
  #isReading = false;
  #poll: NodeJS.Timeout | null = null;

  constructor(dependencies: FeedDependencies) {
    this.#on = dependencies;
    // What was published while we could not hear is lost.
    dependencies.subscriber.onReconnect(() => this.#wantAll());
  }

  /** Says, after the commit, that these people were told something. Best effort: a stream elsewhere that misses it looks by itself. */
  changed(userIds: readonly string[]): void {
    for (const userId of userIds) {
      for (const reader of this.#readers.get(userId) ?? []) this.#want(reader);
      this.#on.redis.publish(channelOf(userId), this.#mark).catch((error: unknown) => this.#say(error));
    }
  }

  /** A person's notifications from a place on, oldest first, each once, until the signal aborts. */
  async *follow(userId: string, place: string, signal: AbortSignal): AsyncGenerator<NotificationRow> {
    const reader: Reader = { userId, place, rows: [], isBehind: true, wake: () => undefined };
    // Not waited for: what is told before the subscription stands is seen by the look that follows it.
    const subscribing = this.#on.subscriber.subscribe(channelOf(userId), (mark) => { if (mark !== this.#mark) this.#want(reader); }).then((unsubscribe) => {
      this.#want(reader);
      return unsubscribe;
    });
    subscribing.catch((error: unknown) => this.#say(error));
    const end = (): void => reader.wake();
    signal.addEventListener('abort', end);
    this.#readers.set(userId, (this.#readers.get(userId) ?? new Set()).add(reader));
    this.#poll ??= setInterval(() => this.#wantAll(), this.#on.pollMs ?? usualPollMs);
    try {
      while (!signal.aborted) {
        const row = reader.rows.shift();
        if (row !== undefined) {
          yield row;
          continue;
        }
        await new Promise<void>((resolve) => {
          reader.wake = resolve;
          if (reader.isBehind) this.#want(reader);
        });
      }
    } finally {
      signal.removeEventListener('abort', end);
      const own = this.#readers.get(userId);
      own?.delete(reader);
      if (own?.size === 0) this.#readers.delete(userId);
      this.#wanted.delete(reader);
      if (this.#readers.size === 0 && this.#poll !== null) {
        clearInterval(this.#poll);
        this.#poll = null;
      }
      subscribing.then((unsubscribe) => unsubscribe()).catch((error: unknown) => this.#say(error));
    }
  }

  #wantAll(): void {
    for (const readers of this.#readers.values()) for (const reader of readers) this.#want(reader);
  }

  #want(reader: Reader): void {
    if (this.#readers.get(reader.userId)?.has(reader) !== true) return;
    // Whoever has not taken what was read gets more when it has: memory stays bounded however much is told.
    if (reader.rows.length > 0) {
      reader.isBehind = true;
      return;
    }
    this.#wanted.add(reader);
    if (this.#isReading) return;
    this.#isReading = true;
    // What is wanted in one turn of the event loop is read together.
    setImmediate(() => void this.#read());
  }

  async #read(): Promise<void> {
    try {
      while (this.#wanted.size > 0) {
        const readers = [...this.#wanted].slice(0, streamsAtOnce);
        for (const reader of readers) this.#wanted.delete(reader);
        const rows = await this.#on.db.named<NotificationRow & { nth: number }>('notifications.after', afterSql, [readers.map(({ userId }) => userId), readers.map(({ place }) => place)]);
        const byReader = Map.groupBy(rows, ({ nth }) => nth);
        readers.forEach((reader, at) => {
          const own = byReader.get(at + 1) ?? [];
          reader.isBehind = own.length === rowsAtOnce;
          reader.place = own.at(-1)?.created_at ?? reader.place;
          reader.rows.push(...own.map(({ nth: _nth, ...row }) => row));
          if (own.length > 0) reader.wake();
        });
      }
    } catch (error) {
      // All of them are asked for again at the next look.
      this.#wanted.clear();
      this.#on.log.warn('notifications.not_read', 'Streams of notifications could not be fed; the next look tries again', { error });
    } finally {
      this.#isReading = false;
    }
  }

  #say(error: unknown): void {
    this.#on.log.debug('notifications.watch', 'Streams of notifications will look by themselves', { error });
  }
}

const channelOf = (userId: string): string => `events:${userId}`;
