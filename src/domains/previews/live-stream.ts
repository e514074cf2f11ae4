import type { LiveRevision, LiveSession } from '#generated/sdk/types.gen.ts';
import type { JobWatch } from '#jobs/watch.ts';
import type { Call } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';
import { allowByCredential } from '../policy.ts';
import { revisionsSql, sessionSql } from './live-queries.ts';
import { type LiveRow, presentRevision, presentSession, type RevisionRow } from './live-rows.ts';
import { viewSeconds } from './tokens.ts';

const atOnce = 100;

/** What the phone that shows a live session is sent. */
export class LiveStream {
  readonly #db: Database;
  readonly #storage: ObjectStorage;
  readonly #watch: JobWatch;

  constructor(db: Database, storage: ObjectStorage, watch: JobWatch) {
    this.#db = db;
    this.#storage = storage;
    this.#watch = watch;
  }

  /**
   * Begins with the newest revision. An event's id is `<revision>.<0 while it builds, 1 afterwards>`; given back as
   * Last-Event-ID, what was sent is not sent again.
   */
  async open(call: Call, liveId: string, lastEventId: string | undefined): Promise<AsyncIterable<LiveEvent>> {
    const { caller } = call;
    if (caller.kind !== 'preview') throw new ServiceError('AUTH_INVALID', 'This takes a preview token.');
    // A token is the right to the session it names.
    allowByCredential(call);
    if (caller.sessionId !== liveId.toLowerCase()) throw notFound();
    const session = await this.#read(liveId);
    if (session === null) throw notFound();
    if (session.completed_at !== null) throw new ServiceError('GONE', 'This session has ended. Open a new one.');
    return this.#events(call, session, lastEventId);
  }

  async *#events(call: Call, first: LiveRow, lastEventId: string | undefined): AsyncGenerator<LiveEvent> {
    const seen = /^(\d{1,9})\.([01])$/.exec(lastEventId ?? '');
    let from = first.revision;
    // Of each revision that may still change: whether its end was sent.
    const sent = new Map<number, boolean>();
    if (seen !== null && Number(seen[1]) === from) sent.set(from, seen[2] === '1');
    for await (const _ of this.#watch.follow(first.id, call.signal)) {
      const session = await this.#read(first.id);
      if (session === null) return;
      const rows = await this.#db.named<RevisionRow>('live.revisions', revisionsSql, [first.id, from, atOnce]);
      for (const row of rows) {
        const hasEnded = row.status !== 'building';
        if (sent.get(row.revision) === hasEnded || (sent.has(row.revision) && !hasEnded)) continue;
        sent.set(row.revision, hasEnded);
        const url = row.object_key === null ? null : await this.#storage.presignGet(row.object_key, { expiresSeconds: viewSeconds });
        yield { id: `${row.revision}.${hasEnded ? 1 : 0}`, event: 'revision', data: presentRevision(row, url) };
      }
      while (sent.get(from) === true && from < session.revision) {
        sent.delete(from);
        from += 1;
      }
      if (session.completed_at === null) continue;
      yield { id: `${session.revision}.1`, event: 'ended', data: presentSession(session) };
      return;
    }
  }

  async #read(liveId: string): Promise<LiveRow | null> {
    const [row] = await this.#db.named<LiveRow>('live.session', sessionSql, [liveId]);
    return row ?? null;
  }
}

export interface LiveEvent {
  readonly id: string;
  readonly event: 'revision' | 'ended';
  readonly data: LiveRevision | LiveSession;
}
