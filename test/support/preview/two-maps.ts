/**
 * Builds one project in this process, as a build process does without its wall, and writes the source map both as previews get it
 * and as Metro itself writes it: twice each, since the second time ours takes what it kept of the first.
 *
 * Called as `node two-maps.ts <base> <entry>`, where `base` holds src/, sdk/ and cache/. Prints `{"ours": [...], "metros": [...]}`.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { addProjectFiles, createMetro } from '#workers/preview/child/metro.ts';
import { placesUnder } from '#workers/preview/child/protocol.ts';
import { createResolver } from '#workers/preview/child/resolver.ts';
import { createMapWriter, type MappedModule, type MappingServer } from '#workers/preview/child/source-map.ts';
import { Pack, SdkStore } from '#workers/preview/child/transform-cache.ts';

const [, , base = '', entryFile = ''] = process.argv;
const places = placesUnder(base);
const metroRequire = createRequire(`${places.sdk}/node_modules/metro/package.json`);
const childRequire = createRequire(createRequire(import.meta.url).resolve('#workers/preview/child/metro.ts'));
const packs = readdirSync(places.cache).filter((name) => name.endsWith('.pack')).map((name) => Pack.ofFile(join(places.cache, name), statSync(join(places.cache, name)).size));
const sources = new Map(readdirSync(places.src).map((name) => [name, readFileSync(join(places.src, name))]));

type Graph = { dependencies: Map<string, unknown> };
type SplitOptions = { entryFile: string; transformOptions: unknown; resolverOptions: unknown };
type Write = (modules: readonly MappedModule[], options: object) => string;

const { server } = await createMetro({
  places,
  transformerPath: childRequire.resolve('./transformer.ts'),
  webAssetPath: childRequire.resolve('./web-asset.ts'),
  resolveRequest: createResolver(places, JSON.parse(readFileSync(join(base, 'set.json'), 'utf8'))),
  cacheStores: [new SdkStore(() => packs)],
  fileMap: readFileSync(join(places.cache, 'filemap.json')),
  onWarning: () => undefined,
});
await addProjectFiles(server, places.src, sources);
const { default: split } = metroRequire('./src/lib/splitBundleOptions') as { default(options: object): SplitOptions };
const { default: defaults } = metroRequire('./src/Server') as { default: { DEFAULT_BUNDLE_OPTIONS: object } };
const { sourceMapString: write } = metroRequire('./src/DeltaBundler/Serializers/sourceMapString') as { sourceMapString: Write };
const options = split({ ...defaults.DEFAULT_BUNDLE_OPTIONS, entryFile, platform: 'ios', dev: false, minify: true, inlineSourceMap: false, sourceMapUrl: null, bundleType: 'bundle', unstable_transformProfile: 'default' });
const { prepend, graph } = await server.getBundler().buildGraph(options.entryFile, options.transformOptions, options.resolverOptions, { onProgress: null, shallow: false, lazy: false }) as { prepend: readonly MappedModule[]; graph: Graph };
const modules = [...prepend, ...server._getSortedModules(graph)];
const mapping = server as MappingServer;
const byMetro = (): string => write(modules, {
  excludeSource: false,
  processModuleFilter: (module: MappedModule) => mapping._config.serializer.processModuleFilter(module),
  shouldAddToIgnoreList: (module: MappedModule) => mapping._shouldAddModuleToIgnoreList(module),
  getSourceUrl: (module: MappedModule) => mapping._getModuleSourceUrl(module),
});
const writeOurs = createMapWriter(mapping, places.sdk);
// Metro keeps handles open: the process ends when its answer, longer than a pipe holds, has left.
process.stdout.write(JSON.stringify({ ours: [String(await writeOurs(modules)), String(await writeOurs(modules))], metros: byMetro() }), () => process.exit(0));
