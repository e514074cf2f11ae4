import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { AccountDeletionService } from './deletion-service.ts';

export const deletionHandlers = (deletion: AccountDeletionService): Pick<Handlers, 'requestAccountDeletion'> => ({
  requestAccountDeletion: async ({ body }, call) => ({ status: 200, body: await deletion.delete(call, body) }),
});
