import type { PreviewSdk } from '#generated/sdk/types.gen.ts';
import type { Database } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { defaultSdkVersion, findSdkSet, listSdkSets, type SdkSet } from '#platform/sdk-sets.ts';
import { livingSetsSql, livingWorkersSql } from './queries.ts';

type Status = PreviewSdk['status'];

/**
 * Every deployment's workers hold the default set or are about to; the others are there where somebody has installed them.
 * What no living worker holds is refused, rather than left to wait for it without end. One statement, none for the default.
 */
export async function requireHeld(db: Database, version: string): Promise<void> {
  if (version === defaultSdkVersion()) return;
  const held = await db.named<{ version: string }>('previews.living_sets', livingSetsSql, []);
  if (held.some((row) => row.version === version)) return;
  throw new ServiceError('CONFLICT', `No worker has the SDK set ${version} now; listPreviewSdks tells which are ready. Where the workers run, \`npm run sdk:install -- ${version}\` installs it.`, {
    details: { field: 'sdk_version', sdk_version: version, status: 'unavailable' },
  });
}

/** The SDK sets and whether a living worker holds each. Two statements. */
export async function describeSdks(db: Database): Promise<PreviewSdk[]> {
  const [held, workers] = await Promise.all([
    db.named<{ version: string }>('previews.living_sets', livingSetsSql, []),
    db.named<{ workers: number }>('previews.living_workers', livingWorkersSql, []),
  ]);
  const ready = new Set(held.map((row) => row.version));
  const anyWorker = (workers[0]?.workers ?? 0) > 0;
  return listSdkSets().map((set) => describe(set, statusOf(set, ready.has(set.version), anyWorker)));
}

/** What a manifest asks of the client that opens it: a development build with this set's native side, or Expo Go. */
export const runtimeVersionOf = (version: string): string => findSdkSet(version)?.runtimeVersion ?? `react-native@${version}`;

/** The version of Expo whose client, Expo Go, has a runtime; null where a build of one's own is needed. */
export const expoGoVersionIn = (runtimeVersion: string): string | null => /^exposdk:(\d+\.\d+\.\d+)$/.exec(runtimeVersion)?.[1] ?? null;

/** Whether Expo Go opens what a set builds. */
export const isForExpoGo = (version: string): boolean => expoGoVersionIn(runtimeVersionOf(version)) !== null;

/** A set's name as people write it. */
export const sdkTitle = (version: string): string => `${findSdkSet(version)?.name === 'expo' ? 'Expo' : 'React Native'} ${version}`;

/** A worker that lives and does not hold the default set is about to install it: workers do so at their start. */
function statusOf(set: SdkSet, ready: boolean, anyWorker: boolean): Status {
  if (ready) return 'ready';
  return set.isDefault && anyWorker ? 'installing' : 'unavailable';
}

function describe(set: SdkSet, status: Status): PreviewSdk {
  const versionOf = (name: string): string => set.packages.find((one) => one.name === name)?.version ?? '';
  return {
    version: set.version,
    react_native_version: versionOf('react-native'),
    react_version: versionOf('react'),
    runtime_version: runtimeVersionOf(set.version),
    is_default: set.isDefault,
    status,
    platforms: [...set.platforms],
    packages: set.packages.map(({ name, version, native }) => ({ name, version, has_native_code: native })),
  };
}
