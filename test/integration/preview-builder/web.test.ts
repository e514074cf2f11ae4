/** The web target: React Native on a page, in one bundle that needs nothing beside it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createBuilder, type BuildRequest, type Builder, type BuildResult } from '#workers/preview/builder.ts';
import { openWebBundle, type OpenedBundle } from '../../support/preview/open-web-bundle.ts';
import { buildIn, inventoryApp, temporaryFolder, writeFiles, type Files } from '../../support/preview/projects.ts';
import { dataDir, ensureSdk, installTimeoutMs, sdkVersion } from '../../support/preview/sdk.ts';

const fieldNotes = fileURLToPath(new URL('../../../examples/field-notes', import.meta.url));

describe('the preview builder for the web', () => {
  const work = temporaryFolder();
  let builder: Builder;
  let count = 0;

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

  const build = async (source: string | Files, more: Partial<BuildRequest> = {}): Promise<{ result: BuildResult; outDir: string }> => {
    count += 1;
    const sourceDir = typeof source === 'string' ? source : join(work.path, `src-${count}`);
    if (typeof source !== 'string') writeFiles(sourceDir, source);
    const outDir = join(work.path, `web-${count}`);
    return { result: await buildIn(builder, work.path, sourceDir, { platform: 'web', outDir, ...more }), outDir };
  };
  const opened = async (source: string | Files, firstText: string, more: Partial<BuildRequest> = {}): Promise<OpenedBundle & { outDir: string }> => {
    const { result, outDir } = await build(source, more);
    if (!result.ok) throw new Error(`the build failed: ${JSON.stringify(result.failure)} ${result.diagnostics}`);
    return { ...(await openWebBundle(join(outDir, 'bundle.js'), firstText)), outDir };
  };

  it('shows the sample app’s first screen in a frame of an opaque origin, its images with it, and goes on to another screen', async function () {
    this.timeout(90_000);
    const shown = await opened(fieldNotes, 'What did you see today?');
    try {
      expect(shown.errors).to.deep.equal([]);
      expect(shown.text).to.include('What did you see today?').and.to.include('Kingfisher by the weir');
      expect(shown.images.length).to.be.greaterThan(3);
      expect(shown.images.filter((uri) => !uri.startsWith('data:image/png;base64,'))).to.deep.equal([]);
      if (shown.page === null) return;
      const { frame } = shown.page;
      const drawn = await frame.locator('img').evaluateAll((images) => images.map((image) => (image as unknown as { naturalWidth: number }).naturalWidth));
      expect(drawn.every((width) => width > 0)).to.equal(true);
      expect(await frame.evaluate('[origin, (() => { try { return document.cookie } catch (error) { return error.name } })(), (() => { try { return String(parent.document) } catch (error) { return error.name } })()]')).to.deep.equal(['null', 'SecurityError', 'SecurityError']);
      await shown.page.screenshot(join(shown.outDir, 'first-screen.png'));
      await frame.getByText('Settings').first().click();
      await frame.getByText('Remind me at dusk').waitFor();
    } finally {
      await shown.page?.close();
    }
  });

  it('is one file: its assets lie in the bundle, and nothing in it tells of this machine', async function () {
    this.timeout(60_000);
    const { result, outDir } = await build(fieldNotes);
    expect(result.ok && result.files.map(({ path }) => path).sort()).to.deep.equal(['build.log', 'bundle.js', 'bundle.js.map', 'metadata.json']);
    const bundle = readFileSync(join(outDir, 'bundle.js'), 'utf8');
    expect(bundle).to.include(readFileSync(join(fieldNotes, 'assets/logo@2x.png')).toString('base64'));
    for (const name of ['bundle.js', 'bundle.js.map', 'metadata.json', 'build.log']) {
      const text = readFileSync(join(outDir, name), 'utf8');
      for (const trace of [dataDir, work.path, '/b/src']) expect(text.includes(trace), `${name} names ${trace}`).to.equal(false);
    }
  });

  it('takes most of React Native’s transforms from the cache of the set', async function () {
    this.timeout(60_000);
    for (const dev of [false, true]) {
      const { result } = await build(fieldNotes, { dev });
      expect(result.ok && result.metadata.modules.sdk, `dev ${String(dev)}`).to.be.greaterThan(400);
      expect(result.ok && result.metadata.modules.transformed, `dev ${String(dev)}`).to.be.lessThan(25);
    }
  });

  it('builds an app unlike the sample for development, with the files of the web before the plain ones and none of a phone', async function () {
    this.timeout(90_000);
    const files = {
      ...inventoryApp(5),
      'lib/where.web.ts': `export default 'on a page';`,
      'lib/where.native.ts': `export default 'on some phone';`,
      'lib/where.ts': `export default 'anywhere';`,
    };
    const shown = await opened(files, 'on a page', { entryFile: 'main.tsx', dev: true, env: { PUBLIC_SHOP: 'Corner shop' } });
    await shown.page?.close();
    expect(shown.text).to.include('on a page').and.to.include('Corner shop').and.to.include('shelf 4');
    expect(shown.errors).to.deep.equal([]);
  });

  it('starts an app once: one that starts itself is left alone, under a name of its own choice', async function () {
    this.timeout(90_000);
    const shown = await opened(
      {
        'hivesync-web.js': `throw new Error('a file of the project that is named as ours is not ours');`,
        'index.js': `import React from 'react'; import { AppRegistry, Text } from 'react-native';
AppRegistry.registerComponent('First', () => () => <Text>the first</Text>);
AppRegistry.registerComponent('Second', () => () => <Text>the second</Text>);
AppRegistry.runApplication('Second', { rootTag: document.getElementById('root') });`,
      },
      'the second',
    );
    await shown.page?.close();
    expect(shown.text.trim()).to.equal('the second');
    expect(shown.errors).to.deep.equal([]);
  });

  it('says on the page what keeps an app from starting', async function () {
    this.timeout(90_000);
    const shown = await opened({ 'index.js': `console.log('nothing is registered');` }, 'registers no component');
    await shown.page?.close();
    expect(shown.text).to.include('registers no component');
  });

  it('names an import that the web has no counterpart of', async function () {
    this.timeout(60_000);
    const { result } = await build({ 'index.js': `import x from 'react-native/Libraries/Core/InitializeCore';\nconsole.log(x);` });
    expect(result.ok ? null : result.failure).to.deep.include({ code: 'UNKNOWN_IMPORT', import: 'react-native/Libraries/Core/InitializeCore', file: 'index.js', line: 1 });
  });
});
