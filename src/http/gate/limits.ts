import type { Caller } from '#platform/call.ts';
import { addressGroup } from '#platform/addresses.ts';

/** How many requests may be made in a window, and whose are counted together in it. */
export interface RateLimit {
  /** What RateLimit-Policy and a refusal call it. */
  readonly name: string;
  readonly quota: number;
  readonly windowSeconds: number;
  /** `account`: by whatever credential. `caller`: a person's own, an API key's own, a node's, an address'. */
  readonly per: 'account' | 'caller';
}

/**
 * The windows that a request of this caller and class counts in, all of them or none; an empty list = unlimited. Read per
 * request, so it must be quick (a cache in front of the tiers).
 */
export type LimitsFor = (caller: Caller, rateClass: string) => readonly RateLimit[] | Promise<readonly RateLimit[]>;

/** Whom a limit is counted for: the account however it signs in, the node, else the address. */
export function subjectOf(caller: Caller, ip: string): string {
  switch (caller.kind) {
    case 'user':
    case 'api_key':
      return caller.userId;
    case 'worker':
      return `node:${caller.nodeId}`;
    default:
      return `ip:${addressGroup(ip)}`;
  }
}

/** The same, but an API key by itself: what it uses up is not its owner's. */
export const callerOf = (caller: Caller, ip: string): string => (caller.kind === 'api_key' ? `key:${caller.keyId}` : subjectOf(caller, ip));
