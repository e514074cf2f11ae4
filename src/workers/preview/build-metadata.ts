/** `metadata.json`: what was built, of what, with which sizes and hashes, and where the time went. */
import type { Built } from './build-frames.ts';
import type { BuildRequest, BuildTimings } from './builder.ts';
import type { OutputFile } from './build-output.ts';
import { findSdkSet } from '#platform/sdk-sets.ts';

type FileFact = { path: string; size: number; sha256: string };
type AssetFact = FileFact & { hash: string; name: string; type: string; scale: number };

/** Field names are those of the wire: the file is handed out as it is. */
export type BuildMetadata = {
  version: 1;
  sdk: { name: string; version: string };
  platform: string;
  entry_file: string;
  dev: boolean;
  environment: string;
  /** The keys that were inlined; their values are in the bundle. */
  env_keys: string[];
  bundle: FileFact;
  source_map: FileFact;
  assets: AssetFact[];
  modules: { sources: number; sdk: number; cached: number; transformed: number };
  timings_ms: { wait: number; sources: number; graph: number; serialize: number; assets: number; total: number };
  peak_memory: number;
};

const factOf = (files: readonly OutputFile[], kind: OutputFile['kind']): FileFact => {
  const file = files.find((candidate) => candidate.kind === kind);
  if (file === undefined) throw new Error(`a finished build without its ${kind}`);
  return { path: file.path, size: file.sizeBytes, sha256: file.sha256 };
};

export const describeBuild = (
  request: BuildRequest,
  built: Built,
  timings: BuildTimings,
  files: readonly OutputFile[],
  peakBytes: number,
): BuildMetadata => ({
  version: 1,
  sdk: { name: findSdkSet(request.sdkVersion)?.name ?? 'react-native', version: request.sdkVersion },
  platform: request.platform,
  entry_file: request.entryFile,
  dev: request.dev,
  environment: request.environment,
  env_keys: Object.keys(request.env).sort(),
  bundle: factOf(files, 'bundle'),
  source_map: factOf(files, 'source_map'),
  assets: files
    .flatMap(({ path, sizeBytes, sha256, asset }) =>
      asset === undefined ? [] : [{ path, size: sizeBytes, sha256, hash: asset.hash, name: asset.name, type: asset.extension, scale: asset.scale }],
    )
    .sort((a, b) => (a.path < b.path ? -1 : 1)),
  modules: {
    sources: built.sources,
    sdk: built.sdkHits,
    cached: built.projectHits,
    transformed: built.transformed,
  },
  timings_ms: {
    wait: Math.round(timings.waitMs),
    sources: Math.round(timings.readMs + timings.sourcesMs),
    graph: Math.round(timings.graphMs),
    serialize: Math.round(timings.serializeMs),
    assets: Math.round(timings.assetsMs),
    total: Math.round(timings.totalMs),
  },
  peak_memory: peakBytes,
});
