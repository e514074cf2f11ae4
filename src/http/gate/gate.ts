import { DeadlineError } from '#platform/deadline.ts';
import { ServiceError } from '#platform/errors.ts';
import type { Logger } from '#platform/log.ts';
import type { Redis } from '#platform/redis.ts';
import { windowKey } from '#platform/request-windows.ts';
import { revocationKey } from '#platform/revocations.ts';
import type { Caller } from '#platform/call.ts';
import type { Credential, Step } from '../exchange.ts';
import type { CredentialStore } from '../authenticate/credentials.ts';
import { credentialInvalid } from '../authenticate/refusals.ts';
import type { Route } from '../route.ts';
import { callerOf, subjectOf, type LimitsFor, type RateLimit } from './limits.ts';
import { LocalLimiter } from './local.ts';
import { RevocationMarks, sentinelKey } from './marks.ts';
import { defineGate, type AskGate, type Counting, type GateAnswer } from './script.ts';
import { rateHeaders, rateRefusal, type RateVerdict } from './verdict.ts';

export interface GateOptions {
  readonly redis: Redis;
  readonly store: CredentialStore;
  readonly limitsFor: LimitsFor;
  readonly log: Logger;
  /** The longest the gate waits for Redis before it does without. */
  readonly timeoutMs?: number;
}

/** After so many failures in a row Redis is left alone for a second: else every request would wait out its own deadline. */
const failuresBeforeRest = 3;
const restMs = 1_000;

/**
 * Counts every request in the windows of its caller and class and refuses revoked credentials, in one Redis round trip.
 * When Redis is away or slow, revocation is read from PostgreSQL and limits are counted in this process; when Redis was
 * wiped (the sentinel is missing) revocation is read from PostgreSQL until the marks are rebuilt. Each change of state is
 * logged once.
 */
export class Gate {
  readonly #redis: Redis;
  readonly #limitsFor: LimitsFor;
  readonly #log: Logger;
  readonly #timeoutMs: number;
  readonly #ask: AskGate;
  readonly #marks: RevocationMarks;
  readonly #store: CredentialStore;
  readonly #local = new LocalLimiter();
  #restUntilMs = 0;
  #failuresInARow = 0;
  #isAway = false;

  constructor({ redis, store, limitsFor, log, timeoutMs = 300 }: GateOptions) {
    this.#redis = redis;
    this.#limitsFor = limitsFor;
    this.#log = log;
    this.#timeoutMs = timeoutMs;
    this.#ask = defineGate(redis);
    this.#marks = new RevocationMarks(redis, store, log);
    this.#store = store;
  }

  /** The step of one route. */
  step(route: Route): Step {
    const rateClass = route.rateLimit;
    const isOpen = route.auth === 'none' || route.auth === 'hook';
    return async (exchange) => {
      const { credential, ip } = exchange;
      const caller = isOpen ? anonymous : exchange.caller;
      const limits = rateClass === null ? [] : await this.#limitsFor(caller, rateClass);
      if (limits.length === 0 && credential === null) return;
      const verdict = await this.#judge(countingsOf(limits, caller, ip), credential);
      if (limits.length === 0) return;
      exchange.head.push(...rateHeaders(limits, verdict));
      const refusal = rateRefusal(limits, verdict);
      if (refusal !== null) throw refusal;
    };
  }

  /** Whether a credential was revoked since, or its account lost its standing: asked now and then while a stream is open. */
  async isRevoked(credential: Credential): Promise<boolean> {
    try {
      await this.#judge([], credential);
      return false;
    } catch (error) {
      if (error instanceof ServiceError) return true;
      throw error;
    }
  }

  async #judge(windows: readonly Counting[], credential: Credential | null): Promise<RateVerdict> {
    const marks = credential === null ? [] : marksOf(credential);
    const answer = await this.#askRedis(marks, windows);
    if (answer === null) {
      await this.#judgeByStore(credential);
      return this.#local.count(windows);
    }
    const isWhole = this.#marks.note(answer.sentinelMs);
    if (credential === null) return answer.verdict ?? none;
    if (!isWhole) await this.#judgeByStore(credential);
    if (answer.verdict !== null) return answer.verdict;
    // An account's mark says no more than that what is kept of it may be out of date.
    if (credential.account !== null && answer.marked?.[0] === true) await this.#judgeAccount(credential);
    if (credential.revocationId !== null && answer.marked?.at(-1) === true) throw revoked(credential);
    const counted = await this.#askRedis([], windows);
    return counted?.verdict ?? this.#local.count(windows);
  }

  /** What PostgreSQL says now: for when Redis cannot. */
  async #judgeByStore(credential: Credential | null): Promise<void> {
    if (credential === null) return;
    await this.#judgeAccount(credential);
    if (await credential.isRevokedInStore()) throw revoked(credential);
  }

  async #judgeAccount({ account }: Credential): Promise<void> {
    if (account !== null) account.requireStanding(await this.#store.account(account.id));
  }

  async #askRedis(marks: readonly string[], windows: readonly Counting[]): Promise<GateAnswer | null> {
    if (this.#redis.status !== 'ready' || Date.now() < this.#restUntilMs) {
      this.#say(true);
      return null;
    }
    try {
      const answer = await within(this.#timeoutMs, this.#ask(sentinelKey, marks, windows));
      this.#failuresInARow = 0;
      this.#say(false);
      return answer;
    } catch (error) {
      this.#failuresInARow += 1;
      if (this.#failuresInARow < failuresBeforeRest) {
        this.#log.debug('gate.slow', 'Redis did not answer in time: one request is judged without it', { error });
        return null;
      }
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

const anonymous: Caller = Object.freeze({ kind: 'anonymous' });
const none: RateVerdict = { refusedBy: null, windows: [] };

/** The account's mark, then the credential's own. */
const marksOf = ({ account, revocationId }: Credential): string[] =>
  [account?.id ?? null, revocationId].flatMap((id) => (id === null ? [] : [revocationKey(id)]));

const countingsOf = (limits: readonly RateLimit[], caller: Caller, ip: string): Counting[] =>
  limits.map(({ name, quota, windowSeconds, per }) => ({
    key: windowKey(per === 'account' ? subjectOf(caller, ip) : callerOf(caller, ip), name), quota, windowMs: windowSeconds * 1000,
  }));

const revoked = ({ refusal }: Credential): ServiceError => refusal?.() ?? credentialInvalid('The session or key was revoked.');

/** The wait is counted in so many slices, and one whose timer comes this late is not: the process was busy, not Redis, whose answer is still to be read. */
const slices = 6;
const lateMs = 20;
/** The most slices that are not counted. */
const patience = 30;

/**
 * Like withDeadline, without its signal: this runs for every request, and a Redis command cannot be aborted anyway. The
 * time counts while this process is free to hear the answer.
 */
async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const sliceMs = timeoutMs / slices;
    let timer: NodeJS.Timeout;
    const wait = (slicesLeft: number, patienceLeft: number): void => {
      const dueAtMs = performance.now() + sliceMs;
      timer = setTimeout(() => {
        const wasBusy = performance.now() - dueAtMs > lateMs;
        if (wasBusy && patienceLeft > 0) wait(slicesLeft, patienceLeft - 1);
        else if (slicesLeft > 1) wait(slicesLeft - 1, patienceLeft);
        else reject(new DeadlineError('The gate', timeoutMs));
      }, sliceMs);
    };
    wait(slices, patience);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
