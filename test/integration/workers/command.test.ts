import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { useRedis } from '../../support/redis.ts';
import { until } from '../../support/system.ts';
import { FixtureBackend, sharedSecret } from './fixture-backend.ts';

const command = fileURLToPath(new URL('../../../bin/hivesync-worker.mjs', import.meta.url));
const run = promisify(execFile);

describe('hivesync-worker', () => {
  const redis = useRedis();

  it('says how it is used, and which argument is wrong', async () => {
    const { stdout } = await run(process.execPath, [command, '--help']);
    expect(stdout).to.contain('--class cpu|gpu').and.to.contain('--concurrency N');
    for (const [args, word] of [[['--class', 'tpu'], 'WORKER_CLASS'], [['--concurrency', '0'], 'WORKER_CONCURRENCY'], [['--size', '3'], '--size'], [['--name', 'a b'], '--name']] as const) {
      const failure = await run(process.execPath, [command, ...args]).then(() => null, (error: unknown) => error as { code: number; stderr: string });
      expect(failure?.code, args.join(' ')).to.equal(1);
      expect(failure?.stderr).to.contain(word);
      expect(failure?.stderr).not.to.contain('    at ');
    }
  }).timeout(60_000);

  it('starts a worker of the class and size it is told, which ends in order', async () => {
    const fixture = new FixtureBackend();
    await fixture.listen();
    const folder = await mkdtemp(join(tmpdir(), 'hivesync-command-'));
    const child = spawn(command, ['--class', 'gpu', '--concurrency', '3', '--name', 'by-command'], {
      cwd: folder, stdio: 'ignore',
      env: {
        PATH: `${process.execPath.replace(/\/[^/]+$/, '')}:${process.env['PATH'] ?? ''}`, BASE_URL: fixture.baseUrl, REDIS_URL: redis.current.url,
        WORKER_SHARED_SECRET: sharedSecret.reveal(), DATA_DIR: folder, PREVIEW_SDK_VERSIONS: '0.88.1',
      },
    });
    const ended = new Promise<number | null>((resolve) => { child.once('exit', (code) => resolve(code)); });
    try {
      await until('the registration', () => fixture.registrations.length > 0, 20_000);
      expect(fixture.registrations[0]).to.include({ name: 'by-command', type: 'gpu', concurrency: 3 });
      child.kill('SIGTERM');
      expect(await ended).to.equal(0);
      expect(fixture.heartbeats.at(-1)?.status).to.equal('stopped');
    } finally {
      child.kill('SIGKILL');
      await ended;
      await fixture.close();
      await rm(folder, { recursive: true, force: true });
    }
  }).timeout(60_000);
});
