import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import type { ClaimedJob, JobSource, PreviewJobInput } from '#generated/sdk/types.gen.ts';
import { sha256Hex } from '#platform/crypto.ts';
import { newId } from '#platform/ids.ts';
import { createLogger } from '#platform/log.ts';
import { BlobCache } from '#workers/blob-cache.ts';
import type { JobOutcome, JobProgressUpdate } from '#workers/job-handler.ts';
import { WorkerBackend } from '#workers/backend.ts';
import type { Builder, BuildFailure, BuildRequest, OutputFile } from '#workers/preview/builder.ts';
import { previewHandler } from '#workers/preview/job.ts';
import { ProjectCaches } from '#workers/preview/project-caches.ts';
import { until } from '../../support/until.ts';
import { FixtureBackend, sharedSecret } from './fixture-backend.ts';

const bundle = `console.log(${JSON.stringify('field notes '.repeat(2_000))})`;

/** A build that copies its entry file, so that what goes in and out of a job can be told apart from Metro, which has tests of its own. */
const copying = (requests: BuildRequest[], failure: BuildFailure | null, atMap: () => Promise<BuildFailure | null> = () => Promise.resolve(null)): Builder => ({
  sandbox: 'bubblewrap',
  live: () => {
    throw new Error('A preview opens no live session.');
  },
  warmed: async () => undefined, rest: () => undefined,
  close: async () => undefined,
  build: async (request) => {
    requests.push(request);
    const files: OutputFile[] = [];
    const add = async (kind: OutputFile['kind'], path: string, text: string): Promise<void> => {
      const target = join(request.outDir, path);
      await mkdir(dirname(target), { recursive: true });
      const file = { kind, path, sizeBytes: Buffer.byteLength(text), sha256: sha256Hex(text) };
      // As the builder does: told of before it is on disk.
      if (kind !== 'log' && kind !== 'metadata') request.onFile?.(file, Buffer.from(text));
      await writeFile(target, text);
      files.push(file);
    };
    const entry = await readFile(join(request.sourceDir, request.entryFile), 'utf8');
    await add('log', 'build.log', `   0.010s  building ${request.entryFile}\n   0.020s  warning: it is a copy\n`);
    if (failure !== null) return { ok: false, failure, files, peakMemoryBytes: 0, diagnostics: '' };
    await add('bundle', 'bundle.js', entry);
    await add('source_map', 'bundle.js.map', '{"version":3}');
    const late = await atMap();
    if (late !== null) return { ok: false, failure: late, files: files.slice(0, 1), peakMemoryBytes: 0, diagnostics: '' };
    await add('asset', 'assets/logo.png', 'not really a picture');
    await add('metadata', 'metadata.json', '{}');
    request.onProgress?.({ stage: 'bundling', done: 1, total: 2 });
    const metadata = {
      version: 1 as const, sdk: { name: 'react-native' as const, version: request.sdkVersion }, platform: request.platform, entry_file: request.entryFile, dev: request.dev,
      environment: request.environment, env_keys: [], bundle: { path: 'bundle.js', size: 1, sha256: '' }, source_map: { path: 'bundle.js.map', size: 1, sha256: '' }, assets: [],
      modules: { sources: 1, sdk: 0, cached: 0, transformed: 1 }, timings_ms: { wait: 0, sources: 0, graph: 0, serialize: 0, assets: 0, total: 0 }, peak_memory: 0,
    };
    return { ok: true, files, metadata, timings: { waitMs: 0, readMs: 0, sourcesMs: 0, graphMs: 0, serializeMs: 0, assetsMs: 0, totalMs: 0 }, peakMemoryBytes: 0 };
  },
});

describe('a preview job', () => {
  let fixture: FixtureBackend;
  let backend: WorkerBackend;
  let dir: string;
  let blobs: BlobCache;
  const requests: BuildRequest[] = [];
  const progress: JobProgressUpdate[] = [];
  const lines: { level: string; message: string }[] = [];
  const log = createLogger({ level: 'silent', sinks: [] });

  beforeEach(async () => {
    fixture = new FixtureBackend();
    await fixture.listen();
    backend = new WorkerBackend({ baseUrl: fixture.baseUrl, name: 'builder-1', sharedSecret });
    await backend.register({ name: 'builder-1', type: 'cpu', concurrency: 1, version: '0.1.0', capabilities: { kinds: ['preview'], sdk_versions: [], sandbox: 'bubblewrap', local_model: false } });
    dir = await mkdtemp(join(tmpdir(), 'hivesync-preview-job-'));
    blobs = await BlobCache.open(join(dir, 'blobs'), 10_000_000);
    requests.length = 0;
    progress.length = 0;
    lines.length = 0;
  });
  afterEach(async () => {
    await fixture.close();
    await rm(dir, { recursive: true, force: true });
  });

  const source = (path: string, text: string): JobSource => {
    const sha256 = sha256Hex(text);
    return { path, size: Buffer.byteLength(text), sha256, url: `${fixture.put(`blobs/${sha256}`, Buffer.from(text))}?signature=secret` };
  };
  const inputOf = (items: JobSource[], more: Partial<PreviewJobInput> = {}): PreviewJobInput => ({
    kind: 'preview', project_id: newId(), sdk_version: '0.88.1', target_platform: 'ios', entry_file: 'index.js', environment: 'development', env: { PUBLIC_X: '1' }, dev: false,
    sources: { count: items.length, bytes: 0, items, url: null },
    limits: { max_bundle_bytes: 1_000_000, max_artifact_bytes: 1_000_000, max_artifacts: 7, max_memory_bytes: 2 ** 30, max_log_lines: 100 },
    ...more,
  });
  const run = async (
    input: PreviewJobInput, failure: BuildFailure | null = null, signal = new AbortController().signal, atMap?: () => Promise<BuildFailure | null>,
  ): Promise<JobOutcome> => {
    const job: ClaimedJob = fixture.addJob(input);
    const workDir = join(dir, 'jobs', job.job_id);
    await mkdir(workDir, { recursive: true });
    const handler = previewHandler({
      builderOf: (version) => (version === '0.88.1' ? { builder: copying(requests, failure, atMap), platforms: ['ios', 'android'] } : null),
      blobs,
      caches: new ProjectCaches(join(dir, 'projects'), { projects: 10, bytes: 1_000_000 }),
    });
    return await handler.run({
      job, workDir, signal, log,
      progress: (update) => { progress.push(update); },
      logLine: (level, message) => { lines.push({ level, message }); },
      redact: (text) => text,
      live: () => Promise.reject(new Error('This is no live session.')),
      createUploads: async (objects) => (await backend.createUploads(job.job_id, { lease_token: job.lease_token, objects: [...objects] }))?.uploads ?? [],
    });
  };
  const failureOf = (outcome: JobOutcome): unknown => (outcome.status === 'FAIL' ? outcome.failure : null);

  it('brings the sources in, and what was built out, the bundle in every encoding', async () => {
    const outcome = await run(inputOf([source('index.js', bundle), source('src/App.tsx', 'app')]));
    if (outcome.status !== 'SUCCESS') throw new Error(JSON.stringify(outcome));
    expect(requests[0]).to.deep.include({ entryFile: 'index.js', platform: 'ios', env: { PUBLIC_X: '1' }, memoryBytes: 2 ** 30 });
    expect(await readFile(join(requests[0]?.sourceDir ?? '', 'src/App.tsx'), 'utf8')).to.equal('app');
    const artifacts = outcome.artifacts ?? [];
    expect(artifacts.map(({ path, encoding }) => `${path} ${encoding}`).sort()).to.deep.equal([
      'assets/logo.png identity', 'build.log identity',
      'bundle.js br', 'bundle.js gzip', 'bundle.js identity',
      'bundle.js.map identity', 'metadata.json identity',
    ]);
    for (const artifact of artifacts) {
      const { bytes, headers } = fixture.objects.get(artifact.object_key) ?? expect.fail(`nothing was stored as ${artifact.object_key}`);
      expect([bytes.length, sha256Hex(bytes), headers['content-encoding']]).to.deep.equal([artifact.size, artifact.sha256, artifact.encoding]);
    }
    const stored = (encoding: string): Buffer => fixture.objects.get(artifacts.find((one) => one.path === 'bundle.js' && one.encoding === encoding)?.object_key ?? '')?.bytes ?? Buffer.alloc(0);
    expect(stored('identity').toString()).to.equal(bundle);
    expect(brotliDecompressSync(stored('br')).toString()).to.equal(bundle);
    expect(gunzipSync(stored('gzip')).toString()).to.equal(bundle);
    expect(outcome.result).to.deep.include({ kind: 'preview', bundle_bytes: bundle.length });
    expect(outcome.bundleKey).to.match(/identity\/bundle\.js$/u);
    expect(outcome.logKey).to.match(/identity\/build\.log$/u);
    expect(new Set(progress.map(({ stage }) => stage))).to.deep.equal(new Set(['fetching', 'bundling', 'packaging', 'uploading']));
    expect(lines).to.deep.include({ level: 'warn', message: 'warning: it is a copy' });
  });

  it('fetches a content it has seen no second time', async () => {
    const items = [source('index.js', bundle), source('copy.js', bundle)];
    await run(inputOf(items));
    fixture.objects.clear();
    expect((await run(inputOf(items))).status).to.equal('SUCCESS');
  });

  for (const encoding of ['gzip', null]) {
    it(`reads a long list from its document, ${encoding === null ? 'served as a file' : 'served with Content-Encoding'}`, async () => {
      const items = [source('index.js', bundle), source('a b/ü.js', 'x')];
      const document = gzipSync(items.map((item) => JSON.stringify(item)).join('\n'));
      const url = fixture.put('list.ndjson', document, encoding === null ? {} : { 'content-encoding': encoding });
      expect((await run(inputOf([], { sources: { count: 2, bytes: 0, items: null, url } }))).status).to.equal('SUCCESS');
      expect(await readFile(join(requests[0]?.sourceDir ?? '', 'a b/ü.js'), 'utf8')).to.equal('x');
    });
  }

  it('builds nothing of a list that is shorter than it should be', async () => {
    const url = fixture.put('list.ndjson', gzipSync(JSON.stringify(source('index.js', bundle))));
    expect(failureOf(await run(inputOf([], { sources: { count: 2, bytes: 0, items: null, url } })))).to.deep.include({ kind: 'storage_unavailable', retryable: true });
    expect(requests).to.deep.equal([]);
  });

  it('builds nothing of a source whose content is another one', async () => {
    const item = source('index.js', bundle);
    fixture.objects.set(`blobs/${item.sha256}`, { bytes: Buffer.from(bundle.replace('field', 'yield')), headers: {} });
    const failure = failureOf(await run(inputOf([item])));
    expect(failure).to.deep.include({ kind: 'storage_unavailable', retryable: true });
    expect(JSON.stringify(failure)).not.to.contain('signature');
    expect(Object.keys(Reflect.get(failure as object, 'timings') as object), 'the stages that were reached').to.deep.equal(['fetching_ms']);
    expect(requests).to.deep.equal([]);
  });

  it('writes no source outside its folder', async () => {
    const outcome = await run(inputOf([source('index.js', bundle), source('../../escaped.js', 'x')]));
    expect(failureOf(outcome)).to.deep.include({ kind: 'build_error', retryable: false });
    expect(existsSync(join(dir, 'escaped.js'))).to.equal(false);
    expect(requests).to.deep.equal([]);
  });

  const failures: [BuildFailure, object][] = [
    [{ code: 'BUILD_ERROR', message: 'Unexpected token', file: 'App.tsx', line: 3, column: 7, codeFrame: '> 3 |' }, { kind: 'build_error', retryable: false, file: 'App.tsx', line: 3, column: 6, code_frame: '> 3 |' }],
    [{ code: 'UNKNOWN_IMPORT', message: 'no lodash', file: 'App.tsx', import: 'lodash' }, { kind: 'unknown_import', retryable: false, import_name: 'lodash' }],
    [{ code: 'BUILD_ERROR', message: 'no ./Gone', file: 'App.tsx', import: './Gone' }, { kind: 'missing_file', retryable: false, import_name: './Gone' }],
    [{ code: 'TIMEOUT', message: 'late' }, { kind: 'timeout', retryable: false }],
    [{ code: 'OUT_OF_MEMORY', message: 'full' }, { kind: 'out_of_memory', retryable: false }],
    [{ code: 'TOO_LARGE', message: 'large' }, { kind: 'too_large', retryable: false }],
    [{ code: 'CRASHED', message: 'gone' }, { kind: 'crashed', retryable: true }],
  ];
  for (const [failure, expected] of failures) {
    it(`tells ${failure.code}${failure.import === undefined ? '' : ` of ${failure.import}`}, with the log beside it`, async () => {
      const outcome = await run(inputOf([source('index.js', bundle)]), failure);
      expect(failureOf(outcome)).to.deep.include(expected);
      expect(outcome.artifacts?.map(({ kind }) => kind)).to.deep.equal(['log']);
    });
  }

  it('says that it lacks an SDK set, for another worker to try', async () => {
    expect(failureOf(await run(inputOf([source('index.js', bundle)], { sdk_version: '0.1.0' })))).to.deep.include({ kind: 'sdk_unavailable', retryable: true });
  });
  it('does not build for a platform the set has not', async () => {
    expect(failureOf(await run(inputOf([source('index.js', bundle)], { target_platform: 'web' })))).to.deep.include({ kind: 'sdk_unavailable', retryable: false });
  });

  const limits = inputOf([]).limits;
  for (const [name, narrower] of [
    ['a bundle', { max_bundle_bytes: 1_000 }],
    ['all artifacts together', { max_artifact_bytes: 24_000 }],
    ['the number of objects', { max_artifacts: 6 }],
  ] as const) {
    it(`holds ${name} to the job's limit`, async () => {
      const outcome = await run(inputOf([source('index.js', bundle)], { limits: { ...limits, ...narrower } }));
      expect(failureOf(outcome)).to.deep.include({ kind: 'too_large', retryable: false });
    });
  }

  it('repeats an upload that storage could not take, and asks for another URL where it was refused', async () => {
    const refused = new Set<string>();
    const failed = new Set<string>();
    fixture.answerPut = (key) => {
      if (key.includes('bundle.js.map') && !failed.has(key)) {
        failed.add(key);
        return 503;
      }
      if (key.includes('metadata') && !refused.has(key)) {
        refused.add(key);
        return 403;
      }
      return 200;
    };
    expect((await run(inputOf([source('index.js', bundle)]))).status).to.equal('SUCCESS');
    expect([failed.size, refused.size]).to.deep.equal([1, 1]);
  });

  it('sends nothing of what the backend copies, and names it like everything else', async () => {
    fixture.knowsReuse = true;
    const puts: string[] = [];
    fixture.answerPut = (key) => {
      puts.push(key);
      return 200;
    };
    const first = inputOf([source('index.js', bundle), source('src/App.tsx', 'app')]);
    const built = await run(first);
    expect(puts.length).to.be.greaterThan(3);
    puts.length = 0;
    const repeated = await run(again(first, [source('index.js', bundle), source('src/App.tsx', 'app')]));
    expect(puts.map((key) => key.slice(key.lastIndexOf('/') + 1)), 'its log begins with another line').to.deep.equal(['build.log']);
    expect(artifactsOf(repeated)).to.deep.equal(artifactsOf(built)).and.to.have.length(6);
    for (const { object_key: key, sha256 } of repeated.artifacts ?? []) expect(sha256Hex(fixture.objects.get(key)?.bytes ?? '')).to.equal(sha256);
    expect(progress.at(-1)).to.include({ stage: 'uploading', done: 7, total: 7 });
  });

  it('sends everything to a backend that cannot be asked for copies', async () => {
    fixture.knowsReuse = false;
    expect(artifactsOf(await run(inputOf([source('index.js', bundle)])))).to.have.length(6);
  });

  const again = (input: PreviewJobInput, items: JobSource[], more: Partial<PreviewJobInput> = {}): PreviewJobInput => ({ ...inputOf(items), project_id: input.project_id, ...more });
  const artifactsOf = (outcome: JobOutcome): string[] =>
    (outcome.artifacts ?? []).filter(({ kind }) => kind !== 'log').map(({ path, encoding, sha256 }) => `${path} ${encoding} ${sha256}`).sort();

  it('stores the last result again where nothing has changed, and says so in its log', async () => {
    const sources = [source('index.js', bundle), source('src/App.tsx', 'app')];
    const first = inputOf(sources);
    const built = await run(first);
    lines.length = 0;
    const repeated = await run(again(first, [...sources].reverse()));
    expect(requests).to.have.length(1);
    expect(repeated.status === 'SUCCESS' && repeated.result).to.deep.include({ kind: 'preview', bundle_bytes: bundle.length });
    expect(artifactsOf(repeated)).to.deep.equal(artifactsOf(built)).and.to.have.length(6);
    expect(lines.map(({ message }) => message)).to.include.members(['nothing has changed since the last build: its result is taken, and this is its log', 'warning: it is a copy']);
    const log = repeated.artifacts?.find(({ kind }) => kind === 'log');
    expect(fixture.objects.get(log?.object_key ?? '')?.bytes.toString()).to.match(/^   0\.000s {2}nothing has changed/u);
    expect(sha256Hex(fixture.objects.get(log?.object_key ?? '')?.bytes ?? '')).to.equal(log?.sha256);
  });

  const changes: readonly (readonly [string, (first: PreviewJobInput, sources: JobSource[]) => PreviewJobInput])[] = [
    ['a source', (first) => again(first, [source('index.js', `${bundle};`), source('b.js', 'b')])],
    ['a path', (first) => again(first, [source('index.js', bundle), source('c.js', 'b')])],
    ['the entry', (first, sources) => again(first, sources, { entry_file: 'b.js' })],
    ['the environment', (first, sources) => again(first, sources, { environment: 'production' })],
    ['a value that is inlined', (first, sources) => again(first, sources, { env: { PUBLIC_X: '2' } })],
    ['the mode', (first, sources) => again(first, sources, { dev: true })],
    ['the platform', (first, sources) => again(first, sources, { target_platform: 'android' })],
    ['the project', (_, sources) => inputOf(sources)],
  ];
  for (const [what, change] of changes) {
    it(`builds anew where ${what} is another`, async () => {
      const sources = [source('index.js', bundle), source('b.js', 'b')];
      const first = inputOf(sources);
      await run(first);
      await run(change(first, sources));
      expect(requests).to.have.length(2);
    });
  }

  it('builds anew where the kept result is damaged or gone, and keeps no failure', async () => {
    const first = inputOf([source('index.js', bundle)]);
    const kept = join(dir, 'projects', first.project_id);
    expect((await run(first, { code: 'BUILD_ERROR', message: 'no' })).status).to.equal('FAIL');
    await run(first);
    expect(requests).to.have.length(2);
    const [name = ''] = (await readdir(kept)).filter((each) => each.startsWith('result-'));
    const folder = join(kept, name);
    const files = await readdir(folder);
    expect(files).to.include('about.json').and.to.have.length(8);
    const harms: Record<string, (path: string, bytes: Buffer) => Promise<void>> = {
      empty: (path) => writeFile(path, ''),
      short: (path, bytes) => writeFile(path, bytes.subarray(0, bytes.length - 1)),
      other: (path, bytes) => writeFile(path, bytes.map((byte, at) => (at === 0 ? byte ^ 1 : byte))),
      gone: () => Promise.resolve(),
    };
    for (const file of files) {
      for (const [how, harm] of Object.entries(harms)) {
        const path = join(folder, file);
        const bytes = await readFile(path);
        // Another file of that name, as a fault of the disk would leave it: the one that is there has other names.
        await rm(path);
        await harm(path, bytes);
        requests.length = 0;
        expect(artifactsOf(await run(again(first, [source('index.js', bundle)])))).to.have.length(6);
        expect(requests, `${file}, ${how}`).to.have.length(1);
        requests.length = 0;
        expect(artifactsOf(await run(again(first, [source('index.js', bundle)])))).to.have.length(6);
        expect(requests, `${file}, after ${how}`).to.have.length(0);
      }
    }
    for (const about of ['[]', '{}', 'null', '[{}]']) {
      await rm(join(folder, 'about.json'));
      await writeFile(join(folder, 'about.json'), about);
      requests.length = 0;
      expect(artifactsOf(await run(again(first, [source('index.js', bundle)])))).to.have.length(6);
      expect(requests, about).to.have.length(1);
    }
  });

  it('keeps one result for each platform and mode: the last', async () => {
    const first = inputOf([source('index.js', bundle)]);
    await run(first);
    await run(again(first, [source('index.js', 'another')]));
    await run(again(first, [source('index.js', bundle)], { dev: true }));
    expect((await readdir(join(dir, 'projects', first.project_id))).map((name) => name.split('.')[0]).sort()).to.deep.equal(['result-ios-dev', 'result-ios-prod']);
    requests.length = 0;
    await run(again(first, [source('index.js', 'another')]));
    await run(again(first, [source('index.js', bundle)], { dev: true }));
    expect(requests).to.have.length(0);
  });

  const sent = (): string[] => [...fixture.objects.keys()].filter((key) => !key.startsWith('blobs/')).map((key) => key.split('/').at(-1) ?? '').sort();

  it('sends bundle and map while the rest of the build goes on, and once', async () => {
    const outcome = await run(inputOf([source('index.js', bundle)]), null, undefined, async () => {
      await until('bundle and map to be stored', () => Promise.resolve(sent().join() === 'bundle.js,bundle.js.map'));
      return null;
    });
    expect(artifactsOf(outcome)).to.have.length(6);
    expect(sent()).to.deep.equal(['build.log', 'bundle.js', 'bundle.js', 'bundle.js', 'bundle.js.map', 'logo.png', 'metadata.json']);
  });

  it('names nothing but the log of a build that failed after its bundle had left', async () => {
    const outcome = await run(inputOf([source('index.js', bundle)]), null, undefined, () => Promise.resolve({ code: 'CRASHED', message: 'It ended.' }));
    expect(failureOf(outcome)).to.deep.include({ retryable: true });
    expect(outcome.artifacts?.map(({ kind }) => kind)).to.deep.equal(['log']);
  });

  for (const limits of [{ max_bundle_bytes: 100 }, { max_artifact_bytes: 100 }]) {
    it(`sends nothing ahead that is over ${Object.keys(limits).join('')}`, async () => {
      const input = inputOf([source('index.js', bundle)], { limits: { ...inputOf([]).limits, ...limits } });
      expect(failureOf(await run(input))).to.deep.include({ kind: 'too_large' });
      expect(sent()).to.deep.equal(['build.log']);
    });
  }

  it('tells that storage is away as something another attempt may mend', async () => {
    fixture.answerPut = () => 403;
    expect(failureOf(await run(inputOf([source('index.js', bundle)])))).to.deep.include({ kind: 'storage_unavailable', retryable: true });
  });

  it('ends with the signal\'s own reason', async () => {
    const stop = new AbortController();
    fixture.answerPut = () => {
      stop.abort(new Error('stopped'));
      return 503;
    };
    const error: unknown = await run(inputOf([source('index.js', bundle)]), null, stop.signal).catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(Error).with.property('message', 'stopped');
  });
});
