/** Puts a job's objects where the backend says, and answers them as artifacts. */
import type { JobArtifact, JobUpload, JobUploadSpec } from '#generated/sdk/types.gen.ts';
import { mapBounded } from '#platform/concurrency.ts';
import { BackendRefusal } from '../backend.ts';
import { TransferRefused, upload } from '../transfers.ts';
import type { PackagedObject } from './packaging.ts';

const uploadsAtOnce = 8;
const retryForMs = 20_000;
/** As many as one call takes. */
const specsInCall = 1_000;

interface Uploading {
  createUploads(objects: readonly JobUploadSpec[]): Promise<JobUpload[]>;
  readonly signal: AbortSignal;
  /** Called after each. */
  onUpload?(): void;
}

const specOf = (object: PackagedObject): JobUploadSpec => ({
  path: object.path,
  size: object.sizeBytes,
  sha256: object.sha256,
  content_type: object.contentType,
  content_encoding: object.encoding,
});

/** Uploads all of them; one that storage refuses (its URL may have run out) gets a fresh URL once. */
export async function uploadObjects(objects: readonly PackagedObject[], uploading: Uploading): Promise<JobArtifact[]> {
  const pairs: { object: PackagedObject; target: JobUpload }[] = [];
  for (let start = 0; start < objects.length; start += specsInCall) {
    const batch = objects.slice(start, start + specsInCall);
    const targets = await targetsOf(batch.map(specOf), uploading);
    batch.forEach((object, index) => {
      const target = targets[index];
      if (target === undefined || target.path !== object.path) throw new Error('createJobUploads answered other objects than were asked for');
      pairs.push({ object, target });
    });
  }
  return await mapBounded(pairs, uploadsAtOnce, async ({ object, target }) => {
    const key = await put(object, target, uploading);
    uploading.onUpload?.();
    return { kind: object.kind, path: object.path, object_key: key, size: object.sizeBytes, sha256: object.sha256, encoding: object.encoding };
  });
}

/** Asks what of them is in its place already. A backend from before that could be asked refuses the question. */
async function targetsOf(specs: readonly JobUploadSpec[], { createUploads }: Uploading): Promise<JobUpload[]> {
  try {
    return await createUploads(specs.map((spec) => ({ ...spec, reuse: true })));
  } catch (error) {
    if (!(error instanceof BackendRefusal) || error.status !== 400) throw error;
    return await createUploads(specs);
  }
}

async function put(object: PackagedObject, target: JobUpload, uploading: Uploading): Promise<string> {
  const options = { what: `the artifact ${object.path}`, signal: uploading.signal, retryForMs };
  const send = async (to: JobUpload): Promise<string> => {
    if (to.upload_url !== null) await upload(to.upload_url, to.headers, object.bytes ?? object.file, object.sizeBytes, options);
    return to.object_key;
  };
  try {
    return await send(target);
  } catch (error) {
    if (!(error instanceof TransferRefused)) throw error;
    const [fresh] = await uploading.createUploads([specOf(object)]);
    if (fresh === undefined) throw error;
    return await send(fresh);
  }
}
