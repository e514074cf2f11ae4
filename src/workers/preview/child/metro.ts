/**
 * Metro as a library, with our configuration only. The version is fixed by the SDK set's lock file; the few of its
 * internals used here (the file map of the dependency graph, the source names of the serializer) are held by tests.
 */
import { createHash } from 'node:crypto';
import { createRequire, Module } from 'node:module';
import { hasExpo } from './expo.ts';
import { codeAlone } from './serializer.ts';
import { createMapWriter, type MappedModule, type MappingServer } from './source-map.ts';
import type { CacheStore } from './transform-cache.ts';
import type { ResolutionContext, Resolution } from './resolver.ts';

export type MetroAsset = {
  httpServerLocation: string;
  files: string[];
  scales: number[];
  hash: string;
  name: string;
  type: string;
};

type BundleOptions = Record<string, unknown>;
type Graph = { dependencies: Map<string, unknown> };
type FileSystem = {
  bulkAddOrModify(files: Map<string, unknown[]>): void;
  remove(path: string): void;
  metadataIterator(options: object): Iterable<{ canonicalPath: string; metadata: unknown[] }>;
};
type DependencyGraph = { _fileSystem: FileSystem; _resolutionCache: Map<string, Map<string, unknown>> };
type Bundler = { getDependencyGraph(): Promise<DependencyGraph> };
type IncrementalBundler = {
  getBundler(): Bundler;
  buildGraph(entry: string, transformOptions: unknown, resolverOptions: unknown, other: unknown): Promise<{ prepend: readonly MappedModule[]; graph: Graph }>;
};
type SplitOptions = { entryFile: string; transformOptions: unknown; resolverOptions: unknown; graphOptions: { shallow: boolean; lazy: boolean } };
export type MetroServer = MappingServer & {
  getBundler(): IncrementalBundler;
  _getModuleSourceUrl(module: { path: string }): string;
  _serializeGraph(graph: { splitOptions: SplitOptions; prepend: readonly MappedModule[]; graph: Graph }): Promise<{ code: string }>;
  _getSortedModules(graph: Graph): readonly MappedModule[];
  _getAssetsFromDependencies(dependencies: unknown, platform: string): Promise<MetroAsset[]>;
};
type ServerClass = { new (config: object, options: object): MetroServer; DEFAULT_BUNDLE_OPTIONS: BundleOptions };

/** A file of Metro's file map as it is kept: path relative to the project's root, size in bytes, SHA-1 in hex. */
type MappedFile = [path: string, size: number, sha1: string];

export type MetroParts = {
  server: MetroServer;
  takeFileMap: () => Buffer;
  build: Build;
  /** The name that every asset's module imports its registry by. */
  assetRegistry: string;
};
export type Build = (options: BuildOptions) => Promise<{ assets: MetroAsset[]; timings: { graphMs: number; serializeMs: number; assetsMs: number } }>;
type BuildOptions = {
  entryFile: string;
  platform: string;
  dev: boolean;
  onProgress: (done: number, total: number) => void;
  /** Told first, before the map is made. */
  onCode?: (code: string) => void;
  onMap?: (map: Buffer) => void;
};

/** Metro's record of a file: modified, size, visited, SHA-1, not a symbolic link, no plugin data. */
const fileEntry = (size: number, sha1: string): unknown[] => [1, size, 1, sha1, 0, null];

const expoAssets = hasExpo ? [createRequire(import.meta.url).resolve('./expo-asset.ts')] : [];

/** For a watcher that no build has, some versions of Metro load a package that makes code out of text, which no build may. */
const leaveOutWalker = (require: NodeJS.Require): void => {
  let path: string;
  try {
    path = createRequire(require.resolve('metro-file-map')).resolve('walker');
  } catch {
    return;
  }
  require.cache[path] = Object.assign(new Module(path), { filename: path, loaded: true, exports: null });
};

/** Where Expo's own configuration differs and a bundle would tell: the order of extensions, what is an asset, what runs first. */
const expoConfig = (require: NodeJS.Require, assetExts: readonly string[]): object => ({
  resolver: { sourceExts: ['ts', 'tsx', 'mjs', 'js', 'jsx', 'json', 'cjs'], assetExts: [...assetExts, 'heic', 'avif', 'db'] },
  serializer: { getModulesRunBeforeMainModule: () => ['react-native/Libraries/Core/InitializeCore', 'expo/src/winter/index.ts'].map((name) => require.resolve(name)) },
  // Its packages count on their imports being run in order.
  transformer: { getTransformOptions: () => Promise.resolve({ transform: { experimentalImportSupport: false, inlineRequires: false } }) },
});

/**
 * @param fileMap the SDK's file map as `takeFileMap` gave it when the set was installed, or null to crawl the SDK now.
 */
export const createMetro = async (options: {
  places: { src: string; sdk: string };
  transformerPath: string;
  /** Metro's plugin for assets of the web. */
  webAssetPath: string;
  resolveRequest: (context: ResolutionContext, specifier: string, platform: string | null) => Resolution;
  cacheStores: CacheStore[];
  fileMap: Buffer | null;
  onWarning: (message: string) => void;
}): Promise<MetroParts> => {
  const { places, fileMap } = options;
  const require = createRequire(`${places.sdk}/package.json`);
  const metroRequire = createRequire(`${places.sdk}/node_modules/metro/package.json`);
  const { getDefaultConfig, mergeConfig } = require('@react-native/metro-config') as {
    getDefaultConfig(root: string): { resolver: { assetExts: string[] }; transformer: { assetRegistryPath: string } };
    mergeConfig(...configs: object[]): object;
  };
  leaveOutWalker(metroRequire);
  const Server = (metroRequire('./src/Server') as { default: ServerClass }).default;
  const split = (metroRequire('./src/lib/splitBundleOptions') as { default: (options: BundleOptions) => SplitOptions }).default;

  let moduleIds = new Map<string, number>();
  const moduleId = (path: string): number => {
    const known = moduleIds.get(path);
    if (known !== undefined) return known;
    moduleIds.set(path, moduleIds.size);
    return moduleIds.size - 1;
  };

  // Filled for each build, once all keys of the cache are fixed: a path of this machine is no part of them. No asset is cached.
  const assetPlugins: string[] = [];

  const defaults = getDefaultConfig(places.src);
  const config = mergeConfig(defaults, {
    projectRoot: places.src,
    // With a file map at hand the SDK is not crawled: Metro looks only into the (still empty) project.
    watchFolders: fileMap === null ? [places.src, `${places.sdk}/node_modules`] : [places.src],
    maxWorkers: 1,
    resetCache: false,
    cacheStores: options.cacheStores,
    cacheVersion: 'hivesync-1',
    // Metro's own cache of its file map would drop what lies outside the folders it crawls.
    unstable_fileMapCacheManagerFactory: () => ({
      read: () => Promise.resolve(null),
      write: () => Promise.resolve(),
      end: () => Promise.resolve(),
    }),
    reporter: {
      update: (event: { type: string; message?: string }) => {
        if (event.type === 'resolver_warning' && event.message !== undefined) options.onWarning(event.message);
      },
    },
    resolver: { useWatchman: false, enableGlobalPackages: false, platforms: ['android', 'ios', 'web'], resolveRequest: options.resolveRequest },
    // Every hash once, at install: a build then reads no SDK file that its cache already answers for.
    serializer: { createModuleIdFactory: () => moduleId, customSerializer: codeAlone(places.sdk) },
    watcher: { unstable_lazySha1: fileMap !== null, healthCheck: { enabled: false } },
    transformer: {
      babelTransformerPath: options.transformerPath,
      assetPlugins,
      enableBabelRCLookup: false,
      unstable_allowRequireContext: false,
      // By name, not by path: paths are part of the cache key.
      asyncRequireModulePath: 'metro-runtime/src/modules/asyncRequire',
      minifierPath: metroRequire.resolve('metro-minify-terser'),
    },
  }, hasExpo ? expoConfig(require, defaults.resolver.assetExts) : {});

  const server = new Server(config, { watch: false });
  const named = (path: string): string => {
    if (path.startsWith(`${places.src}/`)) return path.slice(places.src.length + 1);
    return path.startsWith(`${places.sdk}/`) ? path.slice(places.sdk.length + 1) : path;
  };
  // Names in the source map: relative to the project, `node_modules/…` for the SDK.
  server._getModuleSourceUrl = (module) => named(module.path);
  const { _fileSystem: files } = await server.getBundler().getBundler().getDependencyGraph();
  if (fileMap !== null) {
    const mapped = JSON.parse(fileMap.toString('utf8')) as MappedFile[];
    files.bulkAddOrModify(new Map(mapped.map(([path, size, sha1]) => [path, fileEntry(size, sha1)])));
  }
  const writeMap = createMapWriter(server, places.sdk);
  assetPlugins.push(...expoAssets);
  const takeFileMap = (): Buffer => {
    const mapped: MappedFile[] = [];
    for (const { canonicalPath, metadata } of files.metadataIterator({ includeNodeModules: true, includeSymlinks: false })) {
      mapped.push([canonicalPath, Number(metadata[1]), String(metadata[3])]);
    }
    return Buffer.from(JSON.stringify(mapped));
  };

  const build: Build = async ({ entryFile, platform, dev, onProgress, onCode, onMap }) => {
    const splitOptions = split({
      ...Server.DEFAULT_BUNDLE_OPTIONS,
      entryFile,
      platform,
      dev,
      minify: !dev,
      inlineSourceMap: false,
      sourceMapUrl: 'bundle.js.map',
      bundleType: 'bundle',
      unstable_transformProfile: 'default',
    });
    // Counted anew: the same sources make the same bundle, whatever this process has built to warm up.
    moduleIds = new Map();
    assetPlugins.splice(0, assetPlugins.length, ...expoAssets, ...(platform === 'web' ? [options.webAssetPath] : []));
    const started = performance.now();
    const { prepend, graph } = await server
      .getBundler()
      .buildGraph(splitOptions.entryFile, splitOptions.transformOptions, splitOptions.resolverOptions, {
        onProgress,
        shallow: false,
        lazy: false,
      });
    const built = performance.now();
    const { code } = await server._serializeGraph({ splitOptions, prepend, graph });
    onCode?.(code);
    const map = await writeMap([...prepend, ...server._getSortedModules(graph)]);
    onMap?.(map);
    const serialized = performance.now();
    const assets = await server._getAssetsFromDependencies(graph.dependencies, platform);
    const timings = { graphMs: built - started, serializeMs: serialized - built, assetsMs: performance.now() - serialized };
    return { assets, timings };
  };

  return { server, takeFileMap, build, assetRegistry: defaults.transformer.assetRegistryPath };
};

/** Puts a project's files into the file map, as the watcher would, and forgets what was resolved from that folder before. */
export const addProjectFiles = async (server: MetroServer, src: string, files: ReadonlyMap<string, Buffer>): Promise<void> => {
  const graph = await server.getBundler().getBundler().getDependencyGraph();
  const entries = new Map<string, unknown[]>();
  for (const [path, bytes] of files) {
    entries.set(path, fileEntry(bytes.length, createHash('sha1').update(bytes).digest('hex')));
  }
  graph._fileSystem.bulkAddOrModify(entries);
  for (const byOrigin of graph._resolutionCache.values()) {
    for (const origin of byOrigin.keys()) {
      if (origin === '' || origin === src || origin.startsWith(`${src}/`)) byOrigin.delete(origin);
    }
  }
};

/** Takes a file out of the file map again. */
export const removeProjectFile = async (server: MetroServer, path: string): Promise<void> => {
  const graph = await server.getBundler().getBundler().getDependencyGraph();
  graph._fileSystem.remove(path);
};
