import { isDeepStrictEqual } from 'node:util';
import type { Secret } from '#config/environment.ts';
import type { Clock } from '#platform/clock.ts';
import { equalInConstantTime } from '#platform/crypto.ts';
import { ServiceError } from '#platform/errors.ts';
import type { Logger } from '#platform/log.ts';
import { hashApiKey, isApiKeyFormed } from '#platform/tokens/api-keys.ts';
import type { AccessTokens } from '#platform/tokens/access-tokens.ts';
import type { Exchange, Step } from '../exchange.ts';
import type { Route } from '../route.ts';
import type { CredentialStore } from './credentials.ts';
import type { Identities } from './identities.ts';
import { credentialExpired, credentialInvalid, ofToken, signInFirst } from './refusals.ts';
import { standing } from './standing.ts';

export interface UserAuthenticator {
  readonly tokens: AccessTokens;
  readonly identities: Identities;
  readonly store: CredentialStore;
  readonly clock: Clock;
  readonly log: Logger;
}

/** `user`, `jwt`, `admin`: a person's access token, or an API key. What of it may do what is `judgeCaller`'s to say. */
export function authenticateUser(route: Route, auth: UserAuthenticator): Step {
  return async (exchange) => {
    const { authorization } = exchange.req.headers;
    const apiKey = exchange.req.headers['x-api-key'];
    if (authorization !== undefined && apiKey !== undefined) {
      throw credentialInvalid('Both an Authorization header and an API key.');
    }
    if (typeof apiKey === 'string') await byApiKey(exchange, apiKey, auth);
    else if (authorization !== undefined) await byToken(exchange, authorization, auth, route.auth === 'admin');
    else throw signInFirst();
  };
}

/**
 * Operations open to everybody: a good credential is taken notice of (deep health tells an admin or a monitor more), a
 * bad one is as good as none. `operatorToken` is METRICS_TOKEN: a monitor that holds it is the system's own.
 */
export function noticeUser(route: Route, auth: UserAuthenticator, operatorToken: Secret | null): Step {
  const step = authenticateUser({ ...route, auth: 'jwt' }, auth);
  return async (exchange) => {
    const { authorization } = exchange.req.headers;
    if (authorization === undefined) return;
    if (operatorToken !== null && equalInConstantTime(bearer.exec(authorization)?.[1] ?? '', operatorToken.reveal())) {
      exchange.caller = { kind: 'system' };
      return;
    }
    const nobody = exchange.caller;
    let isGood = false;
    try {
      await step(exchange);
      isGood = (await exchange.credential?.isRevokedInStore()) === false;
    } catch (error) {
      // Whoever asks how we are must be answered also when the database is not there to say who asks.
      if (!(error instanceof ServiceError)) auth.log.warn('auth.not_noticed', 'A credential could not be looked at', { error });
    }
    if (isGood) return;
    exchange.caller = nobody;
    exchange.credential = null;
    exchange.context.userId = null;
  };
}

const bearer = /^Bearer +([A-Za-z0-9_.~+/=-]+) *$/i;

async function byToken(exchange: Exchange, authorization: string, auth: UserAuthenticator, readNow: boolean): Promise<void> {
  const token = bearer.exec(authorization)?.[1];
  if (token === undefined) throw credentialInvalid('The Authorization header is no bearer token.');
  let claims;
  try {
    claims = auth.tokens.verify(token);
  } catch (error) {
    throw ofToken(error);
  }
  const { userId, sessionId, expiresAt, authenticatedAt } = claims;
  const [found, isHeld] = await Promise.all([
    readNow ? auth.identities.accountNow(userId) : auth.identities.account(userId), auth.identities.isSessionOf(sessionId, userId),
  ]);
  const account = standing(found);
  if (!isHeld) throw credentialInvalid('The session is unknown, has ended, or is another account\'s.');
  auth.store.noteSessionUse?.(sessionId);
  exchange.context.userId = userId;
  exchange.caller = { kind: 'user', userId, sessionId, tier: account.tier, isVerified: account.isVerified, authenticatedAtMs: authenticatedAt * 1000 };
  exchange.credential = {
    account: { id: userId, requireStanding: standing },
    revocationId: sessionId,
    expiresAtMs: expiresAt * 1000,
    isRevokedInStore: async () => {
      const session = await auth.store.session(sessionId);
      return session === null || session.isRevoked || session.userId !== userId;
    },
  };
}

async function byApiKey(exchange: Exchange, key: string, auth: UserAuthenticator): Promise<void> {
  // The checksum spares the database every mistyped or made-up key.
  if (!isApiKeyFormed(key)) throw credentialInvalid('The API key is malformed.');
  const hash = hashApiKey(key);
  const identity = await auth.identities.apiKey(hash);
  if (identity === null || identity.isRevoked) throw credentialInvalid('The API key is unknown or revoked.');
  if (identity.expiresAtMs !== null && identity.expiresAtMs <= auth.clock.now()) throw credentialExpired();
  const account = standing(await auth.identities.account(identity.userId));
  auth.store.noteApiKeyUse?.(identity.keyId);
  exchange.context.userId = identity.userId;
  exchange.caller = {
    kind: 'api_key', userId: identity.userId, keyId: identity.keyId, tier: account.tier, isVerified: account.isVerified,
    scopes: identity.scopes, projectIds: identity.projectIds,
  };
  exchange.credential = {
    account: { id: identity.userId, requireStanding: standing },
    revocationId: identity.keyId,
    expiresAtMs: identity.expiresAtMs,
    isRevokedInStore: async () => (await auth.store.apiKey(hash))?.isRevoked !== false,
    hasChanged: async () => !isDeepStrictEqual(await auth.store.apiKey(hash), identity),
  };
}

/**
 * An API key needs the operation's scope, and some operations take none; administration is for administrators. Asked once
 * the gate has let the credential through: one that was revoked is told that alone, and refused requests count too.
 */
export function judgeCaller(route: Route): Step {
  return ({ caller }) => {
    if (caller.kind === 'api_key') {
      if (route.auth !== 'user' || route.scope === null) {
        throw new ServiceError('FORBIDDEN', 'This is for a signed-in person; an API key cannot do it.');
      }
      if (!caller.scopes.includes(route.scope)) {
        throw new ServiceError('FORBIDDEN', `This API key lacks the scope ${route.scope}.`, { details: { scope: route.scope } });
      }
    }
    if (route.auth === 'admin' && (caller.kind !== 'user' || caller.tier !== 'admin')) {
      throw new ServiceError('FORBIDDEN', 'This is for administrators.');
    }
  };
}
