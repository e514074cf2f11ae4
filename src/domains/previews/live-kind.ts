/** What is a live session's own in the life of a worker job: it lasts as long as the session, and takes in changes as they come. */
import type { Knex } from 'knex';
import type { JobSource, LiveChangeSet, LiveResult, LiveSessionInput } from '#generated/sdk/types.gen.ts';
import type { JobEnding, JobKind, JobRow } from '#jobs/kinds.ts';
import type { JobWatch } from '#jobs/watch.ts';
import { mapInTurns } from '#platform/concurrency.ts';
import type { Database } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { type ObjectStorage, StorageError } from '#platform/storage/storage.ts';
import { audit } from '../audit/audit.ts';
import { livePrefix } from './keys.ts';
import { failureFields, inputOf } from './kind.ts';
import { endRevisionSql, filesSql, knownAssetsSql, newestReadySql, noteMapSql, pendingSql, removeFilesSql, writeFilesSql } from './live-queries.ts';
import type { Changes, LiveRow, RevisionRow } from './live-rows.ts';
import { jobByIdEverSql } from './queries.ts';
import type { PreviewRow } from './rows.ts';
import type { PreviewSources } from './sources.ts';

/** As many as one answer to a worker may hold. */
export const pendingBound = 50;
const presignsAtOnce = 64;
const headsAtOnce = 16;
const urlSeconds = 900;

interface KindDependencies {
  readonly db: Database;
  readonly storage: ObjectStorage;
  readonly sources: PreviewSources;
  readonly watch: JobWatch;
}

const endingOf = (job: JobRow): JobEnding => ({
  audit: { event_type: 'live_session.ended', entity_type: 'live_session', entity_id: job.id, project_id: job.project_id, data: { status: job.status, error_code: job.error_code } },
  event: null,
});

export function liveKind({ db, storage, sources, watch }: KindDependencies): JobKind {
  return {
    kind: 'live_session',
    table: 'live_sessions',
    stages: ['fetching', 'bundling', 'packaging', 'uploading'],
    objectPrefix: placeOf,
    async input(row, validSeconds) {
      const job = row as LiveRow;
      const [preview] = await db.named<PreviewRow>('previews.job_by_id_ever', jobByIdEverSql, [job.job_id]);
      if (preview === undefined) throw new Error('a live session without its preview');
      const files = await db.named<Changes['written'][number]>('live.files', filesSql, [job.id]);
      const assets = await db.named<LiveSessionInput['assets'][number]>('live.known_assets', knownAssetsSql, [job.job_id]);
      return {
        kind: 'live_session', live_id: job.id, idle_seconds: job.idle_seconds, assets,
        preview: await inputOf({ storage, sources }, preview, files, placeOf(job), validSeconds),
      };
    },
    checkResult: (_job, { artifacts = [] }) => Promise.resolve(artifacts),
    resultFields: () => ({}),
    endFields: () => Promise.resolve({}),
    keepArtifacts: () => Promise.resolve(),
    failureFields,
    isFinal: ({ kind }) => kind === 'timeout' || kind === 'invalid_input',
    lacks: () => Promise.resolve('A live session that has ended is opened anew.'),
    unendedFields: {},
    async begun(trx, job) {
      await trx('live_sessions').where({ id: job.id }).update({ live_at: null });
    },
    appendLog: () => Promise.resolve(),
    ending: endingOf,
    ended: (trx, job, by) => audit(trx, by, endingOf(job).audit),
    changed: (jobId, how) => watch.changed(jobId, how),
    live: {
      check: (job, results) => checkObjects(db, storage, job, results),
      take: (trx, job, results) => take(db, trx, job, results),
      async pending(jobId) {
        const rows = await db.named<{ revision: number; changes: Changes }>('live.pending', pendingSql, [jobId, pendingBound]);
        const [first] = rows;
        if (first === undefined) return [];
        const session = await db.knex('live_sessions').where({ id: jobId }).first<{ project_id: string }>('project_id');
        return mapInTurns(rows, 1, async ({ revision, changes }): Promise<LiveChangeSet> => ({
          revision,
          written: await mapInTurns(changes.written, presignsAtOnce, async ({ path, sha256, size }): Promise<JobSource> => ({
            path, sha256, size, url: await sources.presignGet(session.project_id, sha256, urlSeconds),
          })),
          removed: [...changes.removed],
        }));
      },
    },
  };
}

const placeOf = (job: JobRow): string => `${livePrefix(job.project_id, job.id)}${job.attempt}/`;

/**
 * What a result tells of lies under the attempt's own prefix and has the size that is said. Assets go on from revision to
 * revision: those of the newest that is ready were looked at with it.
 */
async function checkObjects(db: Database, storage: ObjectStorage, job: JobRow, results: readonly LiveResult[]): Promise<void> {
  const place = placeOf(job);
  const isThere = async (key: string, size: number): Promise<boolean> => key.startsWith(place) && await sizeOf(storage, key) === size;
  let seen: ReadonlyMap<string, number> | null = null;
  const areThere = async (assets: readonly Stored[]): Promise<boolean> => {
    if (assets.length === 0) return true;
    if (seen === null) {
      const [newest] = await db.named<RevisionRow>('live.newest_ready', newestReadySql, [job.id]);
      seen = new Map(newest?.assets.map(({ object_key: key, size }) => [key, size]));
    }
    const unseen = assets.filter(({ object_key: key, size }) => seen?.get(key) !== size);
    return (await mapInTurns(unseen, headsAtOnce, ({ object_key: key, size }) => isThere(key, size))).every(Boolean);
  };
  const faults = await mapInTurns([...results.entries()], 1, async ([index, { status, object_key: key, size, sha256, assets = [], source_map: map = null }]) => {
    const isReady = status === 'ready';
    const isWhole = isReady ? key !== null && size !== null && sha256 !== null : key === null && assets.length === 0 && map === null;
    const isRight = isWhole && (!isReady || await isThere(key ?? '', size ?? -1)) && await areThere(assets) && (map === null || await isThere(map.object_key, map.size));
    return isRight ? [] : [{ pointer: `#/body/live_results/${index}/object_key`, message: 'no such object of this session, or of another size', rule: 'object' }];
  });
  if (faults.flat().length > 0) throw new ServiceError('VALIDATION_ERROR', 'The results name what is not there.', { details: faults.flat() });
}

interface Stored { readonly object_key: string; readonly size: number }

async function sizeOf(storage: ObjectStorage, key: string): Promise<number | null> {
  try {
    return (await storage.head(key)).sizeBytes;
  } catch (error) {
    if (error instanceof StorageError && error.kind === 'not_found') return null;
    throw error;
  }
}

/**
 * What a worker made of revisions. Up to the newest that it tells of, all become part of the session's files, so that the
 * next worker begins there; what it passed over is superseded. Told again, it changes nothing.
 */
async function take(db: Database, trx: Knex.Transaction, job: JobRow, results: readonly LiveResult[]): Promise<void> {
  if (results.length === 0) return;
  await trx('live_sessions').where({ id: job.id }).whereNull('live_at').update({ live_at: trx.fn.now() });
  const told = new Map(results.map((result) => [result.revision, result]));
  const newest = Math.max(...told.keys());
  const pending = await db.namedIn<{ revision: number; changes: Changes }>(trx, 'live.pending', pendingSql, [job.id, pendingBound]);
  for (const { revision, changes } of pending) {
    if (revision > newest) break;
    if (changes.removed.length > 0) await db.namedIn(trx, 'live.remove_files', removeFilesSql, [job.id, changes.removed]);
    const { written } = changes;
    if (written.length > 0) {
      await db.namedIn(trx, 'live.write_files', writeFilesSql, [job.id, written.map(({ path }) => path), written.map(({ sha256 }) => sha256), written.map(({ size }) => size)]);
    }
    await end(db, trx, job.id, revision, told.get(revision));
  }
  if (told.has(0)) await end(db, trx, job.id, 0, told.get(0));
  for (const { revision, source_map: map } of results) {
    if (map != null) await db.namedIn(trx, 'live.note_map', noteMapSql, [job.id, revision, map.object_key]);
  }
}

async function end(db: Database, trx: Knex.Transaction, id: string, revision: number, result: LiveResult | undefined): Promise<void> {
  const failure = result?.failure == null ? null : String(failureFields(result.failure).fields['failure']);
  await db.namedIn(trx, 'live.end_revision', endRevisionSql, [
    id, revision, result?.status ?? 'superseded', result?.object_key ?? null, result?.size ?? null, result?.sha256 ?? null, result?.duration_ms ?? null, failure,
    JSON.stringify(result?.assets ?? []),
  ]);
}
