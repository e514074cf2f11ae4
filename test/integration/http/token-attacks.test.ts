/** What somebody could try to be let in with, over the real pipeline and a real database. None of it opens anything. */
import { createHmac, createSecretKey, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { connect } from 'node:net';
import { expect } from 'chai';
import jwt, { type JwtHeader, type JwtPayload } from 'jsonwebtoken';
import { deriveKey } from '#platform/crypto.ts';
import { newId } from '#platform/ids.ts';
import { newApiKey } from '#platform/tokens/api-keys.ts';
import { outcome, register } from '../../support/accounts.ts';
import { type Person, type Reply, useBackend } from '../../support/backend.ts';
import { queuedJob } from '../../support/preview-jobs.ts';
import { countStatements } from '../../support/statements.ts';

/** By hand: a library would put right what is wrong on purpose. Fields that are undefined are left out. */
function signedBy(key: KeyObject, payload: object, header: object, hash = 'sha256'): string {
  const text = `${encoded(header)}.${encoded(payload)}`;
  return `${text}.${createHmac(hash, key).update(text).digest('base64url')}`;
}
const encoded = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

describe('tokens that are not what they seem', () => {
  const backend = useBackend();
  let ada: Person;
  let genuine: string;
  let header: JwtHeader;
  let claims: JwtPayload;
  before(async () => {
    ada = await backend.current.person('free');
    genuine = ada.headers.authorization.slice(7);
    const decoded = jwt.decode(genuine, { complete: true });
    if (decoded === null || typeof decoded.payload === 'string') throw new Error('No token of ours.');
    header = decoded.header;
    claims = decoded.payload;
  });

  const me = (headers: Readonly<Record<string, string>>, path = '/users/me'): Promise<Reply> => backend.current.http('GET', path, { headers });
  /** The very key that access tokens are signed with: what somebody had who stole it could still not do with a wrong token. */
  const ourKey = () => deriveKey(backend.current.env.jwtSecret, 'token access');
  const signed = (more: Record<string, unknown> = {}, headers: Record<string, unknown> = {}): string =>
    signedBy(ourKey(), { ...claims, ...more }, { ...header, ...headers });
  const parts = (): [string, string, string] => genuine.split('.') as [string, string, string];
  const nowSeconds = (): number => Math.floor(backend.current.clock.now() / 1000);

  /** 401 with the code, a challenge, nothing of the token, and no word on why. */
  async function expectRefused(tokens: Readonly<Record<string, string>>, code = 'AUTH_INVALID'): Promise<void> {
    for (const [what, token] of Object.entries(tokens)) {
      const reply = await me(bearer(token));
      expect(outcome(reply), what).to.equal(`401 ${code}`);
      expect(reply.headers.get('www-authenticate'), what).to.match(/^Bearer realm="hivesync"/);
      expect(reply.error?.details, what).to.equal(null);
      expect(reply.text, what).not.to.contain(token.slice(0, 200));
    }
  }

  it('one that is what it seems is let in, by a scheme of any case', async () => {
    expect(outcome(await me(bearer(genuine)))).to.equal('200 ok');
    expect(outcome(await me(bearer(signed())))).to.equal('200 ok');
    for (const scheme of ['bearer', 'BEARER']) expect(outcome(await me({ authorization: `${scheme} ${genuine}` }))).to.equal('200 ok');
  });

  it('without a signature, or with an algorithm of somebody\'s choice', async () => {
    const [, body, signature] = parts();
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const publicKey = createSecretKey(Buffer.from(rsa.publicKey.export({ type: 'spki', format: 'pem' })));
    const hmac = (alg: string, hash: string): string => signedBy(ourKey(), claims, { ...header, alg }, hash);
    await expectRefused({
      'alg none': `${encoded({ ...header, alg: 'none' })}.${body}.`,
      'alg None with a signature': `${encoded({ ...header, alg: 'None' })}.${body}.${signature}`,
      'alg nOnE, no kid': `${encoded({ alg: 'nOnE', typ: 'at+jwt' })}.${body}.`,
      'no signature': `${parts()[0]}.${body}.`,
      'two parts': `${parts()[0]}.${body}`,
      'no algorithm': `${encoded({ typ: 'at+jwt', kid: header.kid })}.${body}.${signature}`,
      HS384: hmac('HS384', 'sha384'),
      HS512: hmac('HS512', 'sha512'),
      'HS256 by name, HS512 in fact': hmac('HS256', 'sha512'),
      'RS256 of a key of their own': jwt.sign(claims, rsa.privateKey, { algorithm: 'RS256', header: { ...header, alg: 'RS256' } }),
      'HS256 by a public key': signedBy(publicKey, claims, header),
      'RS256 over our HMAC': `${encoded({ ...header, alg: 'RS256' })}.${body}.${signature}`,
    });
  });

  it('signed by another key: any, the secret itself, the key of another purpose', async () => {
    const { env } = backend.current;
    const by = (key: KeyObject): string => signedBy(key, claims, header);
    await expectRefused({
      'any key': by(createSecretKey(randomBytes(32))),
      'the secret itself': by(createSecretKey(Buffer.from(env.jwtSecret.reveal()))),
      'of nothing but zeros': by(createSecretKey(Buffer.alloc(32))),
      'of preview tokens': by(deriveKey(env.jwtSecret, 'token preview view')),
      'of refresh tokens': by(deriveKey(env.jwtSecret, 'refresh tokens')),
    });
  });

  it('changed by a letter anywhere, padded, or with bits that decode to nothing', async () => {
    const [head, body, signature] = parts();
    const last = signature.at(-1) ?? '';
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    // 32 bytes are 43 letters, of whose last two bits are nobody's: the neighbour decodes to the same bytes.
    const twin = alphabet[alphabet.indexOf(last) ^ 1] ?? '';
    expect(Buffer.from(`${signature.slice(0, -1)}${twin}`, 'base64url')).to.deep.equal(Buffer.from(signature, 'base64url'));
    await expectRefused({
      'another payload': `${head}.${encoded({ ...claims, sub: newId() })}.${signature}`,
      'more rights': `${head}.${encoded({ ...claims, roles: ['user', 'admin'] })}.${signature}`,
      'the twin of its last letter': `${head}.${body}.${signature.slice(0, -1)}${twin}`,
      padded: `${genuine}=`,
      'one letter less': genuine.slice(0, -1),
      'a part more': `${genuine}.${signature}`,
      'a dot before': `.${genuine}`,
      'no JSON inside': `${head}.${encoded('nothing')}.${signature}`,
    });
  });

  it('of another purpose', async () => {
    const { services, http, project, person } = backend.current;
    const grant = { ownerId: ada.userId, projectId: newId(), jobId: newId(), sessionId: null, shareId: null };
    const owner = await person('premium');
    const jobId = await queuedJob(backend.current, owner, await project(owner));
    const upload = await http('GET', `/preview/jobs/${jobId}/missing-blobs`, { headers: owner.headers });
    expect(upload.status).to.be.below(500);
    const url = await backend.current.storage.presignGet(`projects/${newId()}/previews/a.js`, { expiresSeconds: 60 });
    const account = await register(backend.current);
    const oneTime = await http('POST', '/auth/session-tokens', { headers: account.headers });
    expect(oneTime.status).to.equal(200);
    const words = Object.values(oneTime.data).filter((value): value is string => typeof value === 'string' && value.length > 20);
    expect(words).not.to.deep.equal([]);
    await expectRefused({
      'a view token': services.previewTokens.sign({ ...grant, purpose: 'view' }, 600).token,
      'an upload token': services.previewTokens.sign({ ...grant, purpose: 'upload' }, 600).token,
      'a storage signature': new URL(url).searchParams.get('signature') ?? 'none',
      'a refresh token': account.refreshToken,
      ...Object.fromEntries(words.map((word, index) => [`a one-time session token ${index}`, word])),
      'an API key': newApiKey().key,
    });
    for (const [path, json] of [['/auth/refresh', { refresh_token: genuine }], ['/auth/session-tokens/consume', { token: genuine }]] as const) {
      const reply = await http('POST', path, { json });
      expect(reply.status, path).to.be.oneOf([400, 401]);
      expect(reply.error?.code, path).to.be.oneOf(['AUTH_INVALID', 'VALIDATION_ERROR']);
    }
    expect(outcome(await me({ 'x-api-key': genuine }))).to.equal('401 AUTH_INVALID');
  });

  it('with a header that asks for something: another type, key, place to find keys, extensions', async () => {
    await expectRefused({
      'typ JWT': signed({}, { typ: 'JWT' }),
      'no typ': signed({}, { typ: undefined }),
      'no kid': signed({}, { kid: undefined }),
      'the typ of preview tokens': signed({}, { typ: 'pv+jwt' }),
      'kid unknown': signed({}, { kid: 'deadbeef' }),
      'kid a path': signed({}, { kid: '../../../../dev/null' }),
      'kid a query': signed({}, { kid: "x' union select 'key" }),
      'kid of an object\'s own': signed({}, { kid: '__proto__' }),
      crit: signed({}, { crit: ['exp'] }),
      'crit unknown': signed({}, { crit: ['http://example.com/pay'], 'http://example.com/pay': true }),
      jwk: signed({}, { jwk: { kty: 'oct', k: encoded('a key of their own') } }),
      jku: signed({}, { jku: 'https://keys.example.com/' }),
      x5u: signed({}, { x5u: 'https://keys.example.com/' }),
      zip: signed({}, { zip: 'DEF' }),
    });
  });

  it('with claims of another issuer, audience or form, though the signature is ours', async () => {
    await expectRefused({
      'another issuer': signed({ iss: 'https://elsewhere.example.com' }),
      'no issuer': signed({ iss: undefined }),
      'another audience': signed({ aud: 'hivesync-preview' }),
      'no audience': signed({ aud: undefined }),
      'no subject': signed({ sub: undefined }),
      'a subject that is no id': signed({ sub: "' or 1 = 1" }),
      'no token id': signed({ jti: undefined }),
      'no session': signed({ sid: undefined }),
      'a session that is no id': signed({ sid: '../etc/passwd' }),
      'a session that is a list': signed({ sid: [claims['sid']] }),
      'no roles': signed({ roles: undefined }),
      'no time of sign-in': signed({ auth_time: undefined }),
    });
  });

  it('that never end, have ended, have not begun, or live longer than access tokens do', async () => {
    const now = nowSeconds();
    await expectRefused({
      'no end': signed({ exp: undefined }),
      'no beginning': signed({ nbf: undefined }),
      'no time of issue': signed({ iat: undefined }),
      'begins in a minute': signed({ nbf: now + 60 }),
      'ends in ten years': signed({ exp: now + 315_360_000 }),
      'ends a second later than it may': signed({ iat: now, exp: now + 901 }),
      'issued in the future to live longer': signed({ iat: now + 3_600, nbf: now, exp: now + 4_400 }),
    });
    await expectRefused({ 'ended this second': signed({ iat: now - 900, nbf: now - 900, exp: now }) }, 'AUTH_EXPIRED');
  });

  it('of a session that is unknown, ended, or another account\'s', async () => {
    const { person, run } = backend.current;
    const [ben, eve] = [await person('free'), await person('free')];
    await run('logoutUser', ben);
    await expectRefused({
      unknown: signed({ sid: newId() }),
      'of somebody else': signed({ sid: eve.sessionId }),
      'of somebody else, the other way': signed({ sub: eve.userId }),
      ended: ben.headers.authorization.slice(7),
    });
    expect(outcome(await me(eve.headers))).to.equal('200 ok');
  });

  it('of an account that is unknown, deleted or suspended', async () => {
    const { person, sql } = backend.current;
    const [deleted, suspended] = [await person('free'), await person('free')];
    await sql('update users set deleted_at = now() where id = ?', [deleted.userId]);
    await sql('update users set suspended_at = now() where id = ?', [suspended.userId]);
    await expectRefused({ unknown: signed({ sub: newId() }), deleted: deleted.headers.authorization.slice(7) });
    const reply = await me(suspended.headers);
    expect([outcome(reply), reply.error?.details]).to.deep.equal(['403 FORBIDDEN', { reason: 'suspended' }]);
  });

  it('that say "admin": rights are the account\'s, whatever a token claims', async () => {
    const asks = bearer(signed({ roles: ['user', 'admin'] }));
    expect(outcome(await me(asks))).to.equal('200 ok');
    expect(outcome(await me(asks, '/admin/users'))).to.equal('403 FORBIDDEN');
  });

  it('that are longer than any of ours: refused before anything is computed, beyond 16 KiB before it is a request', async () => {
    await expectRefused({ 'three thousand letters': `${parts()[0]}.${'A'.repeat(3_000)}.${parts()[2]}` });
    expect(await countStatements(() => me(bearer('A'.repeat(8_000))))).to.equal(0);
    expect(await raw([`Authorization: Bearer ${'A'.repeat(17_000)}`])).to.match(/^HTTP\/1\.1 400 .*VALIDATION_ERROR/s);
  });

  it('in a place where none belongs: the query, a cookie, the body of a read, another scheme', async () => {
    for (const path of [`/users/me?access_token=${genuine}`, `/users/me?token=${genuine}`, `/users/me?authorization=Bearer%20${genuine}`]) {
      expect(outcome(await me({}, path)), path.slice(0, 30)).to.equal('401 AUTH_INVALID');
    }
    for (const headers of [
      { cookie: `access_token=${genuine}` }, { authorization: genuine }, { authorization: `Basic ${encoded(`${ada.username}:x`)}` }, { authorization: `Token ${genuine}` },
      { authorization: `Bearer Bearer ${genuine}` }, { authorization: `Bearer ${genuine}, Bearer ${genuine}` }, { authorization: `Bearer "${genuine}"` }, { authorization: 'Bearer ' },
      { 'proxy-authorization': `Bearer ${genuine}` }, { 'x-access-token': genuine },
    ] as Record<string, string>[]) {
      expect(outcome(await me(headers)), JSON.stringify(headers).slice(0, 40)).to.equal('401 AUTH_INVALID');
    }
  });

  it('beside another credential: two Authorization headers, two API keys, one of each', async () => {
    const { run } = backend.current;
    const { data: { key } } = await run('createApiKey', ada, { body: { name: 'ci', scopes: ['account:read'] } });
    expect(outcome(await me({ 'x-api-key': key }))).to.equal('200 ok');
    expect(outcome(await me({ 'x-api-key': key, ...ada.headers }))).to.equal('401 AUTH_INVALID');
    const token = `Authorization: Bearer ${genuine}`;
    expect(await raw([token])).to.match(/^HTTP\/1\.1 200 /);
    for (const headers of [
      [token, token], [token, 'Authorization: Bearer x'], ['authorization: Bearer x', token], [`X-Api-Key: ${key}`, `X-Api-Key: ${key}`], [token, `X-Api-Key: ${key}`],
    ]) {
      expect(await raw(headers), headers.join(' ').slice(0, 60)).to.match(/^HTTP\/1\.1 401 .*AUTH_INVALID/s);
    }
  });

  it('that are API keys with a letter wrong: refused without a look at the database; unknown ones by one', async () => {
    const { key } = newApiKey();
    const swapped = `${key.slice(0, 10)}${key[11] ?? ''}${key[10] ?? ''}${key.slice(12)}`;
    const wrong = [`${key.slice(0, -1)}${key.endsWith('a') ? 'b' : 'a'}`, ...(swapped === key ? [] : [swapped]), key.toLowerCase() === key ? `${key}0` : key.toLowerCase(), `${key} `.repeat(2), key.slice(4), `hsk_${'0'.repeat(36)}`];
    const replies: Reply[] = [];
    expect(await countStatements(async () => { for (const one of wrong) replies.push(await me({ 'x-api-key': one })); })).to.equal(0);
    expect(new Set(replies.map(outcome))).to.deep.equal(new Set(['401 AUTH_INVALID']));
    expect(await countStatements(async () => { replies.push(await me({ 'x-api-key': key })); })).to.equal(1);
    expect(replies.map(outcome).at(-1)).to.equal('401 AUTH_INVALID');
  });

  it('leave no trace of themselves in the log', () => {
    const lines = backend.current.logLines.join('\n');
    expect(lines).not.to.contain(genuine.slice(-40));
    expect(lines).not.to.contain('INTERNAL_ERROR');
  });

  /** A request written by hand: fetch would join or refuse such headers. */
  const raw = (headers: readonly string[]): Promise<string> => new Promise((resolve, reject) => {
    const { hostname, port } = new URL(backend.current.url);
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.on('data', (chunk: Buffer) => { text += chunk.toString('utf8'); });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
    socket.setTimeout(10_000, () => socket.destroy(new Error('No answer.')));
    socket.write(`GET /api/v1/users/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers.map((one) => `${one}\r\n`).join('')}\r\n`);
  });
});
