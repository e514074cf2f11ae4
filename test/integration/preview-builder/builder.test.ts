import { createHash } from 'node:crypto';
import { cpSync, existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createBuilder, type Builder, type BuildResult } from '#workers/preview/builder.ts';
import { loadBundle } from '../../support/preview/load-bundle.ts';
import { buildIn, inventoryApp, pixel, temporaryFolder, writeFiles } from '../../support/preview/projects.ts';
import { dataDir, ensureSdk, installTimeoutMs, sdkVersion } from '../../support/preview/sdk.ts';

const fieldNotes = fileURLToPath(new URL('../../../examples/field-notes', import.meta.url));

const succeeded = (result: BuildResult): Extract<BuildResult, { ok: true }> => {
  if (!result.ok) throw new Error(`the build failed: ${JSON.stringify(result.failure)} ${result.diagnostics}`);
  return result;
};

describe('the preview builder', () => {
  const work = temporaryFolder();
  let builder: Builder;

  before(async function () {
    this.timeout(installTimeoutMs);
    await ensureSdk();
    builder = createBuilder({ dataDir, sdkVersions: [sdkVersion], warm: 1 });
    await builder.warmed();
  });
  after(async () => {
    await builder.close();
    work.dispose();
  });

  for (const platform of ['ios', 'android'] as const) {
    it(`builds the sample app for ${platform} into a bundle that shows its first screen`, async function () {
      this.timeout(60_000);
      const outDir = join(work.path, `field-notes-${platform}`);
      const seen: { stage: string; done: number; total: number }[] = [];
      const result = succeeded(await buildIn(builder, work.path, fieldNotes, { platform, outDir, onProgress: (progress) => seen.push(progress) }));

      const shown = await loadBundle(join(outDir, 'bundle.js'), platform);
      expect(shown.errors).to.deep.equal([]);
      expect(shown.appKeys).to.deep.equal(['FieldNotes']);
      expect(shown.texts).to.include('What did you see today?').and.to.include('Kingfisher by the weir');
      expect(shown.views).to.include('RNSScreenStack');
      expect(shown.images.some((uri) => uri.includes('/assets/assets/logo@3x.png'))).to.equal(true);

      const asset = platform === 'ios' ? 'assets/assets/logo@3x.png' : 'assets/drawable-xxhdpi/assets_logo.png';
      expect(readFileSync(join(outDir, asset))).to.deep.equal(readFileSync(join(fieldNotes, 'assets/logo@3x.png')));
      expect(result.files.map(({ path }) => path)).to.include.members(['bundle.js', 'bundle.js.map', 'metadata.json', 'build.log', asset]);
      for (const file of result.files) {
        const bytes = readFileSync(join(outDir, file.path));
        expect(bytes.length).to.equal(file.sizeBytes);
        expect(createHash('sha256').update(bytes).digest('hex')).to.equal(file.sha256);
      }
      expect(seen.at(-1)?.stage).to.equal('packaging');
      expect(seen.some(({ stage, done, total }) => stage === 'bundling' && done === total && done > 700)).to.equal(true);
    });

    it(`builds an app unlike the sample for ${platform}, with the files of that platform`, async function () {
      this.timeout(60_000);
      const source = join(work.path, `inventory-${platform}`);
      writeFiles(source, inventoryApp(25));
      const outDir = join(work.path, `inventory-out-${platform}`);
      succeeded(await buildIn(builder, work.path, source, { platform, outDir, entryFile: 'main.tsx', env: { PUBLIC_SHOP: 'Corner shop' } }));
      const shown = await loadBundle(join(outDir, 'bundle.js'), platform);
      expect(shown.errors).to.deep.equal([]);
      expect(shown.appKeys).to.deep.equal(['Inventory']);
      expect(shown.texts).to.include.members(['Stock: 9 (fine)', platform === 'ios' ? 'on an iPhone' : 'on Android', 'Corner shop', 'private 7', 'shelf 24']);
    });
  }

  it('builds for development: not minified, with the code of React Native for it, and it runs', async function () {
    this.timeout(60_000);
    const outDir = join(work.path, 'dev');
    const result = succeeded(await buildIn(builder, work.path, fieldNotes, { dev: true, outDir }));
    expect(result.metadata.dev).to.equal(true);
    const bundle = readFileSync(join(outDir, 'bundle.js'), 'utf8');
    expect(bundle).to.include('function NoteListScreen').and.to.include('__DEV__=true');
    const shown = await loadBundle(join(outDir, 'bundle.js'), 'ios');
    expect(shown.errors).to.deep.equal([]);
    expect(shown.texts).to.include('What did you see today?');
  });

  it('transforms only what changed, from a cache of the project, and makes the same bundle of the same sources', async function () {
    this.timeout(60_000);
    const source = join(work.path, 'cached');
    cpSync(fieldNotes, source, { recursive: true });
    const cacheDir = join(work.path, 'cached-cache');
    const first = succeeded(await buildIn(builder, work.path, source, { cacheDir }));
    expect(first.metadata.modules.transformed).to.be.greaterThan(10);
    const second = succeeded(await buildIn(builder, work.path, source, { cacheDir }));
    expect(second.metadata.modules.transformed).to.equal(0);
    expect(second.metadata.bundle).to.deep.equal(first.metadata.bundle);
    writeFiles(source, { 'src/theme.ts': readFileSync(join(source, 'src/theme.ts'), 'utf8').replace('#f7f5ef', '#fafafa') });
    const third = succeeded(await buildIn(builder, work.path, source, { cacheDir }));
    expect(third.metadata.modules.transformed).to.equal(1);
    expect(third.metadata.bundle.sha256).to.not.equal(first.metadata.bundle.sha256);
  });

  it('tells of an image and its scales as they are now, whatever the project\'s cache remembers of it', async function () {
    this.timeout(60_000);
    const source = join(work.path, 'images');
    const cacheDir = join(work.path, 'images-cache');
    const image = (bytes: string): Buffer => Buffer.concat([pixel, Buffer.from(bytes)]);
    writeFiles(source, { 'index.js': `import { AppRegistry, Image } from 'react-native'; AppRegistry.registerComponent('A', () => () => <Image source={require('./a.png')} />);`, 'a.png': image('one') });
    const assetsOf = async (): Promise<{ told: unknown; stored: string[] }> => {
      const outDir = join(work.path, `images-out-${counted += 1}`);
      const { metadata } = succeeded(await buildIn(builder, work.path, source, { cacheDir, outDir }));
      const found = /\.registerAsset\((\{[^}]*name:"a"[^}]*\})\)/u.exec(readFileSync(join(outDir, 'bundle.js'), 'utf8'))?.[1] ?? '';
      const scales = /scales:\[([^\]]*)\]/u.exec(found)?.[1];
      const hash = /hash:"([0-9a-f]+)"/u.exec(found)?.[1];
      return { told: { scales, hash }, stored: metadata.assets.filter(({ name }) => name === 'a').map(({ path, hash: of }) => `${path} ${of}`) };
    };
    let counted = 0;
    const md5 = (...parts: readonly Buffer[]): string => createHash('md5').update(Buffer.concat(parts)).digest('hex');

    const first = await assetsOf();
    expect(first).to.deep.equal({ told: { scales: '1', hash: md5(image('one')) }, stored: [`assets/a.png ${md5(image('one'))}`] });
    expect(await assetsOf()).to.deep.equal(first);
    writeFiles(source, { 'a.png': image('two') });
    expect(await assetsOf()).to.deep.equal({ told: { scales: '1', hash: md5(image('two')) }, stored: [`assets/a.png ${md5(image('two'))}`] });
    writeFiles(source, { 'a@2x.png': image('larger') });
    const both = md5(image('two'), image('larger'));
    expect(await assetsOf()).to.deep.equal({ told: { scales: '1,2', hash: both }, stored: [`assets/a.png ${both}`, `assets/a@2x.png ${both}`] });
    rmSync(join(source, 'a@2x.png'));
    writeFiles(source, { 'a.png': image('one') });
    expect(await assetsOf()).to.deep.equal(first);
  });

  it('never shares a transform between environments, and writes only the named keys into the bundle', async function () {
    this.timeout(60_000);
    const source = join(work.path, 'environment');
    writeFiles(source, { 'index.js': `console.log(process.env.EXPO_PUBLIC_A, process.env['PUBLIC_B'], process.env.HIVESYNC_ENVIRONMENT, process.env.HOME, process.env.PATH)` });
    const cacheDir = join(work.path, 'environment-cache');
    const bundleOf = async (env: Record<string, string>, environment: 'staging' | 'production'): Promise<string> => {
      const outDir = join(work.path, `environment-${environment}`);
      succeeded(await buildIn(builder, work.path, source, { cacheDir, outDir, env, environment }));
      return readFileSync(join(outDir, 'bundle.js'), 'utf8');
    };
    const staging = await bundleOf({ EXPO_PUBLIC_A: 'first', PUBLIC_B: 'second' }, 'staging');
    expect(staging).to.include('console.log("first","second","staging",process.env.HOME,process.env.PATH)');
    const production = await bundleOf({ EXPO_PUBLIC_A: 'third' }, 'production');
    expect(production).to.include('console.log("third",process.env.PUBLIC_B,"production",process.env.HOME,process.env.PATH)');
  });

  it('refuses an environment key that is not public', async () => {
    const attempt = buildIn(builder, work.path, fieldNotes, { env: { SECRET: 'x' } });
    expect(await attempt.then(() => null, (error: unknown) => error)).to.be.instanceOf(TypeError);
  });

  it('tells no path of this machine in bundle, map, metadata or log', async function () {
    this.timeout(60_000);
    const outDir = join(work.path, 'paths');
    succeeded(await buildIn(builder, work.path, fieldNotes, { outDir, dev: true }));
    for (const name of ['bundle.js', 'bundle.js.map', 'metadata.json', 'build.log']) {
      const text = readFileSync(join(outDir, name), 'utf8');
      expect(text.includes(work.path), name).to.equal(false);
      expect(text.includes(dataDir), name).to.equal(false);
      expect(/fileSystemLocation['"]?:['"]/u.test(text), name).to.equal(false);
    }
    // Metro writes an index map: a section a module.
    type Section = { map: { sources: string[] } };
    const map = JSON.parse(readFileSync(join(outDir, 'bundle.js.map'), 'utf8')) as { sources?: string[]; sections?: Section[] };
    const sources = map.sources ?? map.sections?.flatMap((section) => section.map.sources);
    expect(sources).to.include('src/screens/NoteListScreen.tsx').and.to.include('node_modules/react-native/index.js');
    expect(sources?.filter((name) => name.startsWith('/') || name.startsWith('..'))).to.deep.equal([]);
  });

  it('ends a build at once when its signal says so, and leaves no answer', async function () {
    this.timeout(60_000);
    const controller = new AbortController();
    const reason = new Error('cancelled');
    const attempt = buildIn(builder, work.path, fieldNotes, { signal: controller.signal, onProgress: () => controller.abort(reason) });
    expect(await attempt.then(() => null, (error: unknown) => error)).to.equal(reason);
  });

  it('runs two builds side by side, each with its own sources alone', async function () {
    this.timeout(60_000);
    const texts = ['alpha-project', 'beta-project'];
    const results = await Promise.all(
      texts.map(async (text) => {
        const source = join(work.path, text);
        writeFiles(source, { 'index.js': `console.log(${JSON.stringify(text)})` });
        const outDir = join(work.path, `${text}-out`);
        succeeded(await buildIn(builder, work.path, source, { outDir }));
        return readFileSync(join(outDir, 'bundle.js'), 'utf8');
      }),
    );
    expect(results.map((bundle) => texts.filter((text) => bundle.includes(text)))).to.deep.equal([['alpha-project'], ['beta-project']]);
  });

  it('leaves nothing beside its output and its cache', async function () {
    this.timeout(60_000);
    const folder = temporaryFolder();
    writeFiles(join(folder.path, 'src'), { 'index.js': 'console.log(1)' });
    succeeded(await buildIn(builder, folder.path, join(folder.path, 'src'), { outDir: join(folder.path, 'out'), cacheDir: join(folder.path, 'cache') }));
    expect(readdirSync(folder.path).sort()).to.deep.equal(['cache', 'out', 'src']);
    expect(readdirSync(join(folder.path, 'cache'))).to.deep.equal(['transforms-ios-prod.pack']);
    folder.dispose();
    expect(existsSync(folder.path)).to.equal(false);
  });
});
