import { expect } from 'chai';
import { newRecoveryCode } from '#domains/auth/recovery-codes.ts';
import { newTotpSecret, stepOfCode, totpSecretText, totpUrl } from '#domains/auth/totp.ts';

/** RFC 6238, appendix B, SHA-1: a time in seconds, its step, and the last six of the eight digits it prints. */
const vectors: readonly (readonly [number, number, string])[] = [
  [59, 0x1, '287082'],
  [1_111_111_109, 0x23523ec, '081804'],
  [1_111_111_111, 0x23523ed, '050471'],
  [1_234_567_890, 0x273ef07, '005924'],
  [2_000_000_000, 0x3f940aa, '279037'],
  [20_000_000_000, 0x27bc86aa, '353130'],
];
const rfcSecret = Buffer.from('12345678901234567890');
const account = { email: 'ada@example.com', username: 'ada' };

describe('codes of an authenticator', () => {
  it('are those of RFC 6238', () => {
    for (const [seconds, step, code] of vectors) expect(stepOfCode(rfcSecret, code, seconds * 1000), code).to.equal(step);
  });

  it('hold in their own 30 seconds and in those before and after, under the same number each time, and no longer', () => {
    const [seconds, step, code] = vectors[3] ?? [0, 0, ''];
    const begins = Math.floor(seconds / 30) * 30_000;
    expect([begins - 30_000, begins, begins + 29_999, begins + 59_999].map((at) => stepOfCode(rfcSecret, code, at))).to.deep.equal([step, step, step, step]);
    expect([begins - 30_001, begins + 60_000].map((at) => stepOfCode(rfcSecret, code, at))).to.deep.equal([null, null]);
  });

  it('hold for one secret alone, and never with a digit less', () => {
    const [seconds, , code] = vectors[0] ?? [0, 0, ''];
    expect(stepOfCode(Buffer.from('12345678901234567891'), code, seconds * 1000)).to.equal(null);
    expect(stepOfCode(rfcSecret, code.slice(1), seconds * 1000)).to.equal(null);
  });
});

describe('the secret of an authenticator', () => {
  it('has 160 bits, in 32 signs that can be typed in, and is never the same', () => {
    const secrets = Array.from({ length: 100 }, () => newTotpSecret());
    for (const secret of secrets) expect([secret.length, totpSecretText(secret)]).to.satisfy(([length, text]: [number, string]) => length === 20 && /^[A-Z2-7]{32}$/.test(text));
    expect(new Set(secrets.map(totpSecretText)).size).to.equal(100);
  });

  it('is shown to an app with the name of the house and of the account', () => {
    const url = new URL(totpUrl(rfcSecret, account));
    expect([url.protocol, url.host, decodeURIComponent(url.pathname)]).to.deep.equal(['otpauth:', 'totp', '/HiveSync:ada@example.com']);
    expect(Object.fromEntries(url.searchParams)).to.deep.equal({
      issuer: 'HiveSync', secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', algorithm: 'SHA1', digits: '6', period: '30',
    });
  });

  it('goes by the username where the address would make the link longer than the contract allows', () => {
    const long = totpUrl(rfcSecret, { email: `${'+'.repeat(64)}@${'a'.repeat(60)}.example.com`, username: 'ada' });
    expect(long).to.match(/HiveSync:%2B/);
    const longest = totpUrl(rfcSecret, { email: `${'+'.repeat(200)}@example.com`, username: 'ada' });
    expect(longest).to.match(/^otpauth:\/\/totp\/HiveSync:ada\?/);
    for (const url of [long, longest]) expect(url.length).to.be.at.most(500);
  });
});

describe('a recovery code', () => {
  it('is ten signs of 32 in two groups, each sign as likely as another', () => {
    const codes = Array.from({ length: 2_000 }, newRecoveryCode);
    for (const code of codes) expect(code).to.match(/^[a-z2-7]{5}-[a-z2-7]{5}$/);
    expect(new Set(codes).size).to.equal(2_000);
    const counts = new Map<string, number>();
    for (const sign of codes.join('').replaceAll('-', '')) counts.set(sign, (counts.get(sign) ?? 0) + 1);
    expect(counts.size).to.equal(32);
    // 625 of each are to be expected; six standard deviations are 148.
    for (const [sign, count] of counts) expect(count, sign).to.be.within(477, 773);
  });
});
