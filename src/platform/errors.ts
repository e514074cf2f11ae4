import { errorStatuses, type ErrorCode } from '#generated/server/errors.gen.ts';

export type { ErrorCode };

/**
 * The one error services throw. `code` and `message` reach the caller (status by the contract's error list);
 * `internal` and `cause` go to the log alone.
 */
export class ServiceError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly details: unknown;
  readonly internal: string | null;
  readonly retryAfterSeconds: number | null;

  constructor(
    code: ErrorCode,
    message: string,
    more: { details?: unknown; internal?: string; cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'ServiceError';
    this.code = code;
    this.status = errorStatuses[code];
    this.details = more.details ?? null;
    this.internal = more.internal ?? null;
    this.retryAfterSeconds = more.retryAfterSeconds ?? null;
  }
}

/** The one answer for what is missing and for what the caller may not see: the same bytes for both. */
export const notFound = (): ServiceError => new ServiceError('NOT_FOUND', 'There is nothing here, or nothing you may see.');
