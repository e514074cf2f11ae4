import { randomUUID } from 'node:crypto';
import { TOTP } from 'otpauth';
import type { Recipe } from '../requests.ts';
import { canAct, type Person, type World } from '../world.ts';

const newPassword = 'another generated guarantee';
const nobodysCode = '000000';

/** A person's authenticator app. Each code is given once, the present one first: of those taken now there are two. */
class Authenticator {
  readonly #totp: TOTP;
  #ahead = 0;

  constructor(secret: string) {
    this.#totp = new TOTP({ algorithm: 'SHA1', digits: 6, period: 30, secret });
  }

  next(): string {
    const code = this.#totp.generate({ timestamp: Date.now() + this.#ahead });
    this.#ahead += 30_000;
    return code;
  }
}

async function enrolled(world: World, person: Person): Promise<Authenticator> {
  const { secret } = await world.data<{ secret: string }>('POST', '/auth/mfa/totp', { as: person, json: { password: person.password } });
  return new Authenticator(secret);
}

async function withSecondFactor(world: World, person: Person): Promise<Authenticator> {
  const app = await enrolled(world, person);
  await world.data('POST', '/auth/mfa/totp/confirm', { as: person, json: { code: app.next() } });
  return app;
}

export const credentialRequests: Readonly<Record<string, Recipe>> = {
  changePassword: {
    isSpending: true,
    ask: (_world, { self }) => Promise.resolve({ path: '/auth/password/change', json: { current_password: self.password, new_password: newPassword } }),
  },
  forgotPassword: { ask: (world) => Promise.resolve({ path: '/auth/password/forgot', json: { email: world.visitor.email } }) },
  resetPassword: {
    ask: async (world) => {
      const { email } = await world.person();
      await world.data('POST', '/auth/password/forgot', { json: { email } });
      return { path: '/auth/password/reset', json: { token: await world.mailedToken(email, /new password/i), new_password: newPassword } };
    },
  },
  verifyEmail: {
    ask: async (world) => {
      const { email } = await world.registered();
      return { path: '/auth/email/verify', json: { token: await world.mailedToken(email, /confirm/i) } };
    },
  },
  resendVerification: {
    isSpending: true,
    ask: async (world, { self }) => {
      if (canAct(self)) await world.data('POST', '/auth/email/change', { as: self, json: { new_email: `${randomUUID()}@example.com`, password: self.password } });
      return { path: '/auth/email/verify/resend' };
    },
  },
  requestEmailChange: {
    isSpending: true,
    ask: (_world, { self }) => Promise.resolve({ path: '/auth/email/change', json: { new_email: `${randomUUID()}@example.com`, password: self.password } }),
  },

  enrollTotp: {
    ask: (_world, { self }) => Promise.resolve({ path: '/auth/mfa/totp', json: { password: self.password }, other: { json: { password: 'not the password' } } }),
  },
  confirmTotp: {
    isSpending: true,
    ask: async (world, { self }) => {
      const code = canAct(self) ? (await enrolled(world, self)).next() : nobodysCode;
      return { path: '/auth/mfa/totp/confirm', json: { code }, other: { json: { code: nobodysCode } } };
    },
  },
  disableTotp: {
    isSpending: true,
    ask: async (world, { self }) => {
      if (!canAct(self)) return { path: '/auth/mfa/totp' };
      const app = await withSecondFactor(world, self);
      // The session that turned it on has not taken it yet. Who signed in long ago stays so.
      return { path: '/auth/mfa/totp', ...(self.standing === 'old' ? {} : { accessToken: (await world.signIn(self, { code: app.next() })).accessToken }) };
    },
  },
  regenerateRecoveryCodes: {
    isSpending: true,
    ask: async (world, { self }) => {
      const code = canAct(self) ? (await withSecondFactor(world, self)).next() : nobodysCode;
      return { path: '/auth/mfa/recovery-codes', json: { code }, other: { json: { code: nobodysCode } } };
    },
  },
  verifyMfa: {
    ask: async (world) => {
      const person = await world.person();
      const app = await withSecondFactor(world, person);
      const { challenge_token } = await world.data<{ challenge_token: string }>('POST', '/auth/login', { json: { email: person.email, password: person.password } });
      return { path: '/auth/mfa/verify', json: { challenge_token, code: app.next() } };
    },
  },
};
