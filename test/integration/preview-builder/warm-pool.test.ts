import { expect } from 'chai';
import { setImmediate } from 'node:timers/promises';
import { defaultSdkVersion, findSdkSet } from '#platform/sdk-sets.ts';
import { WarmPool } from '#workers/preview/warm-pool.ts';
import type { Wall } from '#workers/sandbox/wall.ts';
import { until } from '../../support/until.ts';

/** A process that is ready when it is told to be, and waits: what a pool knows of a build process. */
const standIn = `
const ready = Buffer.from(JSON.stringify({ type: 'ready' }));
const head = Buffer.alloc(8);
head.writeUInt32BE(ready.length, 0);
process.stdin.once('data', () => require('node:fs').writeSync(3, Buffer.concat([head, ready])));
process.stdin.on('end', () => process.exit());
`;

describe('the pool of warm build processes', () => {
  let started: number;
  let pool: WarmPool;
  const wall: Wall = {
    kind: 'permission',
    ownUser: false,
    command: () => {
      started += 1;
      return { program: process.execPath, args: ['-e', standIn], env: {}, uid: null, memoryDisk: null, disk: null, dispose: () => undefined };
    },
  };
  const poolOf = (size: number, behind = wall): WarmPool => {
    const set = findSdkSet(defaultSdkVersion());
    if (set === null) throw new Error('There is no such set.');
    return new WarmPool({ dataDir: '/nowhere', set, wall: behind, size, isAtRest: false, bounds: { memoryBytes: 1, sourceBytes: 1, sourceFiles: 1, cpuSeconds: 1 }, maxOutputBytes: 1_000, quietMs: 0 });
  };
  /** Long enough for what is due at once to have happened. */
  const turns = async (): Promise<void> => { for (let turn = 0; turn < 50; turn += 1) await setImmediate(); };
  beforeEach(() => {
    started = 0;
    pool = poolOf(2);
  });
  afterEach(() => pool.close());

  it('gives each process once, and starts its successor only when nothing is built any more', async () => {
    await pool.warmed();
    expect(started).to.equal(2);
    const [first, second] = [pool.take(), pool.take()];
    expect(first).not.to.equal(second);
    first.child.kill();
    await first.child.ended;
    await turns();
    expect(started).to.equal(2);
    second.child.kill();
    await until('two successors', () => started === 4);
  });

  it('starts the successor of a process that stays at once: nobody waits for its end', async () => {
    await pool.warmed();
    const stays = pool.take({ stays: true });
    await until('a successor', () => started === 3);
    expect(stays.child.isEnded).to.equal(false);
  });

  it('warms one process at a time, and gives one that is ready before one that is not', async () => {
    pool.fill();
    pool.fill();
    expect(started).to.equal(1);
    await pool.warmed();
    const [first] = [pool.take()];
    first.child.kill();
    await until('its successor', () => started === 3);
    expect(pool.take().isReady).to.equal(true);
  });

  it('starts one for whoever finds none, and stops warming up processes that never become ready', async () => {
    await pool.close();
    pool = poolOf(0);
    await pool.take().ready;
    expect(started).to.equal(1);
    await pool.close();
    const broken: Wall = { ...wall, command: (...given) => ({ ...wall.command(...given), args: ['-e', 'process.exit(3)'] }) };
    pool = poolOf(2, broken);
    started = 0;
    expect(await pool.warmed().then(() => 'warm', () => 'none')).to.equal('none');
    await until('it gave up', () => started === 3);
    await turns();
    expect(started).to.equal(3);
  });
});
