/**
 * SDK sets: React Native with the packages whose native side a preview client carries, at exact versions. The sets are
 * committed (`sdk-sets/`); an installed one lies under `<dataDir>/sdk/<version>`.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Platform } from './child/protocol.ts';

export type SdkSet = {
  name: string;
  version: string;
  platforms: Platform[];
  /** What a project may import by name, with the version it gets; sorted by name. */
  packages: { name: string; version: string }[];
  /** Where its package.json and package-lock.json are committed. */
  sourceDir: string;
  /** Changes with the lock file: tells an installed set that is out of date. */
  lockHash: string;
  packageCount: number;
};

const setsDir = fileURLToPath(new URL('../../../sdk-sets', import.meta.url));
const childDir = fileURLToPath(new URL('child', import.meta.url));

type SetFile = { name: string; version: string; platforms: Platform[]; importable: string[] };
type LockFile = { packages: Record<string, { version?: string }> };

const readJson = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;

const readSet = (sourceDir: string): SdkSet => {
  const set = readJson<SetFile>(join(sourceDir, 'set.json'));
  const lockText = readFileSync(join(sourceDir, 'package-lock.json'));
  const lock = JSON.parse(lockText.toString('utf8')) as LockFile;
  const packages = set.importable.map((name) => {
    const version = lock.packages[`node_modules/${name}`]?.version;
    if (version === undefined) throw new Error(`The SDK set ${set.version} names ${name}, which its lock file does not hold.`);
    return { name, version };
  });
  packages.sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    name: set.name,
    version: set.version,
    platforms: set.platforms,
    packages,
    sourceDir,
    lockHash: createHash('sha256').update(lockText).digest('hex'),
    packageCount: Object.keys(lock.packages).length - 1,
  };
};

/** Every SDK set this backend knows, newest first. Read from the repository, whether installed or not. */
export const listSdkSets = (): SdkSet[] =>
  readdirSync(setsDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => readSet(join(setsDir, entry.name)))
    .sort((a, b) => b.version.localeCompare(a.version, 'en', { numeric: true }));

export const findSdkSet = (version: string): SdkSet | null => listSdkSets().find((set) => set.version === version) ?? null;

/** The version of a set that is meant when none is named. */
export const defaultSdkVersion = (): string => {
  const [newest] = listSdkSets();
  if (newest === undefined) throw new Error('There is no SDK set in sdk-sets/.');
  return newest.version;
};

/** The places of an installed set. */
export const sdkPlaces = (dataDir: string, version: string): { root: string; modules: string; cache: string; stamp: string } => {
  const root = join(dataDir, 'sdk', version);
  return { root, modules: root, cache: join(root, 'hivesync'), stamp: join(root, 'hivesync', 'installed.json') };
};

/** The builder's code that a primed cache depends on beside the lock file: transforms and their keys, and the two formats. */
const primedBy = ['transformer.ts', 'metro.ts', 'transform-cache.ts'];

export const builderHash = (): string => {
  const hash = createHash('sha256');
  for (const name of primedBy) hash.update(readFileSync(join(childDir, name)));
  return hash.digest('hex');
};

export type InstalledState = 'missing' | 'unprimed' | 'ready';

/** Whether a set can be built with: installed from the committed lock file, and primed by this builder. */
export const installedState = (dataDir: string, set: SdkSet): InstalledState => {
  const { root, stamp } = sdkPlaces(dataDir, set.version);
  let lock: Buffer;
  try {
    lock = readFileSync(join(root, 'package-lock.json'));
  } catch {
    return 'missing';
  }
  if (createHash('sha256').update(lock).digest('hex') !== set.lockHash) return 'missing';
  try {
    const primed = readJson<{ builderHash?: string }>(stamp);
    return primed.builderHash === builderHash() && statSync(join(root, 'node_modules')).isDirectory() ? 'ready' : 'unprimed';
  } catch {
    return 'unprimed';
  }
};
