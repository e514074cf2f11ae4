import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Secret } from '#config/environment.ts';
import { createLogger, type LogOptions } from '#platform/log.ts';
import { strikeSecrets } from '#platform/log/redact.ts';
import { fileSink, type Sink } from '#platform/log/sinks.ts';

function capture(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const sink: Sink = { write: (line) => lines.push(line), flush: async () => undefined, flushSync: () => undefined, close: () => undefined };
  const log = createLogger({ level: 'debug', sinks: [sink], clock: { now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6) }, ...options }, { service: 'api' });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? 'null') as Record<string, unknown> };
}

describe('the log', () => {
  it('writes one JSON object a line, with the eight fields and no other', () => {
    const { log, lines, last } = capture();
    log.child({ requestId: 'req-1', userId: 'user-1' }).info('task.created', 'A task\nwas "created"', { count: 3 });
    expect(lines).to.have.length(1);
    expect(lines[0]).to.match(/^\{[^\n]*\}\n$/);
    expect(last()).to.deep.equal({
      timestamp: '2026-01-02T03:04:05.006Z', severity: 'info', event_type: 'task.created', message: 'A task\nwas "created"',
      metadata: { count: 3 }, service: 'api', request_id: 'req-1', user_id: 'user-1',
    });
  });

  it('leaves out what is less severe than its level', () => {
    const { log, lines } = capture({ level: 'warn' });
    log.info('a', 'b');
    log.warn('a', 'b');
    expect(lines).to.have.length(1);
    expect([log.writes('info'), log.writes('error')]).to.deep.equal([false, true]);
  });

  const secrets: [string, unknown, string][] = [
    ['a URL\'s query, fragment and user info', { url: 'https://ada:pw123456@store.example.com/a/b?X-Amz-Signature=deadbeef#frag1' }, 'pw123456 deadbeef frag1'],
    ['a query in the middle of a text', { text: 'GET /preview/bundle?token=abc123secret failed' }, 'abc123secret'],
    ['a database URL inside an error', { error: new Error('cannot reach postgres://hive:hunter22@db/x') }, 'hunter22'],
    ['what stands under a telling name', { password: 'hunter22', refresh_token: 'tok-tok', headers: { Authorization: 'Basic Zm9v', cookie: 'sid=1' }, apiKey: ['k-k-k'] }, 'hunter22 tok-tok Zm9v sid=1 k-k-k'],
    ['a bearer token in a text', { text: 'authorization was Bearer abc.def.ghi' }, 'abc.def.ghi'],
    ['a JSON Web Token', { text: 'got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl here' }, 'eyJzdWIiOiIxIn0 c2lnbmF0dXJl'],
    ['an API key and a webhook secret', { text: 'hsk_abcdefghijklmnop and whsec_MfKQ9r8GKYqrTwjUPD8' }, 'abcdefghijklmnop MfKQ9r8GKYqrTwjUPD8'],
    ['a Secret', { config: { jwt: new Secret('very-secret-value') } }, 'very-secret-value'],
    ['a cause of a cause', { error: new Error('outer', { cause: new Error('inner https://h/x?sig=cafebabe') }) }, 'cafebabe'],
    ['bytes', { body: Buffer.from('binary-secret') }, 'binary-secret'],
  ];
  for (const [what, metadata, values] of secrets) {
    it(`strikes out ${what}`, () => {
      const { log, lines } = capture();
      log.error('x', 'message', metadata as Record<string, unknown>);
      for (const value of values.split(' ')) expect(lines.join()).not.to.include(value);
    });
  }

  it('strikes secrets out of the message as well', () => {
    const { log, lines } = capture();
    log.info('x', 'fetched https://h/p?token=abcdefgh');
    expect(lines.join()).not.to.include('abcdefgh');
  });

  it('strikes a known secret out wherever it got to, encoded or not', () => {
    const value = 'pä"ss/word+1';
    const { log, lines } = capture({ strike: strikeSecrets([new Secret(value)]) });
    log.info('x', `it was ${value}`, { plain: value, encoded: encodeURIComponent(value), base64: Buffer.from(value).toString('base64') });
    const line = lines.join();
    for (const form of [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value), Buffer.from(value).toString('base64')]) expect(line).not.to.include(form);
    expect(() => JSON.parse(line) as unknown).not.to.throw();
  });

  it('keeps numbers that stand under telling names: counts of tokens are no secrets', () => {
    const { log, last } = capture();
    log.info('x', 'y', { tokens_in: 12 });
    expect(last()['metadata']).to.deep.equal({ tokens_in: 12 });
  });

  it('bounds what it is given and survives cycles, getters that throw and odd values', () => {
    const { log, lines } = capture();
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    log.info('x', 'y', { cycle, long: 'x'.repeat(100_000), many: Array.from({ length: 10_000 }, (_, i) => i), big: 10n, nan: NaN, fn: () => 1, date: new Date(NaN) });
    log.info('x', 'y', { get broken() { throw new Error('no'); } });
    expect(lines).to.have.length(2);
    expect(lines[0]?.length).to.be.lessThan(10_000);
    for (const line of lines) expect(() => JSON.parse(line) as unknown).not.to.throw();
  });

  it('leaves the detail of a database error out: it holds row values', () => {
    const { log, lines } = capture();
    log.error('x', 'y', { error: Object.assign(new Error('duplicate key'), { code: '23505', detail: 'Key (email)=(ada@example.com)', constraint: 'users_email' }) });
    expect(lines.join()).to.include('23505').and.include('users_email').and.not.include('ada@example.com');
  });

  it('rotates its file by size and keeps as many as asked', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hivesync-log-'));
    try {
      const sink = fileSink(join(folder, 'a.log'), 1_000, 2);
      await sink.flush();
      for (let index = 0; index < 60; index += 1) {
        sink.write(`${String(index).padStart(99, '.')}\n`);
        await sink.flush();
      }
      await sink.flush();
      sink.close();
      expect(readdirSync(folder).sort()).to.deep.equal(['a.log', 'a.log.1', 'a.log.2']);
      const kept = ['a.log.2', 'a.log.1', 'a.log'].map((name) => readFileSync(join(folder, name), 'utf8')).join('').split('\n').filter(Boolean).map((line) => Number(line.replace(/^\.+/, '')));
      expect(kept.at(-1)).to.equal(59);
      expect(kept).to.deep.equal(Array.from({ length: kept.length }, (_, index) => 60 - kept.length + index));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
