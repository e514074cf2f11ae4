/** What a preview made, held to the job's limits and uploaded. */
import type { JobArtifact, PreviewJobInput } from '#generated/sdk/types.gen.ts';
import type { JobContext } from '../job-handler.ts';
import { encodingsOf, type PackagedObject } from './packaging.ts';
import { uploadObjects } from './upload-artifacts.ts';
import type { SentAhead } from './uploads-ahead.ts';

export class LimitExceeded extends Error {}

const bytesOf = (objects: readonly PackagedObject[]): number => objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

/**
 * Looks before anything is sent whether the job may make so much.
 *
 * @throws LimitExceeded in words for the user
 */
export function checkMade(plain: readonly PackagedObject[], limits: PreviewJobInput['limits']): void {
  const bundle = plain.find(({ kind }) => kind === 'bundle');
  if (bundle === undefined) throw new Error('a build that went well made no bundle');
  if (bundle.sizeBytes > limits.max_bundle_bytes) throw new LimitExceeded(`The bundle has ${bundle.sizeBytes} bytes; ${limits.max_bundle_bytes} are allowed.`);
  const count = plain.reduce((sum, object) => sum + encodingsOf(object), 0);
  if (count > limits.max_artifacts) throw new LimitExceeded(`The build made ${count} objects; ${limits.max_artifacts} are allowed.`);
  checkBytes(plain, limits);
}

function checkBytes(objects: readonly PackagedObject[], limits: PreviewJobInput['limits']): void {
  const bytes = bytesOf(objects);
  if (bytes > limits.max_artifact_bytes) throw new LimitExceeded(`The build made ${bytes} bytes of artifacts; ${limits.max_artifact_bytes} are allowed.`);
}

const largestFirst = (objects: readonly PackagedObject[]): PackagedObject[] => [...objects].sort((a, b) => b.sizeBytes - a.sizeBytes);

/**
 * Uploads them all: what is there at once, and what is still compressed when it is.
 *
 * @param ahead those of `plain` that are on their way already
 * @param onUpload called after each
 * @throws LimitExceeded in words for the user
 */
export async function storeArtifacts(
  context: JobContext<PreviewJobInput>, plain: readonly PackagedObject[], packing: Promise<readonly PackagedObject[]>, ahead: SentAhead, onUpload: (done: number) => void,
): Promise<JobArtifact[]> {
  const { limits } = context.job.input;
  let done = 0;
  const uploading = {
    createUploads: context.createUploads, signal: context.signal,
    onUpload: () => {
      done += 1;
      onUpload(done);
    },
  };
  const sendPacked = async (): Promise<JobArtifact[]> => {
    const packed = await packing;
    checkBytes([...plain, ...packed], limits);
    return await uploadObjects(largestFirst(packed), uploading);
  };
  // Images hardly ever change, and are copied where they lie: what does change need not wait for that.
  const left = plain.filter(({ path }) => !ahead.paths.has(path));
  const [images, others] = [left.filter(({ kind }) => kind === 'asset'), left.filter(({ kind }) => kind !== 'asset')];
  const sentAhead = ahead.artifacts.then((artifacts) => {
    for (const _ of artifacts) uploading.onUpload();
    return artifacts;
  });
  return (await Promise.all([sentAhead, uploadObjects(largestFirst(others), uploading), uploadObjects(largestFirst(images), uploading), sendPacked()])).flat();
}
