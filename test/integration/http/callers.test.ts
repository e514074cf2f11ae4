import { createSecretKey } from 'node:crypto';
import { expect } from 'chai';
import { sha256 } from '#platform/crypto.ts';
import { hmacSha256 } from '#platform/crypto.ts';
import { newId } from '#platform/ids.ts';
import { markRevoked } from '#platform/revocations.ts';
import { hashApiKey, newApiKey } from '#platform/tokens/api-keys.ts';
import { signedText } from '#http/authenticate/worker.ts';
import { useFixture, type Reply } from './fixture/app.ts';

const outcome = ({ status, json }: Reply): string => `${status} ${json.error?.code ?? 'ok'}`;

describe('http: who calls', () => {
  let nowMs = Date.now();
  const fixture = useFixture({ clock: { now: () => nowMs } });
  afterEach('the clock goes on', () => { nowMs = Date.now(); });

  it('refuses no credential, a malformed one, one of another purpose or key, with WWW-Authenticate', async () => {
    const { call, previewTokens, person, tokens } = fixture.current;
    const view = previewTokens.sign({ purpose: 'view', ownerId: newId(), projectId: newId(), jobId: newId(), sessionId: null, shareId: null }, 60).token;
    const { token } = person();
    const [head = '', body = '', signature = ''] = token.split('.');
    const unsigned = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${body}.`;
    const ghost = tokens.sign({ userId: newId(), sessionId: newId(), tier: 'free', authenticatedAtMs: nowMs }).token;
    for (const authorization of [undefined, 'Basic YTpi', 'Bearer', 'Bearer x', `Bearer ${view}`, `Bearer ${unsigned}`, `Bearer ${head}.${body}.${signature.slice(0, -2)}AA`, `Bearer ${ghost}`]) {
      const reply = await call('GET', '/things', { headers: authorization === undefined ? {} : { authorization } });
      expect(outcome(reply), authorization).to.equal('401 AUTH_INVALID');
      expect(reply.headers.get('www-authenticate')).to.match(/^Bearer realm=/);
    }
  });

  it('tells an expired token from an invalid one, also when it was verified before', async () => {
    const { call, person } = fixture.current;
    const ada = person();
    expect((await call('GET', '/things', { headers: ada.headers })).status).to.equal(200);
    nowMs += 900_000;
    const reply = await call('GET', '/things', { headers: ada.headers });
    expect(outcome(reply)).to.equal('401 AUTH_EXPIRED');
    expect(reply.headers.get('www-authenticate')).to.contain('invalid_token');
  });

  it('refuses a suspended account with 403 and a deleted one with 401, within the time its identity is kept', async () => {
    const { call, person, credentials } = fixture.current;
    const ada = person();
    expect((await call('GET', '/things', { headers: ada.headers })).status).to.equal(200);
    credentials.accounts.set(ada.userId, { userId: ada.userId, tier: 'free', isSuspended: true, isDeleted: false, isVerified: true });
    nowMs += 3_001;
    expect(outcome(await call('GET', '/things', { headers: ada.headers }))).to.equal('403 FORBIDDEN');
    credentials.accounts.delete(ada.userId);
    nowMs += 3_001;
    expect(outcome(await call('GET', '/things', { headers: ada.headers }))).to.equal('401 AUTH_INVALID');
  });

  it('refuses a session that is unknown, ended, or another account\'s, though nothing marks it', async () => {
    const { call, person, credentials } = fixture.current;
    const [unknown, ended, ada, ben] = [person(), person(), person(), person()];
    credentials.sessions.delete(unknown.sessionId);
    credentials.sessions.set(ended.sessionId, { userId: ended.userId, isRevoked: true });
    credentials.sessions.set(ada.sessionId, { userId: ben.userId, isRevoked: false });
    for (const { headers } of [unknown, ended, ada]) expect(outcome(await call('GET', '/things', { headers }))).to.equal('401 AUTH_INVALID');
    expect((await call('GET', '/things', { headers: ben.headers })).status).to.equal(200);
  });

  it('reads an account once for many requests, and a session once for good', async () => {
    const { call, person, credentials } = fixture.current;
    const ada = person();
    expect((await call('GET', '/things', { headers: ada.headers })).status).to.equal(200);
    nowMs += 3_001;
    Object.assign(credentials.reads, { account: 0, session: 0 });
    await Promise.all(Array.from({ length: 20 }, () => call('GET', '/things', { headers: ada.headers })));
    expect(credentials.reads).to.include({ account: 1, session: 0 });
  });

  it('lets an administrator in by what the account says now, whatever was kept or claimed', async () => {
    const { call, person, credentials } = fixture.current;
    const root = person({ tier: 'admin' });
    expect((await call('GET', '/admin-things', { headers: root.headers })).status).to.equal(200);
    credentials.accounts.set(root.userId, { userId: root.userId, tier: 'free', isSuspended: false, isDeleted: false, isVerified: true });
    expect(outcome(await call('GET', '/admin-things', { headers: root.headers }))).to.equal('403 FORBIDDEN');
  });

  describe('API keys', () => {
    const keyFor = (scopes: string[], more: { expiresAtMs?: number; isRevoked?: boolean } = {}) => {
      const { credentials, person } = fixture.current;
      const ada = person();
      const { key, hash } = newApiKey();
      const keyId = newId();
      credentials.apiKeys.set(hash.toString('hex'), { keyId, userId: ada.userId, scopes, projectIds: null, expiresAtMs: more.expiresAtMs ?? null, isRevoked: more.isRevoked ?? false });
      return { key, keyId, headers: { 'x-api-key': key }, ada };
    };

    it('opens what its scopes name and nothing else', async () => {
      const { call } = fixture.current;
      const { headers } = keyFor(['things:read']);
      expect((await call('GET', '/things', { headers })).status).to.equal(200);
      const refused = await call('POST', '/things', { headers, json: { title: 'a' } });
      expect([outcome(refused), refused.json.error?.details]).to.deep.equal(['403 FORBIDDEN', { scope: 'things:write' }]);
      expect(outcome(await call('POST', '/sign-out', { headers }))).to.equal('403 FORBIDDEN');
      expect(outcome(await call('GET', '/admin-things', { headers }))).to.equal('403 FORBIDDEN');
    });

    it('may do what it may at this request: a change of it waits for no cache', async () => {
      const { call, credentials } = fixture.current;
      const { key, headers } = keyFor(['things:read']);
      const hash = hashApiKey(key).toString('hex');
      const identity = credentials.apiKeys.get(hash);
      if (identity === undefined) throw new Error('The key is there.');
      const becomes = async (change: Partial<typeof identity>): Promise<string> => {
        credentials.apiKeys.set(hash, { ...identity, ...change });
        return outcome(await call('GET', '/things', { headers }));
      };
      expect(await becomes({})).to.equal('200 ok');
      expect(await becomes({ scopes: ['things:write'] })).to.equal('403 FORBIDDEN');
      expect(await becomes({})).to.equal('200 ok');
      expect(await becomes({ expiresAtMs: nowMs })).to.equal('401 AUTH_EXPIRED');
      expect(await becomes({ isRevoked: true })).to.equal('401 AUTH_INVALID');
    });

    it('is refused when malformed (without a look at the database), unknown, revoked, expired, or beside a token', async () => {
      const { call, credentials, person } = fixture.current;
      const { key } = keyFor(['things:read']);
      credentials.reads.apiKey = 0;
      for (const bad of ['hsk_', `${key}x`, `${key.slice(0, -1)}${key.endsWith('a') ? 'b' : 'a'}`, key.replace('hsk_', 'hsx_')]) {
        expect(outcome(await call('GET', '/things', { headers: { 'x-api-key': bad } })), bad).to.equal('401 AUTH_INVALID');
      }
      expect(credentials.reads.apiKey).to.equal(0);
      expect(outcome(await call('GET', '/things', { headers: { 'x-api-key': newApiKey().key } }))).to.equal('401 AUTH_INVALID');
      expect(outcome(await call('GET', '/things', { headers: keyFor(['things:read'], { isRevoked: true }).headers }))).to.equal('401 AUTH_INVALID');
      expect(outcome(await call('GET', '/things', { headers: keyFor(['things:read'], { expiresAtMs: nowMs - 1 }).headers }))).to.equal('401 AUTH_EXPIRED');
      expect(outcome(await call('GET', '/things', { headers: { 'x-api-key': key, ...person().headers } }))).to.equal('401 AUTH_INVALID');
    });
  });

  it('takes notice of a good credential where none is needed, and no offence at a bad one', async () => {
    const { call, person, credentials } = fixture.current;
    const ada = person();
    const who = async (headers: Record<string, string>): Promise<unknown> => (await call('GET', '/open', { headers })).json.data?.['word'];
    expect(await who(ada.headers)).to.equal('user');
    expect(await who({})).to.equal('anonymous');
    expect(await who({ authorization: 'Bearer x' })).to.equal('anonymous');
    credentials.sessions.set(ada.sessionId, { userId: ada.userId, isRevoked: true });
    expect(await who(ada.headers)).to.equal('anonymous');
  });

  describe('workers', () => {
    const signed = (json: unknown, more: { node?: string; atMs?: number; key?: Buffer; path?: string } = {}) => {
      const body = JSON.stringify(json);
      const node = more.node ?? 'node-1';
      const timestamp = String(Math.floor((more.atMs ?? nowMs) / 1000));
      const key = more.key === undefined ? fixture.current.nodeKey : createSecretKey(more.key);
      const signature = hmacSha256(key, signedText('POST', more.path ?? '/api/v1/reports', node, timestamp, Buffer.from(body))).toString('hex');
      return {
        body,
        headers: { 'content-type': 'application/json', 'x-hivesync-node': node, 'x-hivesync-timestamp': timestamp, 'x-hivesync-signature': `v1=${signature}` },
      };
    };
    const report = (request: { body: string; headers: Record<string, string> }): Promise<Reply> => fixture.current.call('POST', '/reports', request);

    it('are known by their signature, once', async () => {
      const request = signed({ word: 'done' });
      expect((await report(request)).json.data?.['word']).to.equal('node-1 done');
      expect(outcome(await report(request))).to.equal('401 AUTH_INVALID');
    });

    it('are refused with another body, node, path, key, or no signature at all', async () => {
      const good = signed({ word: 'a' });
      const cases = [
        { ...good, body: JSON.stringify({ word: 'b' }) },
        { ...good, headers: { ...good.headers, 'x-hivesync-node': 'node-2' } },
        signed({ word: 'c' }, { path: '/api/v1/other' }),
        signed({ word: 'd' }, { key: Buffer.alloc(32, 8) }),
        signed({ word: 'e' }, { node: 'node-2' }),
        { body: good.body, headers: { 'content-type': 'application/json' } },
        { ...good, headers: { ...good.headers, 'x-hivesync-signature': 'v1=00' } },
      ];
      for (const request of cases) expect(outcome(await report(request)), JSON.stringify(request)).to.equal('401 AUTH_INVALID');
    });

    it('are refused when their timestamp is more than five minutes off, either way', async () => {
      for (const offMs of [-301_000, 302_000]) expect(outcome(await report(signed({ word: `off ${offMs}` }, { atMs: nowMs + offMs })))).to.equal('401 AUTH_EXPIRED');
      for (const offMs of [-290_000, 290_000]) expect((await report(signed({ word: `off ${offMs}` }, { atMs: nowMs + offMs }))).status).to.equal(200);
    });
  });

  describe('preview tokens', () => {
    it('are taken from the path, the query or the header, with what they stand for', async () => {
      const { call, previewTokens } = fixture.current;
      const jobId = newId();
      const { token, tokenHash } = previewTokens.sign({ purpose: 'view', ownerId: newId(), projectId: newId(), jobId, sessionId: null, shareId: null }, 60);
      expect(tokenHash).to.equal(sha256(token).toString('hex'));
      expect((await call('GET', `/views/${token}`)).json.data?.['word']).to.equal(`view ${jobId}`);
      expect((await call('GET', `/manifest?token=${token}`)).status).to.equal(200);
      expect((await call('GET', '/manifest', { headers: { 'x-preview-token': token } })).status).to.equal(200);
      expect(outcome(await call('GET', '/manifest'))).to.equal('401 AUTH_INVALID');
    });

    it('end in time, and an access token is none', async () => {
      const { call, previewTokens, person } = fixture.current;
      const { token } = previewTokens.sign({ purpose: 'upload', ownerId: newId(), projectId: newId(), jobId: null, sessionId: newId(), shareId: null }, 60);
      expect((await call('GET', `/views/${token}`)).json.data?.['word']).to.equal('upload ');
      nowMs += 60_000;
      expect(outcome(await call('GET', `/views/${token}`))).to.equal('401 AUTH_EXPIRED');
      expect(outcome(await call('GET', `/views/${person().token}`))).to.equal('401 AUTH_INVALID');
    });

    it('open nothing while the owner of the preview is suspended', async () => {
      const { call, previewTokens, person, credentials, redis } = fixture.current;
      const owner = person();
      const { token } = previewTokens.sign({ purpose: 'view', ownerId: owner.userId, projectId: newId(), jobId: newId(), sessionId: null, shareId: null }, 60);
      expect((await call('GET', `/views/${token}`)).status).to.equal(200);
      const account = credentials.accounts.get(owner.userId);
      if (account === undefined) throw new Error('There is no account.');
      credentials.accounts.set(owner.userId, { ...account, isSuspended: true });
      // The account is kept for three seconds; its mark has it looked at before.
      await markRevoked(redis.redis, [owner.userId], 60);
      expect(outcome(await call('GET', `/views/${token}`))).to.equal('410 GONE');
      nowMs += 3_001;
      expect(outcome(await call('GET', `/manifest?token=${token}`))).to.equal('410 GONE');
      credentials.accounts.set(owner.userId, account);
      nowMs += 3_001;
      expect((await call('GET', `/views/${token}`)).status).to.equal(200);
    });

    it('never reach the log', async () => {
      const { call, previewTokens, logLines } = fixture.current;
      const { token } = previewTokens.sign({ purpose: 'view', ownerId: newId(), projectId: newId(), jobId: newId(), sessionId: null, shareId: null }, 60);
      await call('GET', `/views/${token}`);
      await call('GET', `/manifest?token=${token}`);
      expect(JSON.stringify(logLines)).not.to.contain(token);
    });
  });

  it('hands a hook its raw bytes and headers', async () => {
    const { call } = fixture.current;
    const body = '{ "spaced" :  1 }';
    const reply = await call('POST', '/hooks', { headers: { 'content-type': 'application/json', 'x-signature': 'abc' }, body });
    expect(reply.json.data?.['word']).to.equal(`${body.length} abc`);
  });
});
