import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { PreviewBuildError, type BuildProgress } from '#sdk/index.ts';
import { failureOf, inTurn, openFixture, type Fixture } from './fixture.ts';
import { previewApi, type PreviewApi } from './preview-api.ts';

const projectId = '01920000-0000-7000-8000-000000000201';
const sha256 = (data: string): string => createHash('sha256').update(data).digest('hex');
const files = [{ path: 'index.js', content: 'import "./src/App";' }, { path: 'src/App.js', content: 'export default 1;' }, { path: 'src/Copy.js', content: 'export default 1;' }];
const many = Array.from({ length: 30 }, (_value, index) => ({ path: `src/${index}.js`, content: `export default ${index};` }));

describe('building a preview', () => {
  let fixture: Fixture;
  let api: PreviewApi;
  beforeEach(async () => {
    fixture = await openFixture();
    api = previewApi(fixture);
  });
  afterEach(async () => await fixture.close());

  it('uploads what is missing, each content once, starts, waits, and answers the bundle', async () => {
    const built = await fixture.client().previews.build(files, { projectId, platform: 'ios', entryFile: 'index.js', dev: true, env: { PUBLIC_A: '1' } });
    expect(api.calls.slice(0, 5)).to.deep.equal(['POST /preview/request', 'PUT /upload/{sha256}', 'PUT /upload/{sha256}', 'POST /preview/jobs/{id}/start', 'GET /preview/jobs/{id}/events']);
    expect(api.requests[0]).to.deep.equal({
      project_id: projectId, target_platform: 'ios', entry_file: 'index.js', dev: true, env: { PUBLIC_A: '1' },
      files: files.map(({ path, content }) => ({ path, sha256: sha256(content), size: content.length })),
    });
    expect(built).to.include({ token: 'preview-token', url: 'https://storage.example.com/identity' });
    expect(built.job.status).to.equal('succeeded');
    expect(built.artifacts).to.have.length(2);
  });

  it('uploads nothing that the project has, and starts nothing that started by itself', async () => {
    const hive = fixture.client();
    await hive.previews.build(files, { projectId });
    api.calls.splice(0);
    await hive.previews.build(files, { projectId });
    expect(api.calls).to.deep.equal(['POST /preview/request', 'GET /preview/jobs/{id}/events', 'GET /preview/jobs/{id}/artifacts']);
  });

  it('sends many contents as one tar, exactly as long as the API signed', async () => {
    await fixture.client().previews.build(many, { projectId });
    expect(api.calls.filter((call) => call.startsWith('PUT'))).to.deep.equal(['PUT /upload/pack']);
    expect(api.blobs.size).to.equal(30);
  });

  it('puts into the tar also what the first answer did not name', async () => {
    api.firstMissing = 5;
    await fixture.client().previews.build(many, { projectId });
    expect(api.calls.filter((call) => call.startsWith('GET /preview/jobs/{id}/missing'))).to.have.length(5);
    expect(api.blobs.size).to.equal(30);
  });

  it('tells how far it is, stage by stage, never backwards', async () => {
    const seen: BuildProgress[] = [];
    const logs: unknown[] = [];
    await fixture.client().previews.build(files, { projectId, onProgress: (progress) => seen.push(progress), onEvent: (event) => logs.push(event.data) });
    expect([...new Set(seen.map((progress) => progress.stage))]).to.deep.equal(['hashing', 'uploading', 'queued', 'bundling', 'packaging']);
    for (const stage of ['hashing', 'uploading'] as const) {
      const steps = seen.filter((progress) => progress.stage === stage);
      expect(steps.map((step) => step.done)).to.deep.equal(steps.map((step) => step.done).sort((a, b) => a - b));
      expect(steps.at(-1)).to.include({ done: steps[0]?.total });
    }
  });

  it('throws where the sources do not build: file, line and code frame', async () => {
    const error = { code: 'PREVIEW_BUILD_FAILED', kind: 'build_error', message: 'Unexpected token', file: 'src/App.js', line: 3, column: 7, code_frame: '> 3 | <', import_name: null };
    api.outcome = [{ status: 'failed', error }];
    const thrown = await failureOf(fixture.client().previews.build(files, { projectId }));
    expect(thrown).to.be.instanceOf(PreviewBuildError);
    expect(thrown).to.include({ code: 'PREVIEW_BUILD_FAILED', message: 'Unexpected token', kind: 'build_error', file: 'src/App.js', line: 3, column: 7, codeFrame: '> 3 | <' });
  });

  it('throws when the build ran out of time, and when it was cancelled', async () => {
    api.outcome = [{ status: 'timed_out', error: { code: 'PREVIEW_TIMEOUT', kind: 'timeout', message: 'Too long.', file: null, line: null, column: null, code_frame: null, import_name: null } }];
    expect(await failureOf(fixture.client().previews.build(files, { projectId }))).to.include({ name: 'PreviewBuildError', code: 'PREVIEW_TIMEOUT', file: null });
    api.outcome = [{ status: 'cancelled' }];
    expect(await failureOf(fixture.client().previews.build(files, { projectId }))).to.include({ name: 'HiveSyncError', code: 'CANCELLED' });
  });

  it('repeats an upload that fails in passing', async () => {
    const real = api.answer;
    const bad = inTurn((_asked, response) => void response.writeHead(503).end(), (_asked, response) => void response.destroy(), real);
    fixture.answer = async (asked, response) => await (asked.method === 'PUT' ? bad : real)(asked, response);
    await fixture.client().previews.build(files.slice(0, 1), { projectId });
    expect(fixture.asked.filter((asked) => asked.method === 'PUT')).to.have.length(3);
    expect(fixture.pauses).to.have.length(2);
  });

  it('does not repeat an upload that was refused', async () => {
    const real = api.answer;
    fixture.answer = async (asked, response) => await (asked.method === 'PUT' ? (): void => void response.writeHead(403).end() : real)(asked, response);
    expect(await failureOf(fixture.client().previews.build(files.slice(0, 1), { projectId }))).to.include({ code: 'UPLOAD_REFUSED', status: 403 });
    expect(fixture.asked.filter((asked) => asked.method === 'PUT')).to.have.length(1);
  });

  it('refuses to begin with nothing', async () => {
    expect(await failureOf(fixture.client().previews.build([], { projectId }))).to.include({ code: 'BAD_SOURCES' });
    expect(fixture.asked).to.deep.equal([]);
  });

  describe('out of a folder', () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'hivesync-project-'));
    });
    afterEach(async () => await rm(folder, { recursive: true, force: true }));
    const write = async (path: string, content: string | Buffer = path): Promise<void> => {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content);
    };
    const paths = (): string[] => (api.requests.at(-1)?.files ?? []).map((file) => file.path);

    it('takes the sources, by path, and nothing that is no part of a build', async () => {
      for (const path of ['index.js', 'src/App.tsx', 'src/android/x.js', 'assets/logo@2x.png', 'package.json']) await write(path);
      for (const path of ['.git/config', '.env', 'src/.DS_Store', 'node_modules/a/index.js', 'packages/b/node_modules/c.js', 'ios/Pods/x.h', 'android/build.gradle', 'babel.config.js', 'packages/b/metro.config.cjs']) await write(path);
      await fixture.client().previews.build(folder, { projectId });
      expect(paths()).to.deep.equal(['assets/logo@2x.png', 'index.js', 'package.json', 'src/App.tsx', 'src/android/x.js']);
    });

    it('leaves out what it is told to, whole folders at once', async () => {
      for (const path of ['index.js', 'docs/a.md', 'docs/deep/b.md']) await write(path);
      const asked: string[] = [];
      await fixture.client().previews.build(folder, { projectId, ignore: (path) => asked.push(path) > 0 && path === 'docs' });
      expect(paths()).to.deep.equal(['index.js']);
      expect(asked.sort()).to.deep.equal(['docs', 'index.js']);
    });

    it('follows no link and hangs on no FIFO', async () => {
      await write('index.js');
      await symlink('/etc/hostname', join(folder, 'host'));
      await symlink('..', join(folder, 'up'));
      execFileSync('mkfifo', [join(folder, 'pipe')]);
      await fixture.client().previews.build(folder, { projectId });
      expect(paths()).to.deep.equal(['index.js']);
    });

    it('uploads bytes as they are', async () => {
      const picture = randomBytes(6_000_001);
      await write('index.js');
      await write('logo.png', picture);
      await fixture.client().previews.build(folder, { projectId });
      expect([...api.blobs.values()].some((blob) => blob.equals(picture))).to.equal(true);
    });

    it('composes names that the file system gives decomposed', async () => {
      await write('u\u0308.js');
      await fixture.client().previews.build(folder, { projectId });
      expect(paths()).to.deep.equal(['\u00fc.js']);
    });

    it('says which folder cannot be read', async () => {
      expect(await failureOf(fixture.client().previews.build(join(folder, 'missing'), { projectId }))).to.include({ code: 'BAD_SOURCES' });
    });
  });
});
