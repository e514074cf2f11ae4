import { DeadlineError } from '#platform/deadline.ts';
import { ServiceError } from '#platform/errors.ts';
import type { Logger } from '#platform/log.ts';
import type { Redis } from '#platform/redis.ts';
import { revocationKey } from '#platform/revocations.ts';
import type { Credential, Exchange, Step } from '../exchange.ts';
import type { CredentialStore } from '../authenticate/credentials.ts';
import { credentialInvalid } from '../authenticate/refusals.ts';
import type { Route } from '../route.ts';
import { subjectOf, type LimitsFor, type RateLimit } from './limits.ts';
import { LocalLimiter, type RateVerdict } from './local.ts';
import { RevocationMarks, sentinelKey } from './marks.ts';
import { defineGate, type GateAnswer } from './script.ts';

export interface GateOptions {
  readonly redis: Redis;
  readonly store: CredentialStore;
  readonly limitsFor: LimitsFor;
  readonly log: Logger;
  /** The longest the gate waits for Redis before it does without. */
  readonly timeoutMs?: number;
}

/** After a failure Redis is left alone for this long: else every request would wait out its own deadline. */
const restMs = 1_000;

/**
 * Counts every request against its caller's limit and refuses revoked credentials, in one Redis round trip. When Redis
 * is away or slow, revocation is read from PostgreSQL and limits are counted in this process; when Redis was wiped
 * (the sentinel is missing) revocation is read from PostgreSQL until the marks are rebuilt. Each change of state is
 * logged once.
 */
export class Gate {
  readonly #redis: Redis;
  readonly #limitsFor: LimitsFor;
  readonly #log: Logger;
  readonly #timeoutMs: number;
  readonly #ask: ReturnType<typeof defineGate>;
  readonly #marks: RevocationMarks;
  readonly #local = new LocalLimiter();
  #restUntilMs = 0;
  #isAway = false;

  constructor({ redis, store, limitsFor, log, timeoutMs = 300 }: GateOptions) {
    this.#redis = redis;
    this.#limitsFor = limitsFor;
    this.#log = log;
    this.#timeoutMs = timeoutMs;
    this.#ask = defineGate(redis);
    this.#marks = new RevocationMarks(redis, store, log);
  }

  /** The step of one route. */
  step(route: Route): Step {
    const rateClass = route.rateLimit;
    return async (exchange) => {
      const limit = rateClass === null ? null : await this.#limitsFor(exchange.caller, rateClass);
      const subject = route.auth === 'none' || route.auth === 'hook'
        ? subjectOf({ kind: 'anonymous' }, exchange.ip)
        : subjectOf(exchange.caller, exchange.ip);
      if (limit === null && exchange.credential === null) return;
      const verdict = await this.#judge(subject, rateClass ?? 'none', limit, exchange.credential);
      if (limit !== null && rateClass !== null && verdict !== null) announce(exchange, rateClass, limit, verdict);
    };
  }

  /** Whether a credential was revoked since: asked now and then while a stream is open. */
  async isRevoked(credential: Credential): Promise<boolean> {
    try {
      await this.#judge('', 'none', null, credential);
      return false;
    } catch (error) {
      if (error instanceof ServiceError) return true;
      throw error;
    }
  }

  async #judge(subject: string, rateClass: string, limit: RateLimit | null, credential: Credential | null): Promise<RateVerdict | null> {
    const revocationId = credential?.revocationId ?? null;
    const answer = await this.#askRedis(`rate_limit:${subject}:${rateClass}`, revocationId, limit);
    if (answer === null) {
      if (revocationId !== null && (await credential?.isRevokedInStore()) === true) throw revoked();
      return limit === null ? null : await this.#local.count(`${subject}:${rateClass}`, limit);
    }
    if (answer.isRevoked) throw revoked();
    const stands = this.#marks.note(answer.sentinelMs);
    if (!stands && revocationId !== null && (await credential?.isRevokedInStore()) === true) throw revoked();
    return limit === null ? null : answer;
  }

  async #askRedis(rateKey: string, revocationId: string | null, limit: RateLimit | null): Promise<GateAnswer | null> {
    if (this.#redis.status !== 'ready' || Date.now() < this.#restUntilMs) {
      this.#say(true);
      return null;
    }
    try {
      const answer = await within(this.#timeoutMs, this.#ask(
        rateKey, revocationKey(revocationId ?? ''), sentinelKey, limit?.quota ?? 0, (limit?.windowSeconds ?? 0) * 1000, revocationId !== null,
      ));
      this.#say(false);
      return answer;
    } catch (error) {
      this.#restUntilMs = Date.now() + restMs;
      this.#say(true, error);
      return null;
    }
  }

  #say(isAway: boolean, error?: unknown): void {
    if (isAway === this.#isAway) return;
    this.#isAway = isAway;
    if (isAway) {
      this.#log.warn('gate.local', 'Redis is away: revocation is read from PostgreSQL, limits are counted by this process alone', { error });
    } else {
      this.#log.info('gate.shared', 'Redis is back: revocation and limits are read from it again');
    }
  }
}

const revoked = (): ServiceError => credentialInvalid('The session or key was revoked.');

/** Like withDeadline, without its signal: this runs for every request, and a Redis command cannot be aborted anyway. */
async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(new DeadlineError('The gate', timeoutMs)), timeoutMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** RateLimit and RateLimit-Policy as of draft-ietf-httpapi-ratelimit-headers-11; a refusal is a 429 with Retry-After. */
function announce(exchange: Exchange, rateClass: string, limit: RateLimit, verdict: RateVerdict): void {
  const resetSeconds = Math.ceil(verdict.resetMs / 1000);
  exchange.head.push(
    'RateLimit-Policy', `"${rateClass}";q=${limit.quota};w=${limit.windowSeconds}`,
    'RateLimit', `"${rateClass}";r=${verdict.remaining};t=${resetSeconds}`,
  );
  if (!verdict.isAllowed) {
    throw new ServiceError('RATE_LIMITED', `Too many requests. Try again in ${resetSeconds} s.`, {
      details: { limit: rateClass, quota: limit.quota, window_seconds: limit.windowSeconds },
      retryAfterSeconds: resetSeconds,
    });
  }
}
