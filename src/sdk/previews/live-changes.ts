/** What a live session is sent: the difference between the files it has and those of the folder. Node alone. */
import type { LiveChanges, PreviewJob } from '#generated/sdk/types.gen.ts';
import { HiveSyncError } from '../errors.ts';
import { type BuildParts, requestFiles } from './build.ts';
import { type Files, sha256Of } from './live-folder.ts';
import type { HashedFile } from './sources.ts';

export type Change = LiveChanges['changes'][number];

/** The contract's bound for one push. */
const changesAtOnce = 500;
/** Contents in one push: below the 5 MiB that the API takes inline. */
const inlineBytes = 4_194_304;

export interface Difference {
  readonly written: readonly HashedFile[];
  readonly removed: readonly string[];
}

/** @param has path → SHA-256 of what the session has */
export function differenceOf(has: ReadonlyMap<string, string>, files: Files): Difference {
  const written = [...files.values()].filter(({ path, sha256 }) => has.get(path) !== sha256).sort((a, b) => (a.path < b.path ? -1 : 1));
  return { written, removed: [...has.keys()].filter((path) => !files.has(path)).sort() };
}

/** As many as one push takes; what goes is first, so that a file may come where a folder was. */
export function firstPush({ written, removed }: Difference): Difference {
  const gone = removed.slice(0, changesAtOnce);
  return { removed: gone, written: written.slice(0, changesAtOnce - gone.length) };
}

export interface Push {
  readonly changes: readonly Change[];
  /** What the session has of the written files after it. */
  readonly hashes: ReadonlyMap<string, string>;
  /** A file was not as it was when its hash was taken: the folder is to be looked at again. */
  readonly isStale: boolean;
}

/**
 * The changes as they are sent: what the project has stored by its hash alone, the rest with its content, and what is too much
 * for that stored first.
 * @param stored hashes that the project has
 */
export async function pushOf({ written, removed }: Difference, stored: ReadonlySet<string>, store: (files: readonly HashedFile[]) => Promise<void>): Promise<Push> {
  const hashes = new Map<string, string>();
  const changes: Change[] = removed.map((path) => ({ path, removed: true }));
  const large: HashedFile[] = [];
  let isStale = false;
  let bytes = 0;
  for (const file of written) {
    const { path, sha256, size } = file;
    if (stored.has(sha256)) {
      changes.push({ path, sha256, size });
      hashes.set(path, sha256);
    } else if (bytes + size > inlineBytes) large.push(file);
    else {
      const content = await contentOf(file);
      // What is sent is what is read now; of a file that grew meanwhile the next push tells.
      isStale ||= content === null || sha256Of(content) !== sha256;
      if (content === null || bytes + content.length > inlineBytes) continue;
      bytes += content.length;
      changes.push({ path, content_base64: content.toString('base64') });
      hashes.set(path, sha256Of(content));
    }
  }
  if (large.length > 0) await store(large);
  for (const { path, sha256, size } of large) {
    changes.push({ path, sha256, size });
    hashes.set(path, sha256);
  }
  return { changes, hashes, isStale };
}

/** Null where it is gone, or is written at this moment. */
async function contentOf(file: HashedFile): Promise<Buffer | null> {
  try {
    return Buffer.from(await (await file.content()).arrayBuffer());
  } catch {
    return null;
  }
}

/**
 * Has contents stored that are too large to be sent with a change. The contract takes them with a request for a preview; the
 * build it begins is cancelled, and counts among those of the day.
 * @throws HiveSyncError UPLOAD_REFUSED where a file changed meanwhile
 */
export async function storeContents(parts: BuildParts, job: PreviewJob, entry: HashedFile, files: readonly HashedFile[], signal: AbortSignal): Promise<void> {
  const requested = await requestFiles(parts, [...new Map([entry, ...files].map((file) => [file.path, file])).values()], {
    projectId: job.project_id, platform: job.target_platform, entryFile: job.entry_file, sdkVersion: job.sdk_version,
    environment: job.environment, dev: job.dev, signal,
  });
  try {
    await parts.api.cancelPreviewJob({ path: { job_id: requested.job.id } }, { signal });
  } catch (error) {
    // It is over already.
    if (!(error instanceof HiveSyncError) || error.status !== 409) throw error;
  }
}
