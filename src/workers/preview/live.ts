/** A live session on a worker: one warm process that is the session's alone, and a bundle for each change that comes. */
import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { JobArtifact, JobFailure, JobInput, LiveChangeSet, LiveResult, LiveResultAsset, LiveSessionInput } from '#generated/sdk/types.gen.ts';
import { checkSourcePaths } from '#platform/source-paths.ts';
import type { BlobCache, PinnedBlobs } from '../blob-cache.ts';
import type { JobContext, JobHandler, JobOutcome } from '../job-handler.ts';
import type { Platform } from './builder.ts';
import { fetchSources, listSources } from './fetch-sources.ts';
import { failureOfBuild, failureOfTransfer, tooLarge } from './job-failure.ts';
import type { BuilderOf } from './job.ts';
import { LiveAssetStore } from './live-assets.ts';
import type { LiveAsset, LiveBuild, LiveOutcome } from './live-build.ts';
import type { PackagedObject } from './packaging.ts';
import { uploadObjects } from './upload-artifacts.ts';

export interface LiveSessions {
  readonly builderOf: BuilderOf;
  readonly blobs: BlobCache;
  /** Each holds a process of some hundred megabytes for as long as it lives. */
  readonly atOnce: number;
}

/** So long without a change, a revision's source map is made: nobody who edits waits for it. */
const quietMs = 1_000;
/** As many files as a revision may name beyond what its preview holds. */
const mostAssets = 200;
/** As long as the backend lets an answer wait. */
const waitMs = 10_000;
/** Somebody waits with the phone in hand: a build that takes longer than this has gone wrong. */
const longestBuildMs = 120_000;

export function liveSessionHandler(on: LiveSessions): JobHandler {
  let open = 0;
  return {
    run: async (context) => {
      if (!isLive(context)) throw new Error(`A handler of live sessions was given a job of kind ${context.job.input.kind}.`);
      if (open >= on.atOnce) return failed({ kind: 'sdk_unavailable', message: 'No worker has room for another live session now.', retryable: true });
      open += 1;
      const blobs = on.blobs.pin();
      try {
        return await new Session(on, context, blobs).run();
      } catch (error) {
        context.signal.throwIfAborted();
        const failure = failureOfTransfer(error);
        if (failure === null) throw error;
        context.log.warn('live.transfer_failed', 'Sources or a bundle could not be transferred', { error });
        return failed(failure);
      } finally {
        blobs.release();
        open -= 1;
      }
    },
  };
}

class Session {
  readonly #on: LiveSessions;
  readonly #context: JobContext<LiveSessionInput>;
  readonly #blobs: PinnedBlobs;
  readonly #assets: LiveAssetStore;
  #files = new Map<string, string>();
  #build: LiveBuild | null = null;

  constructor(on: LiveSessions, context: JobContext<LiveSessionInput>, blobs: PinnedBlobs) {
    this.#on = on;
    this.#context = context;
    this.#blobs = blobs;
    this.#assets = new LiveAssetStore(context.workDir, context.job.input.assets);
  }

  async run(): Promise<JobOutcome> {
    const { signal, job } = this.#context;
    const { preview } = job.input;
    const found = this.#on.builderOf(preview.sdk_version);
    if (found === null || !found.platforms.includes(preview.target_platform)) {
      return failed({ kind: 'sdk_unavailable', message: `This worker does not build ${preview.sdk_version} for ${preview.target_platform} yet.`, retryable: true });
    }
    const open = (): LiveBuild => found.builder.live({
      sdkVersion: preview.sdk_version, entryFile: preview.entry_file, platform: preview.target_platform as Platform, dev: preview.dev, env: preview.env,
      environment: preview.environment, memoryBytes: preview.limits.max_memory_bytes, timeoutMs: longestBuildMs,
    }, job.input.assets);
    const items = await listSources(preview.sources, signal);
    this.#files = (await fetchSources(items, this.#blobs, signal, () => undefined)).files;
    const end = (): void => this.#build?.close();
    signal.addEventListener('abort', end);
    try {
      let results = await this.#bundle(0, open);
      let ready = readyOf(results);
      for (;;) {
        const changes = await this.#context.live(results, ready === null ? waitMs : quietMs);
        signal.throwIfAborted();
        if (changes.length > 0) {
          results = await this.#take(changes, open);
          ready = readyOf(results);
        } else {
          results = ready === null ? [] : await this.#map(ready);
          ready = null;
        }
      }
    } finally {
      signal.removeEventListener('abort', end);
      end();
    }
  }

  /** All that has come is built at once; what was passed over on the way is superseded. */
  async #take(changes: readonly LiveChangeSet[], open: () => LiveBuild): Promise<LiveResult[]> {
    const startedAt = performance.now();
    const written = new Map<string, string>();
    const removed = new Set<string>();
    for (const change of changes) {
      const { files } = await fetchSources(change.written, this.#blobs, this.#context.signal, () => undefined);
      for (const path of change.removed) {
        written.delete(path);
        if (this.#files.delete(path)) removed.add(path);
      }
      for (const [path, file] of files) {
        written.set(path, file);
        this.#files.set(path, file);
      }
    }
    const last = changes.at(-1)?.revision ?? 0;
    const passed = changes.slice(0, -1).map(({ revision }) => resultOf(revision, 'superseded', startedAt, null));
    return [...passed, ...await this.#bundle(last, open, { written, removed: [...removed].filter((path) => !written.has(path)) }, startedAt)];
  }

  /** From what changed where a process is warm; else, and where one was lost, from all files. */
  async #bundle(
    revision: number, open: () => LiveBuild, change: { written: ReadonlyMap<string, string>; removed: readonly string[] } | null = null, startedAt = performance.now(),
  ): Promise<LiveResult[]> {
    const { job, signal, redact, log } = this.#context;
    const checked = checkSourcePaths([...this.#files.keys()].map((path) => ({ path })), job.input.preview.entry_file);
    if (!checked.ok) return [resultOf(revision, 'failed', startedAt, { kind: 'build_error', message: checked.faults[0]?.message ?? 'A path breaks the rules.', retryable: false })];
    let outcome: LiveOutcome;
    if (change !== null && this.#build?.isWarm === true) outcome = await this.#build.change(change.written, change.removed);
    else {
      this.#build?.close();
      this.#build = open();
      outcome = await this.#build.start(this.#files);
    }
    signal.throwIfAborted();
    await this.#assets.take(this.#build.takeSent());
    if (!outcome.ok) {
      log.info('live.failed', 'A revision could not be built', { revision, code: outcome.failure.code });
      return [resultOf(revision, 'failed', startedAt, failureOfBuild(outcome.failure, redact))];
    }
    const { bundle, buildMs } = outcome;
    if (bundle.length > job.input.preview.limits.max_bundle_bytes) return [resultOf(revision, 'failed', startedAt, tooLarge(`The bundle has ${bundle.length} bytes; ${job.input.preview.limits.max_bundle_bytes} are allowed.`))];
    const refused = this.#assets.refusal(this.#build.assets, { files: mostAssets, bytes: job.input.preview.limits.max_artifact_bytes });
    if (refused !== null) return [resultOf(revision, 'failed', startedAt, tooLarge(refused))];
    const { artifact, assets } = await this.#upload(revision, bundle, this.#build.assets);
    const stored = { object_key: artifact.object_key, size: artifact.size, sha256: artifact.sha256, assets };
    const result = { ...resultOf(revision, 'ready', startedAt, null), ...stored };
    log.info('live.built', 'A revision is ready', { revision, build_ms: Math.round(buildMs), ms: result.duration_ms, bytes: bundle.length });
    return [result];
  }

  /** In one go: the bundle, and what it refers to that is nowhere yet. */
  async #upload(revision: number, bundle: Buffer, needed: readonly LiveAsset[]): Promise<{ artifact: JobArtifact; assets: LiveResultAsset[] }> {
    const fresh = this.#assets.unstored(needed);
    const [artifact, ...stored] = await this.#store('bundle', `r${revision}/bundle.js`, 'application/javascript', bundle, fresh);
    if (artifact === undefined) throw new Error('an upload without its artifact');
    this.#assets.note(stored);
    return { artifact, assets: this.#assets.named(needed) };
  }

  /** The result once more, with its source map; nothing where the map cannot be had. */
  async #map(ready: LiveResult): Promise<LiveResult[]> {
    if (this.#build?.isWarm !== true) return [];
    const map = await this.#build.map();
    this.#context.signal.throwIfAborted();
    if (map === null || map.length > this.#context.job.input.preview.limits.max_artifact_bytes) return [];
    const [artifact] = await this.#store('source_map', `r${ready.revision}/bundle.js.map`, 'application/json', map, []);
    if (artifact === undefined) throw new Error('an upload without its artifact');
    return [{ ...ready, source_map: { object_key: artifact.object_key, size: artifact.size, sha256: artifact.sha256 } }];
  }

  async #store(kind: 'bundle' | 'source_map', path: string, contentType: string, bytes: Buffer, others: readonly PackagedObject[]): Promise<JobArtifact[]> {
    const { workDir, createUploads, signal } = this.#context;
    const file = join(workDir, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
    try {
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      return await uploadObjects([{ kind, path, encoding: 'identity', contentType, sha256, sizeBytes: bytes.length, file }, ...others], { createUploads, signal });
    } finally {
      await rm(dirname(file), { recursive: true, force: true });
    }
  }
}

const readyOf = (results: readonly LiveResult[]): LiveResult | null => results.find(({ status }) => status === 'ready') ?? null;

const resultOf = (revision: number, status: LiveResult['status'], startedAt: number, failure: JobFailure | null): LiveResult => ({
  revision, status, object_key: null, size: null, sha256: null, duration_ms: Math.round(performance.now() - startedAt), failure,
});

const failed = (failure: JobFailure): JobOutcome => ({ status: 'FAIL', failure });

const isLive = (context: JobContext<JobInput>): context is JobContext<LiveSessionInput> => context.job.input.kind === 'live_session';
