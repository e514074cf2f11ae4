/** The wall itself: what a process can do inside when Node's own permission model is out of the way. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { SandboxedProcess, type End } from '#workers/sandbox/sandboxed-process.ts';
import { raiseWall, sandboxKind, type Command } from '#workers/sandbox/wall.ts';
import { temporaryFolder, writeFiles } from '../../support/preview/projects.ts';

const bounds = { memoryBytes: 256 * 1024 * 1024, sourceBytes: 8 * 1024 * 1024, sourceFiles: 1_000, cpuSeconds: 20 };

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

  it('leads to no socket of the host, of whatever kind, without the second wall too', async () => {
    const abstractName = `\0hivesync-${randomUUID()}`;
    const told: string[] = [];
    const listen = async (name: string, at: object): Promise<Server> => {
      const listening = createServer((socket) => { told.push(name); socket.destroy(); }).listen(at);
      await once(listening, 'listening');
      return listening;
    };
    const six = await listen('IPv6', { port: 0, host: '::1' });
    const file = await listen('unix', { path: join(work.path, 's') });
    const abstract = await listen('abstract', { path: abstractName });
    try {
      const answers = await ask(`
        const net = await import('node:net'); const dns = await import('node:dns/promises');
        const connect = (options) => new Promise((resolve, reject) => net.connect(options).once('connect', () => resolve('reached')).once('error', reject));
        await attempt('IPv6', () => connect({ port: ${(six.address() as AddressInfo).port}, host: '::1' }));
        await attempt('every address', () => connect({ port: ${port}, host: '0.0.0.0' }));
        await attempt('unix', () => connect({ path: ${JSON.stringify(join(work.path, 's'))} }));
        await attempt('abstract', () => connect({ path: ${JSON.stringify(abstractName)} }));
        await attempt('metadata', () => connect({ port: 80, host: '169.254.169.254' }));
        await attempt('name', () => dns.lookup('example.com'));
        await attempt('resolver', () => { dns.setServers(['1.1.1.1', '127.0.0.53']); return dns.resolve4('example.com'); });
      `);
      for (const [what, answer] of Object.entries(answers)) expect(answer, what).to.match(/^refused/u);
      expect(Object.keys(answers)).to.have.length(7);
      expect(told).to.deep.equal([]);
    } finally {
      for (const server of [six, file, abstract]) server.close();
    }
  });

  it('shows no process of the host, and lets none be signalled', async () => {
    const told = await ask(`
      told.seen = []; for (let pid = 1; pid < 5000; pid += 1) { try { process.kill(pid, 0); told.seen.push(pid); } catch (error) { if (error.code !== 'ESRCH') told.seen.push(pid); } }
      await attempt('worker', () => process.kill(${process.pid}, 0));
      await attempt('everybody', () => process.kill(-1, 0));
      const fs = await import('node:fs');
      told.open = []; for (let descriptor = 4; descriptor < 512; descriptor += 1) { try { const found = fs.fstatSync(descriptor); if (found.isFile() || found.isDirectory() || found.isBlockDevice() || found.isSocket()) told.open.push(descriptor); } catch {} }
      await attempt('mount', () => fs.mkdirSync('/b/src/proc') ?? fs.readdirSync('/b/src/proc/1'));
      await attempt('device', async () => { const { spawnSync } = await import('node:child_process'); const done = spawnSync('mknod', ['/b/src/null', 'c', '1', '3']); if (done.error) throw done.error; return done.status; });
      await attempt('root', () => process.setuid(0));
      await attempt('priority', async () => (await import('node:os')).setPriority(0, -20));
    `);
    // Its own namespace: the first process in it, itself, and its threads.
    expect(Math.max(...(told['seen'] as number[]))).to.be.lessThan(40);
    expect(told['open']).to.deep.equal([]);
    for (const what of ['worker', 'mount', 'device', 'root', 'priority']) expect(told[what], what).to.match(/^refused/u);
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

  it('counts the memory of what another thread of the process has started', async () => {
    const end = await run(`
      const { Worker } = await import('node:worker_threads');
      new Worker("import('node:child_process').then(({ spawn }) => spawn('/n/node', ['-e', 'const kept = []; setInterval(() => kept.push(Buffer.alloc(16 * 1024 * 1024, 1)), 20)'], { stdio: 'ignore' })); setInterval(() => {}, 1000)", { eval: true });
      setInterval(() => {}, 1000);
    `, { memoryBytes: 300 * 1024 * 1024 });
    expect(end.reason, end.errorTail).to.equal('memory');
  });

  it('counts empty files as the memory they are', async () => {
    const end = await run(`
      const fs = await import('node:fs');
      for (let made = 0; ; made += 1) fs.closeSync(fs.openSync('/b/src/' + made, 'wx'));
    `, { memoryBytes: 200 * 1024 * 1024 });
    expect(end.reason).to.equal('memory');
  });

  it('ends a process that sends more than it may', async () => {
    const end = await run(
      `const fs = await import('node:fs'); const frame = Buffer.alloc(8 + 15 + 700000); frame.writeUInt32BE(15, 0); frame.writeUInt32BE(700000, 4); frame.write('{"type":"asset"}'.slice(0, 15), 8);
       const head = Buffer.from('{"type":"x"}   '); head.copy(frame, 8); for (;;) { let at = 0; while (at < frame.length) at += fs.writeSync(3, frame, at); }`,
    );
    expect(end.reason).to.equal('output');
  });

  /** Processes of this machine that carry the mark in their arguments. */
  const marked = (mark: string): number[] =>
    readdirSync('/proc').filter((name) => /^[0-9]+$/u.test(name)).map(Number).filter((pid) => {
      try {
        return pid !== process.pid && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(mark);
      } catch {
        return false;
      }
    });
  const eventually = async (holds: () => boolean): Promise<void> => {
    for (const end = performance.now() + 5_000; !holds() && performance.now() < end;) await new Promise((resolve) => { setTimeout(resolve, 20); });
    expect(holds()).to.equal(true);
  };
  /** Leaves its group and session twice over, hears no signal, and stays. */
  const staying = (mark: string): string => `
    const { spawn } = await import('node:child_process');
    const stay = 'for (const name of ["SIGTERM", "SIGHUP", "SIGINT"]) process.on(name, () => {}); setInterval(() => {}, 1000)';
    const again = 'require("node:child_process").spawn("/n/node", ["-e", ' + JSON.stringify(stay) + ', "${mark}"], { detached: true, stdio: "ignore" }).unref();' + stay;
    spawn('/n/node', ['-e', again, '${mark}'], { detached: true, stdio: 'ignore' }).unref();
    await new Promise((resolve) => setTimeout(resolve, 1000));`;

  it('leaves nothing behind when it ends, whatever has left its group', async () => {
    const mark = `stays-${randomUUID()}`;
    let most = 0;
    const looking = setInterval(() => { most = Math.max(most, marked(mark).length); }, 50);
    const end = await run(`${staying(mark)} process.exit(0);`);
    clearInterval(looking);
    expect(end.exitCode).to.equal(0);
    expect(most).to.be.greaterThan(2);
    await eventually(() => marked(mark).length === 0);
  });

  it('ends with the worker, also when that is killed without a word', async () => {
    const mark = `stays-${randomUUID()}`;
    const command = commandFor(`${staying(mark)} await new Promise(() => setInterval(() => {}, 1000));`, false);
    const script = `
      const { SandboxedProcess } = await import('#workers/sandbox/sandboxed-process.ts');
      new SandboxedProcess({ ...JSON.parse(process.argv[1]), dispose: () => undefined }, 1000);
      setInterval(() => {}, 1000);`;
    const worker = spawn(process.execPath, ['--input-type=module', '-e', script, JSON.stringify(command)], { stdio: 'inherit', cwd: fileURLToPath(new URL('../../..', import.meta.url)) });
    await eventually(() => marked(mark).length > 3);
    worker.kill('SIGKILL');
    await once(worker, 'exit');
    await eventually(() => marked(mark).length === 0);
  });

  it('ends the whole group when it is killed, however busy', async () => {
    const started = performance.now();
    const end = await run('for (;;);', { timeoutMs: 500 });
    expect(end.reason).to.equal('killed');
    expect(performance.now() - started).to.be.lessThan(5000);
  });
});
