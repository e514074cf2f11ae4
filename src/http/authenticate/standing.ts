import { ServiceError } from '#platform/errors.ts';
import type { Account } from './credentials.ts';
import { credentialInvalid } from './refusals.ts';

/** The account, where it may be used; AUTH_INVALID where it is gone, FORBIDDEN where it is suspended. */
export function standing(account: Account | null): Account {
  if (account === null || account.isDeleted) throw credentialInvalid('The account is gone.');
  if (account.isSuspended) {
    throw new ServiceError('FORBIDDEN', 'This account is suspended. Ask support.', { details: { reason: 'suspended' } });
  }
  return account;
}

/** What a token is answered whose share was revoked. */
export const shareRevoked = (): ServiceError =>
  new ServiceError('GONE', 'This preview is not shared with you any more.', { details: { gone: 'revoked' } });

/** What a preview's token rests on: it cannot be viewed while its owner is suspended. Whether it is there at all is its service's to say. */
export function requireViewable(owner: Account | null): void {
  if (owner?.isSuspended === true) throw new ServiceError('GONE', 'This preview cannot be viewed now.', { details: { gone: 'withheld' }, internal: 'Its owner is suspended.' });
}
