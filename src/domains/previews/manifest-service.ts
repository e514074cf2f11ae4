import { createHash } from 'node:crypto';
import type { ExpoAsset, ExpoManifest } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import { mapInTurns } from '#platform/concurrency.ts';
import type { Database } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import type { Logger } from '#platform/log.ts';
import { defaultSdkVersion } from '#platform/sdk-sets.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';
import { allowByCredential } from '../policy.ts';
import { formFor, hashOf, keyFor, type ManifestKey, type WrittenManifest, writeManifest } from './manifest-form.ts';
import { newestReady, type ViewedLiveSession, viewedLiveSession } from './live-access.ts';
import { expoGoVersionIn, runtimeVersionOf } from './sdks.ts';
import { previewCaller } from './preview-caller.ts';
import type { PreviewSessionService } from './sessions-service.ts';
import { storageFaults } from './storage-faults.ts';
import { viewSeconds } from './tokens.ts';
import { type ViewedJob, viewedJob } from './view-access.ts';
import { downloadsSql } from './view-queries.ts';

const presignsAtOnce = 64;

export interface ManifestDependencies {
  readonly db: Database;
  readonly storage: ObjectStorage;
  readonly sessions: PreviewSessionService;
  readonly log: Logger;
  /** Null: manifests are not signed. */
  readonly key: ManifestKey | null;
}

/** What a client tells of itself. */
export interface ManifestAsk {
  readonly accept: string | undefined;
  readonly platform: 'ios' | 'android' | undefined;
  readonly runtimeVersion: string | undefined;
  /** The key that its certificate is for, among others; undefined where it asks for none. */
  readonly expectsSignature: string | undefined;
}

interface Download { readonly kind: 'bundle' | 'asset'; readonly path: string; readonly size: number; readonly sha256: string; readonly object_key: string }

/** The manifest of the Expo Updates protocol, version 1, for whatever a view token is for. */
export class PreviewManifestService {
  readonly #on: ManifestDependencies;

  constructor(dependencies: ManifestDependencies) {
    this.#on = dependencies;
  }

  /** Two statements for a preview, one for a session, four for a live one. A client that asks is never told that there is nothing new. */
  async write(call: Call, ask: ManifestAsk): Promise<WrittenManifest> {
    const { jobId, sessionId, purpose } = previewCaller(call);
    // The token is asked about below, by what it names; whoever takes neither form is told so first.
    allowByCredential(call);
    if (purpose !== 'view') throw new ServiceError('AUTH_INVALID', 'This token uploads. The manifest takes the one that views.');
    const form = formFor(ask.accept);
    if (form === null) throw new ServiceError('NOT_ACCEPTABLE', 'This answer comes as multipart/mixed or application/expo+json.');
    const manifest = jobId === null ? await this.#ofSession(call, ask) : await this.#ofJob(call, ask);
    this.#on.log.info('preview.manifest', 'A client asked for a manifest', {
      job_id: jobId, session_id: sessionId, platform: ask.platform ?? null, runtime_version: ask.runtimeVersion ?? null, needed: manifest.runtimeVersion,
    });
    return writeManifest(manifest, form, keyFor(ask.expectsSignature, this.#on.key));
  }

  async #ofJob(call: Call, ask: ManifestAsk): Promise<ExpoManifest> {
    const job = await viewedJob(this.#on.db, call);
    requirePlatform(job.target_platform, ask);
    requireBuilt(job);
    const files = await this.#on.db.named<Download>('previews.downloads', downloadsSql, [job.id]);
    const bundle = files.find(({ kind }) => kind === 'bundle');
    if (bundle === undefined) throw new ServiceError('GONE', 'The artifacts of this preview are gone.');
    const runtimeVersion = runtimeVersionOf(job.sdk_version);
    const assets = await mapInTurns(uniqueAssets(files), presignsAtOnce, ([key, file]) => this.#asset(file, key));
    return {
      id: job.id, createdAt: job.completed_at ?? job.created_at, runtimeVersion,
      launchAsset: await this.#launchAsset(bundle.object_key, bundle.sha256),
      assets, metadata: {},
      extra: extraOf(job.project_id, job.project_name, runtimeVersion, { job_id: job.id, sdk_version: job.sdk_version, environment: job.environment, dev: job.dev }),
    };
  }

  /** Of a bundle the client built, nobody here knows what it needs: what the client that asks runs is taken for it. */
  async #ofSession(call: Call, ask: ManifestAsk): Promise<ExpoManifest> {
    const session = await this.#on.sessions.find(call);
    if (session === null) return this.#ofLive(await viewedLiveSession(this.#on.db, call), ask);
    requirePlatform(session.target_platform, ask);
    if (session.kind === 'dev_server') throw new ServiceError('CONFLICT', 'A development server answers its own manifest.');
    if (session.object_key === null || session.bundle_sha256 === null) throw new ServiceError('CONFLICT', 'The bundle of this session has not been uploaded yet.', { details: { status: 'awaiting_bundle' } });
    const runtimeVersion = ask.runtimeVersion ?? runtimeVersionOf(defaultSdkVersion());
    return {
      id: session.id, createdAt: session.created_at, runtimeVersion, launchAsset: await this.#launchAsset(session.object_key, session.bundle_sha256),
      assets: [], metadata: {}, extra: extraOf(session.project_id, session.project_name, runtimeVersion, { session_id: session.id }),
    };
  }

  /** Of a live session: its newest bundle, with the assets of the preview it began with and those that came since, which go first. */
  async #ofLive(session: ViewedLiveSession, ask: ManifestAsk): Promise<ExpoManifest> {
    requirePlatform(session.target_platform, ask);
    const revision = await newestReady(this.#on.db, session.id);
    if (revision === null || revision.object_key === null || revision.bundle_sha256 === null) {
      throw new ServiceError('CONFLICT', 'The first bundle of this session is still being built. Ask again shortly.', { details: { status: 'starting' } });
    }
    const held = await this.#on.db.named<Download>('previews.downloads', downloadsSql, [session.job_id]);
    const since = revision.assets.map((asset): Download => ({ ...asset, kind: 'asset' }));
    const changed = new Set(since.map(({ path }) => path));
    const files = [...since, ...held.filter(({ path }) => !changed.has(path))];
    const runtimeVersion = runtimeVersionOf(session.sdk_version);
    return {
      id: revisionId(session.id, revision.revision), createdAt: revision.created_at, runtimeVersion,
      launchAsset: await this.#launchAsset(revision.object_key, revision.bundle_sha256),
      assets: await mapInTurns(uniqueAssets(files), presignsAtOnce, ([key, file]) => this.#asset(file, key)), metadata: {},
      extra: extraOf(session.project_id, session.project_name, runtimeVersion, {
        live_id: session.id, revision: revision.revision, sdk_version: session.sdk_version, environment: session.environment, dev: session.dev,
      }),
    };
  }

  async #launchAsset(objectKey: string, sha256: string): Promise<ExpoAsset> {
    return { key: `bundle-${sha256}`, contentType: 'application/javascript', url: await this.#urlOf(objectKey, 'application/javascript'), hash: hashOf(sha256) };
  }

  async #asset(file: Download, key: string): Promise<ExpoAsset> {
    const contentType = typeOf(file.path);
    return { key, contentType, url: await this.#urlOf(file.object_key, contentType), hash: hashOf(file.sha256), fileExtension: extensionOf(file.path) };
  }

  #urlOf(objectKey: string, contentType: string): Promise<string> {
    return storageFaults(() => this.#on.storage.presignGet(objectKey, { expiresSeconds: viewSeconds, contentType }));
  }
}

function requirePlatform(target: string, { platform }: ManifestAsk): void {
  if (target === 'web') throw new ServiceError('CONFLICT', 'A web preview is looked at in its page: it has no manifest.', { details: { target_platform: target } });
  if (platform === undefined || platform === target) return;
  throw new ServiceError('CONFLICT', `This preview is for ${target}, and this client runs on ${platform}.`, { details: { target_platform: target } });
}

function requireBuilt({ id, status, failure }: ViewedJob): void {
  if (status === 'succeeded') return;
  if (status === 'queued' || status === 'running') throw new ServiceError('CONFLICT', 'This preview is still being built. Ask again shortly.', { details: { status } });
  if (status === 'cancelled') throw new ServiceError('GONE', 'This build was cancelled.', { details: { gone: 'cancelled' } });
  // What the sources say is for members, who read it in the job.
  throw new ServiceError('PREVIEW_BUILD_FAILED', 'This preview could not be built. Whoever asked for it is told why.', { details: { job_id: id, kind: failure?.kind ?? 'crashed' } });
}

/** A client keeps an update by its id: each revision has its own, the same at each time (a UUID of version 8). */
function revisionId(sessionId: string, revision: number): string {
  const hex = createHash('sha256').update(`${sessionId}.${revision}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/**
 * By content and type: clients keep an asset by its key for good, as a file of that name. In a bundle of a set of Expo's
 * an asset finds its file by the same (child/expo-asset.ts of the worker): the type is written as the file has it.
 */
function uniqueAssets(files: readonly Download[]): [string, Download][] {
  const assets = files.filter(({ kind }) => kind === 'asset').map((file): [string, Download] => [`${file.sha256}${writtenExtensionOf(file.path)}`, file]);
  return [...new Map(assets)];
}

const writtenExtensionOf = (path: string): string => /\.[A-Za-z0-9]{1,19}$/.exec(path)?.[0] ?? '';
const extensionOf = (path: string): string => writtenExtensionOf(path).toLowerCase();

/** What a phone's loader wants to hear. */
const assetTypes: Readonly<Record<string, string>> = {
  '.png': 'image/png', '.jpg': 'image/jpeg', '.jpeg': 'image/jpeg', '.gif': 'image/gif', '.webp': 'image/webp', '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf', '.otf': 'font/otf', '.mp3': 'audio/mpeg', '.mp4': 'video/mp4', '.json': 'application/json',
};
const typeOf = (path: string): string => assetTypes[extensionOf(path)] ?? 'application/octet-stream';

/**
 * Expo Go opens what names its own version of Expo (`sdkVersion`) and, being signed by nobody it knows, says to be anonymous
 * (the scope). It must name no development server (`expoGo`), or the client would look there for the bundle.
 */
function extraOf(projectId: string, name: string, runtimeVersion: string, hivesync: Readonly<Record<string, unknown>>): ExpoManifest['extra'] {
  const sdkVersion = expoGoVersionIn(runtimeVersion);
  const scopeKey = sdkVersion === null ? `hivesync-${projectId}` : `@anonymous/hivesync-${projectId}`;
  return { scopeKey, expoClient: { name, slug: 'hivesync', runtimeVersion, ...(sdkVersion === null ? {} : { sdkVersion }) }, hivesync };
}
