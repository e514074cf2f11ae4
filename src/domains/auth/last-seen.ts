import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import type { Logger } from '#platform/log.ts';

/** How often what was seen is written down: one statement for sessions and one for API keys, however many requests there were. */
const flushEveryMs = 30_000;
/** A session stamped within this time (by another replica, by a refresh) is left as it is: last_seen is right to about a minute. */
const sessionStepSeconds = 30;
const apiKeyStepSeconds = 300;
/** Ids kept in memory of each sort, some 10 MB; beyond it a newcomer waits for its next request after the flush. */
const kept = 50_000;
/** Rows of one statement. */
const batch = 5_000;

/** How long ago is told, not when: clocks of processes differ. A row that somebody is changing right now is passed over. */
const stampSessionsSql = `
  with used as (
    select s.id, now() - make_interval(secs => v.age_ms / 1000) as at
      from unnest($1::uuid[], $2::double precision[]) as v (id, age_ms) join sessions s on s.id = v.id
     where s.revoked_at is null and s.last_seen < now() - make_interval(secs => v.age_ms / 1000 + ${sessionStepSeconds})
       for no key update of s skip locked
  ), stamped as (
    update sessions s set last_seen = used.at from used where s.id = used.id returning s.device_session_id as id, s.last_seen
  ), carriers as (
    select d.id, seen.at
      from (select id, max(last_seen) as at from stamped group by id) seen join device_sessions d on d.id = seen.id
     where d.last_seen < seen.at for no key update of d skip locked
  )
  update device_sessions d set last_seen = carriers.at from carriers where d.id = carriers.id`;

const stampApiKeysSql = `
  with used as (
    select k.id, now() - make_interval(secs => v.age_ms / 1000) as at
      from unnest($1::uuid[], $2::double precision[]) as v (id, age_ms) join api_keys k on k.id = v.id
     where k.last_used_at is null or k.last_used_at < now() - make_interval(secs => v.age_ms / 1000 + ${apiKeyStepSeconds})
       for no key update of k skip locked
  )
  update api_keys k set last_used_at = used.at from used where k.id = used.id`;

interface Sort {
  readonly name: string;
  readonly sql: string;
  /** When each was last used, in milliseconds since 1970. */
  uses: Map<string, number>;
}

/**
 * When sessions, devices and API keys were last used: noted in memory at each request, written every half minute and at
 * the end of the process. A database that is away is tried again the next time; no request ever waits or fails for it.
 */
export class LastSeen {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #sessions: Sort = { name: 'auth.stamp_sessions', sql: stampSessionsSql, uses: new Map() };
  readonly #apiKeys: Sort = { name: 'auth.stamp_api_keys', sql: stampApiKeysSql, uses: new Map() };
  #timer: NodeJS.Timeout | null = null;
  #flushing: Promise<void> = Promise.resolve();

  constructor(db: Database, clock: Clock, log: Logger) {
    this.#db = db;
    this.#clock = clock;
    this.#log = log;
  }

  noteSession(id: string): void {
    this.#note(this.#sessions, id);
  }

  noteApiKey(id: string): void {
    this.#note(this.#apiKeys, id);
  }

  start(everyMs = flushEveryMs): void {
    this.#timer = setInterval(() => void this.flush(), everyMs);
    this.#timer.unref();
  }

  /** Writes what is left. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.flush();
  }

  /** Writes down what was noted so far, after a flush that is under way. Never rejects. */
  async flush(): Promise<void> {
    this.#flushing = this.#flushing.then(async () => {
      await this.#write(this.#sessions);
      await this.#write(this.#apiKeys);
    });
    await this.#flushing;
  }

  #note({ uses }: Sort, id: string): void {
    if (uses.size < kept || uses.has(id)) uses.set(id, this.#clock.now());
  }

  async #write(sort: Sort): Promise<void> {
    const taken = [...sort.uses];
    sort.uses = new Map();
    for (let from = 0; from < taken.length; from += batch) {
      const some = taken.slice(from, from + batch);
      const now = this.#clock.now();
      try {
        await this.#db.named(sort.name, sort.sql, [some.map(([id]) => id), some.map(([, at]) => Math.max(0, now - at))]);
      } catch (error) {
        this.#log.warn('auth.last_seen_late', 'When sessions and keys were last used is written down later', { error, uses: taken.length - from });
        for (const [id, at] of taken.slice(from)) if (sort.uses.size < kept && !sort.uses.has(id)) sort.uses.set(id, at);
        return;
      }
    }
  }
}
