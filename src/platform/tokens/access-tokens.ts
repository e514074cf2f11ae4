import { LRUCache } from 'lru-cache';
import type { Secret } from '#config/environment.ts';
import type { Tier } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import { isId, newId } from '#platform/ids.ts';
import { createSigner, skewSeconds, TokenError } from './signer.ts';

/** What an access token says. Times are seconds since 1970. */
export interface AccessClaims {
  readonly userId: string;
  readonly sessionId: string;
  readonly tokenId: string;
  /** As they were when the token was signed: for clients to look at, never what a right is judged by. */
  readonly roles: readonly string[];
  /** When the person last proved who it is (password, second factor), for what asks for a recent sign-in. */
  readonly authenticatedAt: number;
  readonly expiresAt: number;
}

export interface AccessTokens {
  /** A signed token and its lifetime in seconds. */
  sign(holder: { readonly userId: string; readonly sessionId: string; readonly tier: Tier; readonly authenticatedAtMs: number }):
    { readonly token: string; readonly expiresIn: number };
  /** Throws TokenError. Says nothing of revocation, which is the gate's. */
  verify(token: string): AccessClaims;
}

export interface AccessTokenOptions {
  readonly secret: Secret;
  readonly previousSecret: Secret | null;
  /** BASE_URL: tokens of one installation mean nothing to another. */
  readonly issuer: string;
  readonly clock: Clock;
  /** 15 minutes unless told. */
  readonly lifetimeSeconds?: number;
}

/** A token longer than this is not ours; it is refused before anything is computed. */
const maxTokenLength = 2048;
/** Verified tokens kept: about 1 KB each. A hit costs 0.5 µs where a verification costs 8. */
const verifiedKept = 10_000;

export function createAccessTokens(options: AccessTokenOptions): AccessTokens {
  const { clock, lifetimeSeconds = 900 } = options;
  const signer = createSigner({ ...options, purpose: 'access', type: 'at+jwt', audience: 'hivesync-api' });
  const verified = new LRUCache<string, AccessClaims>({ max: verifiedKept });

  return {
    sign({ userId, sessionId, tier, authenticatedAtMs }) {
      const token = signer.sign({
        subject: userId,
        id: newId(),
        lifetimeSeconds,
        claims: { sid: sessionId, roles: tier === 'admin' ? ['user', 'admin'] : ['user'], auth_time: Math.floor(authenticatedAtMs / 1000) },
      });
      return { token, expiresIn: lifetimeSeconds };
    },
    verify(token) {
      const known = verified.get(token);
      if (known !== undefined) {
        if (known.expiresAt * 1000 > clock.now()) return known;
        verified.delete(token);
        throw new TokenError('expired', 'The token has expired.');
      }
      if (token.length > maxTokenLength) throw new TokenError('invalid', 'Longer than any token of ours.');
      const claims = readClaims(signer.verify(token), lifetimeSeconds, Math.floor(clock.now() / 1000) + skewSeconds);
      verified.set(token, claims);
      return claims;
    },
  };
}

function readClaims(claims: ReturnType<ReturnType<typeof createSigner>['verify']>, lifetimeSeconds: number, newestSeconds: number): AccessClaims {
  const { sid, roles, auth_time: authenticatedAt } = claims;
  // None of ours lives longer: what outlives a revocation's mark would be good again after it.
  if (!(claims.iat <= newestSeconds && claims.exp - claims.iat <= lifetimeSeconds)) throw new TokenError('invalid', 'It lives longer than access tokens do.');
  // Ids are asked for in the database, which takes ids alone.
  if (typeof sid !== 'string' || !isId(sid) || !isId(claims.sub) || !Array.isArray(roles) || typeof authenticatedAt !== 'number') {
    throw new TokenError('invalid', 'A claim of access tokens is missing.');
  }
  return Object.freeze({
    userId: claims.sub,
    sessionId: sid,
    tokenId: claims.jti,
    roles: Object.freeze(roles.filter((role) => typeof role === 'string')),
    authenticatedAt,
    expiresAt: claims.exp,
  });
}
