import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { MfaChallenges } from './mfa-challenges.ts';
import type { MfaService } from './mfa-service.ts';

type Operations = 'enrollTotp' | 'confirmTotp' | 'disableTotp' | 'regenerateRecoveryCodes' | 'verifyMfa';

export const mfaHandlers = (mfa: MfaService, challenges: MfaChallenges): Pick<Handlers, Operations> => ({
  enrollTotp: async ({ body }, call) => ({ status: 200, body: await mfa.enroll(call, body) }),
  confirmTotp: async ({ body }, call) => ({ status: 200, body: await mfa.confirm(call, body) }),
  disableTotp: async (_request, call) => {
    await mfa.disable(call);
    return { status: 204 };
  },
  regenerateRecoveryCodes: async ({ body }, call) => ({ status: 200, body: await mfa.regenerate(call, body) }),
  verifyMfa: async ({ body }, call) => ({ status: 200, body: await challenges.verify(call, body) }),
});
