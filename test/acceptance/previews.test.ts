import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { PreviewBuildError, type BuildProgress, type BuiltPreview } from '#sdk/index.ts';
import { failureOf } from '../support/failures.ts';
import { recordingFetch } from '../support/operations.ts';
import { type LoadedBundle, loadBundle } from '../support/preview/load-bundle.ts';
import { inventoryApp } from '../support/preview/projects.ts';
import { type Person, until, useSystem } from '../support/system.ts';

const sample = fileURLToPath(new URL('../../examples/field-notes', import.meta.url));
const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');
const filesOf = (files: Readonly<Record<string, string | Buffer>>): { path: string; content: Uint8Array<ArrayBuffer> }[] =>
  Object.entries(files).map(([path, content]) => ({ path, content: Uint8Array.from(Buffer.from(content)) }));
const inline = (path: string, text: string): { path: string; content_base64: string } => ({ path, content_base64: Buffer.from(text).toString('base64') });

/** Downloads a bundle by its signed URL and runs it as a phone would. */
async function load(built: BuiltPreview, platform: 'ios' | 'android'): Promise<LoadedBundle> {
  const folder = mkdtempSync(join(tmpdir(), 'hivesync-loaded-'));
  try {
    const response = await fetch(built.url);
    expect(response.status).to.equal(200);
    writeFileSync(join(folder, 'bundle.js'), Buffer.from(await response.arrayBuffer()));
    return await loadBundle(join(folder, 'bundle.js'), platform);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('previews over the wire', function () {
  this.timeout(180_000);
  const system = useSystem({ workers: 1 });
  let ada: Person;
  let projectId = '';

  beforeEach(async () => {
    ada = await system.current.person();
    projectId = (await ada.hive.api.createProject({ body: { name: 'Field Notes' } })).id;
  });

  for (const platform of ['ios', 'android'] as const) {
    it(`builds the sample app for ${platform}: it loads, registers and shows its first screen`, async () => {
      const stages = new Set<BuildProgress['stage']>();
      const built = await ada.hive.previews.build(sample, { projectId, platform, onProgress: ({ stage }) => stages.add(stage) });
      expect(built.job).to.include({ status: 'succeeded', target_platform: platform, progress: 100, attempt: 1 });
      const shown = await load(built, platform);
      expect(shown.errors).to.deep.equal([]);
      expect(shown.appKeys).to.have.length(1);
      expect(shown.texts.join(' ')).to.contain('What did you see today?');
      expect([...stages]).to.include.members(['hashing', 'uploading', 'bundling']);
      const kinds = new Set(built.artifacts.map((artifact) => artifact.kind));
      expect(kinds).to.deep.equal(new Set(['bundle', 'source_map', 'metadata', 'log', 'asset']));
    });
  }

  it('builds an app that is not in this repository, sent as one tar', async () => {
    const built = await ada.hive.previews.build(filesOf(inventoryApp(30)), { projectId, platform: 'ios', entryFile: 'main.tsx', env: { PUBLIC_SHOP: 'corner shop' } });
    const shown = await load(built, 'ios');
    expect(shown.errors).to.deep.equal([]);
    expect(shown.appKeys).to.deep.equal(['Inventory']);
    expect(shown.texts).to.include.members(['on an iPhone', 'corner shop', 'shelf 29']);
  });

  it('stores each artifact as its list says, encoded as it says, behind a URL that works', async () => {
    const { job } = await ada.hive.previews.build(sample, { projectId, platform: 'ios' });
    const artifacts = [];
    for await (const artifact of ada.hive.paginate(ada.hive.api.listPreviewArtifacts, { path: { job_id: job.id }, query: { limit: 5 } })) artifacts.push(artifact);
    const encodings = artifacts.filter((one) => one.kind === 'bundle').map((one) => one.encoding);
    expect(encodings.sort()).to.deep.equal(['br', 'gzip', 'identity']);
    for (const artifact of artifacts) {
      const response = await fetch(artifact.url);
      expect(response.status, artifact.path).to.equal(200);
      expect(response.headers.get('content-encoding') ?? 'identity').to.equal(artifact.encoding);
      const body = Buffer.from(await response.arrayBuffer());
      if (artifact.encoding === 'identity') expect(sha256(body), artifact.path).to.equal(artifact.sha256);
    }
    const identity = artifacts.find((one) => one.kind === 'bundle' && one.encoding === 'identity');
    expect(identity?.size).to.equal(job.bundle_bytes);
  });

  it('uploads only what the project does not have, and nothing the second time', async () => {
    await ada.hive.previews.build(sample, { projectId, platform: 'ios' });
    const uploads: number[] = [];
    const again = await ada.hive.previews.build(sample, { projectId, platform: 'android', onProgress: ({ stage, total }) => { if (stage === 'uploading') uploads.push(total); } });
    expect(again.job.status).to.equal('succeeded');
    expect(uploads.filter((bytes) => bytes > 0)).to.deep.equal([]);
  });

  it('takes single uploads, names what is missing, and starts once everything is there', async () => {
    const [entry, used] = ["require('./used');", "require('react-native').AppRegistry.registerComponent('x', () => null);"];
    const files = [['index.js', entry], ['used.js', used]].map(([path = '', text = '']) => ({ path, sha256: sha256(text), size: text.length }));
    const requested = await ada.hive.api.requestPreview({ body: { project_id: projectId, target_platform: 'ios', files } });
    expect(requested.job).to.include({ status: 'queued', awaiting_upload: true, missing_count: 2 });
    const path = { job_id: requested.job.id };
    const early = await failureOf(ada.hive.api.startPreviewJob({ path }));
    expect(early).to.include({ code: 'CONFLICT', status: 409 });
    expect(early.details).to.include({ missing_count: 2 });
    const listed = await ada.hive.api.listMissingBlobs({ path });
    expect(listed.items.map((blob) => blob.sha256)).to.deep.equal(files.map((file) => file.sha256).sort());
    for (const blob of listed.items) {
      const text = blob.sha256 === sha256(entry) ? entry : used;
      const put = await fetch(blob.upload_url, { method: 'PUT', headers: blob.headers, body: text });
      expect(put.status).to.be.oneOf([200, 201, 204]);
    }
    const started = await ada.hive.api.startPreviewJob({ path });
    expect(started.awaiting_upload).to.equal(false);
    expect((await ada.hive.previews.wait(started.id)).status).to.equal('succeeded');
  });

  it('refuses an upload of another content than the one that was announced', async () => {
    const files = [{ path: 'index.js', sha256: sha256('announced'), size: 9 }];
    const { missing } = await ada.hive.api.requestPreview({ body: { project_id: projectId, target_platform: 'ios', files } });
    const [blob] = missing;
    if (blob === undefined) throw new Error('one blob is missing');
    for (const body of ['other one', 'announced and longer']) {
      const put = await fetch(blob.upload_url, { method: 'PUT', headers: blob.headers, body });
      expect(put.status).to.be.within(400, 499);
    }
  });

  it('builds in one call, and answers a URL, a token and ten minutes', async () => {
    const built = await ada.hive.api.buildPreview({
      body: { project_id: projectId, target_platform: 'ios', files: [inline('index.js', "require('react-native').AppRegistry.registerComponent('inline', () => null);")] },
    }, { timeoutMs: 120_000 });
    expect(built.expires_in).to.equal(600);
    expect(await (await fetch(built.url)).text()).to.contain('inline');
  });

  it('says in one call where a build broke: file, line and the lines around it', async () => {
    const failure = await failureOf(ada.hive.api.buildPreview({
      body: { project_id: projectId, target_platform: 'ios', files: [inline('index.js', "import './src/broken';"), inline('src/broken.ts', 'export const a = 1;\nconst = ;\n')] },
    }, { timeoutMs: 120_000 }));
    expect(failure).to.include({ code: 'PREVIEW_BUILD_FAILED', status: 422 });
    expect(failure.details).to.include({ kind: 'build_error', file: 'src/broken.ts', line: 2 });
    expect((failure.details as { code_frame: string }).code_frame).to.contain('const = ;');
  });

  it('names the package that is not in the SDK set', async () => {
    const error = await ada.hive.previews.build(filesOf({ 'index.js': "require('left-pad-nope');" }), { projectId, platform: 'ios' }).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(PreviewBuildError);
    const failed = error as PreviewBuildError;
    expect(failed.kind).to.equal('unknown_import');
    expect(failed.job).to.include({ status: 'failed', attempt: 1 });
    expect(failed.message).to.contain('left-pad-nope').and.to.contain('0.88.1');
    expect(failed.job.error?.import_name).to.equal('left-pad-nope');
  });

  it('names the relative file that does not exist', async () => {
    const error = await ada.hive.previews.build(filesOf({ 'index.js': "require('./nowhere');" }), { projectId, platform: 'ios' }).catch((thrown: unknown) => thrown);
    expect((error as PreviewBuildError).kind).to.equal('missing_file');
  });

  it('ends a build at the limit of its time, as timed out', async () => {
    const many = Object.fromEntries(Array.from({ length: 1500 }, (_, index) => [`m/f${index}.js`, `module.exports = ${index};`]));
    // A first build that breaks at once uploads the modules and transforms none of them.
    await ada.hive.previews.build(filesOf({ ...many, 'index.js': 'const = ;' }), { projectId, platform: 'ios' }).catch((thrown: unknown) => thrown);
    const entry = Array.from({ length: 1500 }, (_, index) => `require('./m/f${index}');`).join('\n');
    const files = filesOf({ ...many, 'index.js': entry }).map(({ path, content }) => ({ path, sha256: sha256(content), size: content.length }));
    const { job, missing: [blob] } = await ada.hive.api.requestPreview({ body: { project_id: projectId, target_platform: 'ios', files } });
    if (blob === undefined) throw new Error('the entry is missing');
    await fetch(blob.upload_url, { method: 'PUT', headers: blob.headers, body: entry });
    await system.current.sql('update preview_jobs set max_build_ms = 1000 where id = $1', [job.id]);
    await ada.hive.api.startPreviewJob({ path: { job_id: job.id } });
    const ended = await ada.hive.previews.wait(job.id);
    expect(ended.status).to.equal('timed_out');
    expect(ended.error).to.include({ code: 'PREVIEW_TIMEOUT', kind: 'timeout' });
  });

  it('follows a build by events: the job first, lines of its log, the end last', async () => {
    const { job } = await ada.hive.previews.build(sample, { projectId, platform: 'ios' });
    const events = [];
    for await (const event of ada.hive.events('/preview/jobs/{job_id}/events', { path: { job_id: job.id } })) events.push(event);
    const last = events.at(-1);
    expect(last?.event).to.equal('job');
    expect(last?.data).to.include({ id: job.id, status: 'succeeded' });
    const logged = events.filter((event) => event.event === 'log');
    const lines = [];
    for await (const line of ada.hive.paginate(ada.hive.api.getPreviewLogs, { path: { job_id: job.id } })) lines.push(line);
    expect(lines.length).to.be.greaterThan(0);
    expect(logged.map((event) => event.data)).to.deep.equal(lines);
  });

  it('shows jobs to members of the project alone, newest first', async () => {
    const { job } = await ada.hive.previews.build(sample, { projectId, platform: 'ios' });
    const listed = await ada.hive.api.listPreviewJobs({ query: { project_id: projectId } });
    expect(listed.items[0]?.id).to.equal(job.id);
    expect((await ada.hive.api.getPreviewJob({ path: { job_id: job.id } })).id).to.equal(job.id);
    const ben = await system.current.person();
    expect((await ben.hive.api.listPreviewJobs({})).items).to.deep.equal([]);
    expect(await failureOf(ben.hive.api.getPreviewJob({ path: { job_id: job.id } }))).to.include({ code: 'NOT_FOUND', status: 404 });
    expect(await failureOf(ben.hive.api.listPreviewArtifacts({ path: { job_id: job.id } }))).to.include({ code: 'NOT_FOUND' });
  });

  it('gives a fresh view token, and takes the job away for good', async () => {
    const { job } = await ada.hive.previews.build(sample, { projectId, platform: 'ios' });
    const path = { job_id: job.id };
    const token = await ada.hive.api.createPreviewToken({ path });
    expect(token.expires_in).to.equal(600);
    expect(token.view_url).to.contain(token.token);
    await ada.hive.api.deletePreviewJob({ path });
    expect(await failureOf(ada.hive.api.getPreviewJob({ path }))).to.include({ code: 'NOT_FOUND', status: 404 });
  });

  it('shares a preview with somebody who is not in the project, until it is revoked', async () => {
    const { job } = await ada.hive.previews.build(sample, { projectId, platform: 'ios' });
    const path = { job_id: job.id };
    const ben = await system.current.person();
    const share = await ada.hive.api.sharePreview({ path, body: { user_id: ben.tokens.user.id, note: 'Look.' } });
    expect(share.user.id).to.equal(ben.tokens.user.id);
    expect((await ada.hive.api.listPreviewShares({ path })).items.map(({ id }) => id)).to.deep.equal([share.id]);
    expect((await ben.hive.api.createPreviewToken({ path })).token).to.be.a('string');
    await ada.hive.api.revokePreviewShare({ path: { share_id: share.id } });
    expect(await failureOf(ben.hive.api.createPreviewToken({ path }))).to.include({ code: 'GONE', status: 410 });
    expect((await ada.hive.api.listPreviewShares({ path })).items).to.deep.equal([]);
  });

  it('takes a bundle that the client built, once, and shows it by its token', async () => {
    const { session, token, upload_token: uploadToken } = await ada.hive.api.createPreviewSession({ body: { kind: 'bundle', project_id: projectId, target_platform: 'ios' } });
    const anybody = system.current.anonymous().api;
    const bundle = 'built by the client';
    const uploaded = await anybody.uploadPreviewBundle({ path: { token: uploadToken ?? '' }, body: new Blob([bundle], { type: 'application/javascript' }) });
    expect(uploaded).to.include({ id: session.id, status: 'ready', bundle_sha256: sha256(bundle) });
    const seen = await anybody.getPreviewSession({ path: { token } });
    expect(await (await fetch(seen.bundle_url ?? '')).text()).to.equal(bundle);
    expect(await failureOf(anybody.uploadPreviewBundle({ path: { token: uploadToken ?? '' }, body: new Blob(['another'], { type: 'application/javascript' }) }))).to.include({ code: 'CONFLICT', status: 409 });
  });

  it('describes itself to an Expo client by the address that comes with a token', async () => {
    const { job, artifacts } = await ada.hive.previews.build(sample, { projectId, platform: 'ios' });
    const { manifest_url: address } = await ada.hive.api.createPreviewToken({ path: { job_id: job.id } });
    const answer = await recordingFetch(address, { headers: { accept: 'application/expo+json', 'expo-platform': 'ios', 'expo-protocol-version': '1' } });
    expect(answer.status).to.equal(200);
    const manifest = (await answer.json()) as { id: string; runtimeVersion: string; launchAsset: { url: string; hash: string }; assets: { url: string; hash: string }[] };
    expect(manifest).to.include({ id: job.id, runtimeVersion: 'react-native@0.88.1' });
    expect(manifest.assets.length).to.be.within(1, artifacts.filter(({ kind }) => kind === 'asset').length);
    for (const { url, hash } of [manifest.launchAsset, ...manifest.assets]) {
      const content = new Uint8Array(await (await fetch(url)).arrayBuffer());
      expect(createHash('sha256').update(content).digest('base64url')).to.equal(hash);
    }
    expect((await recordingFetch(address, { headers: { 'expo-platform': 'android' } })).status).to.equal(409);
  });

  it('shows anybody with the link how far a build is, and then the way to a phone', async () => {
    const anybody = system.current.anonymous();
    const { job } = await ada.hive.previews.build(sample, { projectId, platform: 'ios' });
    const token = await ada.hive.api.createPreviewToken({ path: { job_id: job.id } });
    const events = [];
    for await (const event of anybody.events('/preview/view/{token}/events', { path: { token: token.token } })) events.push(event.data);
    expect(events).to.deep.equal([{ status: 'succeeded', awaiting_upload: false, stage: null, progress: 100 }]);
    const page = await anybody.api.viewPreview({ path: { token: token.token } });
    expect(page).to.contain('Field Notes').and.to.contain(token.deep_link ?? '');
    const answer = await recordingFetch(`${token.view_url}x`, { headers: { accept: 'text/html' } });
    expect([answer.status, answer.headers.get('content-type')]).to.deep.equal([401, 'text/html; charset=utf-8']);
  });

  it('cancels a build at once, and its worker stops', async () => {
    const { job } = await ada.hive.api.requestPreview({ body: { project_id: projectId, target_platform: 'ios', files: [{ path: 'index.js', sha256: sha256('x'), size: 1 }] } });
    const cancelled = await ada.hive.api.cancelPreviewJob({ path: { job_id: job.id } });
    expect(cancelled.status).to.equal('cancelled');
    expect(await failureOf(ada.hive.api.startPreviewJob({ path: { job_id: job.id } }))).to.include({ code: 'GONE', status: 410 });
  });

  it('lists the SDK sets with their packages, ready once a worker holds them', async () => {
    await until('the set to be ready', async () => (await ada.hive.api.listPreviewSdks({})).items[0]?.status === 'ready');
    const [set] = (await ada.hive.api.listPreviewSdks({})).items;
    expect(set).to.include({ version: '0.88.1', is_default: true });
    expect(set?.packages.map((one) => one.name)).to.include.members(['react', 'react-native', '@react-navigation/native']);
    expect((await system.current.anonymous().api.getDeepHealth({})).status).to.be.oneOf(['ok', 'degraded']);
  });
});
