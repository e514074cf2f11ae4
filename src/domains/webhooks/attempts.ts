/** One attempt to send a message to an endpoint. */
import { type Outgoing, OutgoingFailure } from '#platform/outgoing/client.ts';
import { type Outcome, retryAfterOf } from './retries.ts';
import { type Signed, signatureHeaders } from './signature.ts';

const timeoutMs = 20_000;
const keptBytes = 20_480;
const redirects = new Set([301, 302, 303, 307, 308]);

export interface Attempt extends Signed {
  readonly url: string;
  readonly secrets: readonly string[];
  readonly signal: AbortSignal;
}

/** Sends, and says what came of it; throws only when the signal aborts. */
export async function attemptDelivery(outgoing: Outgoing, { url, secrets, signal, ...signed }: Attempt): Promise<Outcome> {
  const startedAt = performance.now();
  const durationMs = (): number => Math.round(performance.now() - startedAt);
  const headers = { 'content-type': 'application/json', 'user-agent': 'HiveSync-Webhooks/1', ...signatureHeaders(secrets, signed) };
  try {
    const { status, headers: answered, body } = await outgoing.post({ url, headers, body: signed.body, timeoutMs, maxAnswerBytes: keptBytes, signal });
    return {
      duration_ms: durationMs(), response_status: status, response_body: textOf(body), failure: failureOf(status),
      retryAfterMs: retryAfterOf(status, answered['retry-after'], Date.now()),
    };
  } catch (error) {
    if (!(error instanceof OutgoingFailure)) throw error;
    return { duration_ms: durationMs(), response_status: null, response_body: null, failure: error.fault, retryAfterMs: null };
  }
}

const failureOf = (status: number): Outcome['failure'] => (status >= 200 && status < 300 ? null : redirects.has(status) ? 'redirect' : 'status');

/** Of bytes that nobody vouches for: what is no UTF-8 is replaced, and so are NULs, which PostgreSQL holds in no text. */
const textOf = (body: Buffer): string => body.toString('utf8').replaceAll('\0', '\uFFFD');
