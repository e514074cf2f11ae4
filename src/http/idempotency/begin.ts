import { randomUUID, type KeyObject } from 'node:crypto';
import type { Database } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import type { Logger } from '#platform/log.ts';
import type { Caller } from '#platform/call.ts';
import type { Exchange } from '../exchange.ts';
import type { Route } from '../route.ts';
import { Claim, type Foretell } from './claim.ts';
import { findSql, takeSql } from './queries.ts';
import { requestHash } from './request-hash.ts';
import { hashKey, openAnswer, type KeptAnswer } from './sealed-answer.ts';

export interface IdempotencyOptions {
  readonly db: Database;
  /** Derived for this purpose alone. */
  readonly pepper: KeyObject;
  readonly log: Logger;
  /** How long an answer is kept: a day. */
  readonly keptMs?: number;
}

interface Row {
  id: string;
  request_hash: Buffer;
  state: 'in_progress' | 'done';
  status: number | null;
  answer: Buffer | null;
  lease_ms: number;
}

const dayMs = 24 * 3_600_000;
/** Extended while the request runs. A client that repeats after its process died is let in this soon: within the SDK's three repeats. */
const leaseMs = 10_000;
/** A row may vanish between two looks when its holder gives it back; then it is ours to take. */
const maxTries = 3;

/** Whose keys these are. A key's repeats by another API key or person find nothing; a new session of one person does. */
function namespaceOf(caller: Caller): string | null {
  if (caller.kind === 'user') return `user:${caller.userId}`;
  if (caller.kind === 'api_key') return `key:${caller.keyId}`;
  return null;
}

/**
 * Takes the request's Idempotency-Key in charge, or answers what its first use was answered. The lease is
 * extended until five seconds after the request's deadline; what is `in_progress` without one belonged to a process that died.
 */
export function beginIdempotent(
  route: Route, deadlineMs: number, foretellFor: (exchange: Exchange) => Foretell, options: IdempotencyOptions,
): (exchange: Exchange) => Promise<KeptAnswer | null> {
  const { db, pepper, log, keptMs = dayMs } = options;
  const heldMs = deadlineMs + 5_000;

  return async (exchange) => {
    const key = exchange.req.headers['idempotency-key'];
    const caller = namespaceOf(exchange.caller);
    if (typeof key !== 'string' || caller === null) return null;
    const keyHash = hashKey(pepper, `${caller} ${route.operationId}`, key);
    const request = requestHash(pepper, key, exchange);

    for (let tries = 1; tries <= maxTries; tries += 1) {
      const leaseToken = randomUUID();
      const [taken] = await db.named<{ id: string }>('idempotency.take', takeSql, [
        newId(), caller, route.operationId, keyHash, request, leaseToken, leaseMs, keptMs,
      ]);
      if (taken !== undefined) {
        exchange.claim = new Claim({ db, pepper, rowId: taken.id, leaseToken, key, foretell: foretellFor(exchange), log });
        exchange.claim.keepAlive(leaseMs, heldMs);
        return null;
      }
      const [row] = await db.named<Row>('idempotency.find', findSql, [caller, route.operationId, keyHash]);
      if (row === undefined) continue;
      if (!row.request_hash.equals(request)) {
        throw new ServiceError('IDEMPOTENCY_CONFLICT', 'This Idempotency-Key was used with another request. Choose a new one.');
      }
      if (row.state === 'done' && row.answer !== null) return openAnswer(pepper, row.id, key, row.answer);
      throw inProgress(row.lease_ms);
    }
    throw inProgress(1_000);
  };
}

const inProgress = (leaseMs: number): ServiceError =>
  new ServiceError('REQUEST_IN_PROGRESS', 'The first request with this Idempotency-Key is still running. Try again shortly.', {
    // Mostly it ends far sooner than its lease: a repeat may ask again soon, but not in a tight loop.
    retryAfterSeconds: Math.min(5, Math.max(1, Math.ceil(leaseMs / 1000))),
  });
