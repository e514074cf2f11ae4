import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { EmailService } from './email-service.ts';

type Operations = 'verifyEmail' | 'resendVerification' | 'requestEmailChange';

export const emailHandlers = (emails: EmailService): Pick<Handlers, Operations> => ({
  verifyEmail: async ({ body }, call) => {
    await emails.verify(call, body);
    return { status: 204 };
  },
  resendVerification: async (_request, call) => {
    await emails.resend(call);
    return { status: 204 };
  },
  requestEmailChange: async ({ body }, call) => {
    await emails.requestChange(call, body);
    return { status: 204 };
  },
});
