/**
 * SDK sets: React Native, or Expo, with the packages whose native side a preview client carries, at exact versions. The sets are
 * committed (`sdk-sets/`); the API lists them, workers install and build with them.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type SdkPlatform = 'ios' | 'android' | 'web';

export interface SdkSet {
  readonly name: string;
  readonly version: string;
  /** What manifests ask of the client that opens a build: the native side it must carry. */
  readonly runtimeVersion: string;
  /** What is meant where none is named. */
  readonly isDefault: boolean;
  readonly platforms: readonly SdkPlatform[];
  /** What a project may import by name, with the version it gets; sorted by name. */
  readonly packages: readonly { readonly name: string; readonly version: string; readonly native: boolean }[];
  /** Where its package.json and package-lock.json are committed. */
  readonly sourceDir: string;
  /** Changes with the lock file: tells an installed set that is out of date. */
  readonly lockHash: string;
  readonly packageCount: number;
  /** Folders below node_modules that hold native code alone: nothing of them goes into a bundle, and they go after the install. */
  readonly unused: readonly string[];
}

interface SetFile {
  name: string; version: string; runtimeVersion?: string; isDefault?: boolean; platforms: SdkPlatform[]; importable: string[]; native: string[]; unused?: string[];
}
interface LockFile { packages: Record<string, { version?: string }> }

const setsDir = fileURLToPath(new URL('../../sdk-sets', import.meta.url));

let known: readonly SdkSet[] | null = null;

/** Every SDK set this backend knows, the default first, whether installed or not. Read once: they change only with a release. */
export function listSdkSets(): readonly SdkSet[] {
  known ??= readdirSync(setsDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => readSet(join(setsDir, entry.name)))
    .sort((a, b) => Number(b.isDefault) - Number(a.isDefault) || b.version.localeCompare(a.version, 'en', { numeric: true }));
  return known;
}

export function findSdkSet(version: string): SdkSet | null {
  return listSdkSets().find((set) => set.version === version) ?? null;
}

/** The set that somebody means who writes its version, the beginning of one (`57`), or either behind its name (`expo@57`). */
export function sdkSetMeant(text: string): SdkSet | null {
  const matching = listSdkSets().filter(({ name, version }) => {
    const wanted = text.startsWith(`${name}@`) ? text.slice(name.length + 1) : text;
    return version === wanted || version.startsWith(`${wanted}.`);
  });
  return matching.length === 1 ? (matching[0] ?? null) : null;
}

/** The version of a set that is meant when none is named. */
export function defaultSdkVersion(): string {
  const [first] = listSdkSets();
  if (first === undefined) throw new Error('There is no SDK set in sdk-sets/.');
  return first.version;
}

function readSet(sourceDir: string): SdkSet {
  const set = JSON.parse(readFileSync(join(sourceDir, 'set.json'), 'utf8')) as SetFile;
  const lockText = readFileSync(join(sourceDir, 'package-lock.json'));
  const lock = JSON.parse(lockText.toString('utf8')) as LockFile;
  const packages = set.importable.map((name) => {
    const version = lock.packages[`node_modules/${name}`]?.version;
    if (version === undefined) throw new Error(`The SDK set ${set.version} names ${name}, which its lock file does not hold.`);
    return { name, version, native: set.native.includes(name) };
  });
  return {
    name: set.name,
    version: set.version,
    runtimeVersion: set.runtimeVersion ?? `${set.name}@${set.version}`,
    isDefault: set.isDefault === true,
    platforms: set.platforms,
    packages: packages.sort((a, b) => (a.name < b.name ? -1 : 1)),
    sourceDir,
    lockHash: createHash('sha256').update(lockText).digest('hex'),
    packageCount: Object.keys(lock.packages).length - 1,
    unused: set.unused ?? [],
  };
}
