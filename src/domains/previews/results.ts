/** What a worker says came out of a build: looked at, and as columns of the job. */
import type { JobArtifact, JobResultReport } from '#generated/sdk/types.gen.ts';
import type { Binding } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { eachObject, type ObjectStorage, StorageError } from '#platform/storage/storage.ts';
import { type Fault, misnamed } from './result-names.ts';
import { isShort, namedArtifacts } from './short-results.ts';

/** A report may name what other kinds of job make. */
const artifactKinds = new Set<string>(['bundle', 'source_map', 'asset', 'metadata', 'log']);

/** What a report names, of either status; VALIDATION_ERROR where it is not all below the attempt's prefix, or not there. */
export async function checkResult(storage: ObjectStorage, prefix: string, report: JobResultReport, maxBundleBytes: number): Promise<readonly JobArtifact[]> {
  try {
    const { artifacts, faults } = isShort(report)
      ? await namedArtifacts(storage, prefix, report, maxBundleBytes)
      : { artifacts: report.artifacts ?? [], faults: await faultsOf(storage, prefix, report) };
    if (report.status === 'SUCCESS') faults.push(...bundleFaults(report, artifacts));
    if (faults.length > 0) throw new ServiceError('VALIDATION_ERROR', 'The result names what is not there.', { details: faults.slice(0, 100) });
    return artifacts;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    throw new ServiceError('STORAGE_ERROR', 'Object storage did not answer. Report again.', { cause: error });
  }
}

/** Every object that is listed lies under the attempt's prefix, is there once, and has the size it says. Lists, so that 5,000 cost five calls. */
async function faultsOf(storage: ObjectStorage, prefix: string, report: JobResultReport): Promise<Fault[]> {
  const { artifacts = [] } = report;
  const sizes = new Map<string, number>();
  for await (const object of eachObject(storage, prefix)) sizes.set(object.key, object.sizeBytes);
  const faults = misnamed(report).concat(artifacts.flatMap((artifact, index) => {
    const expected = `${prefix}${artifact.encoding}/${artifact.path}`;
    const isRight = artifact.object_key === expected && sizes.get(expected) === artifact.size;
    // Named twice, it is there no more.
    sizes.delete(expected);
    if (isRight) return [];
    return [{ pointer: `#/body/artifacts/${index}/object_key`, message: 'no such object of this job, or of another size, or named before', rule: 'object' }];
  }));
  for (const [index, { kind }] of artifacts.entries()) {
    if (!artifactKinds.has(kind)) faults.push({ pointer: `#/body/artifacts/${index}/kind`, message: 'is not what a preview makes', rule: 'kind' });
  }
  return faults;
}

/** A success has its bundle: among the artifacts, or, where none are listed, by `bundle_url`. */
function bundleFaults(report: JobResultReport, artifacts: readonly JobArtifact[]): Fault[] {
  if (report.artifacts === undefined) {
    return report.bundle_url == null ? [{ pointer: '#/body/bundle_url', message: 'must name the bundle, where no artifacts are listed', rule: 'required' }] : [];
  }
  // Named by `bundle_url` beside an empty list, its absence is told already.
  if (artifacts.some(({ kind, encoding }) => kind === 'bundle' && encoding === 'identity') || (isShort(report) && report.bundle_url != null)) return [];
  return [{ pointer: '#/body/artifacts', message: 'must hold the bundle without encoding, unless bundle_url alone names it', rule: 'bundle' }];
}

/** A success as columns of the job. A short report may leave out `result`: the bundle is as large as it lies there, and nobody knows how long what took. */
export function resultFields(report: JobResultReport, artifacts: readonly JobArtifact[]): Readonly<Record<string, Binding>> {
  const { result = null } = report;
  if (result?.kind !== 'preview' && !(result === null && isShort(report))) {
    throw new ServiceError('VALIDATION_ERROR', 'A preview that succeeded says what came out.', {
      details: [{ pointer: '#/body/result', message: 'must be the result of a preview', rule: 'required' }],
    });
  }
  const stored = isShort(report) ? artifacts.find(({ kind }) => kind === 'bundle')?.size : undefined;
  return { bundle_bytes: stored ?? result?.bundle_bytes ?? null, timings: result === null ? null : JSON.stringify(result.timings), failure: null };
}
