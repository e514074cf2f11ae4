/** What crosses the wall between the worker and a build process, and the fixed places inside it. */

export type Platform = 'ios' | 'android' | 'web';

/** The first frame a build process gets, long before it knows its job. */
export type StartHeader = {
  type: 'start';
  mode: 'serve' | 'prime';
  sdk: { name: string; version: string; importable: string[] };
  /** serve: whether to warm up before the job comes; not where the job is already waiting. */
  warmUp?: boolean;
  /** prime: the platform whose transforms are made, for production and for development. */
  platform?: Platform;
  /** prime: whether anything else on the machine goes first. */
  isPatient?: boolean;
};

/** After one `file` frame a source (body: its bytes) and at most one `cache` frame, this one starts the build. */
export type BuildHeader = {
  /**
   * `live`: the process stays. Each `rebuild` that comes after (changed files before it, as `file` and `removed` frames) makes a
   * bundle, and `built` or `failed` ends its answer; `map` answers with the source map of the last one. Before it may come one
   * `known` (body: JSON, `[[path, sha256]]`): assets that are not to be sent.
   */
  type: 'build' | 'live';
  entryFile: string;
  platform: Platform;
  dev: boolean;
  env: Record<string, string>;
  environment: string;
};

export type FailureCode = 'BUILD_ERROR' | 'UNKNOWN_IMPORT' | 'TIMEOUT' | 'OUT_OF_MEMORY' | 'TOO_LARGE' | 'CRASHED';

export type BuildFailure = {
  code: FailureCode;
  message: string;
  /** Relative to the project's root, with "/". */
  file?: string;
  /** From 1. */
  line?: number;
  /** From 1. */
  column?: number;
  /** Plain text without terminal colours. */
  codeFrame?: string;
  /** The specifier that could not be resolved. */
  import?: string;
};

export type AssetHeader = {
  type: 'asset';
  /** Where it lies under the output folder, in React Native's layout for the platform. */
  path: string;
  /** Metro's own hash over all scales: what the bundle names the asset by. */
  hash: string;
  name: string;
  extension: string;
  scale: number;
};

/** Of a live build, in the body of `assets` as JSON: all that its bundle refers to. Those not known and not sent before come as `asset` frames ahead of it. */
export type LiveAssetName = [path: string, sha256: string];

export type ChildTimings = { sourcesMs: number; graphMs: number; serializeMs: number; assetsMs: number };

export const variantName = (platform: Platform, dev: boolean): string => `${platform}-${dev ? 'dev' : 'prod'}`;

/** Every place a build knows. `base` is `/b` inside the sandbox, so that neither cache keys nor maps tell of the host. */
export const placesUnder = (base: string): { src: string; sdk: string; cache: string } => ({
  src: `${base}/src`,
  sdk: `${base}/sdk`,
  cache: `${base}/cache`,
});
