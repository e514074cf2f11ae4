import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import { Secret } from '#config/environment.ts';
import { newId } from '#platform/ids.ts';
import { createAccessTokens } from '#platform/tokens/access-tokens.ts';
import { hashApiKey, isApiKeyFormed, newApiKey } from '#platform/tokens/api-keys.ts';
import { createPreviewTokens } from '#platform/tokens/preview-tokens.ts';
import { createSigner, TokenError } from '#platform/tokens/signer.ts';

const issuer = 'https://api.example.com';
const secret = new Secret('a secret of at least thirty-two characters');
const other = new Secret('another secret, at least as long as the one');

describe('tokens', () => {
  let nowMs = Date.parse('2026-03-02T09:00:00.000Z');
  const clock = { now: () => nowMs };
  const base = { secret, previousSecret: null, issuer, clock };
  const holder = () => ({ userId: newId(), sessionId: newId(), tier: 'admin' as const, authenticatedAtMs: nowMs });
  const why = (work: () => unknown): string => {
    try {
      work();
    } catch (error) {
      if (error instanceof TokenError) return error.reason;
      throw error;
    }
    return 'good';
  };

  it('say who, which session, which token, and when', () => {
    const tokens = createAccessTokens(base);
    const who = holder();
    const { token, expiresIn } = tokens.sign(who);
    expect(expiresIn).to.equal(900);
    expect(tokens.verify(token)).to.deep.include({ userId: who.userId, sessionId: who.sessionId, roles: ['user', 'admin'], authenticatedAt: nowMs / 1000, expiresAt: nowMs / 1000 + 900 });
    const decoded = jwt.decode(token, { complete: true });
    expect(decoded?.header).to.include({ alg: 'HS256', typ: 'at+jwt' }).and.to.have.property('kid');
    expect(decoded?.payload).to.include.keys('iss', 'aud', 'sub', 'sid', 'jti', 'iat', 'nbf', 'exp', 'roles');
  });

  it('end at their time to the second, also out of the cache, and begin with five seconds of grace', () => {
    const tokens = createAccessTokens(base);
    const { token } = tokens.sign(holder());
    expect(why(() => tokens.verify(token))).to.equal('good');
    nowMs += 899_000;
    expect(why(() => tokens.verify(token))).to.equal('good');
    nowMs += 1_000;
    expect(why(() => tokens.verify(token))).to.equal('expired');
    expect(why(() => createAccessTokens(base).verify(token))).to.equal('expired');
    const later = tokens.sign(holder()).token;
    nowMs -= 4_000;
    expect(why(() => createAccessTokens(base).verify(later))).to.equal('good');
    nowMs -= 4_000;
    expect(why(() => createAccessTokens(base).verify(later))).to.equal('invalid');
  });

  it('of one purpose are none of another', () => {
    const access = createAccessTokens(base);
    const preview = createPreviewTokens(base);
    const grant = { ownerId: newId(), projectId: newId(), jobId: newId(), sessionId: null, shareId: null };
    const view = preview.sign({ ...grant, purpose: 'view' }, 60).token;
    const upload = preview.sign({ ...grant, purpose: 'upload' }, 60).token;
    expect(why(() => access.verify(view))).to.equal('invalid');
    expect(why(() => preview.verify(access.sign(holder()).token))).to.equal('invalid');
    expect(preview.verify(view).caller).to.include({ purpose: 'view', jobId: grant.jobId, sessionId: null });
    expect(preview.verify(upload).caller.purpose).to.equal('upload');
    const [, body = '', signature = ''] = upload.split('.');
    expect(why(() => preview.verify(`${view.split('.')[0] ?? ''}.${body}.${signature}`))).to.equal('invalid');
  });

  it('of another issuer, audience, secret or algorithm do not hold', () => {
    const tokens = createAccessTokens(base);
    expect(why(() => tokens.verify(createAccessTokens({ ...base, issuer: 'https://elsewhere.example.com' }).sign(holder()).token))).to.equal('invalid');
    expect(why(() => tokens.verify(createAccessTokens({ ...base, secret: other }).sign(holder()).token))).to.equal('invalid');
    const audience = createSigner({ ...base, purpose: 'access', type: 'at+jwt', audience: 'elsewhere' });
    expect(why(() => tokens.verify(audience.sign({ subject: newId(), id: newId(), lifetimeSeconds: 60, claims: { sid: newId(), roles: [], auth_time: 0 } })))).to.equal('invalid');
    const { header, payload } = jwt.decode(tokens.sign(holder()).token, { complete: true }) ?? {};
    for (const alg of ['none', 'HS512'] as const) {
      const forged = jwt.sign(payload as object, alg === 'none' ? '' : secret.reveal(), { algorithm: alg, header: { ...header, alg, typ: 'at+jwt' } });
      expect(why(() => tokens.verify(forged)), alg).to.equal('invalid');
    }
    for (const text of ['', '.', '..', 'a.b.c', 'x'.repeat(5_000)]) expect(why(() => tokens.verify(text))).to.equal('invalid');
  });

  it('signed before the secret was changed still hold, and new ones are signed with the new one', () => {
    const before = createAccessTokens(base).sign(holder()).token;
    const rotated = createAccessTokens({ ...base, secret: other, previousSecret: secret });
    expect(why(() => rotated.verify(before))).to.equal('good');
    expect(why(() => createAccessTokens(base).verify(rotated.sign(holder()).token))).to.equal('invalid');
    expect(why(() => createAccessTokens({ ...base, secret: other }).verify(before))).to.equal('invalid');
  });
});

describe('API keys', () => {
  it('have a form and a checksum that a mistyped one fails', () => {
    const { key, hash, prefix, lastFour } = newApiKey();
    expect(key).to.match(/^hsk_[0-9A-Za-z]{36}$/);
    expect(isApiKeyFormed(key)).to.equal(true);
    expect([prefix, lastFour]).to.deep.equal([key.slice(0, 8), key.slice(-4)]);
    expect(hashApiKey(key).equals(hash)).to.equal(true);
    for (let at = 4; at < key.length; at += 1) {
      const typo = `${key.slice(0, at)}${key[at] === 'x' ? 'y' : 'x'}${key.slice(at + 1)}`;
      expect(isApiKeyFormed(typo), `place ${at}`).to.equal(false);
    }
    expect(newApiKey().key).not.to.equal(key);
  });
});
