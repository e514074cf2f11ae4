/** Idempotency-Keys of builds: a repeat waits for the job of the first, also after its answer was a timeout. */
import type { Knex } from 'knex';
import type { PreviewBuildInput } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import { sha256 } from '#platform/crypto.ts';
import type { Database } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { freeKeySql, jobByKeySql } from './queries.ts';
import type { PreviewRow } from './rows.ts';

export interface RequestKey {
  /** Of the key and whose it is: a person's and an API key's are different keys. */
  readonly keyHash: Buffer;
  readonly bodyHash: Buffer;
}

/** The key of a call, null where it brought none. */
export function requestKeyOf(call: Call, body: PreviewBuildInput): RequestKey | null {
  if (call.idempotency === null) return null;
  const owner = call.caller.kind === 'api_key' ? `key:${call.caller.keyId}` : 'person';
  return { keyHash: sha256(`${owner}\n${call.idempotency.key}`), bodyHash: sha256(JSON.stringify(body)) };
}

/** The job that was made under a key; IDEMPOTENCY_CONFLICT when it was made of another request. */
export async function findByKey(db: Database, userId: string, key: RequestKey): Promise<PreviewRow | null> {
  return same(await db.named<PreviewRow>('previews.job_by_key', jobByKeySql, [userId, key.keyHash]), key);
}

/** The same in a transaction; where there is none, the key is free afterwards, whatever used it long ago. */
export async function takeKey(db: Database, trx: Knex.Transaction, userId: string, key: RequestKey): Promise<PreviewRow | null> {
  const found = same(await db.namedIn<PreviewRow>(trx, 'previews.job_by_key', jobByKeySql, [userId, key.keyHash]), key);
  if (found === null) await db.namedIn(trx, 'previews.free_key', freeKeySql, [userId, key.keyHash]);
  return found;
}

function same([job]: readonly PreviewRow[], key: RequestKey): PreviewRow | null {
  if (job === undefined) return null;
  if (job.request_body_hash?.equals(key.bodyHash) === true) return job;
  throw new ServiceError('IDEMPOTENCY_CONFLICT', 'This Idempotency-Key was used with another request. Choose a new one.');
}
