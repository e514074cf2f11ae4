/** Where an SDK set lies once it is installed (`<dataDir>/sdk/<version>`), and whether it can be built with. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SdkSet } from '#platform/sdk-sets.ts';

const childDir = fileURLToPath(new URL('child', import.meta.url));

const readJson = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;

/** The places of an installed set. */
export const sdkPlaces = (dataDir: string, version: string): { root: string; modules: string; cache: string; stamp: string } => {
  const root = join(dataDir, 'sdk', version);
  return { root, modules: root, cache: join(root, 'hivesync'), stamp: join(root, 'hivesync', 'installed.json') };
};

/** The builder's code that a primed cache depends on beside the lock file: transforms and their keys, and the two formats. */
const primedBy = ['transformer.ts', 'expo.ts', 'metro.ts', 'transform-cache.ts'];

export const builderHash = (): string => {
  const hash = createHash('sha256');
  for (const name of primedBy) hash.update(readFileSync(join(childDir, name)));
  return hash.digest('hex');
};

let childHashed: string | null = null;

/** Of all the code that runs in a build process: the same sources make the same result for as long as it stays. Read once. */
export const childHash = (): string => {
  if (childHashed !== null) return childHashed;
  const hash = createHash('sha256');
  for (const name of readdirSync(childDir).sort()) hash.update(`${name}\n`).update(readFileSync(join(childDir, name)));
  return (childHashed = hash.digest('hex'));
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
