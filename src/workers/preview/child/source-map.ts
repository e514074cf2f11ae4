/**
 * The source map of a bundle, as Metro writes it: a section for each module. Of a section all but its place stays as it is from
 * build to build, and of some 750 sections nearly all are the SDK's, whose texts are there when the job comes: writing 5 MB of map
 * takes 5 ms in place of 35 (measured). A Metro that writes maps without sections writes its own.
 */
import { createRequire } from 'node:module';

type Output = { readonly type: string; readonly data: object };
export type MappedModule = { readonly path: string; readonly output: readonly Output[]; getSource(): Buffer };
type Info = { readonly code: string };
type InfoOptions = { excludeSource: boolean; shouldAddToIgnoreList(module: MappedModule): boolean; getSourceUrl(module: MappedModule): string };
type MapOptions = InfoOptions & { processModuleFilter(module: MappedModule): boolean };
type ToSections = (infos: readonly Info[]) => { toMap(): { sections: readonly { map: object }[] } };
export type MappingServer = {
  _config: { serializer: { processModuleFilter(module: MappedModule): boolean } };
  _shouldAddModuleToIgnoreList(module: MappedModule): boolean;
  _getModuleSourceUrl(module: MappedModule): string;
};
/** The map's text in UTF-8. */
export type WriteMap = (modules: readonly MappedModule[]) => Promise<Buffer>;

/** What a module is in a map: its section's bytes, if it has one, and how many lines of the bundle it takes. */
type Section = { readonly text: Buffer | null; readonly lines: number };

/** As Metro counts them. */
const newline = /\r\n?|\n|\u2028|\u2029/gu;

/**
 * By what the transform gave, which the cache of transforms hands out as the same object as long as the process lives. Of the
 * process, which has one server: a live session's writer finds what the warm-up has met, too.
 */
const known = new WeakMap<object, Section>();

/** @param sdk where the set's packages are */
export const createMapWriter = (server: MappingServer, sdk: string): WriteMap => {
  const require = createRequire(`${sdk}/node_modules/metro/package.json`);
  const options: MapOptions = {
    excludeSource: false,
    processModuleFilter: (module) => server._config.serializer.processModuleFilter(module),
    shouldAddToIgnoreList: (module) => server._shouldAddModuleToIgnoreList(module),
    getSourceUrl: (module) => server._getModuleSourceUrl(module),
  };
  const { fromRawMappingsIndexed: toSections } = require('metro-source-map') as { fromRawMappingsIndexed?: ToSections };
  if (toSections === undefined) {
    const { sourceMapStringNonBlocking: write } = require('./src/DeltaBundler/Serializers/sourceMapString') as {
      sourceMapStringNonBlocking(modules: readonly MappedModule[], options: MapOptions): Promise<string>;
    };
    return async (modules) => Buffer.from(await write(modules, options));
  }
  const { default: infoOf } = require('./src/DeltaBundler/Serializers/helpers/getSourceMapInfo') as { default(module: MappedModule, options: InfoOptions): Info };
  const { getJsOutput, isJsModule } = require('./src/DeltaBundler/Serializers/helpers/js') as { getJsOutput(module: MappedModule): Output; isJsModule(module: MappedModule): boolean };

  const sectionOf = (module: MappedModule): Section => {
    const { data } = getJsOutput(module);
    const before = known.get(data);
    if (before !== undefined) return before;
    const info = infoOf(module, options);
    const [section] = toSections([info]).toMap().sections;
    const made = { text: section === undefined ? null : Buffer.from(JSON.stringify(section.map)), lines: (info.code.match(newline) ?? []).length + 1 };
    known.set(data, made);
    return made;
  };
  return (modules) => {
    const parts: Buffer[] = [];
    let line = 0;
    for (const module of modules) {
      if (!isJsModule(module) || !options.processModuleFilter(module)) continue;
      const { text, lines } = sectionOf(module);
      if (text !== null) parts.push(Buffer.from(`${parts.length === 0 ? '{"version":3,"sections":[' : '},'}{"offset":{"line":${line},"column":0},"map":`), text);
      line += lines;
    }
    parts.push(Buffer.from(parts.length === 0 ? '{"version":3,"sections":[]}' : '}]}'));
    return Promise.resolve(Buffer.concat(parts));
  };
};
