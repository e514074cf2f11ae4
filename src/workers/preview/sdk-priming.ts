/** Priming: the SDK's transforms, made once per installed set so that no build has to (they are nearly all of its time). */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SandboxedProcess } from '../sandbox/sandboxed-process.ts';
import { raiseWall } from '../sandbox/wall.ts';
import { variantName, type BuildFailure, type Platform } from './child/protocol.ts';
import type { SdkSet } from '#platform/sdk-sets.ts';
import { builderHash, sdkPlaces } from './sdk-places.ts';

/** Measured: 0.55–1.1 GB at the peak for all of React Native at once. */
const memoryBytes = 2 * 1024 * 1024 * 1024;
/** Measured: 24–56 s on two cores; a slow machine gets its time too. */
const timeoutMs = 10 * 60_000;
/** Measured: 15 MB a platform and mode; file map 2 MB. */
const maxOutputBytes = 512 * 1024 * 1024;

export type PrimingProgress = (variant: string, done: number, total: number) => void;

const primePlatform = async (
  set: SdkSet,
  dirs: { sdkDir: string; cacheDir: string; takesFileMap: boolean },
  platform: Platform,
  onProgress: PrimingProgress,
  patient?: { signal: AbortSignal | undefined },
): Promise<void> => {
  patient?.signal?.throwIfAborted();
  const wall = raiseWall([dirs.sdkDir, dirs.cacheDir]);
  const bounds = { memoryBytes, sourceBytes: 16 * 1024 * 1024, sourceFiles: 1_000, cpuSeconds: Math.ceil(timeoutMs / 1000) * 2 };
  const child = new SandboxedProcess(wall.command(dirs, bounds), maxOutputBytes);
  const stop = (): void => child.kill();
  const deadline = setTimeout(stop, timeoutMs);
  patient?.signal?.addEventListener('abort', stop, { once: true });
  const writes: Promise<void>[] = [];
  const write = (name: string, body: Buffer): void => {
    const writing = writeFile(join(dirs.cacheDir, name), body);
    // Told when all are waited for; unhandled otherwise while the process still runs.
    writing.catch(() => undefined);
    writes.push(writing);
  };
  // The process names nothing here: packages of the set run in it.
  const variants = new Set([false, true].map((dev) => variantName(platform, dev)));
  let failure: BuildFailure | null = null;
  let isComplete = false;
  child.onFrame = ({ header, body }) => {
    if (header.type === 'progress') onProgress(String(header['stage']), Number(header['done']), Number(header['total']));
    else if (header.type === 'pack' && variants.delete(String(header['name']))) write(`${String(header['name'])}.pack.new`, body);
    else if (header.type === 'filemap' && dirs.takesFileMap) write('filemap.json', body);
    else if (header.type === 'failed') failure = header['failure'] as BuildFailure;
    else if (header.type === 'end') isComplete = true;
  };
  await child.send({ type: 'start', mode: 'prime', platform, isPatient: patient !== undefined, sdk: { name: set.name, version: set.version, importable: set.packages.map(({ name }) => name) } });
  const end = await child.ended;
  clearTimeout(deadline);
  patient?.signal?.removeEventListener('abort', stop);
  await Promise.all(writes);
  patient?.signal?.throwIfAborted();
  if (!isComplete || failure !== null) {
    const reason = failure === null ? `${end.reason}, exit ${end.exitCode ?? end.signal ?? 'unknown'}: ${end.errorTail.slice(-2000)}` : JSON.stringify(failure);
    throw new Error(`Priming the SDK set ${set.version} for ${platform} failed: ${reason}`);
  }
};

/** What the first preview waits for. The web is primed after them: until then its builds transform React Native themselves. */
export const primedAtOnce = (set: SdkSet): readonly Platform[] => set.platforms.filter((platform) => platform !== 'web');

const packs = (platform: Platform): string[] => [false, true].map((dev) => `${variantName(platform, dev)}.pack`);

/** The platforms of an installed set that are not primed yet. */
export const unprimedPlatforms = (dataDir: string, set: SdkSet): Platform[] => {
  const { cache } = sdkPlaces(dataDir, set.version);
  return set.platforms.filter((platform) => !packs(platform).every((name) => existsSync(join(cache, name))));
};

/** Primes what `primeSdkSet` left for later, one platform after the other, behind all other work of the machine. The caller holds the install lock. */
export const primeRest = async (dataDir: string, set: SdkSet, onProgress: PrimingProgress, signal?: AbortSignal): Promise<void> => {
  const { root, cache } = sdkPlaces(dataDir, set.version);
  for (const platform of unprimedPlatforms(dataDir, set)) {
    await primePlatform(set, { sdkDir: root, cacheDir: cache, takesFileMap: false }, platform, onProgress, { signal });
    for (const name of packs(platform)) await rename(join(cache, `${name}.new`), join(cache, name));
  }
};

/**
 * Makes the read-only transform cache of an installed set: every package it offers, for these platforms, for production and
 * for development. Platforms run side by side, one process each. Replaces an older cache at once or not at all.
 */
export const primeSdkSet = async (dataDir: string, set: SdkSet, platforms: readonly Platform[], onProgress: PrimingProgress): Promise<void> => {
  const places = sdkPlaces(dataDir, set.version);
  const fresh = `${places.cache}.${process.pid}.new`;
  // What a priming that was killed left behind; the caller holds the install lock.
  for (const name of await readdir(places.root)) {
    if (/^hivesync\.\d+\.new$/u.test(name)) await rm(join(places.root, name), { recursive: true, force: true });
  }
  await mkdir(fresh, { recursive: true });
  try {
    const outcomes = await Promise.allSettled(
      platforms.map((platform, index) => primePlatform(set, { sdkDir: places.root, cacheDir: fresh, takesFileMap: index === 0 }, platform, onProgress)),
    );
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    for (const name of platforms.flatMap(packs)) await rename(join(fresh, `${name}.new`), join(fresh, name));
    await writeFile(join(fresh, 'installed.json'), `${JSON.stringify({ version: set.version, lockHash: set.lockHash, builderHash: builderHash() })}\n`);
    await rm(places.cache, { recursive: true, force: true });
    await rename(fresh, places.cache);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
};
