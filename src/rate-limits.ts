/**
 * How many requests a caller may make in a minute. One who is signed in has the account's window, which every request of
 * the account counts in by whatever credential, and for classes that cost more or are worth guessing at one beside it: a
 * person's own, or an API key's own, so that a key that runs dry there leaves its owner's clicks alone. Others are counted
 * by address.
 */
import type { TierService } from '#domains/tiers/service.ts';
import type { LimitsFor, RateLimit } from '#http/gate/limits.ts';
import type { StreamCap } from '#http/answer/stream-slots.ts';
import type { Caller } from '#platform/call.ts';
import { accountWindow } from '#platform/request-windows.ts';

const perMinute = (name: string, quota: number): readonly [RateLimit] => [{ name, quota, windowSeconds: 60, per: 'caller' }];

/**
 * Classes with a window of their own; `read` and `write` have the account's alone. `strict` is for what an attacker would
 * repeat: passwords, codes, tokens. The others bound one client gone wild, well above what a person or a build does.
 */
const classes: Readonly<Record<string, readonly [RateLimit]>> = {
  strict: perMinute('strict', 20),
  search: perMinute('search', 60),
  upload: perMinute('upload', 60),
  stream: perMinute('stream', 60),
  job: perMinute('job', 300),
  admin: perMinute('admin', 600),
};

/** By address, for whatever has no narrower window. */
const anonymous = perMinute('public', 120);
/** Streams of an address that nobody signed in from (previews). */
const anonymousStreams = 10;

/**
 * Leases, progress and uploads of a busy node: a bound against one gone wild, not against work. A node that takes 200 jobs
 * a second asks 400 times a second and more; one that is told to wait does so with messages in its hands.
 */
const worker = perMinute('worker', 60_000);

const signedIn = (caller: Caller): caller is Extract<Caller, { userId: string }> => caller.kind === 'user' || caller.kind === 'api_key';

export function rateLimits(tiers: TierService): { limitsFor: LimitsFor; streamCap: StreamCap } {
  return {
    limitsFor: async (caller, rateClass) => {
      if (caller.kind === 'worker') return worker;
      const own = classes[rateClass];
      if (!signedIn(caller)) return own ?? anonymous;
      const quota = (await tiers.limitsOf(caller.tier)).api_requests_per_minute;
      if (quota === null) return own ?? [];
      const ofAccount: RateLimit = { ...accountWindow, quota, per: 'account' };
      return own === undefined || own[0].quota >= quota ? [ofAccount] : [...own, ofAccount];
    },
    streamCap: async (caller) => {
      if (!signedIn(caller)) return { cap: anonymousStreams };
      const cap = (await tiers.limitsOf(caller.tier)).streams_at_once;
      return cap === null ? null : { cap, refusal: (used) => tiers.quotaExceeded('streams_at_once', caller.tier, used) };
    },
  };
}
