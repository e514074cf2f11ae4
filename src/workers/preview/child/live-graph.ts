/**
 * A graph of modules that is kept from one build to the next. Apart from metro.ts, whose text is part of what a primed
 * SDK set stands on: nothing here touches a transform or its key.
 */
import { createRequire } from 'node:module';
import type { MetroAsset, MetroServer } from './metro.ts';
import { createMapWriter, type MappedModule, type WriteMap } from './source-map.ts';

type Graph = { dependencies: Map<string, LiveModule> };
type Built = { prepend: readonly MappedModule[]; graph: Graph };
type SplitOptions = { entryFile: string; transformOptions: unknown; resolverOptions: unknown; graphOptions: { shallow: boolean; lazy: boolean } };
type Changes = Record<'addedFiles' | 'modifiedFiles' | 'removedFiles', [path: string, metadata: object][]>;
type LiveModule = MappedModule;
type LiveServer = {
  _config: { transformer: { assetPlugins: string[] } };
  getBundler(): {
    getBundler(): { getWatcher(): { emit(name: 'change', event: { changes: Changes; rootDir: string }): void } };
    getDeltaBundler(): { getDelta(graph: Graph, options: { reset: boolean; shallow: boolean }): Promise<unknown>; endGraph(graph: Graph): void };
    buildGraph(entry: string, transformOptions: unknown, resolverOptions: unknown, other: object): Promise<Built>;
  };
  _serializeGraph(graph: Built & { splitOptions: SplitOptions }): Promise<{ code: string }>;
  _getSortedModules(graph: Graph): readonly MappedModule[];
};

export class LiveGraph {
  readonly #server: LiveServer;
  readonly #src: string;
  readonly #options: SplitOptions;
  readonly #platform: string;
  readonly #writeMap: WriteMap;
  #built: Built | null = null;
  /** The paths of the modules that are assets, and what they were made of when that was last looked at. */
  #assets: { readonly modules: string; readonly found: readonly MetroAsset[] } | null = null;

  constructor(server: MetroServer, places: { src: string; sdk: string }, wanted: { entryFile: string; platform: string; dev: boolean; webAssetPath: string }) {
    this.#server = server as unknown as LiveServer;
    this.#src = places.src;
    this.#platform = wanted.platform;
    const require = createRequire(`${places.sdk}/node_modules/metro/package.json`);
    const { default: split } = require('./src/lib/splitBundleOptions') as { default: (options: object) => SplitOptions };
    const { default: defaults } = require('./src/Server') as { default: { DEFAULT_BUNDLE_OPTIONS: object } };
    this.#writeMap = createMapWriter(server, places.sdk);
    const { entryFile, platform, dev } = wanted;
    if (platform === 'web') this.#server._config.transformer.assetPlugins.push(wanted.webAssetPath);
    this.#options = split({
      ...defaults.DEFAULT_BUNDLE_OPTIONS,
      entryFile, platform, dev, minify: !dev, inlineSourceMap: false, sourceMapUrl: null, bundleType: 'bundle', unstable_transformProfile: 'default',
    });
  }

  /** @param modified modules whose text alone has changed since the last call, where nothing else did; null for anything else */
  async bundle(modified: readonly string[] | null): Promise<string> {
    const built = this.#built !== null && modified !== null ? await this.#follow(this.#built, modified) : await this.#build();
    return (await this.#server._serializeGraph({ splitOptions: this.#options, ...built })).code;
  }

  /** The source map of the last bundle; null where there is none. */
  async map(): Promise<Buffer | null> {
    if (this.#built === null) return null;
    const { prepend, graph } = this.#built;
    return await this.#writeMap([...prepend, ...this.#server._getSortedModules(graph)]);
  }

  /**
   * What the last bundle refers to. Each file is read for it: only where other modules are assets now, or where `mayDiffer`.
   *
   * @returns null where it is what it was the last time
   */
  async assets(mayDiffer: boolean): Promise<readonly MetroAsset[] | null> {
    if (this.#built === null) return null;
    const { dependencies } = this.#built.graph;
    const modules = [...dependencies.values()].filter(({ output }) => output.some(({ type }) => type === 'js/module/asset')).map(({ path }) => path).join('\n');
    if (!mayDiffer && this.#assets?.modules === modules) return null;
    const found = await (this.#server as unknown as MetroServer)._getAssetsFromDependencies(dependencies, this.#platform);
    this.#assets = { modules, found };
    return found;
  }

  /** As the watcher would tell it. One that fails is told again with the next change: Metro remembers what it has not taken in. */
  async #follow(built: Built, modified: readonly string[]): Promise<Built> {
    const bundler = this.#server.getBundler();
    const modifiedFiles = modified.map((path): [string, object] => [path, { isSymlink: false }]);
    bundler.getBundler().getWatcher().emit('change', { rootDir: this.#src, changes: { addedFiles: [], modifiedFiles, removedFiles: [] } });
    await bundler.getDeltaBundler().getDelta(built.graph, { reset: false, shallow: false });
    return built;
  }

  /** A file that came or went may change where any import leads. What is transformed already stays so. */
  async #build(): Promise<Built> {
    const bundler = this.#server.getBundler();
    if (this.#built !== null) bundler.getDeltaBundler().endGraph(this.#built.graph);
    this.#built = null;
    const { entryFile, transformOptions, resolverOptions } = this.#options;
    this.#built = await bundler.buildGraph(entryFile, transformOptions, resolverOptions, { onProgress: null, shallow: false, lazy: false });
    return this.#built;
  }
}
