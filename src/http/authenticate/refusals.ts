import { ServiceError } from '#platform/errors.ts';
import { TokenError } from '#platform/tokens/signer.ts';

export const signInFirst = (internal?: string): ServiceError =>
  new ServiceError('AUTH_INVALID', 'Sign in first.', internal === undefined ? {} : { internal });

export const credentialInvalid = (internal: string): ServiceError =>
  new ServiceError('AUTH_INVALID', 'This credential does not hold. Sign in again.', { internal });

export const credentialExpired = (): ServiceError =>
  new ServiceError('AUTH_EXPIRED', 'This credential has expired. Refresh it or sign in again.');

export function ofToken(error: unknown): ServiceError {
  if (!(error instanceof TokenError)) throw error;
  return error.reason === 'expired' ? credentialExpired() : credentialInvalid(error.message);
}
