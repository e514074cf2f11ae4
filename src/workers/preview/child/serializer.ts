/** A bundle's code without its map: Metro makes both in one go, and somebody waits for the code. */
import { createRequire } from 'node:module';

/** In place of Metro's own serializer. */
export type Serializer = (entry: string, prepend: unknown, graph: unknown, options: unknown) => { code: string; map: string };

/** @param sdk where the set's packages are */
export const codeAlone = (sdk: string): Serializer => {
  const require = createRequire(`${sdk}/node_modules/metro/package.json`);
  const { default: toModules } = require('./src/DeltaBundler/Serializers/baseJSBundle') as { default(...all: Parameters<Serializer>): unknown };
  const { default: toText } = require('./src/lib/bundleToString') as { default(modules: unknown): { code: string } };
  // With a map, whatever it holds, Metro makes none.
  return (...all) => ({ code: toText(toModules(...all)).code, map: '{}' });
};
