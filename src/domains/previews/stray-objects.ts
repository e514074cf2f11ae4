/**
 * Objects that no row knows: what a process left that died between the upload and the row, what came by a URL after its
 * job was over, what attempts made that came to nothing. Storage is walked page by page, a part in each run, all of it
 * once a day at most.
 */
import type { Sweep } from '#jobs/scheduled.ts';
import type { Clock } from '#platform/clock.ts';
import { mapBounded } from '#platform/concurrency.ts';
import type { Database } from '#platform/database.ts';
import type { ListedObject, ObjectStorage } from '#platform/storage/storage.ts';
import { condemnStraysSql, noteWalkSql, strayObjectsSql, walkSql } from './clean-up-queries.ts';

const walkName = 'previews';
/** A thousand objects each. */
const pagesAtOnce = 20;
const deletesAtOnce = 16;
/** A job waits an hour for its sources; whoever stores something tells of it within minutes. */
const youngMs = 24 * 3_600_000;

const id = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const ownedPattern = new RegExp(`^projects/(${id})/(staging|previews|preview-sessions)/(${id})/`);
const blobPattern = new RegExp(`^projects/(${id})/blobs/[0-9a-f]{2}/([0-9a-f]{64})$`);

export interface StrayDependencies {
  readonly db: Database;
  readonly storage: ObjectStorage;
  readonly clock: Clock;
}

export const sweepStrays = (on: StrayDependencies): Sweep => ({
  name: 'stray_objects',
  async run(signal) {
    const [walk] = await on.db.named<{ after: string | null; is_due: boolean }>('previews.walk', walkSql, [walkName]);
    let after = walk?.after ?? null;
    if (after === null) {
      if (walk?.is_due === false) return 0;
      await on.db.named('previews.note_walk', noteWalkSql, [walkName, null, true]);
    }
    let swept = 0;
    for (let page = 0; page < pagesAtOnce && !signal.aborted; page += 1) {
      const { objects, next } = await on.storage.list('projects/', after === null ? {} : { after });
      swept += await sweepPage(on, objects);
      await on.db.named('previews.note_walk', noteWalkSql, [walkName, next, false]);
      if (next === null) break;
      after = next;
    }
    return swept;
  },
});

async function sweepPage({ db, storage, clock }: StrayDependencies, objects: readonly ListedObject[]): Promise<number> {
  const old = objects.filter(({ modifiedAtMs }) => modifiedAtMs < clock.now() - youngMs);
  const owned = old.flatMap(({ key }) => {
    const [, projectId, place, ownerId] = ownedPattern.exec(key) ?? [];
    return projectId === undefined || place === undefined || ownerId === undefined ? [] : [{ key, projectId, place, ownerId }];
  });
  const strays = owned.length === 0 ? [] : await db.named<{ key: string }>('previews.stray_objects', strayObjectsSql, [
    owned.map(({ key }) => key), owned.map(({ projectId }) => projectId), owned.map(({ place }) => place), owned.map(({ ownerId }) => ownerId),
  ]);
  await mapBounded(strays, deletesAtOnce, ({ key }) => storage.delete(key));
  return strays.length + await condemn(db, old);
}

/** Somebody may store the very content at this moment: it is not deleted here, but goes as those do that nothing refers to. */
async function condemn(db: Database, old: readonly ListedObject[]): Promise<number> {
  const blobs = old.flatMap(({ key, sizeBytes }) => {
    const [, projectId, sha256] = blobPattern.exec(key) ?? [];
    return projectId === undefined || sha256 === undefined ? [] : [{ projectId, sha256, sizeBytes }];
  });
  if (blobs.length === 0) return 0;
  const condemned = await db.named('previews.condemn_strays', condemnStraysSql, [
    blobs.map(({ projectId }) => projectId), blobs.map(({ sha256 }) => sha256), blobs.map(({ sizeBytes }) => sizeBytes),
  ]);
  return condemned.length;
}
