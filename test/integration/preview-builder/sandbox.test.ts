/** The wall itself: what a process can do inside when Node's own permission model is out of the way. */
import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { SandboxedProcess, type End } from '#workers/sandbox/sandboxed-process.ts';
import { raiseWall, sandboxKind, type Command } from '#workers/sandbox/wall.ts';
import { temporaryFolder, writeFiles } from '../../support/preview/projects.ts';

const bounds = { memoryBytes: 256 * 1024 * 1024, sourceBytes: 8 * 1024 * 1024, cpuSeconds: 20 };

describe('the sandbox', () => {
  const work = temporaryFolder();
  const inside = { sdkDir: join(work.path, 'sdk'), cacheDir: join(work.path, 'cache') };
  let server: Server;
  let port = 0;
  let reached = 0;

  before(async () => {
    // As a data folder is: open to be read, so that the build's own user can.
    chmodSync(work.path, 0o755);
    writeFiles(inside.sdkDir, { 'package.json': '{}' });
    mkdirSync(inside.cacheDir);
    server = createServer(() => {
      reached += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  after(async () => {
    await new Promise((resolve) => server.close(resolve));
    work.dispose();
  });

  /** The real command with other code to run, and without the second wall unless asked for. */
  const commandFor = (code: string, withPermissions: boolean): Command => {
    const command = raiseWall([inside.sdkDir]).command(inside, bounds);
    const args = command.args.slice(0, -2).filter((arg) => withPermissions || !/^--(?:permission|allow-fs|disallow-code|no-addons)/u.test(arg));
    return { ...command, args: [...args, '--input-type=module', '-e', code] };
  };
  const run = async (code: string, options: { withPermissions?: boolean; timeoutMs?: number; memoryBytes?: number } = {}): Promise<End> => {
    const child = new SandboxedProcess(commandFor(code, options.withPermissions ?? false), 1024 * 1024);
    if (options.memoryBytes !== undefined) child.watchMemory(options.memoryBytes);
    const deadline = setTimeout(() => child.kill(), options.timeoutMs ?? 15_000);
    const end = await child.ended;
    clearTimeout(deadline);
    return end;
  };
  const ask = async (code: string, withPermissions = false): Promise<Record<string, unknown>> => {
    const end = await run(
      `const told = {}; const attempt = async (name, work) => { try { told[name] = await work(); } catch (error) { told[name] = 'refused: ' + (error.code ?? error.message); } };
       ${code}; process.stdout.write(JSON.stringify(told) + '\\n', () => process.exit(0));`,
      { withPermissions },
    );
    return JSON.parse(end.errorTail.slice(end.errorTail.indexOf('{'))) as Record<string, unknown>;
  };

  it('is bubblewrap on this machine', () => {
    expect(sandboxKind()).to.equal('bubblewrap');
  });

  it('shows of the host only the SDK set, the cache, the builder and the libraries of Node, and lets nothing of it be written', async () => {
    const repository = fileURLToPath(new URL('../../..', import.meta.url));
    const unwritable = ['/x', '/b/x', '/b/sdk/x', '/b/cache/x', '/b/w/x', '/n/x', '/dev/x', '/dev/shm/x'];
    const told = await ask(`
      const fs = await import('node:fs');
      await attempt('root', () => fs.readdirSync('/').sort());
      await attempt('base', () => fs.readdirSync('/b').sort());
      await attempt('passwd', () => fs.readFileSync('/etc/passwd', 'utf8'));
      await attempt('repository', () => fs.readdirSync(${JSON.stringify(repository)}));
      await attempt('work', () => fs.readdirSync(${JSON.stringify(work.path)}));
      await attempt('proc', () => fs.readdirSync('/proc'));
      for (const path of ${JSON.stringify(unwritable)}) await attempt('write ' + path, () => fs.writeFileSync(path, ''));
      await attempt('write source', () => fs.writeFileSync('/b/src/x', 'y'));
    `);
    expect(told['root']).to.be.an('array').that.does.not.include.members(['home']).and.does.not.include('etc').and.does.not.include('tmp');
    expect(told['base']).to.deep.equal(['cache', 'sdk', 'src', 'w']);
    expect([told['passwd'], told['repository'], told['work'], told['proc']]).to.deep.equal(Array.from({ length: 4 }, () => 'refused: ENOENT'));
    for (const path of unwritable) expect(told[`write ${path}`], path).to.match(/^refused: (?:EROFS|EACCES)$/u);
    expect(told).to.not.have.property('write source', 'refused: EROFS');
    expect(readdirSync(inside.sdkDir)).to.deep.equal(['package.json']);
    expect(readdirSync(inside.cacheDir)).to.deep.equal([]);
  });

  it('has no network, no environment, no user of the host and no other process', async () => {
    const told = await ask(`
      const net = await import('node:net'); const os = await import('node:os');
      const connect = (port, host) => new Promise((resolve, reject) => net.connect(port, host).once('connect', () => resolve('reached')).once('error', reject));
      await attempt('loopback', () => connect(${port}, '127.0.0.1'));
      await attempt('outside', () => connect(80, '192.0.2.1'));
      told.interfaces = Object.keys(os.networkInterfaces());
      told.env = Object.keys(process.env).sort();
      told.uid = process.getuid(); told.pid = process.pid; told.hostname = os.hostname();
    `);
    expect(told['loopback']).to.match(/^refused/u);
    expect(told['outside']).to.match(/^refused/u);
    expect(reached).to.equal(0);
    expect(told['env']).to.deep.equal(['HOME', 'NODE_ENV', 'PWD']);
    expect(told['uid']).to.equal(65_534);
    expect(told['pid']).to.be.lessThan(10);
    expect(told['hostname']).to.equal('preview');
  });

  it('holds a second wall: no file beside the build’s own, no other program, no worker', async () => {
    const told = await ask(
      `
      const fs = await import('node:fs'); const { spawnSync } = await import('node:child_process'); const { Worker } = await import('node:worker_threads');
      await attempt('library', () => fs.readFileSync('/n/node'));
      await attempt('write', () => fs.writeFileSync('/b/sdk/x', ''));
      await attempt('program', () => spawnSync('/n/node', ['--version']).status);
      await attempt('worker', () => new Worker('1', { eval: true }));
      await attempt('eval', () => new Function('return 1')());
    `,
      true,
    );
    expect(told['library']).to.equal('refused: ERR_ACCESS_DENIED');
    expect(told['write']).to.equal('refused: ERR_ACCESS_DENIED');
    expect(told['program']).to.equal('refused: ERR_ACCESS_DENIED');
    expect(told['worker']).to.equal('refused: ERR_ACCESS_DENIED');
    expect(told['eval']).to.match(/^refused/u);
  });

  it('runs as a user that nobody else is, where the worker is root', () => {
    expect(raiseWall([inside.sdkDir]).ownUser).to.equal(process.getuid?.() === 0);
  });

  it('bounds processes and threads: of a hundred that would stay, few come to be', async () => {
    const end = await run(
      `const { spawn } = await import('node:child_process'); let spawned = 0;
       for (let i = 0; i < 100; i += 1) {
         const outcome = await new Promise((resolve) => spawn('/n/node', ['-e', 'setInterval(() => {}, 60000)'], { stdio: 'ignore' }).once('spawn', () => resolve(true)).once('error', () => resolve(false)));
         if (!outcome) break;
         spawned += 1; process._rawDebug('spawned=' + spawned + ';');
       }
       process._rawDebug('refused;'); process.exit(0);`,
      { timeoutMs: 6000 },
    );
    const spawned = [...end.errorTail.matchAll(/spawned=(\d+);/gu)].map((match) => Number(match[1]));
    expect(Math.max(0, ...spawned)).to.be.greaterThan(1).and.lessThan(48);
  });

  it('bounds what can be written to the sources’ own memory disk', async () => {
    const told = await ask(`
      const fs = await import('node:fs');
      let written = 0;
      await attempt('fill', () => { for (let i = 0; i < 100; i += 1) { fs.writeFileSync('/b/src/' + i, Buffer.alloc(1024 * 1024)); written += 1; } });
      told.written = written;
    `);
    expect(told['fill']).to.equal('refused: ENOSPC');
    expect(told['written']).to.be.lessThan(30);
  });

  it('ends a process that holds more memory than its limit, outside the heap too', async () => {
    const end = await run(`const kept = []; setInterval(() => kept.push(Buffer.alloc(16 * 1024 * 1024, 1)), 20);`, { memoryBytes: 200 * 1024 * 1024 });
    expect(end.reason).to.equal('memory');
  });

  it('ends a process that sends more than it may', async () => {
    const end = await run(
      `const fs = await import('node:fs'); const frame = Buffer.alloc(8 + 15 + 700000); frame.writeUInt32BE(15, 0); frame.writeUInt32BE(700000, 4); frame.write('{"type":"asset"}'.slice(0, 15), 8);
       const head = Buffer.from('{"type":"x"}   '); head.copy(frame, 8); for (;;) { let at = 0; while (at < frame.length) at += fs.writeSync(3, frame, at); }`,
    );
    expect(end.reason).to.equal('output');
  });

  it('ends the whole group when it is killed, however busy', async () => {
    const started = performance.now();
    const end = await run('for (;;);', { timeoutMs: 500 });
    expect(end.reason).to.equal('killed');
    expect(performance.now() - started).to.be.lessThan(5000);
  });
});
