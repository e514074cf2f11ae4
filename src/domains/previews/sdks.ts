import type { PreviewSdk } from '#generated/sdk/types.gen.ts';
import type { Database } from '#platform/database.ts';
import { defaultSdkVersion, findSdkSet, listSdkSets, type SdkSet } from '#platform/sdk-sets.ts';
import { livingSetsSql, livingWorkersSql } from './queries.ts';

type Status = PreviewSdk['status'];

/** The SDK sets and whether a living worker holds each. Two statements. */
export async function describeSdks(db: Database): Promise<PreviewSdk[]> {
  const [held, workers] = await Promise.all([
    db.named<{ version: string }>('previews.living_sets', livingSetsSql, []),
    db.named<{ workers: number }>('previews.living_workers', livingWorkersSql, []),
  ]);
  const ready = new Set(held.map((row) => row.version));
  const anyWorker = (workers[0]?.workers ?? 0) > 0;
  return listSdkSets().map((set) => describe(set, statusOf(ready.has(set.version), anyWorker)));
}

/** What a manifest asks of the client that opens it: a development build with this set's native side. */
export const runtimeVersionOf = (version: string): string => `${findSdkSet(version)?.name ?? 'react-native'}@${version}`;

/** A worker that lives and does not hold the set is about to install it: workers install every set at their start. */
function statusOf(ready: boolean, anyWorker: boolean): Status {
  if (ready) return 'ready';
  return anyWorker ? 'installing' : 'unavailable';
}

function describe(set: SdkSet, status: Status): PreviewSdk {
  const versionOf = (name: string): string => set.packages.find((one) => one.name === name)?.version ?? '';
  return {
    version: set.version,
    react_native_version: versionOf('react-native'),
    react_version: versionOf('react'),
    runtime_version: runtimeVersionOf(set.version),
    is_default: set.version === defaultSdkVersion(),
    status,
    platforms: [...set.platforms],
    packages: set.packages.map(({ name, version, native }) => ({ name, version, has_native_code: native })),
  };
}
