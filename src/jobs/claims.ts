/**
 * How a worker comes by a job.
 *
 * A claim asks of the node that it is not shut out, takes the kind of job and holds the SDK set the job is built with, as its
 * last registration says (a worker registers anew when it has installed a set). All of it stands in the claim's own statement,
 * so that it holds for the very moment. What a node cannot build costs no attempt: it is told so (`whyNothing`), and hands
 * the message to the end of its queue, where another takes it; how it keeps from taking it again and again is in
 * src/workers/elsewhere.ts. Where no living node holds the set any more the reconciler gives the job up after ten minutes,
 * as one that an administrator can put back.
 */
import { createHash, randomBytes } from 'node:crypto';
import { type Database, transact } from '#platform/database.ts';
import type { JobKind, JobRow, JobTable } from './kinds.ts';
import { hashOfLease, leaseMs } from './leases.ts';
import { passTurnSql } from './turns.ts';

/** The SDK set a job is built with. */
export const sdkVersionOf: Readonly<Record<JobTable, string>> = {
  preview_jobs: 'preview_jobs.sdk_version',
  live_sessions: '(select preview.sdk_version from preview_jobs preview where preview.id = live_sessions.job_id)',
};
const isLiving = "node.status <> 'revoked'";
const isAble = ({ kind, table }: Pick<JobKind, 'kind' | 'table'>): string => `node.capabilities -> 'kinds' ? '${kind}' and node.capabilities -> 'sdk_versions' ? ${sdkVersionOf[table]}`;
const byAbleNode = (kind: JobKind): string => `exists (select from worker_nodes node where node.id = $2 and ${isLiving} and ${isAble(kind)})`;

/** $1 job, $2 worker, $3 hash of the lease, $4 epoch. Times are kept to the millisecond, rounded: what was due at once may stand half of one ahead. */
const claimSql = (kind: JobKind, which: 'attempt = 0' | 'attempt > 0'): string => `
  with claimed as (
    update ${kind.table}
       set status = 'running', stage = 'fetching', progress = 0, attempt = attempt + 1, worker_id = $2,
           lease_token_hash = $3, lease_expires_at = now() + interval '${leaseMs} milliseconds', started_at = now()
     where id = $1 and status = 'queued' and epoch = $4 and ${which} and queued_at is not null and run_after <= now() + interval '1 millisecond'
       and ${byAbleNode(kind)}
    returning *
  ), passed as (${passTurnSql('claimed')})
  select claimed.* from claimed where (select count(*) from passed) >= 0`;

/** The same claim by the same worker, whose answer was lost on the way: it holds the job, and its lease begins anew. Parameters as above. */
const claimedSql = (kind: JobKind): string => `
  update ${kind.table} set lease_expires_at = now() + interval '${leaseMs} milliseconds'
   where id = $1 and status = 'running' and worker_id = $2 and lease_token_hash = $3 and epoch = $4 and ${byAbleNode(kind)}
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
  const [first] = await db.named<JobRow>(`jobs.claim.${kind.kind}`, claimSql(kind, 'attempt = 0'), values);
  if (first !== undefined) return { job: first, leaseToken };
  if (claimKey !== null) {
    const [mine] = await db.named<JobRow>(`jobs.claimed.${kind.kind}`, claimedSql(kind), values);
    if (mine !== undefined) return { job: mine, leaseToken };
  }
  return transact(db, null, async (trx) => {
    const [job] = await db.namedIn<JobRow>(trx, `jobs.claim_again.${kind.kind}`, claimSql(kind, 'attempt > 0'), values);
    if (job === undefined) return null;
    await kind.begun(trx, job);
    return { job, leaseToken };
  });
}

export type NothingClaimed = { readonly why: 'shut_out' | 'nothing' } | { readonly why: 'unable'; readonly sdkVersion: string };

/** $1 job, $2 worker, $3 epoch. */
const unableSql = (kinds: readonly JobKind[]): string => `
  select coalesce(${kinds.map((kind) => `
    (select ${sdkVersionOf[kind.table]} from ${kind.table} where id = $1 and status = 'queued' and epoch = $3 and queued_at is not null and not (${isAble(kind)}))`).join(', ')}) as sdk_version
    from worker_nodes node where node.id = $2 and ${isLiving}`;

/** Why a claim of any kind came to nothing: the node is shut out, cannot build this job, or there is nothing to claim. */
export async function whyNothing(db: Pick<Database, 'named'>, kinds: readonly JobKind[], jobId: string, workerId: string, epoch: number): Promise<NothingClaimed> {
  const [node] = await db.named<{ sdk_version: string | null }>('jobs.unable', unableSql(kinds), [jobId, workerId, epoch]);
  if (node === undefined) return { why: 'shut_out' };
  return node.sdk_version === null ? { why: 'nothing' } : { why: 'unable', sdkVersion: node.sdk_version };
}
