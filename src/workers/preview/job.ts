/**
 * A preview, from claimed to reported: fetch the sources, build them, package what came out, upload it; or upload what came
 * out of them the last time.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobArtifact, JobFailure, JobInput, JobSource, PreviewJobInput, PreviewReachedTimings, PreviewStageTimings } from '#generated/sdk/types.gen.ts';
import type { BlobCache } from '../blob-cache.ts';
import type { JobContext, JobHandler, JobOutcome } from '../job-handler.ts';
import type { Builder, BuildResult, Platform } from './builder.ts';
import { fetchSources, listSources } from './fetch-sources.ts';
import { failureOfBuild, failureOfTransfer, tooLarge } from './job-failure.ts';
import { keepResult, resultName, takeKept } from './kept-results.ts';
import { encodingsOf, type PackagedObject, Packer, plainObject, plainObjects } from './packaging.ts';
import type { ProjectCaches } from './project-caches.ts';
import { materialiseSources } from './sources.ts';
import { checkMade, LimitExceeded, storeArtifacts } from './store-artifacts.ts';
import { uploadObjects } from './upload-artifacts.ts';
import { nothingSent, type SentAhead, UploadsAhead } from './uploads-ahead.ts';

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
  const items = await watch.measure('fetching', () => listSources(input.sources, context.signal));
  const cache = await on.caches.use(input.project_id);
  const bench: Workbench = {
    builder: found.builder, cacheDir: cache.dir, items, watch, resultName: resultName(input, items),
    sourceDir: join(context.workDir, 'src'), outDir: join(context.workDir, 'out'), packDir: join(context.workDir, 'pack'),
  };
  try {
    return await repeat(context, bench) ?? await build(on, context, bench);
  } finally {
    cache.release();
    on.caches.trim().catch((error: unknown) => context.log.warn('preview.cache_trim', 'Old caches of projects could not be removed', { error }));
  }
}

/** What one job works with. */
interface Workbench {
  readonly builder: Builder;
  /** The project's own. */
  readonly cacheDir: string;
  readonly items: readonly JobSource[];
  /** Under which the result is kept. */
  readonly resultName: string;
  readonly watch: Stopwatch;
  readonly sourceDir: string;
  readonly outDir: string;
  /** For what is compressed. */
  readonly packDir: string;
}

/** The result of the last build again, where nothing has changed since; null where something has. */
async function repeat(context: JobContext<PreviewJobInput>, { cacheDir, resultName: name, watch }: Workbench): Promise<JobOutcome | null> {
  const { log, workDir } = context;
  const startedAtMs = Date.now();
  const startedAt = performance.now();
  const kept = await takeKept(cacheDir, name, join(workDir, 'kept'))
    .catch((error: unknown) => {
      log.warn('preview.kept_unread', 'A kept result could not be read, and is built anew', { error });
      return null;
    });
  if (kept === null) return null;
  watch.add('bundling', performance.now() - startedAt);
  await tellLog(context, kept, startedAtMs);
  const plain = kept.filter(({ encoding }) => encoding === 'identity');
  const packed = kept.filter(({ encoding }) => encoding !== 'identity');
  return await withinLimits(context, plain, async () => succeeded(await upload(context, plain, Promise.resolve(packed), nothingSent, watch), plain, watch));
}

async function build(on: PreviewJobs, context: JobContext<PreviewJobInput>, bench: Workbench): Promise<JobOutcome> {
  const { cacheDir, items, outDir, packDir, watch } = bench;
  await watch.measure('fetching', () => prepareSources(on, context, items, bench.sourceDir));
  await mkdir(packDir);
  const packer = new Packer(packDir, context.signal);
  const ahead = new UploadsAhead({ createUploads: context.createUploads, signal: context.signal, limits: context.job.input.limits });
  try {
    const builtAtMs = Date.now();
    const result = await watch.measure('bundling', () => runBuild(context, bench, (object, bytes) => {
      packer.begin(object, bytes);
      ahead.begin(object, bytes);
    }));
    const plain = plainObjects(result.files, outDir);
    await tellLog(context, plain, builtAtMs);
    if (!result.ok) {
      if (result.diagnostics !== '') context.log.warn('preview.build_failed', 'A build process ended badly', { code: result.failure.code, output: result.diagnostics });
      return await reportFailure(context, failureOfBuild(result.failure, context.redact), plain);
    }
    context.progress({ stage: 'packaging', percent: beginsAt.packaging });
    return await withinLimits(context, plain, async () => {
      const packing = watch.measure('packaging', () => packer.objects(plain));
      const keeping = packing.then((packed) => keepResult(cacheDir, bench.resultName, [...plain, ...packed]))
        .catch((error: unknown) => context.log.warn('preview.result_not_kept', 'A result could not be kept for the next build', { error }));
      const artifacts = await upload(context, plain, packing, ahead.take(plain), watch);
      await keeping;
      return succeeded(artifacts, plain, watch);
    });
  } finally {
    await Promise.all([packer.close(), ahead.close()]);
  }
}

/** What is more than the job may make is a failure, with its log. */
async function withinLimits(context: JobContext<PreviewJobInput>, plain: readonly PackagedObject[], work: () => Promise<JobOutcome>): Promise<JobOutcome> {
  try {
    checkMade(plain, context.job.input.limits);
    return await work();
  } catch (error) {
    if (!(error instanceof LimitExceeded)) throw error;
    return await reportFailure(context, tooLarge(error.message), plain);
  }
}

/** What is there leaves while the rest is compressed; `uploading` counts what it takes beyond that. */
async function upload(
  context: JobContext<PreviewJobInput>, plain: readonly PackagedObject[], packing: Promise<readonly PackagedObject[]>, ahead: SentAhead, watch: Stopwatch,
): Promise<JobArtifact[]> {
  const total = plain.reduce((sum, object) => sum + encodingsOf(object), 0);
  let packedAt = performance.now();
  const artifacts = await storeArtifacts(context, plain, packing.then((packed) => {
    packedAt = performance.now();
    return packed;
  }), ahead, (done) => context.progress({ stage: 'uploading', percent: share('uploading', 99, done, total), done, total }));
  watch.add('uploading', performance.now() - packedAt);
  return artifacts;
}

function succeeded(artifacts: readonly JobArtifact[], plain: readonly PackagedObject[], watch: Stopwatch): JobOutcome {
  const keyOf = (kind: string): string | undefined => artifacts.find((artifact) => artifact.kind === kind && artifact.encoding === 'identity')?.object_key;
  const [bundleKey, logKey] = [keyOf('bundle'), keyOf('log')];
  const bundleBytes = plain.find(({ kind }) => kind === 'bundle')?.sizeBytes ?? 0;
  return {
    status: 'SUCCESS',
    artifacts,
    result: { kind: 'preview', bundle_bytes: bundleBytes, timings: watch.timings },
    ...(bundleKey === undefined ? {} : { bundleKey }),
    ...(logKey === undefined ? {} : { logKey }),
  };
}

async function prepareSources(on: PreviewJobs, context: JobContext<PreviewJobInput>, items: readonly JobSource[], sourceDir: string): Promise<void> {
  const held = on.blobs.pin();
  try {
    const fetched = await fetchSources(items, held, context.signal, (done, total) => {
      context.progress({ stage: 'fetching', percent: share('fetching', beginsAt.bundling, done, total), done, total });
    });
    context.logLine('info', `${items.length} source files; ${fetched.fetchedCount} fetched (${fetched.fetchedBytes} bytes), the others were here already`);
    await materialiseSources(sourceDir, fetched.files, context.job.input.entry_file);
  } finally {
    held.release();
  }
}

async function runBuild(context: JobContext<PreviewJobInput>, { builder, cacheDir, sourceDir, outDir }: Workbench, onFile: (object: PackagedObject, bytes: Uint8Array) => void): Promise<BuildResult> {
  const { input, timeout_ms: timeoutMs } = context.job;
  context.progress({ stage: 'bundling', percent: beginsAt.bundling });
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
    cacheDir,
    timeoutMs,
    memoryBytes: input.limits.max_memory_bytes,
    signal: context.signal,
    onFile: (file, bytes) => onFile(plainObject(file, outDir), bytes),
    onProgress: ({ stage, done, total }) => {
      const end = stage === 'bundling' ? beginsAt.packaging : beginsAt.uploading;
      context.progress({ stage, percent: share(stage, end, done, total), done, total });
    },
  });
}

/** The builder's own log becomes the job's: `   0.412s  text` a line, code frames without a time. */
async function tellLog(context: JobContext, objects: readonly PackagedObject[], builtAtMs: number): Promise<void> {
  const log = objects.find(({ kind }) => kind === 'log');
  if (log === undefined) return;
  const text = await readFile(log.file, 'utf8');
  let at = builtAtMs;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const timed = /^ *([0-9]+\.[0-9]{3})s {2}(.*)$/u.exec(line);
    if (timed !== null) at = builtAtMs + Math.round(Number(timed[1]) * 1000);
    const message = timed?.[2] ?? line;
    context.logLine(message.startsWith('failed:') ? 'error' : message.startsWith('warning:') ? 'warn' : 'info', message, at);
  }
}

/** A failure with the log beside it, as far as there is one and storage takes it. */
async function reportFailure(context: JobContext, failure: JobFailure, plain: readonly PackagedObject[]): Promise<JobOutcome> {
  const logs = plain.filter(({ kind }) => kind === 'log');
  try {
    const artifacts = await uploadObjects(logs, { createUploads: context.createUploads, signal: context.signal });
    const [stored] = artifacts;
    return { status: 'FAIL', failure, artifacts, ...(stored === undefined ? {} : { logKey: stored.object_key }) };
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
