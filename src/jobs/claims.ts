/** How a worker comes by a job. */
import { createHash, randomBytes } from 'node:crypto';
import { type Database, transact } from '#platform/database.ts';
import type { JobKind, JobRow, JobTable } from './kinds.ts';
import { hashOfLease, leaseMs } from './leases.ts';
import { passTurnSql } from './turns.ts';

/** $1 job, $2 worker, $3 hash of the lease, $4 epoch. Times are kept to the millisecond, rounded: what was due at once may stand half of one ahead. */
const claimSql = (table: JobTable, which: 'attempt = 0' | 'attempt > 0'): string => `
  with claimed as (
    update ${table}
       set status = 'running', stage = 'fetching', progress = 0, attempt = attempt + 1, worker_id = $2,
           lease_token_hash = $3, lease_expires_at = now() + interval '${leaseMs} milliseconds', started_at = now()
     where id = $1 and status = 'queued' and epoch = $4 and ${which} and queued_at is not null and run_after <= now() + interval '1 millisecond'
    returning *
  ), passed as (${passTurnSql('claimed')})
  select claimed.* from claimed where (select count(*) from passed) >= 0`;

/** The same claim by the same worker, whose answer was lost on the way: it holds the job, and its lease begins anew. Parameters as above. */
const claimedSql = (table: JobTable): string => `
  update ${table} set lease_expires_at = now() + interval '${leaseMs} milliseconds'
   where id = $1 and status = 'running' and worker_id = $2 and lease_token_hash = $3 and epoch = $4
  returning *`;

/** The lease of a claim under a key: the key, made by whoever claims, is as secret and as random as the lease. */
const leaseOf = (claimKey: string, jobId: string, epoch: number): string => createHash('sha256').update(`lease ${jobId}.${epoch} ${claimKey}`).digest('base64url');

/**
 * queued → running for this worker, attempt + 1. Null when there is nothing to claim (taken, ended, cancelled, not yet
 * due): that is what makes a doubled message harmless. The row is the kind's whole row. A first attempt, as nearly all
 * are, is one statement; of others, what the attempt before left goes in the same transaction.
 * With a `claimKey` the same claim may come again, and is answered with the same lease.
 */
export async function claim(
  db: Pick<Database, 'knex' | 'named' | 'namedIn'>, kind: JobKind, jobId: string, workerId: string, { epoch, claimKey }: { readonly epoch: number; readonly claimKey: string | null },
): Promise<{ job: JobRow; leaseToken: string } | null> {
  const leaseToken = claimKey === null ? randomBytes(32).toString('base64url') : leaseOf(claimKey, jobId, epoch);
  const values = [jobId, workerId, hashOfLease(leaseToken), epoch];
  const [first] = await db.named<JobRow>(`jobs.claim.${kind.kind}`, claimSql(kind.table, 'attempt = 0'), values);
  if (first !== undefined) return { job: first, leaseToken };
  if (claimKey !== null) {
    const [mine] = await db.named<JobRow>(`jobs.claimed.${kind.kind}`, claimedSql(kind.table), values);
    if (mine !== undefined) return { job: mine, leaseToken };
  }
  return transact(db, null, async (trx) => {
    const [job] = await db.namedIn<JobRow>(trx, `jobs.claim_again.${kind.kind}`, claimSql(kind.table, 'attempt > 0'), values);
    if (job === undefined) return null;
    await kind.begun(trx, job);
    return { job, leaseToken };
  });
}
