/** From a project's sources to a preview: hash, request, upload what is missing, start, wait. */
import type { MissingBlob, PreviewArtifact, PreviewEnvironment, PreviewFailure, PreviewJob, PreviewPlatform, PreviewRequestFromFiles } from '#generated/sdk/types.gen.ts';
import { HiveSyncError } from '../errors.ts';
import type { ApiEvent } from '../events.ts';
import { waitForJob, type JobSource } from '../jobs.ts';
import type { Operations } from '../operations.ts';
import { paginate } from '../paginate.ts';
import { checkBounds, fromGiven, hashAll, type GivenFile, type HashedFile, type SourceFile } from './sources.ts';
import { uploadPacked, uploadSingly, type UploadOptions } from './upload.ts';

export interface BuildProgress {
  /** `hashing` counts files, `uploading` bytes, the build's own stages percent. */
  readonly stage: 'hashing' | 'uploading' | 'queued' | 'fetching' | 'bundling' | 'packaging';
  readonly done: number;
  readonly total: number;
}

export interface BuildOptions {
  readonly projectId: string;
  /** What is absent comes from the project's settings. */
  readonly platform?: PreviewPlatform;
  readonly entryFile?: string;
  /** As `listPreviewSdks` names it: `0.88.1` (React Native, the default), `57.0.26` (Expo; refused where no worker has it). */
  readonly sdkVersion?: string;
  readonly environment?: PreviewEnvironment;
  readonly dev?: boolean;
  /** Keys begin with `EXPO_PUBLIC_` or `PUBLIC_`; whoever has the bundle can read them. */
  readonly env?: Readonly<Record<string, string>>;
  readonly deviceType?: string;
  /** Paths of a folder to leave out, beside those that are never part of a build. */
  readonly ignore?: (path: string) => boolean;
  readonly onProgress?: (progress: BuildProgress) => void;
  /** The build's log lines and other events, as they come. */
  readonly onEvent?: (event: ApiEvent) => void;
  readonly signal?: AbortSignal;
  /** Waiting for the build, uploads not counted; default 30 minutes. */
  readonly timeoutMs?: number;
}

export interface BuiltPreview {
  readonly job: PreviewJob;
  readonly artifacts: readonly PreviewArtifact[];
  /** Views the preview. */
  readonly token: string;
  /** The bundle as it is, for ten minutes. */
  readonly url: string;
}

/** A build that failed, and where. */
export class PreviewBuildError extends HiveSyncError {
  readonly job: PreviewJob;
  readonly kind: PreviewFailure['kind'] | null;
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  /** The lines around the fault, with a mark. */
  readonly codeFrame: string | null;

  constructor(job: PreviewJob) {
    const { error } = job;
    super(error?.code ?? 'PREVIEW_BUILD_FAILED', error?.message ?? 'The build failed.', { details: error });
    this.name = 'PreviewBuildError';
    this.job = job;
    this.kind = error?.kind ?? null;
    this.file = error?.file ?? null;
    this.line = error?.line ?? null;
    this.column = error?.column ?? null;
    this.codeFrame = error?.code_frame ?? null;
  }
}

export interface BuildParts {
  readonly api: Operations;
  readonly upload: Pick<UploadOptions, 'fetch' | 'maxRetries' | 'pause'>;
  jobSource(jobId: string): JobSource<PreviewJob>;
}

/** From so many missing blobs on, one tar is quicker than as many requests. */
const packFrom = 12;
/** A tar is sent again from its beginning when the connection breaks: no more than that is put into one. */
const maxPackBytes = 134_217_728;

async function gather(sources: string | readonly GivenFile[], options: BuildOptions): Promise<readonly SourceFile[]> {
  if (typeof sources !== 'string') return fromGiven(sources);
  const { readProjectFolder } = await import('./project-folder.ts');
  return await readProjectFolder(sources, options.ignore);
}

function requestBody(files: readonly HashedFile[], options: BuildOptions): PreviewRequestFromFiles {
  return {
    project_id: options.projectId,
    files: files.map(({ path, sha256, size }) => ({ path, sha256, size })),
    ...(options.platform === undefined ? {} : { target_platform: options.platform }),
    ...(options.entryFile === undefined ? {} : { entry_file: options.entryFile }),
    ...(options.sdkVersion === undefined ? {} : { sdk_version: options.sdkVersion }),
    ...(options.environment === undefined ? {} : { environment: options.environment }),
    ...(options.dev === undefined ? {} : { dev: options.dev }),
    ...(options.env === undefined ? {} : { env: { ...options.env } }),
    ...(options.deviceType === undefined ? {} : { device_type: options.deviceType }),
  };
}

async function allMissing(parts: BuildParts, job: PreviewJob, first: readonly MissingBlob[], signal: AbortSignal | undefined): Promise<readonly MissingBlob[]> {
  if (job.missing_count <= first.length) return first;
  const missing: MissingBlob[] = [];
  const call = signal === undefined ? {} : { signal };
  for await (const blob of paginate(parts.api.listMissingBlobs, { path: { job_id: job.id } }, call)) missing.push(blob);
  return missing;
}

const sum = (sizes: Iterable<number>): number => Array.from(sizes).reduce((total, size) => total + size, 0);

function report(job: PreviewJob, options: BuildOptions): void {
  // A job that has ended is at no stage any more, and not queued.
  if (job.stage === null && job.status !== 'queued') return;
  // Storing the bundle is the job's own `uploading`; the client's has gone before, so it counts as packaging here.
  const stage = job.stage === null ? 'queued' : job.stage === 'uploading' ? 'packaging' : job.stage;
  options.onProgress?.({ stage, done: job.progress, total: 100 });
}

/**
 * Builds a preview and waits for it.
 * @param sources a project's folder (Node), or its files
 * @throws PreviewBuildError when the sources do not build; HiveSyncError for everything else
 */
export async function buildPreview(parts: BuildParts, sources: string | readonly GivenFile[], options: BuildOptions): Promise<BuiltPreview> {
  const found = await gather(sources, options);
  checkBounds(found);
  const files = await hashAll(found, options.signal, (done) => options.onProgress?.({ stage: 'hashing', done, total: found.length }));
  return await buildFiles(parts, files, options);
}

/** A job whose files are all stored, and which waits or is built; what the project lacked was uploaded. */
export async function requestFiles(parts: BuildParts, files: readonly HashedFile[], options: BuildOptions): Promise<{ readonly job: PreviewJob; readonly token: string }> {
  const { api } = parts;
  const { signal } = options;
  const call = signal === undefined ? {} : { signal };
  const requested = await api.requestPreview({ body: requestBody(files, options) }, call);
  if (requested.job.awaiting_upload) {
    const missing = await allMissing(parts, requested.job, requested.missing, signal);
    const byHash = new Map(files.map((file) => [file.sha256, file]));
    const upload: UploadOptions = { ...parts.upload, signal, onProgress: (done, total) => options.onProgress?.({ stage: 'uploading', done, total }) };
    const missingBytes = sum(missing.map(({ sha256 }) => byHash.get(sha256)?.size ?? 0));
    if (requested.pack !== null && missing.length >= packFrom && missingBytes <= maxPackBytes) {
      await uploadPacked(requested.pack, missing.map(({ sha256 }) => sha256), byHash, upload);
    } else await uploadSingly(missing, byHash, upload);
    await api.startPreviewJob({ path: { job_id: requested.job.id } }, call);
  }
  return requested;
}

/** The same from files whose hashes are known. */
export async function buildFiles(parts: BuildParts, files: readonly HashedFile[], options: BuildOptions): Promise<BuiltPreview> {
  const { api } = parts;
  const call = options.signal === undefined ? {} : { signal: options.signal };
  const requested = await requestFiles(parts, files, options);

  const job = await waitForJob(parts.jobSource(requested.job.id), {
    onUpdate: (now) => report(now, options),
    ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    ...call,
  });
  if (job.status === 'cancelled') throw new HiveSyncError('CANCELLED', 'The build was cancelled.', { details: { job_id: job.id } });
  if (job.status !== 'succeeded') throw new PreviewBuildError(job);

  const artifacts: PreviewArtifact[] = [];
  for await (const artifact of paginate(api.listPreviewArtifacts, { path: { job_id: job.id } }, call)) artifacts.push(artifact);
  const bundle = artifacts.find(({ kind, encoding }) => kind === 'bundle' && encoding === 'identity');
  if (bundle === undefined) throw new HiveSyncError('BAD_ANSWER', 'The build succeeded without a bundle.', { details: { job_id: job.id } });
  return { job, artifacts, token: requested.token, url: bundle.url };
}
