/** How many requests of each class a caller may make: by the tier where it is signed in, by the address where not. */
import type { TierService } from '#domains/tiers/service.ts';
import type { LimitsFor, RateLimit } from '#http/gate/limits.ts';
import type { StreamCap } from '#http/answer/stream-slots.ts';
import type { Caller } from '#platform/call.ts';

const perMinute = (quota: number): RateLimit => ({ quota, windowSeconds: 60 });

/** By address. `strict` is for what an attacker would repeat: sign-ins, registrations, resets. */
const anonymous: Readonly<Record<string, RateLimit>> = { strict: perMinute(20), public: perMinute(120) };

/** Leases, progress and uploads of a busy node: a bound against one gone wild, not against work. */
const workerLimit = perMinute(6_000);

const signedIn = (caller: Caller): caller is Extract<Caller, { userId: string }> => caller.kind === 'user' || caller.kind === 'api_key';

/** Every class of a signed-in caller shares the tier's requests a minute; each class has a count of its own. */
export function rateLimits(tiers: TierService): { limitsFor: LimitsFor; streamCap: StreamCap } {
  return {
    limitsFor: async (caller, rateClass) => {
      if (caller.kind === 'worker') return workerLimit;
      const open = anonymous[rateClass];
      if (open !== undefined) return open;
      if (!signedIn(caller)) return perMinute(120);
      const quota = (await tiers.limitsOf(caller.tier)).api_requests_per_minute;
      return quota === null ? null : perMinute(quota);
    },
    streamCap: async (caller) => (signedIn(caller) ? (await tiers.limitsOf(caller.tier)).streams_at_once : 10),
  };
}
