import type { Redis } from '#platform/redis.ts';

/**
 * One round trip for everything a request asks of Redis: is the credential revoked, do the marks stand at all (the
 * sentinel), and is there room in the rate window.
 *
 * The window slides by two counters: what the last full window counted weighs in with the share of it that still lies
 * within the last W seconds. From rest exactly `quota` get through in a burst, and after it as many as the burst's weight
 * wears off: never 2 x quota in W seconds (a fixed window allows that), and quota per W in the long run. Refused
 * requests do not count.
 *
 * KEYS: rate key, revocation key, sentinel. ARGV: quota (0 = do not count), window in ms, 1 if there is something to revoke.
 * Answers: [revoked 0/1, sentinel's remaining ms (-2 = missing), allowed 0/1, remaining, ms until reset or room].
 */
export const gateScript = `
local sentinel = redis.call('PTTL', KEYS[3])
if ARGV[3] == '1' and redis.call('EXISTS', KEYS[2]) == 1 then return {1, sentinel, 0, 0, 0} end
local quota = tonumber(ARGV[1])
if quota == 0 then return {0, sentinel, 1, 0, 0} end
local window = tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local index = math.floor(now / window)
local elapsed = now - index * window
local kept = redis.call('HMGET', KEYS[1], 'i', 'c', 'p')
local current, previous = 0, 0
if kept[1] then
  local at = tonumber(kept[1])
  if at == index then
    current, previous = tonumber(kept[2]), tonumber(kept[3])
  elseif at == index - 1 then
    previous = tonumber(kept[2])
  end
end
local used = current + previous * (window - elapsed) / window
if used + 1 > quota + 0.000001 then
  local wait
  if current + 1 <= quota then
    wait = math.ceil(window * (1 - (quota - 1 - current) / previous) - elapsed)
  else
    wait = math.ceil(window - elapsed + window * (1 - (quota - 1) / current))
  end
  return {0, sentinel, 0, 0, math.max(wait, 1)}
end
current = current + 1
redis.call('HSET', KEYS[1], 'i', index, 'c', current, 'p', previous)
redis.call('PEXPIRE', KEYS[1], window * 2)
return {0, sentinel, 1, math.max(0, math.floor(quota - used - 1 + 0.000001)), window - elapsed}
`;

/** What the script answers, in words. */
export interface GateAnswer {
  readonly isRevoked: boolean;
  /** Milliseconds; negative when the sentinel is missing. */
  readonly sentinelMs: number;
  readonly isAllowed: boolean;
  readonly remaining: number;
  readonly resetMs: number;
}

interface Gated {
  hivesyncGate(
    rateKey: string, revocationKey: string, sentinelKey: string, quota: number, windowMs: number, revocable: 0 | 1,
  ): Promise<[number, number, number, number, number]>;
}

/** Teaches a client the script (sent once per connection, then by its hash). */
export function defineGate(redis: Redis): (
  rateKey: string, revocationKey: string, sentinelKey: string, quota: number, windowMs: number, isRevocable: boolean,
) => Promise<GateAnswer> {
  redis.defineCommand('hivesyncGate', { numberOfKeys: 3, lua: gateScript });
  const gated = redis as Redis & Gated;
  return async (rateKey, revocation, sentinel, quota, windowMs, isRevocable) => {
    const [revoked, sentinelMs, allowed, remaining, resetMs] =
      await gated.hivesyncGate(rateKey, revocation, sentinel, quota, windowMs, isRevocable ? 1 : 0);
    return { isRevoked: revoked === 1, sentinelMs, isAllowed: allowed === 1, remaining, resetMs };
  };
}
