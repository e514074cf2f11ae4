/**
 * A build process that has been taken over: what it can do to the machine, and what it can do to the worker by what it
 * sends. Every frame is hostile: each build is answered clearly, and nothing is written but its own output.
 */
import { randomUUID } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { createBuilder, type BuildRequest, type BuildResult } from '#workers/preview/builder.ts';
import type { LiveBuild } from '#workers/preview/live-build.ts';
import { plantPayload } from '../../support/preview/hostile-process.ts';
import { buildIn, temporaryFolder, writeFiles } from '../../support/preview/projects.ts';
import { sdkVersion } from '../../support/preview/sdk.ts';

const mebibyte = 1024 * 1024;

/** Every file below a folder, sorted. */
const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

describe('a build process that was taken over', function () {
  this.timeout(60_000);
  let work: ReturnType<typeof temporaryFolder>;
  beforeEach(() => {
    work = temporaryFolder();
    writeFiles(work.path, { 'project/index.js': '1', 'beside/secret.txt': 'the-secret-beside-the-project' });
  });
  afterEach(() => work.dispose());

  type Answer = { result: BuildResult; ms: number; outDir: string; text: (name: string) => string };
  /** Builds with a process that runs `code`. */
  const build = async (code: string, more: Partial<BuildRequest> = {}): Promise<Answer> => {
    const dataDir = plantPayload(work.path, `data-${randomUUID()}`, code);
    const builder = createBuilder({ dataDir, sdkVersions: [sdkVersion], warm: 0, limits: { outputBytes: 32 * mebibyte, timeoutMs: 10_000 } });
    try {
      expect(builder.sandbox).to.equal('bubblewrap');
      const outDir = join(work.path, `out-${randomUUID()}`);
      const started = performance.now();
      const result = await buildIn(builder, work.path, join(work.path, 'project'), { outDir, timeoutMs: 10_000, ...more });
      return { result, ms: performance.now() - started, outDir, text: (name) => readFileSync(join(outDir, name), 'utf8') };
    } finally {
      await builder.close();
    }
  };
  const failureOf = ({ result }: Answer): unknown => (result.ok ? null : result.failure);
  const built = 'takeJob(); finish();';
  const ordinary = ['build.log', 'bundle.js', 'bundle.js.map', 'metadata.json'];

  it('is what these tests think it is: it answers a build in the builder’s place', async () => {
    const answer = await build('const job = takeJob(); finish(JSON.stringify(job));');
    expect(JSON.parse(answer.text('bundle.js'))).to.include({ type: 'build', entryFile: 'index.js', platform: 'ios' });
    expect(filesBelow(answer.outDir)).to.deep.equal(ordinary);
  });

  describe('can do to the machine', () => {
    let [tcp, tcp6, unix, abstract]: Server[] = [];
    let udp: Socket;
    let reached: string[] = [];
    const listen = async (name: string, at: object): Promise<Server> => {
      const server = createServer((socket) => { reached.push(name); socket.destroy(); });
      await new Promise<void>((resolve, reject) => { server.once('error', reject).listen(at, resolve); });
      return server;
    };
    const abstractName = `\0hivesync-${randomUUID()}`;
    beforeEach(async () => {
      reached = [];
      tcp = await listen('IPv4', { port: 0, host: '127.0.0.1' });
      tcp6 = await listen('IPv6', { port: 0, host: '::1' });
      unix = await listen('unix', { path: join(work.path, 's') });
      abstract = await listen('abstract', { path: abstractName });
      udp = createSocket('udp4').on('message', () => reached.push('UDP'));
      await new Promise<void>((resolve) => { udp.bind(0, '127.0.0.1', resolve); });
    });
    afterEach(async () => {
      await Promise.all([tcp, tcp6, unix, abstract].map((server) => new Promise((resolve) => server?.close(resolve))));
      udp.close();
    });
    const portOf = (server: Server | undefined): number => (server?.address() as AddressInfo).port;

    it('nothing: of the host nothing is read, written, reached, seen or signalled', async () => {
      const unreadable = ['/etc/passwd', '/etc/hostname', '/root', '/home', '/tmp', '/proc/self/environ', '/proc/1/cmdline', '/sys/kernel', '/dev/mem', '/run', join(work.path, 'beside/secret.txt'), work.path, process.cwd()];
      const unwritable = ['/b/sdk/x', '/b/sdk/node_modules/@babel/core/index.js', '/b/cache/x.pack', '/b/cache/installed.json', '/b/w/main.ts', '/b/x', '/x', '/tmp/x', '/dev/shm/x', '/n/node', join(work.path, 'written')];
      const answer = await build(`
        const job = takeJob();
        const net = require('node:net'); const dgram = require('node:dgram'); const dns = require('node:dns').promises; const cp = require('node:child_process');
        for (const path of ${JSON.stringify(unreadable)}) { await attempt('read ' + path, () => fs.readFileSync(path, 'latin1').length); await attempt('list ' + path, () => fs.readdirSync(path).length); }
        for (const path of ${JSON.stringify(unwritable)}) {
          await attempt('write ' + path, () => fs.writeFileSync(path, 'x'));
          await attempt('remove ' + path, () => fs.rmSync(path));
          await attempt('rename ' + path, () => fs.renameSync(path, path + '2'));
          await attempt('mode ' + path, () => fs.chmodSync(path, 0o777));
        }
        await attempt('link to the SDK', () => { fs.linkSync('/b/sdk/package.json', '/b/src/hard'); fs.writeFileSync('/b/src/hard', 'x'); });
        await attempt('symbolic link out', () => { fs.symlinkSync('/etc/passwd', '/b/src/soft'); return fs.readFileSync('/b/src/soft', 'latin1').length; });
        await attempt('report', () => process.report.writeReport('/b/sdk/report.json'));
        await attempt('snapshot', () => require('node:v8').writeHeapSnapshot('/b/cache/heap'));
        const connect = (options) => new Promise((resolve, reject) => net.connect(options).once('connect', () => resolve('reached')).once('error', reject));
        await attempt('connect IPv4', () => connect({ port: ${portOf(tcp)}, host: '127.0.0.1' }));
        await attempt('connect IPv6', () => connect({ port: ${portOf(tcp6)}, host: '::1' }));
        await attempt('connect outside', () => connect({ port: 80, host: '192.0.2.1' }));
        await attempt('connect metadata service', () => connect({ port: 80, host: '169.254.169.254' }));
        await attempt('connect unix', () => connect({ path: ${JSON.stringify(join(work.path, 's'))} }));
        await attempt('connect abstract', () => connect({ path: ${JSON.stringify(abstractName)} }));
        await attempt('connect udp', () => new Promise((resolve, reject) => { const socket = dgram.createSocket('udp4'); socket.once('error', reject); socket.send('x', ${udp.address().port}, '127.0.0.1', (error) => error ? reject(error) : resolve('sent')); }));
        await attempt('connect by name', () => dns.lookup('example.com'));
        await attempt('connect to a resolver', () => { dns.setServers(['127.0.0.1', '1.1.1.1']); return dns.resolve4('example.com'); });
        await attempt('fetch', async () => (await fetch('http://127.0.0.1:${portOf(tcp)}/')).status);
        await attempt('program', () => { const done = cp.spawnSync('/n/node', ['--version']); if (done.error) throw done.error; return 'ran'; });
        await attempt('fork', () => new Promise((resolve, reject) => cp.fork('/b/w/main.ts').once('error', reject).once('spawn', () => resolve('ran'))));
        await attempt('worker', () => { new (require('node:worker_threads').Worker)('1', { eval: true }); return 'ran'; });
        await attempt('addon', () => process.dlopen({ exports: {} }, '/b/sdk/x.node'));
        await attempt('inspector', () => { require('node:inspector').open(0); return 'open'; });
        await attempt('root', () => { process.setuid(0); return 'root'; });
        await attempt('signal the worker', () => process.kill(${process.pid}, 0));
        told.seen = []; for (let pid = 1; pid < 3000; pid += 1) { if (pid === process.pid) continue; try { process.kill(pid, 0); told.seen.push(pid); } catch (error) { if (error.code !== 'ESRCH') told.seen.push(pid); } }
        told.env = Object.keys(process.env).sort();
        told.open = []; for (let descriptor = 4; descriptor < 512; descriptor += 1) { try { const found = fs.fstatSync(descriptor); if (found.isFile() || found.isDirectory() || found.isBlockDevice()) told.open.push(descriptor); } catch {} }
        told.gateway = Object.keys(require('node:os').networkInterfaces());
        finish(JSON.stringify(told));
      `);
      const told = JSON.parse(answer.text('bundle.js')) as Record<string, unknown>;
      const { seen, env, open, gateway, 'connect udp': overUdp, ...attempts } = told;
      for (const [what, outcome] of Object.entries(attempts)) expect(outcome, what).to.match(/^refused: /u);
      expect(Object.keys(attempts).length).to.equal(unreadable.length * 2 + unwritable.length * 4 + 20);
      // A packet goes into a network of its own, where nobody is.
      expect(overUdp).to.be.oneOf(['sent', 'refused: ENETUNREACH', 'refused: ERR_ACCESS_DENIED', 'refused: EPERM']);
      expect(reached).to.deep.equal([]);
      // The first process of its own namespace, which waits for it, and its own threads.
      expect(Math.max(...(seen as number[]))).to.be.lessThan(40);
      expect(env).to.deep.equal(['HOME', 'NODE_ENV', 'PWD']);
      expect(open).to.deep.equal([]);
      expect(gateway).to.be.an('array').with.property('length').lessThan(2);
      expect(existsSync(join(work.path, 'written'))).to.equal(false);
    });

    it('no harm by what it leaves in its project’s cache: the next build of that project reads it as data, and another project never', async () => {
      const cacheDir = join(work.path, 'cache-of-one');
      const poison = "send('cache', {}, Buffer.from('POISON'));";
      await build(`takeJob(); send('bundle', {}, Buffer.from('x')); send('map', {}, Buffer.from('{}')); send('built', { timings }); ${poison} send('end');`, { cacheDir });
      expect(readdirSync(cacheDir)).to.deep.equal(['transforms-ios-prod.pack']);
      const given = 'let given = null; for (;;) { const frame = readFrameSync(0); if (frame.header.type === "start") send("ready"); if (frame.header.type === "cache") given = frame.body.toString(); if (frame.header.type === "build") break; } finish(String(given));';
      expect((await build(given, { cacheDir })).text('bundle.js')).to.equal('POISON');
      expect((await build(given, { cacheDir: join(work.path, 'cache-of-another') })).text('bundle.js')).to.equal('null');
      expect(filesBelow(cacheDir)).to.deep.equal(['transforms-ios-prod.pack']);
    });

    it('no cache larger than a project may have', async () => {
      const cacheDir = join(work.path, 'cache-large');
      const answer = await build(`takeJob(); send('cache', {}, Buffer.alloc(${20 * mebibyte})); finish();`, { cacheDir, outDir: join(work.path, 'o') });
      expect(answer.result.ok).to.equal(true);
      const tooLarge = await build(`takeJob(); send('cache', {}, Buffer.alloc(${40 * mebibyte})); finish();`, { cacheDir: join(work.path, 'cache-larger') });
      expect(failureOf(tooLarge)).to.include({ code: 'TOO_LARGE' });
      expect(existsSync(join(work.path, 'cache-larger'))).to.equal(false);
    });
  });

  describe('stays for a live session', () => {
    const asset = (bytes: string): string => `send('asset', { path: 'assets/a.png', hash: 'a'.repeat(32), name: 'n', extension: 'png', scale: 1 }, Buffer.from(${bytes}));`;
    const done = "send('bundle', {}, Buffer.from('x')); send('built', { buildMs: 'never' });";
    const goLive = async <Answer>(code: string, use: (live: LiveBuild) => Promise<Answer>): Promise<Answer> => {
      const builder = createBuilder({ dataDir: plantPayload(work.path, `data-${randomUUID()}`, code), sdkVersions: [sdkVersion], warm: 0, limits: { outputBytes: 32 * mebibyte } });
      const live = builder.live({ sdkVersion, entryFile: 'index.js', platform: 'ios', dev: false, env: {}, environment: 'development', memoryBytes: 512 * mebibyte, timeoutMs: 10_000 });
      try {
        return await use(live);
      } finally {
        live.close();
        await builder.close();
      }
    };
    const files = (): Map<string, string> => new Map([['index.js', join(work.path, 'project/index.js')]]);

    it('and sends contents without end: it is ended, and few are kept', async () => {
      const [outcome, kept] = await goLive(`takeJob(); for (let n = 0; ; n += 1) ${asset('String(n)')}`, async (live) => [await live.start(files()), live.takeSent().size]);
      expect(outcome).to.deep.include({ ok: false });
      expect((outcome as { failure: unknown }).failure).to.include({ code: 'TOO_LARGE' });
      expect(kept).to.be.lessThan(5_001);
    });

    it('and sends contents that its bundle does not name: none is kept', async () => {
      const kept = await goLive(`takeJob(); ${asset("'one'")} ${asset("'two'")} send('assets', {}, Buffer.from('[]')); ${done} await rest(60000);`, async (live) => {
        expect(await live.start(files())).to.include({ ok: true });
        return live.takeSent().size;
      });
      expect(kept).to.equal(0);
    });

    for (const [what, list] of [['that is no list', '{}'], ['that is no JSON', '['], ['of paths that climb', '[["assets/../../x", "' + 'a'.repeat(64) + '"]]'], ['of hashes that are paths', '[["assets/x.png", "../x"]]'], ['of null', '[null]']] as const) {
      it(`and sends a list of assets ${what}: it is ended, and the session may begin anew`, async () => {
        const outcome = await goLive(`takeJob(); send('assets', {}, Buffer.from(${JSON.stringify(list)})); ${done} await rest(60000);`, (live) => live.start(files()));
        expect((outcome as { failure?: unknown }).failure).to.include({ code: 'CRASHED' });
      });
    }

    it('and answers what was not asked yet: each change has an answer of its own', async () => {
      const texts = await goLive(`takeJob(); send('bundle', {}, Buffer.from('one')); send('built', { buildMs: 1 }); send('bundle', {}, Buffer.from('before it was asked')); send('built', { buildMs: 1 }); for (;;) { takeJob(); send('bundle', {}, Buffer.from('asked')); send('built', { buildMs: 1 }); }`, async (live) => {
        const first = await live.start(files());
        await new Promise((resolve) => { setTimeout(resolve, 200); });
        return [first, await live.change(files(), [])].map((outcome) => (outcome.ok ? outcome.bundle.toString() : 'failed'));
      });
      expect(texts).to.deep.equal(['one', 'asked']);
    });
  });

  describe('sends', () => {
    const asset = (path: string, more = ''): string =>
      `send('asset', { path: ${JSON.stringify(path)}, hash: 'a'.repeat(32), name: 'n', extension: 'png', scale: 1${more} }, Buffer.from('x'));`;
    const climbing = [
      '../x', '../../x', 'assets/../x', 'assets/../../x', 'assets/a/../../../x', '/x', '//x', 'x', '', 'assets', 'assets/', 'assets//x', 'assets/./x', 'assets/\0', 'assets/a\0b', 'assets\\..\\x', 'assets/..\\..\\x',
      'bundle.js', 'metadata.json', 'build.log', 'assets/node_modules/../../x', 'assets/../node_modules/x', `assets/${'a'.repeat(300)}`, `assets/${'a/'.repeat(400)}x`, `assets/${'e\u0301'.repeat(100)}`, 'C:/x', '~/x', 'assets/a\n', 'assets/\u202e', 'file:///x', 'assets/../../../../../../../../tmp/hivesync-hostile-asset',
    ];

    it('assets that would lie elsewhere: none is written, and the build stands', async () => {
      const answer = await build(`takeJob(); ${climbing.map((path) => asset(path)).join('\n')} finish();`);
      expect(failureOf(answer)).to.equal(null);
      expect(filesBelow(answer.outDir)).to.deep.equal(ordinary);
      expect(existsSync('/tmp/hivesync-hostile-asset')).to.equal(false);
      expect(readdirSync(work.path).filter((name) => name === 'x')).to.deep.equal([]);
      expect(answer.text('build.log')).to.include('left out');
    });

    it('assets of the wrong types: none is written, and the build stands', async () => {
      const wrong = ['path: 5', 'path: ["assets/a"]', 'path: { length: 3 }', 'hash: "../x"', 'hash: 7', 'extension: "a/b"', 'extension: ""', 'scale: "1"', 'scale: null', 'scale: 1e999', 'name: {}'];
      const answer = await build(`takeJob(); ${wrong.map((more, index) => asset(`assets/w${index}.png`, `, ${more}`)).join('\n')} finish();`);
      expect(failureOf(answer)).to.equal(null);
      expect(filesBelow(answer.outDir)).to.deep.equal(ordinary);
    });

    it('an asset that is a file and a folder, either way round: what came first is kept, and the build stands', async () => {
      const answer = await build(`takeJob(); ${asset('assets/a')} ${asset('assets/a/b')} ${asset('assets/c/d')} ${asset('assets/c')} ${asset('assets/c/d')} finish();`);
      expect(failureOf(answer)).to.equal(null);
      expect(filesBelow(answer.outDir)).to.deep.equal(['assets/a', 'assets/c/d', ...ordinary]);
    });

    it('a second bundle, and frames after the last: the first bundle stands and nothing is added', async () => {
      const answer = await build(`takeJob(); send('bundle', {}, Buffer.from('first')); send('bundle', {}, Buffer.from('second')); finish('third'); ${asset('assets/late.png')} send('failed', { failure: { message: 'late' } }); await rest(200);`);
      expect(failureOf(answer)).to.equal(null);
      expect(answer.text('bundle.js')).to.equal('first');
      expect(filesBelow(answer.outDir)).to.deep.equal(ordinary);
      expect(JSON.parse(answer.text('metadata.json'))).to.have.deep.property('assets', []);
    });

    it('assets without end: it is ended, with few files on disk, and told so', async () => {
      const answer = await build(`takeJob(); for (let n = 0; n < 200000; n += 1) send('asset', { path: 'assets/' + n + '.png', hash: 'a'.repeat(32), name: 'n', extension: 'png', scale: 1 });`);
      expect(failureOf(answer)).to.include({ code: 'TOO_LARGE' });
      expect(filesBelow(answer.outDir).length).to.be.lessThan(5_100);
    });

    for (const [what, frame] of [
      ['progress', `send('progress', { stage: 'bundling', done: 1, total: 2 });`], ['warnings', `send('warning', { message: 'x' });`],
      ['frames of no known kind', `send('x');`], ['readiness', `send('ready');`], ['bundles of nothing', `send('bundle');`],
    ] as const) {
      it(`${what} without end: it is ended within its limit, and told so`, async () => {
        const answer = await build(`takeJob(); for (;;) { ${frame} }`);
        expect(failureOf(answer)).to.include({ code: 'TOO_LARGE' });
        expect(answer.text('build.log').split('\n').length).to.be.lessThan(510);
        expect(filesBelow(answer.outDir)).to.include('build.log').and.have.length.lessThan(3);
      });
    }

    it('printed text without end: it is ended, and the operator’s log holds the last of it alone', async () => {
      const answer = await build(`takeJob(); const text = Buffer.alloc(65536, 'noise '); for (;;) fs.writeSync(2, text);`);
      expect(failureOf(answer)).to.include({ code: 'TOO_LARGE' });
      expect(answer.result.ok ? '' : answer.result.diagnostics).to.have.length.lessThan(8_193);
    });

    it('progress of impossible numbers: only what can be is passed on', async () => {
      const seen: unknown[] = [];
      const numbers = ['-1, total: 5', '1.5, total: 2', '1e999, total: 1e999', '5, total: 2', '"1", total: 2', 'null, total: 2', '1e300, total: 1e301', '1, total: 0', '2, total: 3'];
      const answer = await build(`takeJob(); ${numbers.map((each) => `send('progress', { stage: 'bundling', done: ${each} });`).join(' ')} send('progress', { stage: '__proto__', done: 1, total: 2 }); finish();`, { onProgress: (progress) => seen.push(progress) });
      expect(answer.result.ok).to.equal(true);
      expect(seen).to.deep.equal([{ stage: 'bundling', done: 2, total: 3 }]);
    });

    for (const [what, code] of [
      ['the end without a word', `takeJob(); send('end');`],
      ['that it built, without a bundle', `takeJob(); send('built', { timings }); send('end');`],
      ['that it built, without a map', `takeJob(); send('bundle', {}, Buffer.from('x')); send('built', { timings }); send('end');`],
      ['nothing, and ends at once', `takeJob(); process.exit(0);`],
      ['a header that is no JSON', `takeJob(); raw('{"type":'); ${built}`],
      ['a header that is no object', `takeJob(); raw('"bundle"'); await rest(5000);`],
      ['a header without a type', `takeJob(); raw('{"__proto__":{"type":"bundle"}}'); await rest(5000);`],
      ['a header nested 500,000 deep', `takeJob(); raw('{"type":"failed","failure":' + '['.repeat(500000) + ']'.repeat(500000) + '}'); await rest(5000);`],
      ['a warning that cannot be text', `takeJob(); raw('{"type":"warning","message":{"toString":1,"valueOf":1}}'); send('end');`],
    ] as const) {
      it(`${what}: the build failed, and says no more`, async () => {
        const answer = await build(code);
        expect(failureOf(answer)).to.have.property('code').that.is.oneOf(['CRASHED', 'BUILD_ERROR']);
        expect(answer.result.ok ? [] : answer.result.files.map(({ kind }) => kind)).to.deep.equal(['log']);
        expect(answer.ms).to.be.lessThan(9_000);
      });
    }

    for (const [what, code] of [
      ['a header of four gigabytes', `takeJob(); const head = Buffer.alloc(8, 0xff); write(head); await rest(60000);`],
      ['a body of four gigabytes', `takeJob(); const head = Buffer.from('{"type":"bundle"}'); const prefix = Buffer.alloc(8); prefix.writeUInt32BE(head.length, 0); prefix.writeUInt32BE(0xffffffff, 4); write(prefix, head); await rest(60000);`],
    ] as const) {
      it(`${what}, announced alone: it is ended before a byte of it is waited for`, async () => {
        const answer = await build(code);
        expect(failureOf(answer)).to.include({ code: 'TOO_LARGE' });
        expect(answer.ms).to.be.lessThan(9_000);
      });
    }

    for (const [what, code] of [
      ['half a frame and no more', `takeJob(); write(Buffer.from([0, 0, 0])); await rest(60000);`],
      ['nothing, and closes its end', `takeJob(); fs.closeSync(3); await rest(60000);`],
      ['nothing at all, not even that it is ready', `await rest(60000);`],
      ['nothing, and reads none of its sources', `send('ready'); await rest(60000);`],
    ] as const) {
      it(`${what}: it is ended in its time`, async () => {
        const answer = await build(code, { timeoutMs: 3_000 });
        expect(failureOf(answer)).to.deep.equal({ code: 'TIMEOUT', message: 'The build took longer than the 3000 ms it may take.' });
        expect(answer.ms).to.be.lessThan(6_000);
      });
    }

    it('its bundle byte by byte: it arrives whole, and nothing piles up', async () => {
      const before = process.memoryUsage().rss;
      const answer = await build(`takeJob(); const text = Buffer.alloc(300000, 'x'); const head = Buffer.from('{"type":"bundle"}'); const prefix = Buffer.alloc(8); prefix.writeUInt32BE(head.length, 0); prefix.writeUInt32BE(text.length, 4); write(prefix, head); for (let at = 0; at < text.length; at += 1) fs.writeSync(3, text, at, 1); finish();`);
      expect(failureOf(answer)).to.equal(null);
      expect(answer.text('bundle.js')).to.have.length(300_000);
      expect(process.memoryUsage().rss - before).to.be.lessThan(150 * mebibyte);
    });

    it('figures that are none: what is written of the build stays numbers', async () => {
      const answer = await build(`takeJob(); send('bundle', {}, Buffer.from('x')); send('map', {}, Buffer.from('{}'));
        raw('{"type":"built","__proto__":{"polluted":"yes"},"constructor":{"prototype":{"polluted":"yes"}},"timings":{"__proto__":{"polluted":1},"sourcesMs":"a","graphMs":-5,"serializeMs":1e999,"assetsMs":null,"totalMs":-1,"waitMs":"x"},"sources":"many","sdkHits":-3,"projectHits":1.5,"transformed":1e999}'); send('end');`);
      expect(failureOf(answer)).to.equal(null);
      expect(({} as Record<string, unknown>)['polluted']).to.equal(undefined);
      const { modules, timings_ms: timings } = JSON.parse(answer.text('metadata.json')) as Record<string, Record<string, unknown>>;
      for (const [name, value] of Object.entries({ ...modules, ...timings })) expect(Number.isSafeInteger(value) && Number(value) >= 0, `${name}: ${String(value)}`).to.equal(true);
    });

    it('no timings at all: the build stands', async () => {
      const answer = await build(`takeJob(); send('bundle', {}, Buffer.from('x')); send('map', {}, Buffer.from('{}')); send('built', { timings: 7 }); send('end');`);
      expect(failureOf(answer)).to.equal(null);
    });

    it('a failure of any shape: short plain text comes of it, with no control characters', async () => {
      const answer = await build(`takeJob(); send('failed', { failure: { code: 'ROOT', message: '\\u001b[2J\\u0000' + 'm'.repeat(900000), file: { toString: 1 }, line: -1, column: 1e999, codeFrame: 'a\\n\\u001b]0;title\\u0007\\r\\u202eb', import: ['x'] } });`);
      const failure = failureOf(answer) as Record<string, string>;
      expect(failure).to.have.all.keys('code', 'message', 'codeFrame');
      expect(failure['code']).to.equal('BUILD_ERROR');
      expect(failure['message']).to.match(/^\[2Jm+$/u).and.have.length.lessThan(4_001);
      expect(failure['codeFrame']).to.equal('a\n]0;titleb');
      expect(answer.text('build.log')).to.not.match(/[\u0000-\u0009\u000b-\u001f\u007f\u202e]/u);
    });
  });
});
