/**
 * The build process: starts, loads Metro and the SDK's file map, waits for its one job, answers, ends.
 * It runs inside the sandbox (see #workers/sandbox), so it imports nothing of the backend and reads no environment.
 *
 * Called as `node main.ts <base>`, where `base` holds src/, sdk/ and cache/.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants, setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { forgetAssetFolders, indexAssetFolders } from './asset-folders.ts';
import { assetFiles } from './assets.ts';
import { boundReads } from './bounded-reads.ts';
import { failureOf } from './failures.ts';
import { readFrameSync, writeFrameSync } from './frames.ts';
import { keepTransforms } from './known-transforms.ts';
import { LiveAssets } from './live-assets.ts';
import { LiveGraph } from './live-graph.ts';
import { LiveProject } from './live-project.ts';
import { addProjectFiles, createMetro, type MetroParts } from './metro.ts';
import { placesUnder, variantName, type BuildHeader, type ChildTimings, type LiveAssetName, type Platform, type StartHeader } from './protocol.ts';
import { webEntry } from './web-entry.ts';
import { createResolver } from './resolver.ts';
import { warmUp } from './warm-up.ts';
import { Pack, RecordingStore, SdkStore, type CacheStore } from './transform-cache.ts';

const input = 0;
const output = 3;
const base = process.argv[2] ?? '/b';
const places = placesUnder(base);
/** Progress goes out at most this often; Metro counts every module. */
const progressEveryMs = 100;

const require = createRequire(import.meta.url);
const transformerPath = require.resolve('./transformer.ts');
const webAssetPath = require.resolve('./web-asset.ts');
const { inlineEnvironment } = require('./transformer.ts') as typeof import('./transformer.ts');

const send = (type: string, header: Record<string, unknown> = {}, body?: Uint8Array): void => {
  writeFrameSync(output, { type, ...header }, body);
};

const progress = (stage: string): ((done: number, total: number) => void) => {
  let last = 0;
  return (done, total) => {
    const now = performance.now();
    if (now - last < progressEveryMs && done < total) return;
    last = now;
    send('progress', { stage, done, total });
  };
};

/**
 * Without bubblewrap the project lies in a temporary folder, and Metro asks for the real path of the entry file, which
 * Node's permission model refuses for want of its parents. There is no link on that path: the worker has just made it.
 */
const takePathsAsTheyAre = (): void => {
  const files = require('node:fs') as { realpath: unknown };
  files.realpath = (path: string, done: (error: null, path: string) => void): void => done(null, path);
};

const readIfThere = (path: string): Buffer | null => (statSync(path, { throwIfNoEntry: false }) === undefined ? null : readFileSync(path));

/** The SDK's packs, opened when they are first asked for. */
const sdkPacks = (): (() => Pack[]) => {
  let packs: Pack[] | null = null;
  return () => {
    packs ??= readdirSync(places.cache)
      .filter((name) => name.endsWith('.pack'))
      .map((name) => Pack.ofFile(join(places.cache, name), statSync(join(places.cache, name)).size));
    return packs;
  };
};

/** The one project store of this process, put in place when the job has come. */
class JobStore implements CacheStore {
  readonly name = 'project';
  current: RecordingStore | null = null;

  get(key: Buffer): unknown {
    return this.current?.get(key) ?? null;
  }

  set(key: Buffer, value: unknown): void {
    this.current?.set(key, value);
  }

  asset(key: Buffer): unknown {
    return this.current?.asset(key) ?? null;
  }

  keepAsset(key: Buffer, value: unknown): void {
    this.current?.keepAsset(key, value);
  }

  clear(): void {
    this.current?.clear();
  }
}

const writeSource = (path: string, bytes: Buffer): void => {
  const target = join(places.src, path);
  if (!target.startsWith(`${places.src}/`)) throw new Error('a source outside the project');
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, bytes, { flag: 'wx' });
  forgetAssetFolders();
};

/** A module that imports all a project may, and every helper Babel may write into one. */
const primingEntry = (importable: readonly string[], assetRegistry: string): string => {
  const helpers = readdirSync(`${places.sdk}/node_modules/@babel/runtime/helpers`).filter((name) => name.endsWith('.js'));
  return [
    ...importable.map((name) => `require(${JSON.stringify(name)});`),
    ...helpers.map((name) => `require(${JSON.stringify(`@babel/runtime/helpers/${name.slice(0, -3)}`)});`),
    `require('react/jsx-runtime'); require('react/jsx-dev-runtime'); require(${JSON.stringify(assetRegistry)});`,
    `import('./later');`,
  ].join('\n');
};

const prime = async (metro: MetroParts, store: JobStore, start: StartHeader, platform: Platform): Promise<void> => {
  const sources = new Map([
    ['index.js', Buffer.from(primingEntry(start.sdk.importable, metro.assetRegistry))],
    ['later.js', Buffer.from('export const later = true;')],
  ]);
  send('filemap', {}, metro.takeFileMap());
  for (const [path, bytes] of sources) writeSource(path, bytes);
  await addProjectFiles(metro.server, places.src, sources);
  for (const dev of [false, true]) {
    const recorded = new RecordingStore(Pack.ofBytes(Buffer.alloc(0)), '');
    store.current = recorded;
    await metro.build({ entryFile: 'index.js', platform, dev, onProgress: progress(variantName(platform, dev)) });
    send('pack', { name: variantName(platform, dev) }, recorded.encode());
  }
};

const serve = async (metro: MetroParts, store: JobStore, sdkStore: SdkStore, start: StartHeader): Promise<void> => {
  if (start.warmUp === true) await warmUp(metro, places, start.sdk.importable);
  send('ready');

  const sources = new Map<string, Buffer>();
  let previous = Pack.ofBytes(Buffer.alloc(0));
  let known: readonly LiveAssetName[] = [];
  for (;;) {
    const frame = readFrameSync(input);
    if (frame === null) return;
    const { header, body } = frame;
    if (header.type === 'file') sources.set(String(header['path']), body);
    else if (header.type === 'known') known = JSON.parse(body.toString('utf8')) as LiveAssetName[];
    else if (header.type === 'cache') previous = Pack.ofBytes(body);
    else if (header.type === 'live') {
      await stayAlive(metro, store, sources, known, header as BuildHeader);
      return;
    }
    else if (header.type === 'build') {
      await buildOnce(metro, store, sdkStore, sources, previous, header as BuildHeader);
      return;
    }
  }
};

/** Takes the job's environment, and answers what its transforms are told apart by. */
const takeEnvironment = (job: BuildHeader): string => {
  const environment = new Map([...Object.entries(job.env), ['HIVESYNC_ENVIRONMENT', job.environment] as const]);
  inlineEnvironment(environment);
  return createHash('sha256').update(JSON.stringify([...environment].sort(([one], [other]) => (one < other ? -1 : 1)))).digest('hex');
};

/** One live session's builds, one after the other, until its input ends. */
const stayAlive = async (metro: MetroParts, store: JobStore, sources: Map<string, Buffer>, known: readonly LiveAssetName[], job: BuildHeader): Promise<void> => {
  store.current = new RecordingStore(Pack.ofBytes(Buffer.alloc(0)), takeEnvironment(job));
  const entryFile = job.platform === 'web' ? webEntry(sources, job.entryFile) : job.entryFile;
  const project = new LiveProject(metro.server, places.src);
  await project.change(sources, []);
  sources.clear();
  const live = new LiveGraph(metro.server, places, { ...job, entryFile, webAssetPath });
  const assets = new LiveAssets(job.platform, known, send);
  let modified: readonly string[] | null = null;
  // What is not told of a build that failed is told with the next.
  let mayDiffer = true;
  for (;;) {
    const started = performance.now();
    try {
      const code = await live.bundle(modified);
      mayDiffer ||= modified === null;
      const found = await live.assets(mayDiffer);
      send('bundle', {}, Buffer.from(code));
      if (found !== null) assets.tell(found);
      mayDiffer = false;
      send('built', { buildMs: performance.now() - started });
    } catch (error) {
      mayDiffer = true;
      send('failed', { failure: failureOf(error, places, base) });
    }
    const removed: string[] = [];
    for (;;) {
      const frame = readFrameSync(input);
      if (frame === null) return;
      const { header, body } = frame;
      if (header.type === 'file') sources.set(String(header['path']), body);
      else if (header.type === 'removed') removed.push(String(header['path']));
      else if (header.type === 'map') send('map', {}, await live.map() ?? Buffer.alloc(0));
      else if (header.type === 'rebuild') break;
    }
    modified = await project.change(sources, removed);
    sources.clear();
  }
};

const buildOnce = async (
  metro: MetroParts,
  store: JobStore,
  sdkStore: SdkStore,
  sources: Map<string, Buffer>,
  previous: Pack,
  job: BuildHeader,
): Promise<void> => {
  const started = performance.now();
  const project = new RecordingStore(previous, takeEnvironment(job));
  store.current = project;
  sdkStore.hits = 0;
  const count = sources.size;
  const entryFile = job.platform === 'web' ? webEntry(sources, job.entryFile) : job.entryFile;
  for (const [path, bytes] of sources) writeSource(path, bytes);
  await addProjectFiles(metro.server, places.src, sources);
  const sourcesMs = performance.now() - started;
  sources.clear();

  // Each leaves when it is there: the bundle is compressed outside while its map is written.
  const { assets, timings } = await metro.build({
    ...job, entryFile, onProgress: progress('bundling'),
    onCode: (code) => send('bundle', {}, Buffer.from(code)),
    onMap: (map) => send('map', {}, map),
  });
  const files = assetFiles(assets, job.platform);
  const packaging = progress('packaging');
  for (const [index, { asset, file, path, scale }] of files.entries()) {
    send('asset', { path, hash: asset.hash, name: asset.name, extension: asset.type, scale }, readFileSync(file));
    packaging(index + 1, files.length);
  }
  const all: ChildTimings = { sourcesMs, ...timings };
  send('built', { timings: all, sources: count, sdkHits: sdkStore.hits, projectHits: project.hits, transformed: project.added });
  // After the answer: nobody waits for the cache.
  if (project.hasNew) send('cache', {}, project.encode());
};

const main = async (): Promise<void> => {
  const first = readFrameSync(input);
  if (first === null) return;
  const start = first.header as StartHeader;
  if (start.isPatient === true) setPriority(constants.priority.PRIORITY_LOW);
  if (base !== '/b') takePathsAsTheyAre();
  boundReads();
  indexAssetFolders(createRequire(`${places.sdk}/node_modules/metro/package.json`));
  const store = new JobStore();
  const sdkStore = new SdkStore(start.mode === 'prime' ? () => [] : sdkPacks());
  const metro = await createMetro({
    places,
    transformerPath,
    webAssetPath,
    resolveRequest: createResolver(places, start.sdk),
    cacheStores: start.mode === 'prime' ? [store] : [sdkStore, store],
    fileMap: readIfThere(join(places.cache, 'filemap.json')),
    onWarning: (message) => send('warning', { message: failureOf(new Error(message), places, base).message }),
  });
  if (start.mode === 'prime') {
    await prime(metro, store, start, start.platform ?? 'ios');
    return;
  }
  keepTransforms(metro.server, { places, assets: store, onKnown: () => { sdkStore.hits += 1; } });
  await serve(metro, store, sdkStore, start);
};

try {
  await main();
  send('end');
  process.exit(0);
} catch (error) {
  send('failed', { failure: failureOf(error, places, base) });
  process.exit(0);
}
