import { createSecretKey } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { isCommonPassword } from '#domains/auth/common-passwords.ts';
import { Passwords } from '#domains/auth/passwords.ts';
import { familyOf, hashOf, refreshToken } from '#domains/auth/refresh-tokens.ts';
import { ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';

const ada = { email: 'ada.park@example.com', username: 'adapark' };

describe('common passwords', () => {
  it('are those of the lists, whatever the case', () => {
    for (const password of ['password1234', 'Password1234', 'QWERTYUIOP123', 'correcthorsebatterystaple', 'administrator']) {
      expect(isCommonPassword(password, ada), password).to.equal(true);
    }
  });

  it('are a short piece over and over, and a walk along the keyboard, forth and back', () => {
    for (const password of ['aaaaaaaaaaaa', 'abababababab', 'abcdabcdabcd', '123412341234', 'abcabcabcabcx', '123456789012', 'qwertyuiopas', 'lkjhgfdsapoi', 'zyxwvutsrqpo', '098765432109', '901234567890']) {
      expect(isCommonPassword(password, ada), password).to.equal(true);
    }
  });

  it('are the account\'s own name with little behind it', () => {
    for (const password of ['adapark', 'AdaPark2026', 'ada.park@example.com', 'ada.park2026', 'ada.park@example.com!']) expect(isCommonPassword(password, ada), password).to.equal(true);
    expect(isCommonPassword('adapark keeps bees', ada)).to.equal(false);
    expect(isCommonPassword('abracadabra of bees', { email: 'ab@example.com', username: 'abr' })).to.equal(false);
  });

  it('are not what a person or a generator makes up', () => {
    for (const password of ['forty bees in a garden', 'tr0ub4dor&3 horses', 'Mnw7-kfQ2-xPz9', 'пчёлы в саду летом']) expect(isCommonPassword(password, ada), password).to.equal(false);
    fc.assert(fc.property(fc.base64String({ minLength: 24, maxLength: 64 }).filter((text) => new Set(text).size > 8), (password) => {
      expect(isCommonPassword(password, ada)).to.equal(false);
    }), { seed: 7 });
  });

  it('are judged alike however long they are', () => {
    for (const password of ['a'.repeat(128), 'ab'.repeat(64), `${'abc'.repeat(42)}zz`, '0123456789'.repeat(12)]) {
      expect(isCommonPassword(password, ada), password).to.equal(true);
    }
  });
});

describe('passwords', () => {
  const passwords = new Passwords();

  it('fit their own hash and no other, and no hash at all', async () => {
    const hash = await passwords.hash('forty bees in a garden');
    expect(await passwords.verify(hash, 'forty bees in a garden')).to.equal(true);
    expect(await passwords.verify(hash, 'forty bees in a gardeN')).to.equal(false);
    expect(await passwords.verify(null, 'forty bees in a garden')).to.equal(false);
    expect(await passwords.hash('forty bees in a garden')).not.to.equal(hash);
  });

  it('are dealt with two at a time; beyond the bound of those that wait somebody is told to come back', async () => {
    const busy = new Passwords(3);
    const outcomes: string[] = [];
    const asked = Array.from({ length: 6 }, async (_, index) => {
      const outcome = await busy.hash(`forty bees and ${index}`).then(() => 'answered', (error: unknown) => (error instanceof ServiceError ? error.code : String(error)));
      outcomes.push(outcome);
    });
    await Promise.all(asked);
    // The last is told at once, before any of the others is done.
    expect(outcomes).to.deep.equal(['SERVICE_UNAVAILABLE', ...Array.from({ length: 5 }, () => 'answered')]);
    expect(await busy.hash('afterwards there is room again')).to.be.a('string');
  });
});

describe('refresh tokens', () => {
  const key = createSecretKey(Buffer.alloc(32, 1));

  it('follow from key, family and counter alone, and differ where one of them does', () => {
    const family = newId();
    expect(refreshToken(key, family, 1)).to.equal(refreshToken(key, family, 1)).and.match(/^hsr_[A-Za-z0-9_-]{70}$/);
    const others = [refreshToken(key, family, 2), refreshToken(key, newId(), 1), refreshToken(createSecretKey(Buffer.alloc(32, 2)), family, 1)];
    expect(new Set([...others, refreshToken(key, family, 1)]).size).to.equal(4);
    expect(hashOf('x')).to.have.length(32);
  });

  it('tell their family where they are ours, and nothing where they were made up or altered', () => {
    const family = newId();
    const token = refreshToken(key, family, 7);
    expect(familyOf(key, token)).to.equal(family);
    const altered = [
      refreshToken(createSecretKey(Buffer.alloc(32, 2)), family, 7),
      token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A'),
      refreshToken(key, newId(), 7).slice(0, 31) + token.slice(31),
      token.slice(0, 47), '',
    ];
    expect(altered.map((one) => familyOf(key, one))).to.deep.equal(altered.map(() => null));
  });
});
