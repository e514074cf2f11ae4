import type { Knex } from 'knex';
import type {
  ClaimedJob, JobArtifact, JobClaim, JobFailure, JobProgress, JobProgressReply, JobResultReceipt, JobResultReport, JobUploads, JobUploadsCreate, JobUploadSpec, LiveChangeSet, LiveResult,
  WorkerHeartbeat, WorkerHeartbeatReply, WorkerNode, WorkerRegistered, WorkerRegistration,
} from '#generated/sdk/types.gen.ts';
import { claim, whyNothing } from '#jobs/claims.ts';
import type { JobKind, JobRow, MadeObject } from '#jobs/kinds.ts';
import { extend, finish, hashOfLease, isOverdue, type LeaseEnd, leaseMs, requeue, retryDelayMs, type StopReason, transferGraceMs } from '#jobs/leases.ts';
import type { JobWatch } from '#jobs/watch.ts';
import type { Call } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';
import { audit } from '../audit/audit.ts';
import { allowByCredential } from '../policy.ts';
import { heartbeatSeconds, type HeartbeatSummaries, silentSeconds } from './heartbeats.ts';
import { claimedJobSql, heartbeatStopSql, type HeartbeatRow, jobSql } from './queries.ts';
import type { NodeKeys } from './node-keys.ts';
import { homeless, isSafeRelativePath, placed } from './object-paths.ts';

const uploadSeconds = 900;
/** A job whose input could not be put together (storage is away) comes again after this. */
const undescribedDelayMs = 10_000;
/** Signed URLs of an input outlive the attempt by this much. */
const urlGraceSeconds = 300;
/** However long a worker would wait: its lease is extended by each answer, and half of it must be left. */
const longestWaitMs = leaseMs / 2;
/** An input that took longer than this to put together gets its lease anew. */
const slowInputMs = 1_000;

/**
 * A node that comes back is active again, unless it was shut out, or drains: a living process that registers once more
 * (with another SDK set, or after its key was not known) has still to end.
 */
const statusAgainSql = `
  case when worker_nodes.status = 'revoked' then 'revoked'
       when worker_nodes.status = 'draining' and worker_nodes.last_heartbeat_at > now() - interval '${silentSeconds} seconds' then 'draining'
       else 'active' end`;

interface WorkerDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly storage: ObjectStorage;
  readonly nodeKeys: NodeKeys;
  readonly kinds: readonly JobKind[];
  readonly heartbeats: HeartbeatSummaries;
  readonly watch: JobWatch;
}

/** The operations by which a worker knows the backend. A worker's right to a job lies in its lease token alone. */
export class WorkerService {
  readonly #on: WorkerDependencies;

  constructor(dependencies: WorkerDependencies) {
    this.#on = dependencies;
  }

  /** The same name is the same node: registering again brings its particulars up to date and answers the same key. */
  async register(call: Call, body: WorkerRegistration): Promise<WorkerRegistered> {
    allowByCredential(call);
    if (call.caller.kind !== 'worker' || call.caller.nodeId !== body.name) {
      throw new ServiceError('FORBIDDEN', 'A worker registers under the name it signs with.');
    }
    return transact(this.#on.db, call, async (trx) => {
      const particulars = {
        type: body.type,
        concurrency: body.concurrency,
        capabilities: JSON.stringify(body.capabilities),
        cloudflare_id: body.cloudflare_id ?? null,
        version: body.version,
        last_heartbeat_at: trx.fn.now(),
      };
      const [row] = await trx('worker_nodes')
        .insert({ id: newId(), name: body.name, ...particulars })
        .onConflict('name')
        .merge({ ...particulars, status: trx.raw(statusAgainSql) })
        .returning<NodeRow[]>('*');
      if (row === undefined) throw new Error('worker_nodes answered no row for an upsert');
      if (row.status === 'revoked') throw new ServiceError('FORBIDDEN', 'This worker was shut out.');
      await audit(trx, call, { event_type: 'worker.registered', entity_type: 'worker', entity_id: row.id, data: { name: body.name, type: body.type } });
      const worker: WorkerNode = { ...row, version: row.version ?? '', running_jobs: 0, metrics: null };
      return { worker, node_key: this.#on.nodeKeys.of(row.id), heartbeat_seconds: heartbeatSeconds };
    });
  }

  /** Keeps the node alive, tells it what to stop, and puts back what a stopping node still holds. */
  async heartbeat(call: Call, body: WorkerHeartbeat): Promise<WorkerHeartbeatReply> {
    const nodeId = this.#node(call);
    const [row] = await this.#on.db.named<HeartbeatRow>('workers.heartbeat', heartbeatStopSql, [
      nodeId, newId(), JSON.stringify(body.metrics), body.status, body.running_job_ids,
    ]);
    if (row === undefined) throw new ServiceError('AUTH_INVALID', 'This worker is not registered.');
    if (body.status === 'stopped') await this.#putBack(nodeId);
    const serverTime = new Date(this.#on.clock.now()).toISOString();
    await this.#on.heartbeats.keep(nodeId, { at: serverTime, status: body.status, metrics: body.metrics, running_jobs: body.running_job_ids.length });
    return {
      drain: row.status === 'draining' && body.status !== 'stopped',
      stop_job_ids: row.stop_job_ids,
      heartbeat_seconds: heartbeatSeconds,
      server_time: serverTime,
    };
  }

  /** queued → running for exactly one of any number of callers; CONFLICT for all others. */
  async claim(call: Call, jobId: string, body: JobClaim): Promise<ClaimedJob> {
    const nodeId = this.#node(call);
    for (const kind of this.#on.kinds) {
      const claimed = await claim(this.#on.db, kind, jobId, nodeId, { epoch: body.epoch, claimKey: body.claim_key ?? null });
      if (claimed === null) continue;
      kind.changed(jobId);
      try {
        return await this.#describe(kind, claimed.job, claimed.leaseToken);
      } catch (error) {
        await transact(this.#on.db, null, (trx) => requeue(trx, kind, jobId, { leaseToken: claimed.leaseToken, delayMs: undescribedDelayMs, notBegunAs: claimed.job }));
        kind.changed(jobId);
        throw new ServiceError('SERVICE_UNAVAILABLE', 'The input of this job cannot be had now. It is put back.', { retryAfterSeconds: 10, cause: error });
      }
    }
    const nothing = await whyNothing(this.#on.db, this.#on.kinds, jobId, nodeId, body.epoch);
    if (nothing.why === 'shut_out') throw new ServiceError('AUTH_INVALID', 'This worker was shut out, or is not registered.');
    if (nothing.why === 'unable') throw new ServiceError('CONFLICT', `This worker does not build with the SDK set ${nothing.sdkVersion}. Another takes the job.`, { details: { reason: 'another_worker' } });
    throw new ServiceError('CONFLICT', 'There is nothing to claim here.');
  }

  async progress(call: Call, jobId: string, body: JobProgress): Promise<JobProgressReply> {
    const nodeId = this.#node(call);
    const kind = await this.#kindOf(jobId);
    if (!kind.stages.includes(body.stage)) {
      throw new ServiceError('VALIDATION_ERROR', 'This job has no such stage.', {
        details: [{ pointer: '#/body/stage', message: `must be one of ${kind.stages.join(', ')}`, rule: 'stage' }],
      });
    }
    const results = body.live_results ?? [];
    if (results.length > 0) await this.#checkLive(kind, jobId, nodeId, body.lease_token, results);
    const { db } = this.#on;
    const { log = [] } = body;
    const extendIn = async (trx: Knex.Transaction | null): ReturnType<typeof extend> => {
      const extended = await extend(db, trx, kind, jobId, body.lease_token, { stage: body.stage, progress: body.progress });
      return isHeldBy(nodeId, extended.job) ? extended : { job: null, stop: null };
    };
    const { job, stop } = results.length === 0 && log.length === 0 ? await extendIn(null) : await transact(db, null, async (trx) => {
      const extended = await extendIn(trx);
      if (extended.job !== null) await kind.live?.take(trx, extended.job, results);
      if (extended.job !== null && log.length > 0) await kind.appendLog(trx, extended.job, body.log_offset ?? 0, log);
      return extended;
    });
    if (job === null) throw new ServiceError('CONFLICT', 'This lease does not hold the job any more.');
    kind.changed(jobId);
    const news = stop === null ? await this.#awaitNews(call, kind, jobId, body) : { stop, changes: [] };
    return {
      lease_expires_at: job.lease_expires_at ?? new Date(this.#on.clock.now()).toISOString(), stop: news.stop !== null, reason: news.stop, live_changes: news.changes,
    };
  }

  async #checkLive(kind: JobKind, jobId: string, nodeId: string, leaseToken: string, results: readonly LiveResult[]): Promise<void> {
    if (kind.live === undefined) {
      throw new ServiceError('VALIDATION_ERROR', 'This job is no live session.', { details: [{ pointer: '#/body/live_results', message: 'is for a live session', rule: 'kind' }] });
    }
    const job = await this.#held(kind, jobId, leaseToken);
    if (job !== null && isHeldBy(nodeId, job)) await kind.live.check(job, results);
  }

  /** What the worker is to know, at once where there is something, else as soon as there is, else nothing when its wait is over. */
  async #awaitNews(call: Call, kind: JobKind, jobId: string, body: JobProgress): Promise<{ stop: StopReason | null; changes: LiveChangeSet[] }> {
    const changes = await kind.live?.pending(jobId) ?? [];
    const waitMs = Math.min(body.wait_ms ?? 0, longestWaitMs);
    if (changes.length > 0 || waitMs === 0) return { stop: null, changes };
    for await (const _ of this.#on.watch.follow(jobId, AbortSignal.any([AbortSignal.timeout(waitMs), call.signal]))) {
      const job = await this.#held(kind, jobId, body.lease_token);
      if (job === null) throw new ServiceError('CONFLICT', 'This lease does not hold the job any more.');
      if (isOverdue(job)) return { stop: 'deadline', changes: [] };
      const come = await kind.live?.pending(jobId) ?? [];
      if (come.length > 0) return { stop: null, changes: come };
    }
    return { stop: null, changes: [] };
  }

  async #held(kind: JobKind, jobId: string, leaseToken: string): Promise<JobRow | null> {
    const [job] = await this.#on.db.named<JobRow>(`workers.held.${kind.kind}`, claimedJobSql(kind.table), [jobId, hashOfLease(leaseToken)]);
    return job ?? null;
  }

  /** Presigned PUTs under the job's own prefix, for whoever holds the lease. */
  async uploads(call: Call, jobId: string, body: JobUploadsCreate): Promise<JobUploads> {
    const nodeId = this.#node(call);
    const { kind, job } = await this.#find(jobId);
    const isHeld = job.status === 'running' && job.lease_token_hash?.equals(hashOfLease(body.lease_token)) === true && isHeldBy(nodeId, job);
    if (!isHeld) throw new ServiceError('CONFLICT', 'This lease does not hold the job any more.');
    const prefix = kind.objectPrefix(job);
    const made = body.objects.map((object, index) => {
      if (object.purpose === 'source_blob' || !isSafeRelativePath(object.path)) {
        throw homeless(`#/body/objects/${index}/path`, 'must be a relative path without . and .. segments', 'path');
      }
      return { object, key: `${prefix}${object.content_encoding}/${object.path}` };
    });
    const there = await this.#reuse(kind, job, made, call.signal);
    const uploads = await Promise.all(made.map(async ({ object, key }, index) => {
      if (there.has(key)) return { path: object.path, object_key: key, upload_url: null, headers: {} };
      const encoding = object.content_encoding;
      const put = await placed(`#/body/objects/${index}`, this.#on.storage.presignPut(key, {
        expiresSeconds: uploadSeconds,
        sizeBytes: object.size,
        sha256: object.sha256,
        contentType: object.content_type,
        ...(encoding === 'identity' ? {} : { contentEncoding: encoding }),
      }));
      return { path: object.path, object_key: key, upload_url: put.url, headers: { ...put.headers } };
    }));
    return { uploads, expires_in: uploadSeconds };
  }

  /** The keys of those that need no upload any more. */
  async #reuse(kind: JobKind, job: JobRow, made: readonly { readonly object: JobUploadSpec; readonly key: string }[], signal: AbortSignal): Promise<ReadonlySet<string>> {
    const asked = made.filter(({ object }) => object.reuse === true).map(({ object, key }): MadeObject => ({
      key, path: object.path, encoding: object.content_encoding, contentType: object.content_type, sizeBytes: object.size, sha256: object.sha256,
    }));
    return asked.length === 0 ? new Set() : await kind.reuse?.(job, asked, signal) ?? new Set();
  }

  /**
   * Takes a result once, under the lease that holds the job. A repeat of an accepted report is answered as accepted; any
   * other late one changes nothing.
   */
  async report(call: Call, body: JobResultReport): Promise<JobResultReceipt> {
    const nodeId = this.#node(call);
    const { kind, job } = await this.#find(body.job_id);
    const leaseHash = hashOfLease(body.lease_token);
    const isHeld = job.status === 'running' && job.lease_token_hash?.equals(leaseHash) === true;
    if (isHeld && !isHeldBy(nodeId, job)) return { accepted: false, job_status: job.status, reason: 'lease_lost' };
    const ended = isHeld ? await this.#take(kind, job, body) : null;
    kind.changed(body.job_id, ended !== null && ended.status !== 'queued' ? 'ended' : 'changed');
    if (ended !== null) return { accepted: true, job_status: ended.status, reason: null };
    const now = await this.#read(kind, body.job_id);
    if (now === undefined) throw notFound();
    if (now.ended_lease_hash?.equals(leaseHash) === true) return { accepted: true, job_status: now.status, reason: null };
    const reason = now.status === 'cancelled' ? 'cancelled' : now.completed_at === null ? 'lease_lost' : 'already_ended';
    return { accepted: false, job_status: now.status, reason };
  }

  async #take(kind: JobKind, job: JobRow, report: JobResultReport): Promise<JobRow | null> {
    const artifacts = await kind.checkResult(job, report);
    if (report.status === 'FAIL') return this.#fail(kind, job, report, artifacts);
    return this.#end(kind, job, report, { status: 'succeeded', error_code: null, fields: kind.resultFields(report, artifacts) }, artifacts);
  }

  /** A failure that another attempt may mend goes back to the queue after a wait; every other one ends the job. */
  async #fail(kind: JobKind, job: JobRow, report: JobResultReport, artifacts: readonly JobArtifact[]): Promise<JobRow | null> {
    const failure: JobFailure = report.failure ?? { kind: 'internal', message: report.error ?? 'The worker gave no reason.', retryable: true };
    const mayBeMended = failure.retryable && !kind.isFinal(failure);
    if (mayBeMended && job.attempt < job.max_attempts) {
      return transact(this.#on.db, null, (trx) => requeue(trx, kind, report.job_id, { leaseToken: report.lease_token, delayMs: retryDelayMs(job.attempt, failure.kind) }));
    }
    // What another attempt could have mended and none did is dead: it waits for an administrator.
    return this.#end(kind, job, report, { ...kind.failureFields(failure), isDead: mayBeMended }, artifacts.filter((artifact) => artifact.kind === 'log'));
  }

  /** Ends it and keeps what it made: in one transaction, which without artifacts is one statement. */
  async #end(kind: JobKind, job: JobRow, report: JobResultReport, how: LeaseEnd, artifacts: readonly JobArtifact[]): Promise<JobRow | null> {
    const { db } = this.#on;
    const end = { ...how, fields: { ...how.fields, ...await kind.endFields(job) } };
    if (artifacts.length === 0) return finish(db, null, kind, job, report.lease_token, end);
    return transact(db, null, async (trx) => {
      const ended = await finish(db, trx, kind, job, report.lease_token, end);
      if (ended !== null) await kind.keepArtifacts(trx, ended, artifacts);
      return ended;
    });
  }

  /** What a node that stops still holds goes back to the queue at once. */
  async #putBack(nodeId: string): Promise<void> {
    for (const kind of this.#on.kinds) {
      await transact(this.#on.db, null, async (trx) => {
        const held: JobRow[] = await trx(kind.table).where({ worker_id: nodeId, status: 'running' }).forUpdate();
        for (const job of held) await requeue(trx, kind, job.id, { delayMs: 0 });
      });
    }
  }

  async #describe(kind: JobKind, job: JobRow, leaseToken: string): Promise<ClaimedJob> {
    const timeoutMs = job.max_build_ms + transferGraceMs;
    const claimedAt = performance.now();
    const input = await kind.input(job, Math.ceil(timeoutMs / 1000) + urlGraceSeconds);
    // Signing tens of thousands of URLs can take half the lease: it counts from when the worker can know of it.
    const held = performance.now() - claimedAt < slowInputMs ? job : await this.#renew(kind, job, leaseToken);
    return {
      job_id: job.id,
      kind: kind.kind,
      attempt: job.attempt,
      max_attempts: job.max_attempts,
      epoch: job.epoch,
      lease_token: leaseToken,
      lease_expires_at: held.lease_expires_at ?? new Date(this.#on.clock.now() + leaseMs).toISOString(),
      timeout_ms: job.max_build_ms,
      input,
    };
  }

  async #renew(kind: JobKind, job: JobRow, leaseToken: string): Promise<JobRow> {
    const at = { stage: job.stage ?? 'fetching', progress: job.progress };
    const { job: held } = await extend(this.#on.db, null, kind, job.id, leaseToken, at);
    if (held === null) throw new ServiceError('CONFLICT', 'This job went to somebody else, or ended, while its input was put together.');
    return held;
  }

  async #kindOf(jobId: string): Promise<JobKind> {
    return (await this.#find(jobId)).kind;
  }

  async #find(jobId: string): Promise<{ readonly kind: JobKind; readonly job: HeldRow }> {
    for (const kind of this.#on.kinds) {
      const job = await this.#read(kind, jobId);
      if (job !== undefined) return { kind, job };
    }
    throw notFound();
  }

  async #read(kind: JobKind, jobId: string): Promise<HeldRow | undefined> {
    const [job] = await this.#on.db.named<HeldRow>(`workers.job.${kind.kind}`, jobSql(kind.table), [jobId]);
    return job;
  }

  #node(call: Call): string {
    if (call.caller.kind !== 'worker') throw new ServiceError('AUTH_INVALID', 'This is for workers.');
    allowByCredential(call);
    return call.caller.nodeId;
  }
}

/** A lease is its node's alone: its token in the hands of another is worth nothing. */
const isHeldBy = (nodeId: string, job: JobRow | null): boolean => job?.worker_id === nodeId;

interface HeldRow extends JobRow { readonly lease_token_hash: Buffer | null; readonly ended_lease_hash: Buffer | null }
type NodeRow = Omit<WorkerNode, 'running_jobs' | 'metrics' | 'version'> & { readonly version: string | null };
