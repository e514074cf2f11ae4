import type { Caller } from '#platform/call.ts';
import { addressGroup } from '#platform/addresses.ts';

/** How many requests of a class a caller may make in a window. */
export interface RateLimit {
  readonly quota: number;
  readonly windowSeconds: number;
}

/** The limit of a caller in a rate class; null = unlimited. Read per request, so it must be quick (a cache in front of the tiers). */
export type LimitsFor = (caller: Caller, rateClass: string) => RateLimit | null | Promise<RateLimit | null>;

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
