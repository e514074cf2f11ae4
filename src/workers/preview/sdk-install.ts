/** Brings an SDK set onto this machine: `npm ci` without install scripts into a folder of its own, then priming. */
import { spawn } from 'node:child_process';
import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withInstallLock } from './install-lock.ts';
import { primedAtOnce, primeRest, primeSdkSet, unprimedPlatforms } from './sdk-priming.ts';
import { findSdkSet, type SdkPlatform, type SdkSet } from '#platform/sdk-sets.ts';
import { installedState, sdkPlaces } from './sdk-places.ts';

export type InstallStage = 'waiting' | 'downloading' | 'priming';
export type InstallProgress = (progress: { stage: InstallStage; done: number; total: number }) => void;

/** Measured: 20 s cold; a slow line gets its time too. */
const npmTimeoutMs = 10 * 60_000;
const maxNpmTail = 4000;
/** Modules of a set in one variant, about: keeps the bar from leaping while Metro finds them. */
const usualModules = 900;
/** Two phones, each for production and for development. */
const usualVariants = 4;

const npmCi = (folder: string, set: SdkSet, onProgress: InstallProgress): Promise<void> =>
  new Promise((resolve, reject) => {
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=http', '--include=prod'];
    // npm's own settings (proxy, registry, cache) are the operator's, so its environment is ours.
    const npm = spawn('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], timeout: npmTimeoutMs, killSignal: 'SIGKILL' });
    let tail = '';
    let fetched = 0;
    npm.stderr.on('data', (chunk: Buffer) => {
      const text = chunk.toString('utf8');
      tail = (tail + text).slice(-maxNpmTail);
      fetched += text.split('http fetch').length - 1;
      onProgress({ stage: 'downloading', done: Math.min(fetched, set.packageCount), total: set.packageCount });
    });
    npm.once('error', (error) => reject(new Error('npm could not be started; it installs the SDK sets.', { cause: error })));
    npm.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`npm ci ended with ${code ?? 'a signal'} for the SDK set ${set.version}:\n${tail}`));
    });
  });

/** Removes what an install that was killed left behind. */
const removeLeftovers = async (parent: string, version: string): Promise<void> => {
  for (const name of await readdir(parent)) {
    if (name.startsWith(`.new-${version}-`) || name.startsWith(`.old-${version}-`)) await rm(join(parent, name), { recursive: true, force: true });
  }
};

const installModules = async (dataDir: string, set: SdkSet, onProgress: InstallProgress): Promise<void> => {
  const { root } = sdkPlaces(dataDir, set.version);
  const parent = join(dataDir, 'sdk');
  await removeLeftovers(parent, set.version);
  const fresh = join(parent, `.new-${set.version}-${process.pid}`);
  await mkdir(fresh);
  for (const name of ['package.json', 'package-lock.json']) await copyFile(join(set.sourceDir, name), join(fresh, name));
  await npmCi(fresh, set, onProgress);
  for (const folder of set.unused) await rm(join(fresh, 'node_modules', folder), { recursive: true, force: true });
  await mkdir(join(fresh, 'hivesync'));
  const old = join(parent, `.old-${set.version}-${process.pid}`);
  try {
    await rename(root, old);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  await rename(fresh, root);
  await rm(old, { recursive: true, force: true });
};

/** Tells of all variants together. */
const primingBar = (onProgress: InstallProgress): ((variant: string, done: number, total: number) => void) => {
  const variants = new Map<string, { done: number; total: number }>();
  // Metro learns of modules while it goes: a variant counts as large as the largest known, and never as less than usual.
  return (variant, done, total) => {
    variants.set(variant, { done, total });
    const known = [...variants.values()];
    const largest = Math.max(usualModules, ...known.map((entry) => entry.total));
    onProgress({ stage: 'priming', done: known.reduce((sum, entry) => sum + entry.done, 0), total: Math.max(usualVariants, known.length) * largest });
  };
};

/**
 * Makes a set ready to build with; does nothing where it is. Safe to be killed at any point, to be repeated, and to be
 * run by two processes at once: each step is published by a rename, and the second waits for the first.
 *
 * @param options.platforms what is primed; both phones unless named. The others are built for without, and slowly.
 * @throws Error when the set is not known, or npm or priming failed (the message holds the end of their output).
 */
export const installSdkSet = async (
  version: string,
  options: { dataDir: string; platforms?: readonly SdkPlatform[]; onProgress?: InstallProgress; signal?: AbortSignal },
): Promise<SdkSet> => {
  const set = findSdkSet(version);
  if (set === null) throw new Error(`There is no SDK set ${version}.`);
  const { dataDir, onProgress = () => undefined, signal } = options;
  if (installedState(dataDir, set) === 'ready') return set;
  const parent = join(dataDir, 'sdk');
  await mkdir(parent, { recursive: true });
  onProgress({ stage: 'waiting', done: 0, total: 1 });
  const work = async (): Promise<void> => {
    if (installedState(dataDir, set) === 'missing') await installModules(dataDir, set, onProgress);
    if (installedState(dataDir, set) === 'unprimed') await primeSdkSet(dataDir, set, options.platforms ?? primedAtOnce(set), primingBar(onProgress));
  };
  await withInstallLock(join(parent, `.lock-${set.version}`), work, signal);
  if (installedState(dataDir, set) !== 'ready') throw new Error(`The SDK set ${version} was installed but is not whole.`);
  return set;
};

/**
 * Primes the platforms that a first preview does not wait for (the web), behind all other work of the machine; does
 * nothing where that is done. The set must be ready.
 */
export const primeLater = async (version: string, options: { dataDir: string; onProgress?: InstallProgress; signal?: AbortSignal }): Promise<void> => {
  const set = findSdkSet(version);
  if (set === null) throw new Error(`There is no SDK set ${version}.`);
  const { dataDir, onProgress = () => undefined, signal } = options;
  if (unprimedPlatforms(dataDir, set).length === 0) return;
  const work = async (): Promise<void> => await primeRest(dataDir, set, primingBar(onProgress), signal);
  await withInstallLock(join(dataDir, 'sdk', `.lock-${set.version}`), work, signal);
};
