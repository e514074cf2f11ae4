/**
 * Sources that nothing refers to, by mark and sweep. A request that is told "not missing" moves the content's time, in the
 * statement that tells it (knownBlobsSql); the mark condemns nothing whose time is of the last day; and what is condemned
 * counts as missing. So of the two whoever comes second sees what the first did.
 */
import type { Sweep } from '#jobs/scheduled.ts';
import { type Database, transact } from '#platform/database.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';
import { untilNoneIsLeft } from '../personal-data.ts';
import { deleteCondemnedSql, holdCondemnedSql, markSql, projectWithUnusedSql } from './clean-up-queries.ts';
import { blobKey } from './keys.ts';

const markedAtOnce = 10_000;
/** Deleted side by side while their rows are held: one answer of the store, within its own deadline. */
const deletedAtOnce = 16;

/** Condemns what no job within its retention and no live session refers to. Each content is looked at once a day at most. */
async function mark(db: Database, signal: AbortSignal): Promise<void> {
  await untilNoneIsLeft(signal, async () => {
    const [project] = await db.named<{ project_id: string }>('previews.project_with_unused', projectWithUnusedSql, []);
    if (project === undefined) return 0;
    const [marked] = await db.named<{ looked: number }>('previews.mark_blobs', markSql, [project.project_id, markedAtOnce]);
    return marked?.looked ?? 0;
  });
}

/** The object first, then the row, which is held meanwhile: where storage is away both stay, and go the next time. */
async function sweep(db: Database, storage: ObjectStorage): Promise<number> {
  return transact(db, null, async (trx) => {
    const gone = await db.namedIn<{ project_id: string; sha256: string }>(trx, 'previews.hold_condemned', holdCondemnedSql, [deletedAtOnce]);
    if (gone.length === 0) return 0;
    // All of them to their ends, also where one fails: none may be on its way any more when the rows are let go.
    const deleted = await Promise.allSettled(gone.map(({ project_id: projectId, sha256 }) => storage.delete(blobKey(projectId, sha256))));
    for (const one of deleted) if (one.status === 'rejected') throw one.reason;
    await db.namedIn(trx, 'previews.delete_condemned', deleteCondemnedSql, [gone.map((one) => one.project_id), gone.map(({ sha256 }) => sha256)]);
    return gone.length;
  });
}

export const sweepBlobs = (db: Database, storage: ObjectStorage): Sweep => ({
  name: 'source_blobs', everySeconds: 1_800,
  async run(signal) {
    await mark(db, signal);
    return untilNoneIsLeft(signal, () => sweep(db, storage));
  },
});
