/** What a preview made, held to the job's limits and uploaded. */
import type { JobArtifact, PreviewJobInput } from '#generated/sdk/types.gen.ts';
import type { JobContext } from '../job-handler.ts';
import { encodingsOf, type PackagedObject } from './packaging.ts';
import { uploadObjects } from './upload-artifacts.ts';

export class LimitExceeded extends Error {}

const bytesOf = (objects: readonly PackagedObject[]): number => objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

/**
 * Looks before anything is compressed or sent whether the job may make so much.
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

/**
 * Uploads them all, the largest first.
 *
 * @param onUpload called after each
 * @throws LimitExceeded in words for the user
 */
export async function storeArtifacts(
  context: JobContext<PreviewJobInput>, objects: readonly PackagedObject[], onUpload: (done: number, total: number) => void,
): Promise<JobArtifact[]> {
  const { createUploads, signal } = context;
  checkBytes(objects, context.job.input.limits);
  let done = 0;
  return await uploadObjects([...objects].sort((a, b) => b.sizeBytes - a.sizeBytes), {
    createUploads, signal,
    onUpload: () => {
      done += 1;
      onUpload(done, objects.length);
    },
  });
}
