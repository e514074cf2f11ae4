/**
 * What a build makes that its project holds already: its images are sources, and most of it was made by the build before.
 * It is copied inside storage, so that no worker sends it again. A copy is an object of its own: it goes with its job, and
 * what becomes of the one it was made from is no matter to it.
 */
import type { MadeObject } from '#jobs/kinds.ts';
import { mapBounded } from '#platform/concurrency.ts';
import { DeadlineError, withDeadline } from '#platform/deadline.ts';
import type { Database } from '#platform/database.ts';
import { type ObjectStorage, StorageError } from '#platform/storage/storage.ts';
import { blobKey } from './keys.ts';
import { reusableSql } from './queries.ts';

const copiesAtOnce = 16;
/** What is not copied by then is uploaded. A copy that comes later changes nothing: it has the bytes of the upload. */
const copyForMs = 5_000;
/** In one call; as much as a job may make. A worker that sends nothing shall not fill the store with copies of one large file. */
const copiedBytes = 512 * 1024 * 1024;

interface Storing { readonly db: Database; readonly storage: ObjectStorage }
/** Where a made object's bytes may lie. */
interface Found { readonly index: number; readonly artifact_key: string | null; readonly is_source: boolean }

/**
 * Copies what the project `projectId` has of these to their keys, and answers those keys. What cannot be copied (gone
 * meanwhile, not what it was taken for, storage away) is not among them, and is no error.
 */
export async function reuseStored({ db, storage }: Storing, projectId: string, made: readonly MadeObject[], signal: AbortSignal): Promise<ReadonlySet<string>> {
  const found = await db.named<Found>('previews.reusable', reusableSql, [
    projectId, made.map(({ path }) => path), made.map(({ encoding }) => encoding), made.map(({ sha256 }) => sha256), made.map(({ sizeBytes }) => sizeBytes),
  ]);
  const there = new Set<string>();
  let [bytes, isAway] = [0, false];
  const copyAll = async (late: AbortSignal): Promise<void> => void (await mapBounded(found, copiesAtOnce, async ({ index, artifact_key: artifactKey, is_source: isSource }) => {
    const object = made[index];
    if (object === undefined || isAway || late.aborted || bytes + object.sizeBytes > copiedBytes) return;
    bytes += object.sizeBytes;
    const sources = [
      // A worker told that hash, and may have stored something else: the store's own word counts.
      ...(artifactKey === null ? [] : [{ from: artifactKey, sha256: object.sha256 }]),
      // Its bytes were looked at before they came under this key, and nobody writes there by a URL.
      ...(isSource ? [{ from: blobKey(projectId, object.sha256), sha256: undefined }] : []),
    ];
    for (const source of sources) {
      const outcome = await copied(storage, object, source);
      if (outcome === 'copied') there.add(object.key);
      if (outcome === 'away') isAway = true;
      if (outcome !== 'other') return;
    }
  }));
  try {
    await withDeadline(copyAll, copyForMs, 'copying what the project has already', signal);
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
  }
  return new Set(there);
}

async function copied(
  storage: ObjectStorage, object: MadeObject, { from, sha256 }: { readonly from: string; readonly sha256: string | undefined },
): Promise<'copied' | 'other' | 'away'> {
  try {
    await storage.copy(from, object.key, {
      contentType: object.contentType,
      sizeBytes: object.sizeBytes,
      ...(object.encoding === 'identity' ? {} : { contentEncoding: object.encoding }),
      ...(sha256 === undefined ? {} : { sha256 }),
    });
    return 'copied';
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    return error.kind === 'unavailable' ? 'away' : 'other';
  }
}
