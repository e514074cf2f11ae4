/** Reports of the six fields alone: what was made is what `bundle_url` and `logs_url` name, as it lies in storage. */
import type { JobArtifact, JobResultReport } from '#generated/sdk/types.gen.ts';
import { type ObjectStorage, StorageError } from '#platform/storage/storage.ts';
import { type Fault, named, pathIn } from './result-names.ts';
import { hashOf } from './stored-hash.ts';

/** Whether a report leaves it to `bundle_url` and `logs_url` to say what was made. */
export const isShort = ({ artifacts = [] }: JobResultReport): boolean => artifacts.length === 0;

/** The bundle and the log that a short report names, each below `prefix` without encoding, there, and of at most `maxBytes`. */
export async function namedArtifacts(
  storage: ObjectStorage, prefix: string, report: JobResultReport, maxBytes: number,
): Promise<{ readonly artifacts: JobArtifact[]; readonly faults: Fault[] }> {
  const place = `${prefix}identity/`;
  const artifacts: JobArtifact[] = [];
  const faults: Fault[] = [];
  for (const [field, kind] of named) {
    const name = report[field];
    if (name === undefined || name === null) continue;
    const path = pathIn(place, name);
    const isNew = path !== null && artifacts.every((artifact) => artifact.path !== path);
    const found = isNew ? await stored(storage, `${place}${path}`, maxBytes) : null;
    if (!isNew || found === null) faults.push({ pointer: `#/body/${field}`, message: `names no ${kind} that this attempt stored without encoding`, rule: 'object' });
    else if (found === 'too_large') faults.push({ pointer: `#/body/${field}`, message: `names an object of more than ${maxBytes} bytes`, rule: 'size' });
    else artifacts.push({ kind, path, object_key: `${place}${path}`, encoding: 'identity', ...found });
  }
  return { artifacts, faults };
}

/** An object's size and hash by the store's own word; where it keeps no hash, the object is read. Null where there is none. */
async function stored(storage: ObjectStorage, key: string, maxBytes: number): Promise<{ size: number; sha256: string } | 'too_large' | null> {
  try {
    const { sizeBytes, sha256 } = await storage.head(key);
    if (sizeBytes > maxBytes) return 'too_large';
    return { size: sizeBytes, sha256: sha256 ?? await hashOf(storage, key) };
  } catch (error) {
    if (error instanceof StorageError && (error.kind === 'not_found' || error.kind === 'bad_key')) return null;
    throw error;
  }
}
