/**
 * Transforms that need not be asked for again. Of the SDK: its files do not change while a process lives, and what the warm-up has
 * met is at hand. Of a project's assets: Metro makes each a module by Babel and the minifier (1.3 ms an image, measured), and its
 * key of a transform does not know of the scales beside a file; a key of all that the module tells of the asset does.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { relative } from 'node:path';
import type { MetroServer } from './metro.ts';

type Transformed = { readonly output: unknown; readonly dependencies: unknown };
type Result = Transformed & { readonly unstable_transformResultKey: string; getSource(): Buffer };
type Options = { readonly type: string; readonly platform: string | null };
type Transform = (path: string, options: Options, content?: Buffer) => Promise<Result>;
type Bundler = { transformFile: Transform; _transformer: { _baseHash: string } };
type GetAssetData = (path: string, localPath: string, plugins: readonly string[], platform: string | null, publicPath: string) => Promise<object>;
type Configured = { _config: { transformer: { assetPlugins: readonly string[]; publicPath: string } } };

/** Where the modules of a project's assets are kept. */
export type AssetStore = { asset(key: Buffer): unknown; keepAsset(key: Buffer, value: unknown): void };

/**
 * From here on Metro is asked once a process for each module of the SDK, and once a project for each of its assets.
 *
 * @param options.onKnown told of each module of the SDK that was at hand
 */
export const keepTransforms = (server: MetroServer, options: { places: { src: string; sdk: string }; assets: AssetStore; onKnown: () => void }): void => {
  const { places, assets, onKnown } = options;
  const bundler = server.getBundler().getBundler() as unknown as Bundler;
  const { transformer } = (server as unknown as Configured)._config;
  const metro = createRequire(`${places.sdk}/node_modules/metro/package.json`)('./src/Assets') as { getAssetData: GetAssetData };
  const ask: Transform = bundler.transformFile.bind(bundler);
  const ofSdk = new Map<string, Map<string, Result>>();

  const sdkModule: Transform = async (path, wanted) => {
    const name = JSON.stringify(wanted);
    const ofName = ofSdk.get(name) ?? new Map<string, Result>();
    ofSdk.set(name, ofName);
    const known = ofName.get(path);
    if (known !== undefined) {
      onKnown();
      return known;
    }
    const result = await ask(path, wanted);
    ofName.set(path, result);
    return result;
  };

  const projectAsset: Transform = async (path, wanted) => {
    const data = await metro.getAssetData(path, relative(places.src, path), transformer.assetPlugins, wanted.platform, transformer.publicPath);
    const key = createHash('sha256').update(JSON.stringify([bundler._transformer._baseHash, wanted, data])).digest();
    const known = assets.asset(key) as Transformed | null;
    if (known !== null) return { ...known, unstable_transformResultKey: key.toString('latin1'), getSource: () => readFileSync(path) };
    const result = await ask(path, wanted);
    assets.keepAsset(key, { output: result.output, dependencies: result.dependencies });
    return result;
  };

  bundler.transformFile = (path, wanted, content) => {
    if (content !== undefined) return ask(path, wanted, content);
    if (path.startsWith(`${places.sdk}/`)) return sdkModule(path, wanted);
    // On the web a module holds the asset itself: it would be kept twice.
    return wanted.type === 'asset' && wanted.platform !== 'web' ? projectAsset(path, wanted) : ask(path, wanted);
  };
};
