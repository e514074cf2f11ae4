import type { Environment } from '#config/environment.ts';
import { addressesIn, isPublicAddress } from './addresses.ts';

/** What of the outside may be spoken to where a user names it. */
export interface OutgoingRules {
  /** Without TLS too: outside production alone. */
  readonly allowsHttp: boolean;
  /** Whether this address may be connected to. */
  admits(address: string): boolean;
}

/** Public addresses, and those of OUTGOING_ALLOWED_RANGES. */
export function outgoingRules(env: Pick<Environment, 'production' | 'outgoingAllowedRanges'>): OutgoingRules {
  const isAllowed = addressesIn(env.outgoingAllowedRanges);
  return { allowsHttp: !env.production, admits: (address) => isPublicAddress(address) || isAllowed(address) };
}
