import type { LiveRevision, LiveSession } from '#generated/sdk/types.gen.ts';
import type { JobWatch } from '#jobs/watch.ts';
import type { Call } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { mapInTurns } from '#platform/concurrency.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';
import { allowByCredential } from '../policy.ts';
import { newestReady } from './live-access.ts';
import { revisionsSql, sessionSql } from './live-queries.ts';
import { type LiveRow, noUrls, presentRevision, presentSession, type RevisionRow, type RevisionUrls } from './live-rows.ts';
import { viewSeconds } from './tokens.ts';

const atOnce = 100;
const presignsAtOnce = 64;

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
   * Begins with the newest revision, and ahead of it, where that has no bundle, with the newest that has one: a phone that
   * comes while an edit is broken shows what was there before. An event's id is `<revision>.<0 while it builds, 1 afterwards, 2 once its source map is
   * there>`; given back as Last-Event-ID, what was sent is not sent again.
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
    const seen = /^(\d{1,9})\.([012])$/.exec(lastEventId ?? '');
    let from = first.revision;
    // Of each revision that may still change: what of it was sent.
    const sent = new Map<number, number>();
    if (seen !== null && Number(seen[1]) === from) sent.set(from, Number(seen[2]));
    const shown = await newestReady(this.#db, first.id);
    if (shown !== null && shown.revision < from && (seen === null || shown.revision > Number(seen[1]) || (shown.revision === Number(seen[1]) && seen[2] === '0'))) {
      yield await this.#told(shown, 'revision');
    }
    for await (const _ of this.#watch.follow(first.id, call.signal)) {
      const session = await this.#read(first.id);
      if (session === null) return;
      const rows = await this.#db.named<RevisionRow>('live.revisions', revisionsSql, [first.id, from, atOnce]);
      for (const row of rows) {
        const state = stateOf(row);
        const before = sent.get(row.revision) ?? -1;
        if (before >= state) continue;
        sent.set(row.revision, state);
        yield await this.#told(row, before === 1 ? 'source_map' : 'revision');
      }
      while ((sent.get(from) ?? 0) > 0 && from < session.revision) {
        sent.delete(from);
        from += 1;
      }
      if (session.completed_at === null) continue;
      yield { id: `${session.revision}.2`, event: 'ended', data: presentSession(session) };
      return;
    }
  }

  async #told(row: RevisionRow, event: 'revision' | 'source_map'): Promise<LiveEvent> {
    return { id: `${row.revision}.${stateOf(row)}`, event, data: presentRevision(row, await revisionUrls(this.#storage, row)) };
  }

  async #read(liveId: string): Promise<LiveRow | null> {
    const [row] = await this.#db.named<LiveRow>('live.session', sessionSql, [liveId]);
    return row ?? null;
  }
}

const stateOf = ({ status, map_key: mapKey }: RevisionRow): 0 | 1 | 2 => (status === 'building' ? 0 : mapKey === null ? 1 : 2);

/** Where what a revision made can be had, for ten minutes. Signing asks nobody. */
async function revisionUrls(storage: ObjectStorage, { status, object_key: key, map_key: mapKey, assets }: RevisionRow): Promise<RevisionUrls> {
  if (status !== 'ready' || key === null) return noUrls;
  const urlOf = (objectKey: string): Promise<string> => storage.presignGet(objectKey, { expiresSeconds: viewSeconds });
  return {
    bundle_url: await urlOf(key),
    source_map_url: mapKey === null ? null : await urlOf(mapKey),
    assets: await mapInTurns(assets, presignsAtOnce, async ({ path, size, sha256, object_key: asset }) => ({ path, size, sha256, url: await urlOf(asset) })),
  };
}

export interface LiveEvent {
  readonly id: string;
  readonly event: 'revision' | 'source_map' | 'ended';
  readonly data: LiveRevision | LiveSession;
}
