import type { Readable } from 'node:stream';
import type { Request, Response } from 'express';
import type { Call, Caller, PolicyMark } from '#platform/call.ts';
import type { ServiceError } from '#platform/errors.ts';
import type { RequestContext } from '#platform/request-context.ts';
import type { Account } from './authenticate/credentials.ts';
import type { Claim } from './idempotency/claim.ts';
import type { Route } from './route.ts';

/** Credentials end and are revoked while a stream is open: what has to be looked at again. */
export interface Credential {
  /** The account it rests on: a mark of it has it read anew, whatever is kept of it. Null where it rests on none. */
  readonly account: Reliance | null;
  /** The session or API key whose `revoked:` mark is read; null where nothing can be revoked. */
  readonly revocationId: string | null;
  /** Milliseconds since 1970; null where it does not end by itself. */
  readonly expiresAtMs: number | null;
  /** What it is answered once it was revoked; absent where that is AUTH_INVALID. */
  readonly refusal?: () => ServiceError;
  /** Whether the store says now that this credential was revoked: for when Redis cannot be asked. */
  readonly isRevokedInStore: () => Promise<boolean>;
  /** Whether its terms (what it opens, until when) are others now than at the beginning; absent where they never change. */
  readonly hasChanged?: () => Promise<boolean>;
}

/** An account that a credential rests on, and what its state means for the credential: throws where that ends it. */
export interface Reliance {
  readonly id: string;
  readonly requireStanding: (account: Account | null) => unknown;
}

/**
 * One request on its way: what the steps of the pipeline fill in, one after the other. All fields are there from the
 * start, so that every exchange has one shape for the compiler.
 */
export interface Exchange {
  readonly req: Request;
  readonly res: Response;
  readonly context: RequestContext;
  readonly startedAtMs: number;
  /** The client's own address; forwarded ones only from trusted proxies. */
  readonly ip: string;
  readonly isHttps: boolean;
  readonly abort: AbortController;
  /** Headers every answer of this exchange carries: name, value, name, value… */
  readonly head: string[];
  /** Null until a route is found. */
  route: Route | null;
  caller: Caller;
  credential: Credential | null;
  path: Record<string, unknown>;
  query: Record<string, unknown>;
  headers: Record<string, unknown>;
  body: unknown;
  /** The body's bytes as they came; null before they are read, and for streams. */
  rawBody: Buffer | null;
  stream: Readable | null;
  readonly policy: PolicyMark;
  claim: Claim | null;
  ifMatch: string | null;
  /** Set when validation judged the request, for the referee: true passed, false refused, null never got there. */
  isValid: boolean | null;
  /** An answer has been sent or is being sent: whatever comes later is dropped. */
  isAnswered: boolean;
  deadlineTimer: NodeJS.Timeout | null;
  /** Code of the error answered, for the log. */
  errorCode: string | null;
}

/** One step of the pipeline. Throws a ServiceError to refuse. Steps that need not wait return nothing. */
export type Step = (exchange: Exchange) => Promise<void> | void;

const anonymous: Caller = Object.freeze({ kind: 'anonymous' });

export function newExchange(
  req: Request, res: Response, context: RequestContext, ip: string, isHttps: boolean, startedAtMs: number,
): Exchange {
  return {
    req, res, context, startedAtMs, ip, isHttps,
    abort: new AbortController(),
    head: ['X-Request-Id', context.requestId],
    route: null,
    caller: anonymous,
    credential: null,
    path: {}, query: {}, headers: {},
    body: undefined,
    rawBody: null,
    stream: null,
    policy: { allowed: false },
    claim: null,
    ifMatch: null,
    isValid: null,
    isAnswered: false,
    deadlineTimer: null,
    errorCode: null,
  };
}

const exchanges = new WeakMap<object, Exchange>();
export const keepExchange = (exchange: Exchange): void => void exchanges.set(exchange.req, exchange);

/** The exchange of a request that went through `enter`. */
export function exchangeOf(req: object): Exchange {
  const exchange = exchanges.get(req);
  if (exchange === undefined) throw new Error('This request did not come in through the pipeline.');
  return exchange;
}

/** What handlers and services see of the exchange. */
export function callOf(exchange: Exchange, route: Route): Call {
  return {
    requestId: exchange.context.requestId,
    operationId: route.operationId,
    caller: exchange.caller,
    ip: exchange.ip,
    userAgent: (exchange.req.headers['user-agent'] ?? '').slice(0, 512),
    signal: exchange.abort.signal,
    policy: exchange.policy,
    roles: route.roles,
    idempotency: exchange.claim?.slot ?? null,
    ifMatch: exchange.ifMatch,
  };
}
