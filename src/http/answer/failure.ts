import { DeadlineError } from '#platform/deadline.ts';
import { sqlState } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import type { Logger } from '#platform/log.ts';
import { StorageError } from '#platform/storage/storage.ts';
import type { Exchange } from '../exchange.ts';
import { fault } from '../validation/faults.ts';
import { errorEnvelope, type Answer } from './answer.ts';

/**
 * Whatever was thrown, as the error the caller is told. What is not meant for callers becomes INTERNAL_ERROR (or
 * SERVICE_UNAVAILABLE where trying again helps); its own text goes to the log alone.
 */
export function serviceErrorOf(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof StorageError) {
    return error.kind === 'unavailable'
      ? new ServiceError('STORAGE_ERROR', 'The object storage does not answer. Try again shortly.', { cause: error, retryAfterSeconds: 2 })
      : new ServiceError('STORAGE_ERROR', 'The object storage could not do this.', { cause: error });
  }
  if (isMalformedUrl(error)) {
    return new ServiceError('VALIDATION_ERROR', 'The URL is not well encoded.', {
      details: [fault('#/path', 'must be percent-encoded UTF-8', 'encoding')], cause: error,
    });
  }
  if (isUnavailable(error)) {
    return new ServiceError('SERVICE_UNAVAILABLE', 'A part we depend on does not answer. Try again shortly.', { cause: error, retryAfterSeconds: 2 });
  }
  return new ServiceError('INTERNAL_ERROR', 'Something went wrong on our side. The request id helps us find it.', { cause: error });
}

/** Express' router cannot decode a path parameter: an error with `status` 400 around a URIError. */
const isMalformedUrl = (error: unknown): boolean =>
  error instanceof URIError || (error instanceof Error && 'status' in error && error.status === 400 && error.message.startsWith('Failed to decode param'));

/** Class 08 connection, 53 resources, 57 operator: restart, shutdown, statement timeout; 55P03 a lock not had in time; 40 conflict not resolved by retries. */
const passingStates = /^(08|53|57|40)|^55P03$/;
const networkCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);

function isUnavailable(error: unknown): boolean {
  if (error instanceof DeadlineError) return true;
  if (!(error instanceof Error)) return false;
  // Knex waited for a connection (its class is not exported to ES modules).
  if (error.name === 'KnexTimeoutError') return true;
  const state = sqlState(error);
  if (state !== null && passingStates.test(state)) return true;
  if ('code' in error && typeof error.code === 'string' && networkCodes.has(error.code)) return true;
  // pg says these without a code: its connection ended under a query, or none could be had in time.
  return /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout)/.test(error.message);
}

/** The error as it is sent. */
export function failureAnswer(error: ServiceError): Answer {
  const headers: string[] = [];
  if (error.status === 401) headers.push('WWW-Authenticate', challenge(error.code));
  if (error.retryAfterSeconds !== null) headers.push('Retry-After', String(Math.ceil(error.retryAfterSeconds)));
  else if (error.status === 503 || error.status === 429) headers.push('Retry-After', '1');
  return { status: error.status, headers, text: errorEnvelope(error.code, error.message, error.details) };
}

const challenge = (code: string): string =>
  code === 'AUTH_EXPIRED'
    ? 'Bearer realm="hivesync", error="invalid_token", error_description="expired"'
    : 'Bearer realm="hivesync"';

/** What a person on call needs to know: everything the caller is not told. Refusals are in the access log alone. */
export function logFailure(log: Logger, exchange: Exchange, error: ServiceError): void {
  exchange.errorCode = error.code;
  if (error.status < 500) return;
  log.error('http.failed', `${error.code} in ${exchange.route?.operationId ?? 'the pipeline'}`, {
    operation_id: exchange.route?.operationId ?? null, error: error.code === 'INTERNAL_ERROR' && error.cause !== undefined ? error.cause : error,
  });
}
