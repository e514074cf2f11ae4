import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { PasswordService } from './password-service.ts';

type Operations = 'changePassword' | 'forgotPassword' | 'resetPassword';

export const passwordHandlers = (passwords: PasswordService): Pick<Handlers, Operations> => ({
  changePassword: async ({ body }, call) => {
    await passwords.change(call, body);
    return { status: 204 };
  },
  forgotPassword: async ({ body }, call) => {
    await passwords.forgot(call, body);
    return { status: 204 };
  },
  resetPassword: async ({ body }, call) => {
    await passwords.reset(call, body);
    return { status: 204 };
  },
});
