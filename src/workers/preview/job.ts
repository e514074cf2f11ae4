/** A preview, from claimed to reported: fetch the sources, build them, package what came out, upload it. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobArtifact, JobFailure, JobInput, PreviewJobInput, PreviewReachedTimings, PreviewStageTimings } from '#generated/sdk/types.gen.ts';
import type { BlobCache } from '../blob-cache.ts';
import type { JobContext, JobHandler, JobOutcome } from '../job-handler.ts';
import type { Builder, BuildResult, OutputFile, Platform } from './builder.ts';
import { fetchSources, listSources } from './fetch-sources.ts';
import { failureOfBuild, failureOfTransfer, tooLarge } from './job-failure.ts';
import { compressedObjects, isCompressed, type PackagedObject, plainObjects } from './packaging.ts';
import type { ProjectCaches } from './project-caches.ts';
import { materialiseSources } from './sources.ts';
import { uploadObjects } from './upload-artifacts.ts';

/** The builder of an SDK set that is installed and primed here, with the platforms it builds for; null for any other. */
export type BuilderOf = (sdkVersion: string) => { readonly builder: Builder; readonly platforms: readonly string[] } | null;

/** Where each stage begins on the bar, in percent. About what a warm build of a new project spends on each. */
const beginsAt = { fetching: 0, bundling: 10, packaging: 80, uploading: 90 } as const;

/** One attempt's stages and how long each took. */
class Stopwatch {
  readonly #spent: PreviewReachedTimings = {};

  async measure<T>(stage: keyof typeof beginsAt, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await work();
    } finally {
      this.add(stage, performance.now() - started);
    }
  }

  add(stage: keyof typeof beginsAt, ms: number): void {
    this.#spent[`${stage}_ms`] = (this.#spent[`${stage}_ms`] ?? 0) + Math.round(ms);
  }

  /** Of the stages that were begun. */
  get reached(): PreviewReachedTimings {
    return { ...this.#spent };
  }

  get timings(): PreviewStageTimings {
    return { fetching_ms: 0, bundling_ms: 0, packaging_ms: 0, uploading_ms: 0, ...this.#spent };
  }
}

export interface PreviewJobs {
  readonly builderOf: BuilderOf;
  readonly blobs: BlobCache;
  readonly caches: ProjectCaches;
}

export function previewHandler(on: PreviewJobs): JobHandler {
  return {
    run: async (context) => {
      if (!isPreview(context)) throw new Error(`A preview handler was given a job of kind ${context.job.input.kind}.`);
      const watch = new Stopwatch();
      const timed = (failure: JobFailure): JobFailure => ({ ...failure, timings: watch.reached });
      try {
        const outcome = await buildPreview(on, context, watch);
        return outcome.status === 'SUCCESS' ? outcome : { ...outcome, failure: timed(outcome.failure) };
      } catch (error) {
        context.signal.throwIfAborted();
        const failure = failureOfTransfer(error);
        if (failure === null) throw error;
        context.log.warn('preview.transfer_failed', 'Sources or artifacts could not be transferred', { error });
        return { status: 'FAIL', failure: timed(failure) };
      }
    },
  };
}

async function buildPreview(on: PreviewJobs, context: JobContext<PreviewJobInput>, watch: Stopwatch): Promise<JobOutcome> {
  const { input } = context.job;
  const found = on.builderOf(input.sdk_version);
  if (found === null) return failed({ kind: 'sdk_unavailable', message: `This worker does not hold the SDK set ${input.sdk_version} yet.`, retryable: true });
  if (!found.platforms.includes(input.target_platform)) {
    return failed({ kind: 'sdk_unavailable', message: `The SDK set ${input.sdk_version} does not build for ${input.target_platform}.`, retryable: false });
  }
  const sourceDir = join(context.workDir, 'src');
  const outDir = join(context.workDir, 'out');
  await watch.measure('fetching', () => prepareSources(on, context, sourceDir));

  const builtAtMs = Date.now();
  const result = await watch.measure('bundling', () => runBuild(on, context, found.builder, sourceDir, outDir));
  await tellLog(context, result.files, outDir, builtAtMs);
  if (!result.ok) {
    if (result.diagnostics !== '') context.log.warn('preview.build_failed', 'A build process ended badly', { code: result.failure.code, output: result.diagnostics });
    return await reportFailure(context, failureOfBuild(result.failure, context.redact), result.files, outDir);
  }

  context.progress({ stage: 'packaging', percent: beginsAt.packaging });
  const bundle = result.files.find(({ kind }) => kind === 'bundle');
  if (bundle === undefined) throw new Error('a build that went well made no bundle');
  if (bundle.sizeBytes > input.limits.max_bundle_bytes) {
    return await reportFailure(context, tooLarge(`The bundle has ${bundle.sizeBytes} bytes; ${input.limits.max_bundle_bytes} are allowed.`), result.files, outDir);
  }
  const plain = plainObjects(result.files, outDir);
  let artifacts: JobArtifact[];
  try {
    artifacts = await store(context, plain, watch);
  } catch (error) {
    if (!(error instanceof LimitExceeded)) throw error;
    return await reportFailure(context, tooLarge(error.message), result.files, outDir);
  }
  const keyOf = (kind: string): string | undefined => artifacts.find((artifact) => artifact.kind === kind && artifact.encoding === 'identity')?.object_key;
  const [bundleKey, logKey] = [keyOf('bundle'), keyOf('log')];
  return {
    status: 'SUCCESS',
    artifacts,
    result: { kind: 'preview', bundle_bytes: bundle.sizeBytes, timings: watch.timings },
    ...(bundleKey === undefined ? {} : { bundleKey }),
    ...(logKey === undefined ? {} : { logKey }),
  };
}

class LimitExceeded extends Error {}

/** Uploads what was built: what is sent as it is leaves while the rest is compressed; `uploading` counts what it takes beyond that. */
async function store(context: JobContext<PreviewJobInput>, plain: readonly PackagedObject[], watch: Stopwatch): Promise<JobArtifact[]> {
  const { createUploads, signal, workDir } = context;
  const { limits } = context.job.input;
  // Three encodings of what is compressed.
  const count = plain.reduce((sum, object) => sum + (isCompressed(object) ? 3 : 1), 0);
  if (count > limits.max_artifacts) throw new LimitExceeded(`The build made ${count} objects; ${limits.max_artifacts} are allowed.`);
  const checkBytes = (objects: readonly PackagedObject[]): void => {
    const bytes = objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (bytes > limits.max_artifact_bytes) throw new LimitExceeded(`The build made ${bytes} bytes of artifacts; ${limits.max_artifact_bytes} are allowed.`);
  };
  checkBytes(plain);

  let uploaded = 0;
  let packedAt = performance.now();
  const onUpload = (): void => {
    uploaded += 1;
    context.progress({ stage: 'uploading', percent: share('uploading', 99, uploaded, count), done: uploaded, total: count });
  };
  const sendPacked = async (): Promise<JobArtifact[]> => {
    const packed = await watch.measure('packaging', async () => {
      const packDir = join(workDir, 'pack');
      await mkdir(packDir);
      return await compressedObjects(plain, packDir, signal);
    });
    checkBytes([...plain, ...packed]);
    packedAt = performance.now();
    return await uploadObjects(packed, { createUploads, signal, onUpload });
  };
  const stored = await Promise.all([uploadObjects(plain, { createUploads, signal, onUpload }), sendPacked()]);
  watch.add('uploading', performance.now() - packedAt);
  return stored.flat();
}

async function prepareSources(on: PreviewJobs, context: JobContext<PreviewJobInput>, sourceDir: string): Promise<void> {
  const { sources, entry_file: entryFile } = context.job.input;
  const held = on.blobs.pin();
  try {
    const items = await listSources(sources, context.signal);
    const fetched = await fetchSources(items, held, context.signal, (done, total) => {
      context.progress({ stage: 'fetching', percent: share('fetching', beginsAt.bundling, done, total), done, total });
    });
    context.logLine('info', `${items.length} source files; ${fetched.fetchedCount} fetched (${fetched.fetchedBytes} bytes), the others were here already`);
    await materialiseSources(sourceDir, fetched.files, entryFile);
  } finally {
    held.release();
  }
}

async function runBuild(on: PreviewJobs, context: JobContext<PreviewJobInput>, builder: Builder, sourceDir: string, outDir: string): Promise<BuildResult> {
  const { input, timeout_ms: timeoutMs } = context.job;
  context.progress({ stage: 'bundling', percent: beginsAt.bundling });
  const cache = await on.caches.use(input.project_id);
  try {
    return await builder.build({
      projectKey: input.project_id,
      sourceDir,
      outDir,
      sdkVersion: input.sdk_version,
      entryFile: input.entry_file,
      // One of the set's platforms: looked at before.
      platform: input.target_platform as Platform,
      dev: input.dev,
      env: input.env,
      environment: input.environment,
      cacheDir: cache.dir,
      timeoutMs,
      memoryBytes: input.limits.max_memory_bytes,
      signal: context.signal,
      onProgress: ({ stage, done, total }) => {
        const end = stage === 'bundling' ? beginsAt.packaging : beginsAt.uploading;
        context.progress({ stage, percent: share(stage, end, done, total), done, total });
      },
    });
  } finally {
    cache.release();
    on.caches.trim().catch((error: unknown) => context.log.warn('preview.cache_trim', 'Old transform caches could not be removed', { error }));
  }
}

/** The builder's own log becomes the job's: `   0.412s  text` a line, code frames without a time. */
async function tellLog(context: JobContext, files: readonly OutputFile[], outDir: string, builtAtMs: number): Promise<void> {
  const log = files.find(({ kind }) => kind === 'log');
  if (log === undefined) return;
  const text = await readFile(join(outDir, log.path), 'utf8');
  let at = builtAtMs;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const timed = /^ *([0-9]+\.[0-9]{3})s {2}(.*)$/u.exec(line);
    if (timed !== null) at = builtAtMs + Math.round(Number(timed[1]) * 1000);
    const message = timed?.[2] ?? line;
    context.logLine(message.startsWith('failed:') ? 'error' : message.startsWith('warning:') ? 'warn' : 'info', message, at);
  }
}

/** A failure with the log beside it, as far as storage takes it. */
async function reportFailure(context: JobContext, failure: JobFailure, files: readonly OutputFile[], outDir: string): Promise<JobOutcome> {
  const logs = files.filter(({ kind }) => kind === 'log');
  try {
    const artifacts = await uploadObjects(plainObjects(logs, outDir), { createUploads: context.createUploads, signal: context.signal });
    const [log] = artifacts;
    return { status: 'FAIL', failure, artifacts, ...(log === undefined ? {} : { logKey: log.object_key }) };
  } catch (error) {
    context.signal.throwIfAborted();
    // The lines went to the job's own log already; the failure is what matters.
    context.log.warn('preview.log_lost', 'The log of a failed build could not be stored', { error });
    return { status: 'FAIL', failure };
  }
}

const failed = (failure: JobFailure): JobOutcome => ({ status: 'FAIL', failure });

const share = (stage: keyof typeof beginsAt, end: number, done: number, total: number): number =>
  beginsAt[stage] + ((end - beginsAt[stage]) * Math.min(done, total)) / Math.max(1, total);

const isPreview = (context: JobContext<JobInput>): context is JobContext<PreviewJobInput> => context.job.input.kind === 'preview';
