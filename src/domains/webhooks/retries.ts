/** When a delivery is tried again. Pure, but for chance. */
import type { WebhookAttempt } from '#generated/sdk/types.gen.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** After the first attempt, the second, …: together three days. */
const waitsMs = [5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour];
/** A fifth more or less, so that what failed together does not come back together. */
const jitter = 0.2;
const longestWaitMs = 24 * hour;

/** How an attempt went. */
export interface Outcome extends Pick<WebhookAttempt, 'response_status' | 'response_body' | 'failure' | 'duration_ms'> {
  /** When an answer of 429 or 503 asked to be left alone. */
  readonly retryAfterMs: number | null;
}

/**
 * How long to wait after the attempt of this number (from 1), or null when it was the last: a test is not repeated.
 * @param chance from 0 to 1
 */
export function waitAfter(attempt: number, trigger: string, { retryAfterMs }: Pick<Outcome, 'retryAfterMs'>, chance = Math.random()): number | null {
  const waitMs = trigger === 'test' ? undefined : waitsMs[attempt - 1];
  if (waitMs === undefined) return null;
  return Math.round(Math.max(waitMs * (1 - jitter + 2 * jitter * chance), Math.min(retryAfterMs ?? 0, longestWaitMs)));
}

/** What Retry-After says, in milliseconds from now: seconds, or a date. */
export function retryAfterOf(status: number, header: string | undefined, nowMs: number): number | null {
  if ((status !== 429 && status !== 503) || header === undefined) return null;
  if (/^\d{1,9}$/.test(header)) return Number(header) * second;
  // Engines take much for a date that has no name of a month in it.
  const at = /[a-z]{3}/i.test(header) ? Date.parse(header) : NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs);
}
