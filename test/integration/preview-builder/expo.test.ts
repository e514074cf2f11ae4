/** Expo's set: its apps, through the real builder, in what stands in for Expo Go and in a real Chromium. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { ExpoManifest } from '#generated/sdk/types.gen.ts';
import type { WorkerCaller } from '#platform/call.ts';
import { createBuilder, type BuildRequest, type Builder, type BuildResult } from '#workers/preview/builder.ts';
import type { LiveOutcome } from '#workers/preview/live-build.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { claim, put, request, sourceOf, uploadMissing } from '../../support/preview-jobs.ts';
import { expoGoModules, localFileOf } from '../../support/preview/expo-client.ts';
import { loadBundle } from '../../support/preview/load-bundle.ts';
import { openWebBundle } from '../../support/preview/open-web-bundle.ts';
import { buildIn, pixel, temporaryFolder, writeFiles, type Files } from '../../support/preview/projects.ts';
import { dataDir, ensureExpoSdk, installTimeoutMs } from '../../support/preview/sdk.ts';
import { refusalOf } from '../../support/refusals.ts';

const tideTimes = fileURLToPath(new URL('../../../examples/tide-times', import.meta.url));
/** Measured: a platform that is not primed takes 20 s on two busy cores. */
const unprimedMs = 150_000;
type Built = Extract<BuildResult, { ok: true }> & { outDir: string };

describe('the preview builder with the set of Expo', () => {
  const backend = useBackend();
  const work = temporaryFolder();
  let builder: Builder;
  let sdkVersion = '';
  let ada: Person;
  let worker: WorkerCaller;
  let projectId = '';
  let count = 0;

  before(async function () {
    this.timeout(installTimeoutMs);
    sdkVersion = await ensureExpoSdk();
    builder = createBuilder({ dataDir, sdkVersions: [sdkVersion], warm: 1, limits: { timeoutMs: unprimedMs } });
    await builder.warmed();
    ada = await backend.current.person();
    worker = await backend.current.worker();
    projectId = await backend.current.project(ada, { name: 'Tide times' });
  });
  after(async () => {
    await builder.close();
    work.dispose();
  });

  const attempt = async (source: string | Files, more: Partial<BuildRequest> = {}): Promise<{ result: BuildResult; outDir: string }> => {
    count += 1;
    const sourceDir = typeof source === 'string' ? source : join(work.path, `src-${count}`);
    if (typeof source !== 'string') writeFiles(sourceDir, source);
    const outDir = join(work.path, `built-${count}`);
    return { result: await buildIn(builder, work.path, sourceDir, { sdkVersion, entryFile: 'index.ts', outDir, timeoutMs: unprimedMs, ...more }), outDir };
  };
  const build = async (source: string | Files, more: Partial<BuildRequest> = {}): Promise<Built> => {
    const { result, outDir } = await attempt(source, more);
    if (!result.ok) throw new Error(`the build failed: ${JSON.stringify(result.failure)} ${result.diagnostics}`);
    return { ...result, outDir };
  };

  /** Both builds for a page have the same environment: the second finds what the first transformed of the set. */
  const onPage = (source: string | Files): Promise<Built> =>
    build(source, { platform: 'web', cacheDir: join(work.path, 'web-cache'), env: { EXPO_PUBLIC_MOON: 'full' } });

  /** What the backend answers to Expo Go about a build: asked for, built, uploaded and reported as a worker does it. */
  const published = async ({ files, outDir }: Built, platform: 'ios' | 'android'): Promise<ExpoManifest> => {
    const { run, url, sql } = backend.current;
    await sql("update worker_nodes set last_heartbeat_at = now(), capabilities = jsonb_set(capabilities, '{sdk_versions}', to_jsonb(array[?]::text[])) where id = ?", [sdkVersion, worker.nodeId]);
    const sources = [sourceOf('index.js', `published ${outDir}`)];
    const { data } = await request(backend.current, ada, projectId, sources, { sdk_version: sdkVersion, target_platform: platform });
    const { id: jobId } = data.job;
    await uploadMissing(data, sources);
    await run('startPreviewJob', ada, { path: { job_id: jobId } });
    const { lease_token } = await claim(backend.current, worker, jobId);
    const built = files.filter((file) => file.kind === 'bundle' || file.kind === 'asset');
    const { data: { uploads } } = await run('createJobUploads', worker, {
      path: { job_id: jobId },
      body: { lease_token, objects: built.map(({ path, sizeBytes: size, sha256 }) => ({ path, size, sha256, content_type: 'application/octet-stream', content_encoding: 'identity' as const })) },
    });
    const artifacts = await Promise.all(built.map(async ({ kind, path, sizeBytes: size, sha256 }, at) => {
      const upload = uploads[at] ?? expect.fail('There is nowhere to upload to.');
      expect(await put(upload.upload_url ?? '', upload.headers, readFileSync(join(outDir, path)))).to.equal(200);
      return { kind, path, object_key: upload.object_key, size, sha256, encoding: 'identity' as const };
    }));
    const timings = { fetching_ms: 1, bundling_ms: 2, packaging_ms: 3, uploading_ms: 4 };
    const result = { kind: 'preview' as const, bundle_bytes: artifacts.find(({ kind }) => kind === 'bundle')?.size ?? 0, timings };
    expect((await run('reportJobResult', worker, { body: { job_id: jobId, status: 'SUCCESS', lease_token, artifacts, result } })).data.accepted).to.equal(true);
    const { data: token } = await run('createPreviewToken', ada, { path: { job_id: jobId } });
    expect(token.deep_link).to.equal(token.manifest_url.replace(/^http/, 'exp')).and.to.contain(new URL(url).host);
    const answer = await fetch(token.manifest_url, { headers: { accept: 'application/expo+json', 'expo-platform': platform, 'expo-runtime-version': 'exposdk:57.0.0' } });
    expect(answer.status).to.equal(200);
    return await answer.json() as ExpoManifest;
  };

  for (const [platform, dev] of [['ios', false], ['ios', true], ['android', false]] as const) {
    it(`builds the sample for ${platform}${dev ? ' in development' : ''}: in Expo Go it registers, shows its first screen, and finds the file of its image among those of the update`, async function () {
      this.timeout(unprimedMs + 60_000);
      const built = await build(tideTimes, { platform, dev });
      expect(built.metadata.sdk).to.deep.equal({ name: 'expo', version: sdkVersion });
      if (platform === 'ios') expect(built.metadata.modules.transformed, 'what is not the set’s').to.be.lessThan(20);
      const manifest = await published(built, platform);
      // Expo Go compares `sdkVersion` with its own, takes an anonymous scope for verified, and would ask a server that `expoGo` named for the bundle.
      expect(manifest.runtimeVersion).to.equal('exposdk:57.0.0');
      expect(manifest.extra).to.deep.include({ scopeKey: `@anonymous/hivesync-${projectId}`, expoClient: { name: 'Tide times', slug: 'hivesync', runtimeVersion: 'exposdk:57.0.0', sdkVersion: '57.0.0' } });
      expect(manifest.extra).not.to.have.property('expoGo');

      const shown = await loadBundle(join(built.outDir, 'bundle.js'), platform, expoGoModules(manifest, platform));
      expect(shown.errors).to.deep.equal([]);
      expect(shown.appKeys).to.deep.equal(['main']);
      expect(shown.texts).to.include.members(['When is high water?', 'Whitby', '04:12', 'Opened in Tide times']);
      expect(shown.views).to.include('RNSScreenStack');
      // The display has three pixels for one.
      const picture = readFileSync(join(tideTimes, 'assets/tide@3x.png'));
      const asset = manifest.assets.find(({ hash }) => hash === createHash('sha256').update(picture).digest('base64url')) ?? expect.fail('The image is not in the manifest.');
      expect(shown.images).to.deep.equal([localFileOf(asset.key)]);
      expect(Buffer.from(await (await fetch(asset.url)).arrayBuffer())).to.deep.equal(picture);
    });
  }

  it('makes the same bundle of the same sources, with no path of this machine in it or its map', async function () {
    this.timeout(60_000);
    const [first, second] = [await build(tideTimes), await build(tideTimes)];
    expect(second.metadata.bundle).to.deep.equal(first.metadata.bundle);
    for (const name of ['bundle.js', 'bundle.js.map', 'metadata.json', 'build.log']) {
      const text = readFileSync(join(first.outDir, name), 'utf8');
      for (const trace of [work.path, dataDir, '/b/src', '/b/sdk']) expect(text.includes(trace), `${name} names ${trace}`).to.equal(false);
    }
  });

  it('shows the sample on a page: image, icons and font lie in the bundle, and it goes on to another screen', async function () {
    this.timeout(unprimedMs + 60_000);
    const { files, outDir } = await onPage(tideTimes);
    expect(files.map(({ path }) => path).sort()).to.deep.equal(['build.log', 'bundle.js', 'bundle.js.map', 'metadata.json']);
    const shown = await openWebBundle(join(outDir, 'bundle.js'), 'When is high water?');
    try {
      expect(shown.errors).to.deep.equal([]);
      expect(shown.text).to.include('Whitby').and.to.include('04:12');
      expect(shown.images).to.deep.equal([`data:image/png;base64,${readFileSync(join(tideTimes, 'assets/tide@2x.png')).toString('base64')}#`]);
      if (shown.page === null) return;
      await shown.page.frame.getByText('Whitby').first().click();
      await shown.page.frame.getByText('5.1 m').waitFor();
      // The icons are letters of a font.
      expect(await shown.page.frame.evaluate(`document.fonts.load('20px ionicons').then((fonts) => fonts.length)`)).to.equal(1);
    } finally {
      await shown.page?.close();
    }
  });

  it('runs and reads no configuration of a project, though Expo’s own tools would', async function () {
    this.timeout(unprimedMs);
    const trap = `throw new Error('a file of the project was run');`;
    const { outDir } = await onPage({
      'index.ts': `import { registerRootComponent } from 'expo'; import { createElement } from 'react'; import { Text } from 'react-native';
registerRootComponent(() => createElement(Text, null, String(process.env.APP_MANIFEST), process.env.EXPO_PUBLIC_MOON));`,
      'app.config.js': trap, 'app.config.ts': trap, 'app.json': '{ "expo": { "name": "Named in app.json" } }', 'postcss.config.js': trap,
    });
    const bundle = readFileSync(join(outDir, 'bundle.js'), 'utf8');
    expect(bundle).to.include('"full"').and.to.match(/\{\\?"name\\?":\\?"Preview\\?",/);
    expect(bundle).not.to.include('Named in app.json');
  });

  it('follows edits in a live session: of code, and of an image, whose new hash the bundle names', async function () {
    this.timeout(60_000);
    const live = builder.live({ sdkVersion, entryFile: 'index.ts', platform: 'ios', dev: false, env: {}, environment: 'development', memoryBytes: 1024 ** 3, timeoutMs: 30_000 });
    const bundleOf = (outcome: LiveOutcome): string => (outcome.ok ? outcome.bundle.toString('utf8') : expect.fail(JSON.stringify(outcome.failure)));
    const written = (files: Files): Map<string, string> => {
      count += 1;
      const folder = join(work.path, `live-${count}`);
      writeFiles(folder, files);
      return new Map(Object.keys(files).map((path) => [path, join(folder, path)]));
    };
    const other = Buffer.concat([pixel, Buffer.from('more of it')]);
    const hexOf = (image: Buffer): string => createHash('sha256').update(image).digest('hex');
    const source = (word: string): string => `import 'expo'; console.log(${JSON.stringify(word)}, require('./x.png'));`;
    try {
      expect(bundleOf(await live.start(written({ 'index.ts': source('ebb'), 'x.png': pixel })))).to.include('"ebb"').and.to.include(hexOf(pixel));
      expect(bundleOf(await live.change(written({ 'index.ts': source('flood') }), []))).to.include('"flood"').and.to.include(hexOf(pixel));
      expect(bundleOf(await live.change(written({ 'x.png': other }), []))).to.include(hexOf(other)).and.not.to.include(hexOf(pixel));
    } finally {
      live.close();
    }
  });

  it('names a package that is not of the set', async function () {
    this.timeout(60_000);
    const { result } = await attempt({ 'index.ts': `import 'expo';\nimport { Camera } from 'expo-camera';\nconsole.log(Camera);` });
    const failure = result.ok ? expect.fail('It was built.') : result.failure;
    expect(failure).to.deep.include({ code: 'UNKNOWN_IMPORT', import: 'expo-camera', file: 'index.ts', line: 2 });
    expect(failure.message).to.include(`"expo-camera" is not part of the SDK set expo ${sdkVersion}`);
  });

  it('names a component that it could only pretend to build', async function () {
    this.timeout(60_000);
    const { result } = await attempt({ 'index.ts': `import './Chart';`, 'Chart.tsx': `// a page\n'use dom';\nexport default function Chart() { return null; }` });
    expect(result.ok ? expect.fail('It was built.') : result.failure).to.deep.include({
      code: 'BUILD_ERROR', file: 'Chart.tsx', line: 2, message: '"use dom" is not supported in a preview: such a component is a page of its own, which is not built.',
    });
  });

  it('is refused while no living worker has it, and listed as such', async () => {
    const { run, sql } = backend.current;
    await sql("update worker_nodes set last_heartbeat_at = now(), capabilities = jsonb_set(capabilities, '{sdk_versions}', '[]')");
    const refusal = await refusalOf(request(backend.current, ada, projectId, [sourceOf('index.js', 'x')], { sdk_version: sdkVersion }));
    expect([refusal.code, refusal.details]).to.deep.equal(['CONFLICT', { field: 'sdk_version', sdk_version: sdkVersion, status: 'unavailable' }]);
    const { data: { items } } = await run('listPreviewSdks', ada);
    expect(items.map(({ version, status, is_default: isDefault }) => [version, status, isDefault])).to.deep.equal([['0.88.1', 'installing', true], [sdkVersion, 'unavailable', false]]);
    expect(items[1]).to.include({ runtime_version: 'exposdk:57.0.0', react_native_version: '0.86.3', react_version: '19.2.3' });
  });
});
