import { expect } from 'chai';
import { EventEmitter } from 'node:events';
import { Secret } from '#config/environment.ts';
import { createVault, deriveKey, equalInConstantTime, hmacSha256, sha256Hex } from '#platform/crypto.ts';
import { safeInteger, timestampText } from '#platform/database/types.ts';
import { DeadlineError, pause, withDeadline } from '#platform/deadline.ts';
import { idTimeMs, isId, newId } from '#platform/ids.ts';
import { createShutdown, shutdownOnSignals } from '#platform/shutdown.ts';

const quiet = { info: () => undefined, error: () => undefined };

describe('ids', () => {
  it('are UUIDv7 with the time they were made in', () => {
    const now = Date.now();
    const id = newId();
    expect(isId(id)).to.equal(true);
    expect(id[14]).to.equal('7');
    expect('89ab').to.include(id.charAt(19));
    expect(idTimeMs(id)).to.be.within(now, now + 5_000);
  });

  it('rise strictly within a process, past 4096 in one millisecond and when the clock steps back', () => {
    const at = Date.now() + 60_000;
    const ids = [...Array.from({ length: 10_000 }, () => newId(at)), ...Array.from({ length: 100 }, () => newId(at - 5_000)), newId(at + 1_000)];
    expect(ids).to.deep.equal([...ids].sort());
    expect(new Set(ids).size).to.equal(ids.length);
  });
});

describe('rows', () => {
  it('carry a timestamptz as RFC 3339 with milliseconds, cut and not rounded', () => {
    expect(timestampText('2026-03-02 09:00:00+00')).to.equal('2026-03-02T09:00:00.000Z');
    expect(timestampText('2026-03-02 09:00:00.1+00')).to.equal('2026-03-02T09:00:00.100Z');
    expect(timestampText('2026-03-02 09:00:00.999999+00')).to.equal('2026-03-02T09:00:00.999Z');
    for (const other of ['2026-03-02 09:00:00+02', 'infinity', '0044-03-15 12:00:00+00 BC']) expect(() => timestampText(other)).to.throw();
  });

  it('refuse an int8 that a number cannot hold', () => {
    expect(safeInteger('9007199254740991')).to.equal(Number.MAX_SAFE_INTEGER);
    expect(() => safeInteger('9007199254740993')).to.throw('too large');
  });
});

describe('deadlines', () => {
  it('give the result, or the failure, of work that is in time', async () => {
    expect(await withDeadline(async () => 5, 1_000, 'work')).to.equal(5);
    const failure = await withDeadline(async () => { throw new Error('own'); }, 1_000, 'work').catch((error: unknown) => error);
    expect(failure).to.have.property('message', 'own');
  });

  it('reject with what was waited for, and abort the work', async () => {
    let aborted = false;
    const failure = await withDeadline((signal) => new Promise(() => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
    }), 10, 'The slow thing').catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(DeadlineError).and.have.property('message', 'The slow thing took longer than 10 ms.');
    expect(aborted).to.equal(true);
  });

  it('end early with the outer signal', async () => {
    const outer = new AbortController();
    const waiting = withDeadline((signal) => pause(60_000, signal), 60_000, 'work', outer.signal).catch((error: unknown) => error);
    outer.abort(new Error('gone'));
    expect(await waiting).to.have.property('message', 'gone');
  });
});

describe('sealed values', () => {
  const first = new Secret(Buffer.alloc(32, 1).toString('base64'));
  const second = new Secret(Buffer.alloc(32, 2).toString('hex'));

  it('open to what was sealed, under the same context alone', () => {
    const vault = createVault(first);
    const sealed = vault.seal('git token', 'repos.credential:1');
    expect(vault.open(sealed, 'repos.credential:1').toString()).to.equal('git token');
    expect(() => vault.open(sealed, 'repos.credential:2')).to.throw();
    expect(sealed.data.includes('git token')).to.equal(false);
  });

  it('do not open once a byte was changed or cut off', () => {
    const vault = createVault(first);
    const sealed = vault.seal('text', 'c');
    for (let at = 0; at < sealed.data.length; at += 1) {
      const changed = Buffer.from(sealed.data);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => vault.open({ ...sealed, data: changed }, 'c')).to.throw();
    }
    expect(() => vault.open({ ...sealed, data: sealed.data.subarray(0, 27) }, 'c')).to.throw('too short');
  });

  it('survive a rotation of keys, and are refused under a key nobody knows', () => {
    const sealed = createVault(first).seal('text', 'c');
    const rotated = createVault(second, first);
    expect(rotated.keyId).not.to.equal(sealed.keyId);
    expect(rotated.open(sealed, 'c').toString()).to.equal('text');
    expect(() => createVault(second).open(sealed, 'c')).to.throw('not known');
  });
});

describe('keys and digests', () => {
  it('derive another key for each purpose, the same each time', () => {
    const secret = new Secret('s'.repeat(40));
    const mac = (purpose: string): string => hmacSha256(deriveKey(secret, purpose), 'x').toString('hex');
    expect(mac('access')).to.equal(mac('access'));
    expect(mac('access')).not.to.equal(mac('preview'));
  });

  it('agree with the published vectors', () => {
    expect(sha256Hex('abc')).to.equal('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    // RFC 4231, test case 2.
    expect(hmacSha256(Buffer.from('Jefe'), 'what do ya want ', 'for nothing?').toString('hex')).to.equal('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
  });

  it('compare equal what is equal and nothing else', () => {
    expect(equalInConstantTime('abc', Buffer.from('abc'))).to.equal(true);
    expect(equalInConstantTime('abc', 'abd')).to.equal(false);
    expect(equalInConstantTime('abc', 'abcd')).to.equal(false);
  });
});

describe('the shutdown', () => {
  it('runs phases in order, the last added first within one, whatever the order of adding', async () => {
    const ran: string[] = [];
    const shutdown = createShutdown(quiet, 1_000);
    shutdown.add('close', 'pool', 100, () => void ran.push('pool'));
    shutdown.add('refuse', 'listener', 100, () => void ran.push('listener'));
    shutdown.add('close', 'cache', 100, () => void ran.push('cache'));
    shutdown.add('drain', 'jobs', 100, () => void ran.push('jobs'));
    expect(await shutdown.begin('test')).to.equal(true);
    expect(ran).to.deep.equal(['listener', 'jobs', 'cache', 'pool']);
    expect(shutdown.signal.aborted).to.equal(true);
  });

  it('passes over a step that hangs or fails, says so, and closes the rest', async () => {
    const ran: string[] = [];
    const failed: unknown[] = [];
    const shutdown = createShutdown({ info: () => undefined, error: (_type, _message, metadata) => void failed.push(metadata?.['step']) }, 1_000);
    shutdown.add('refuse', 'hangs', 20, () => new Promise(() => undefined));
    shutdown.add('drain', 'throws', 20, () => { throw new Error('no'); });
    shutdown.add('close', 'pool', 20, () => void ran.push('pool'));
    expect(await shutdown.begin('test')).to.equal(false);
    expect(failed).to.deep.equal(['hangs', 'throws']);
    expect(ran).to.deep.equal(['pool']);
  });

  it('is bounded as a whole', async () => {
    const shutdown = createShutdown(quiet, 50);
    for (let step = 0; step < 20; step += 1) shutdown.add('drain', `s${step}`, 10_000, () => new Promise(() => undefined));
    const startedAt = performance.now();
    await shutdown.begin('test');
    expect(performance.now() - startedAt).to.be.lessThan(1_000);
  });

  class FakeProcess extends EventEmitter {
    readonly codes: number[] = [];
    readonly supervised: boolean;
    readonly connected: boolean;
    constructor(supervised: boolean, connected = supervised) {
      super();
      this.supervised = supervised;
      this.connected = connected;
    }
    exit(code: number): void {
      this.codes.push(code);
      this.emit('exited');
    }
  }
  const exited = (source: FakeProcess): Promise<unknown> => new Promise((resolve) => source.once('exited', resolve));

  it('begins at the first signal and ends the process at the second, unless that is the first passed on once more', async () => {
    const source = new FakeProcess(false);
    let nowMs = 1_000;
    const shutdown = createShutdown(quiet, 60_000);
    shutdown.add('drain', 'hangs', 60_000, () => pause(60_000, release.signal).catch(() => undefined));
    const release = new AbortController();
    shutdownOnSignals(shutdown, source, { now: () => nowMs });
    source.emit('SIGTERM');
    nowMs += 499;
    source.emit('SIGTERM');
    expect(source.codes).to.deep.equal([]);
    nowMs += 1;
    source.emit('SIGINT');
    expect(source.codes).to.deep.equal([130]);
    release.abort();
    await exited(source);
  });

  it('under a supervisor leaves SIGINT to it, and goes when it is gone', async () => {
    const source = new FakeProcess(true);
    const shutdown = createShutdown(quiet, 1_000);
    shutdownOnSignals(shutdown, source);
    source.emit('SIGINT');
    expect(shutdown.signal.aborted).to.equal(false);
    const gone = exited(source);
    source.emit('disconnect');
    await gone;
    expect(source.codes).to.deep.equal([0]);
  });

  it('goes when the supervisor died before anybody listened for it', async () => {
    const source = new FakeProcess(true, false);
    const gone = exited(source);
    shutdownOnSignals(createShutdown(quiet, 1_000), source);
    await gone;
    expect(source.codes).to.deep.equal([0]);
  });
});
