import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { hashApiKey } from '#platform/tokens/api-keys.ts';
import { markRevoked } from '#platform/revocations.ts';
import { startFixture, useFixture, type Fixture } from './fixture/app.ts';

const until = async (what: string, holds: () => boolean): Promise<void> => {
  const endAt = Date.now() + 8_000;
  while (!holds()) {
    if (Date.now() > endAt) throw new Error(`Never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

/** An event stream on a raw socket: what came, and whether it ended. */
function listenTo({ port }: Fixture, credential: string | { 'x-api-key': string }, path = '/stream'): { text: () => string; hasEnded: () => boolean; socket: Socket } {
  const header = typeof credential === 'string' ? `Authorization: ${credential}` : `X-Api-Key: ${credential['x-api-key']}`;
  const socket = connect(port, '127.0.0.1');
  let got = '';
  let hasEnded = false;
  socket.on('data', (chunk: Buffer) => { got += chunk.toString('latin1'); });
  socket.on('close', () => { hasEnded = true; });
  socket.on('error', () => undefined);
  socket.write(`GET /api/v1${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${header}\r\nAccept-Encoding: gzip\r\n\r\n`);
  return { text: () => got, hasEnded: () => hasEnded, socket };
}

/** The last event of a stream that was ended from outside. */
const closed = (reason: string): string => `event: closed\ndata: {"reason":"${reason}"}\n\n`;

describe('http: streams', () => {
  let cap: number | null = null;
  let nowMs = Date.now();
  const fixture = useFixture({ clock: { now: () => nowMs }, deps: { heartbeatMs: 30, recheckMs: 30, streamCap: () => (cap === null ? null : { cap }) } });
  afterEach('as at the start', () => {
    cap = null;
    nowMs = Date.now();
  });

  it('sends events as they come, framed, uncompressed and not to be stored, with heartbeats', async () => {
    const stream = listenTo(fixture.current, fixture.current.person().headers.authorization);
    await until('a heartbeat', () => stream.text().includes(': beat'));
    expect(stream.text()).to.contain('Content-Type: text/event-stream').and.to.contain('no-store, no-transform').and.to.contain('X-Accel-Buffering: no');
    expect(stream.text()).not.to.match(/content-encoding/i);
    expect(stream.text()).to.contain('id: 1\nevent: thing.made\ndata: {"title":"two\\nlines"}\n\n');
    stream.socket.destroy();
  });

  it('ends the source when the client goes away, and when it ended by itself', async () => {
    const { intervene, person } = fixture.current;
    const before = intervene.streamEnded;
    const stream = listenTo(fixture.current, person().headers.authorization);
    await until('the first event', () => stream.text().includes('thing.made'));
    stream.socket.destroy();
    await until('the source to end', () => intervene.streamEnded === before + 1);
    const short = listenTo(fixture.current, person().headers.authorization, '/stream?kind=short');
    await until('the end', short.hasEnded);
    expect(short.text()).not.to.contain('event: closed');
    expect(intervene.streamEnded).to.equal(before + 2);
  });

  it('ends when the session is revoked, and says so', async () => {
    const { person, redis, intervene } = fixture.current;
    const ada = person();
    const before = intervene.streamEnded;
    const stream = listenTo(fixture.current, ada.headers.authorization);
    await until('the first event', () => stream.text().includes('thing.made'));
    await markRevoked(redis.redis, [ada.sessionId], 900);
    await until('the end', stream.hasEnded);
    expect(stream.text()).to.contain(closed('credential_revoked'));
    await until('the source to end', () => intervene.streamEnded === before + 1);
  });

  it('ends when the API key is revoked, and when it opens something else than it did', async () => {
    const { person, keyOf, credentials, redis, intervene } = fixture.current;
    const ada = person();
    const open = async (more: Parameters<typeof keyOf>[1] = {}) => {
      const made = keyOf(ada, more);
      const stream = listenTo(fixture.current, made.headers);
      await until('the first event', () => stream.text().includes('thing.made'));
      const hash = hashApiKey(made.key).toString('hex');
      const identity = credentials.apiKeys.get(hash);
      if (identity === undefined) throw new Error('The key is there.');
      return { ...made, stream, becomes: (change: Partial<typeof identity>) => void credentials.apiKeys.set(hash, { ...identity, ...change }) };
    };
    const [revoked, narrowed, shortened, kept] = [await open(), await open(), await open(), await open()];
    const before = intervene.streamEnded;
    await markRevoked(redis.redis, [revoked.keyId], 900);
    narrowed.becomes({ scopes: ['things:write'] });
    shortened.becomes({ expiresAtMs: nowMs + 60_000 });
    for (const { stream } of [revoked, narrowed, shortened]) await until('the end', stream.hasEnded);
    await until('the sources to end', () => intervene.streamEnded === before + 3);
    const beats = kept.stream.text().length;
    await until('a heartbeat of the one that nobody touched', () => kept.stream.text().length > beats);
    expect(kept.stream.hasEnded()).to.equal(false);
    kept.stream.socket.destroy();
  });

  it('hears at once that the session or its account was revoked, and goes on where the account stands', async () => {
    const own = await startFixture({ deps: { recheckMs: 3_600_000 }, hears: true });
    try {
      const { person, redis, credentials } = own;
      const [ada, ben, eve] = [person(), person(), person()];
      const streams = [ada, ben, eve].map(({ headers }) => listenTo(own, headers.authorization));
      await until('the first events', () => streams.every((stream) => stream.text().includes('thing.made')));
      const account = credentials.accounts.get(ben.userId);
      if (account !== undefined) credentials.accounts.set(ben.userId, { ...account, isSuspended: true });
      await markRevoked(redis.redis, [eve.userId], 900);
      await markRevoked(redis.redis, [ada.sessionId, ben.userId], 900);
      await until('the end of two', () => streams.filter((stream) => stream.hasEnded()).length === 2);
      expect(streams.map((stream) => stream.hasEnded())).to.deep.equal([true, true, false]);
      streams[2]?.socket.destroy();
    } finally {
      await own.close();
    }
  });

  it('ends when the token expires, and says so', async () => {
    const { person } = fixture.current;
    // Signed 14 minutes and 58.5 seconds ago: about a second is left.
    nowMs = Date.now() - 898_500;
    const ada = person();
    nowMs = Date.now();
    const stream = listenTo(fixture.current, ada.headers.authorization);
    await until('the end', stream.hasEnded);
    expect(stream.text()).to.contain('thing.made').and.to.contain(closed('credential_expired'));
  });

  it('cuts a client that does not read, before a few megabytes wait for it, and tells it why where it reads after all', async () => {
    const { person, intervene } = fixture.current;
    const before = intervene.streamEnded;
    const stream = listenTo(fixture.current, person().headers.authorization, '/stream?kind=flood');
    stream.socket.pause();
    await until('the source to end', () => intervene.streamEnded === before + 1);
    stream.socket.resume();
    await until('the end', stream.hasEnded);
    expect(stream.text()).to.contain(closed('too_slow'));
  });

  it('caps the streams of a caller, and frees the place with the stream', async () => {
    const { person, call, redis } = fixture.current;
    const ada = person();
    cap = 2;
    const streams = [listenTo(fixture.current, ada.headers.authorization), listenTo(fixture.current, ada.headers.authorization)];
    for (const stream of streams) await until('the first event', () => stream.text().includes('thing.made'));
    const refused = await call('GET', '/stream', { headers: ada.headers });
    expect([refused.status, refused.json.error?.code]).to.deep.equal([402, 'QUOTA_EXCEEDED']);
    expect(await redis.redis.zcard(`rate_limit:${ada.userId}:streams`)).to.equal(2);
    streams[0]?.socket.destroy();
    let freed = 2;
    await until('the place', () => {
      void redis.redis.zcard(`rate_limit:${ada.userId}:streams`).then((held) => { freed = held; });
      return freed === 1;
    });
    const third = listenTo(fixture.current, ada.headers.authorization);
    await until('the first event', () => third.text().includes('thing.made'));
    third.socket.destroy();
    streams[1]?.socket.destroy();
  });

  it('ends when the process goes down, so that the client goes on elsewhere', async () => {
    const shutdown = new AbortController();
    const own = await startFixture({ share: fixture.current, deps: { shutdown: shutdown.signal } });
    const stream = listenTo(own, own.person().headers.authorization);
    await until('the first event', () => stream.text().includes('thing.made'));
    shutdown.abort();
    await until('the end', stream.hasEnded);
    expect(stream.text()).to.contain(closed('shutting_down'));
    await own.close();
  });

  it('sends a file whole, and breaks the connection where the source breaks', async () => {
    const { call, person, logLines } = fixture.current;
    const { headers } = person();
    const whole = await call('GET', '/downloads', { headers });
    expect([whole.status, whole.headers.get('content-type'), whole.text.length]).to.deep.equal([200, 'application/octet-stream', 64 * 16 * 1024]);
    expect(whole.headers.get('x-content-type-options')).to.equal('nosniff');
    logLines.length = 0;
    const broken = await call('GET', '/downloads?fault=true', { headers }).then(() => 'whole', () => 'broken');
    expect(broken).to.equal('broken');
    await until('the log', () => logLines.some(({ event_type }) => event_type === 'http.stream_failed'));
    expect((await call('HEAD', '/downloads', { headers })).status).to.equal(200);
  });
});
