/** How often Metro itself, as the SDK set has it, looks at a folder of images: by counts, which no busy machine changes. */
import { promises } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from 'chai';
import { forgetAssetFolders, indexAssetFolders } from '#workers/preview/child/asset-folders.ts';
import { sdkPlaces } from '#workers/preview/sdk-places.ts';
import { pixel, temporaryFolder, writeFiles } from '../../support/preview/projects.ts';
import { dataDir, ensureSdk, installTimeoutMs, sdkVersion } from '../../support/preview/sdk.ts';

interface AssetData { readonly name: string; readonly type: string; readonly scales: number[]; readonly files: string[]; readonly hash: string }
interface Assets { getAssetData(path: string, local: string, plugins: readonly string[], platform: string | null, publicPath: string): Promise<AssetData> }
interface AssetPaths { tryParse(path: string, platforms: ReadonlySet<string>): unknown }

describe('a folder of images', () => {
  const work = temporaryFolder();
  after(() => work.dispose());
  let metroRequire: NodeJS.Require;
  let assets: Assets;
  before(async function () {
    this.timeout(installTimeoutMs);
    await ensureSdk();
    metroRequire = createRequire(`${sdkPlaces(dataDir, sdkVersion).root}/node_modules/metro/package.json`);
    assets = metroRequire('./src/Assets') as Assets;
  });

  const restores: (() => void)[] = [];
  afterEach(() => { for (const restore of restores.splice(0).reverse()) restore(); });
  const indexed = (): void => { restores.push(indexAssetFolders(metroRequire)); };
  const dataOf = (path: string, platform: string | null = 'ios'): Promise<AssetData> => assets.getAssetData(join(work.path, path), path, [], platform, '/assets');
  /** Told from here on. */
  const counted = (): { parsed: number; read: number } => {
    const counts = { parsed: 0, read: 0 };
    const paths = metroRequire('./src/node-haste/lib/AssetPaths') as AssetPaths;
    const { tryParse } = paths;
    const { readdir } = promises;
    paths.tryParse = (...given) => { counts.parsed += 1; return tryParse(...given); };
    promises.readdir = ((...given: Parameters<typeof readdir>) => { counts.read += 1; return readdir(...given); }) as typeof readdir;
    restores.push(() => { paths.tryParse = tryParse; promises.readdir = readdir; });
    return counts;
  };

  it('is read once for all of them, and each name is parsed a few times, not once for each image', async function () {
    this.timeout(20_000);
    const names = Array.from({ length: 400 }, (_, index) => `many/${index}.png`);
    writeFiles(work.path, Object.fromEntries(names.map((name) => [name, pixel])));
    const counts = counted();
    indexed();
    await Promise.all(names.slice(0, 200).map((name) => dataOf(name)));
    for (const name of names) await dataOf(name);
    // Without the index it is 600 readings and 240,000 names.
    expect(counts.read).to.equal(1);
    expect(counts.parsed).to.be.at.most(400 + 2 * 600);
  });

  it('answers what Metro answers without it, whatever the scales, the platforms and the names', async () => {
    const files = ['a.png', 'a@2x.png', 'a@3x.png', 'a.ios.png', 'a@2x.ios.png', 'a.android.png', 'b@1.5x.png', 'b@4x.png', 'c.jpg', 'c.png', 'c@2x.jpg', 'A.png', 'd@x.png', 'e@2x@3x.png', 'e@3x.png', '@2x.png', '.png', 'f.native.png', 'no-extension', '__proto__.png', 'constructor.png'];
    writeFiles(work.path, Object.fromEntries(files.map((name, index) => [`odd/${name}`, Buffer.concat([pixel, Buffer.from([index])])])));
    const all = async (): Promise<unknown[]> => {
      const asked = [...files, 'b.png', 'missing.png'].flatMap((name) => ['ios', 'android', 'web', null].map((platform) => [name, platform] as const));
      return await Promise.all(asked.map(async ([name, platform]) => dataOf(`odd/${name}`, platform).then(
        ({ scales, files: found, hash, type, name: called }) => ({ scales, found, hash, type, called }),
        (error: unknown) => String(error),
      )));
    };
    const plain = await all();
    indexed();
    expect(await all()).to.deep.equal(plain);
    expect(plain.filter((one) => typeof one === 'string')).to.not.have.length(plain.length);
  });

  it('is read anew once a file came or went', async () => {
    writeFiles(work.path, { 'live/a.png': pixel });
    indexed();
    expect((await dataOf('live/a.png')).scales).to.deep.equal([1]);
    writeFiles(work.path, { 'live/a@2x.png': pixel });
    forgetAssetFolders();
    expect((await dataOf('live/a.png')).scales).to.deep.equal([1, 2]);
  });

  it('is shown whole to whoever else reads it', async () => {
    writeFiles(work.path, { 'seen/a.png': pixel, 'seen/b.png': pixel });
    indexed();
    const [, names] = await Promise.all([dataOf('seen/a.png'), promises.readdir(join(work.path, 'seen'))]);
    expect(names.sort()).to.deep.equal(['a.png', 'b.png']);
  });
});
