/**
 * The end of previews, in stages: out of the API's reach, then their objects, then of their rows all but what statistics
 * need. Each stage does what the one before has noted, may be cut off anywhere, and does nothing twice.
 */
import type { Sweep } from '#jobs/scheduled.ts';
import { mapBounded } from '#platform/concurrency.ts';
import type { Database } from '#platform/database.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';
import { untilNoneIsLeft } from '../personal-data.ts';
import { noteErasedSql, objectsDueSql, reduceSql, unlinkDeletedSql, unlinkExpiredSql, unlinkGivenUpSql } from './clean-up-queries.ts';
import { jobPrefix, stagingPrefix } from './keys.ts';

const unlinkedAtOnce = 1_000;
/** Jobs whose objects go before it is noted, so many at the same time. */
const erasedAtOnce = 32;
const jobsSideBySide = 4;
/** A job has up to 40,000 files, 10,000 lines and 5,000 artifacts. */
const reducedAtOnce = 5;

const unlinks = [
  ['previews.unlink_deleted', unlinkDeletedSql], ['previews.unlink_expired', unlinkExpiredSql], ['previews.unlink_given_up', unlinkGivenUpSql],
] as const;

/** What is deleted, what has expired, and what was given up as long ago. */
const unlink = (db: Database): Sweep => ({
  name: 'preview_expiry',
  async run(signal) {
    let unlinked = 0;
    for (const [name, sql] of unlinks) unlinked += await untilNoneIsLeft(signal, async () => (await db.named(name, sql, [unlinkedAtOnce])).length);
    return unlinked;
  },
});

/** Where storage is away it ends, and begins with the same jobs the next time. */
const eraseObjects = (db: Database, storage: ObjectStorage): Sweep => ({
  name: 'preview_objects',
  run: (signal) => untilNoneIsLeft(signal, async () => {
    const due = await db.named<{ id: string; project_id: string }>('previews.objects_due', objectsDueSql, [erasedAtOnce]);
    await mapBounded(due, jobsSideBySide, async ({ id, project_id: projectId }) => {
      for (const prefix of [jobPrefix(projectId, id), stagingPrefix(projectId, id)]) {
        while (!(await storage.deletePrefix(prefix)).done) signal.throwIfAborted();
      }
    });
    if (due.length > 0) await db.named('previews.note_erased', noteErasedSql, [due.map(({ id }) => id)]);
    return due.length;
  }),
});

const reduce = (db: Database): Sweep => ({
  name: 'preview_rows',
  run: (signal) => untilNoneIsLeft(signal, async () => (await db.named('previews.reduce', reduceSql, [reducedAtOnce])).length),
});

export const expirySweeps = (db: Database, storage: ObjectStorage): Sweep[] => [unlink(db), eraseObjects(db, storage), reduce(db)];
