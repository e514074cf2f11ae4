/** What the SDK throws. */

/**
 * `code` is the API's error code (`NOT_FOUND`, `RATE_LIMITED` …), or one of the SDK's own for what never got an answer:
 * `CONNECTION_FAILED`, `DEADLINE_EXCEEDED`, `ABORTED`, `BAD_ANSWER` (not HiveSync's), `UPLOAD_REFUSED`, `BAD_SOURCES`.
 */
export class HiveSyncError extends Error {
  readonly code: string;
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** As the API documents them for the code; null when there are none. */
  readonly details: unknown;
  /** Name it when you ask for help; null when there was no answer. */
  readonly requestId: string | null;
  /** Seconds after which the API says a repeat may succeed. */
  readonly retryAfterSeconds: number | null;

  constructor(
    code: string,
    message: string,
    more: { status?: number; details?: unknown; requestId?: string | null; retryAfterSeconds?: number | null; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'HiveSyncError';
    this.code = code;
    this.status = more.status ?? 0;
    this.details = more.details ?? null;
    this.requestId = more.requestId ?? null;
    this.retryAfterSeconds = more.retryAfterSeconds ?? null;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** `Retry-After` as seconds or as a date; null when it is absent or neither. */
export function parseRetryAfter(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - nowMs) / 1000));
}

/** The error of an answer that is no success; reads its body (at most what the server sends as an error: small). */
export async function errorOf(response: Response): Promise<HiveSyncError> {
  const text = await response.text();
  const more = {
    status: response.status,
    requestId: response.headers.get('x-request-id'),
    retryAfterSeconds: parseRetryAfter(response.headers.get('retry-after'), Date.now()),
  };
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = null;
  }
  const error = isRecord(body) ? body['error'] : null;
  if (isRecord(error) && typeof error['code'] === 'string' && typeof error['message'] === 'string') {
    return new HiveSyncError(error['code'], error['message'], { ...more, details: error['details'] });
  }
  // A proxy in between, or a base URL that leads elsewhere.
  return new HiveSyncError('BAD_ANSWER', `The answer (status ${response.status}) is not one of HiveSync's.`, more);
}
