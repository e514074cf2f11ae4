import { once } from 'node:events';
import { expect } from 'chai';
import type { WorkerCaller } from '#platform/call.ts';
import { Reconciler } from '#jobs/reconciler.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { claim, epochOf, failureReport, queuedJob, request, sourceOf } from '../../support/preview-jobs.ts';
import { until } from '../../support/until.ts';

describe('the reconciler', () => {
  const backend = useBackend();
  let ada: Person;
  let projectId: string;
  let worker: WorkerCaller;
  let jobId: string;
  beforeEach(async () => {
    const { sql, person, project, worker: register, redis } = backend.current;
    await sql("update preview_jobs set status = 'cancelled', completed_at = now(), lease_token_hash = null, lease_expires_at = null where status in ('queued', 'running')");
    await redis.redis.flushdb();
    await sql('delete from outbox');
    ada = await person();
    projectId = await project(ada);
    worker = await register();
    jobId = await queuedJob(backend.current, ada, projectId);
  });

  const round = (): Promise<void> => backend.current.reconciler().reconcile();
  const rowOf = async (id = jobId): Promise<Record<string, unknown>> => (await backend.current.sql('select * from preview_jobs where id = ?', [id]))[0] ?? {};
  const messages = async (id = jobId): Promise<number[]> => (await backend.current.sql<{ epoch: number }>(
    "select (payload ->> 'epoch')::int as epoch from outbox where kind = 'job' and payload ->> 'jobId' = ? order by id", [id])).map(({ epoch }) => epoch);
  /** Sets columns behind the trigger's back, so that a row looks as old as it is said to be. */
  const age = async (sets: string, id = jobId): Promise<void> => {
    await backend.current.database.db.knex.transaction(async (trx) => {
      await trx.raw('set local session_replication_role = replica');
      await trx.raw(`update preview_jobs set ${sets} where id = ?`, [id]);
    });
  };
  /** Everything in the outbox is on its queue. */
  const relayed = async (): Promise<void> => {
    const relay = backend.current.relay();
    relay.start();
    await until('everything sent', async () => (await backend.current.sql('select id from outbox where sent_at is null')).length === 0);
    await relay.stop();
  };
  const inRedis = async (id = jobId): Promise<boolean> => backend.current.producer.holds('cpu', 'high', { jobId: id, epoch: await epochOf(backend.current, id) });

  describe('leases that ran out', () => {
    it('put the job back on its queue under a new epoch, for anybody to claim', async () => {
      await claim(backend.current, worker, jobId);
      await round();
      expect((await rowOf())['status'], 'before its time').to.equal('running');
      await age("lease_expires_at = now() - interval '1 second'");
      await round();
      expect(await rowOf()).to.include({ status: 'queued', epoch: 1, attempt: 1, worker_id: null, started_at: null, lease_token_hash: null });
      expect(await messages()).to.deep.equal([0, 1]);
      const claimed = await claim(backend.current, await backend.current.worker(), jobId);
      expect([claimed.epoch, claimed.attempt]).to.deep.equal([1, 2]);
    });

    it('end the job after its last attempt, in words for whoever asked', async () => {
      await claim(backend.current, worker, jobId);
      await age("lease_expires_at = now() - interval '1 second', attempt = 3");
      await round();
      const { data } = await backend.current.run('getPreviewJob', ada, { path: { job_id: jobId } });
      expect(data).to.include({ status: 'failed', stage: null });
      expect(data.error).to.deep.equal({
        code: 'INTERNAL_ERROR', kind: 'worker_lost', message: 'The worker was lost in each of 3 attempts.',
        file: null, line: null, column: null, code_frame: null, import_name: null,
      });
      expect(await backend.current.sql("select count(*) as told from outbox where topic = 'preview.failed' and payload ->> 'entityId' = ?", [jobId])).to.deep.equal([{ told: 1 }]);
      expect(await messages()).to.deep.equal([0]);
    });

    it('end a job past its deadline as timed out, whatever attempts are left', async () => {
      await claim(backend.current, worker, jobId);
      await age("lease_expires_at = now() - interval '1 second', started_at = now() - interval '17 minutes'");
      await round();
      const { data } = await backend.current.run('getPreviewJob', ada, { path: { job_id: jobId } });
      expect([data.status, data.error?.code, data.error?.kind]).to.deep.equal(['timed_out', 'PREVIEW_TIMEOUT', 'timeout']);
    });

    it('are seen by those who follow the job', async () => {
      const heard: string[] = [];
      const unsubscribe = await backend.current.subscriber.subscribe(`events:${jobId}`, () => heard.push('changed'));
      await claim(backend.current, worker, jobId);
      await until('the claim', () => heard.length === 1);
      await age("lease_expires_at = now() - interval '1 second'");
      await round();
      await until('the reconciler', () => heard.length > 1);
      await unsubscribe();
    });

    it('are dealt with once when two reconcilers look at once', async () => {
      await claim(backend.current, worker, jobId);
      await age("lease_expires_at = now() - interval '1 second'");
      await Promise.all(Array.from({ length: 4 }, round));
      expect(await messages()).to.deep.equal([0, 1]);
    });

    it('are dealt with also while Redis is away', async () => {
      const { redis: { redis } } = backend.current;
      await claim(backend.current, worker, jobId);
      await age("lease_expires_at = now() - interval '1 second'");
      // Connecting again before the old connection is gone would be undone by its end.
      const ended = once(redis, 'end');
      redis.disconnect();
      await ended;
      try {
        await round();
      } finally {
        await redis.connect();
      }
      expect(await rowOf()).to.include({ status: 'queued', epoch: 1 });
    });
  });

  describe('messages', () => {
    it('of a retry are sent when its time has come, not before, and once', async () => {
      await round();
      const claimed = await claim(backend.current, worker, jobId);
      await backend.current.run('reportJobResult', worker, { body: failureReport(claimed, { kind: 'crashed', retryable: true }) });
      await round();
      expect(await messages()).to.deep.equal([0]);
      await age("updated_at = now() - interval '3 seconds', run_after = now() - interval '1 second'");
      await round();
      await round();
      expect(await messages()).to.deep.equal([0, 2]);
      await relayed();
      expect(await inRedis()).to.equal(true);
      expect((await claim(backend.current, worker, jobId)).attempt).to.equal(2);
    });

    it('that were lost on their way are sent again after half a minute; those that wait in Redis are left alone', async () => {
      await round();
      await relayed();
      await age("updated_at = now() - interval '31 seconds', run_after = now() - interval '40 seconds'");
      await round();
      expect(await messages(), 'it still waits').to.deep.equal([0]);
      // A consumer took it and died before it could claim.
      await backend.current.redis.redis.del('bq:cpu_tasks:high:jobs', 'bq:cpu_tasks:high:waiting');
      await age("updated_at = now() - interval '20 seconds', run_after = now() - interval '40 seconds'");
      await round();
      expect(await messages(), 'too early').to.deep.equal([0]);
      await age("updated_at = now() - interval '31 seconds', run_after = now() - interval '40 seconds'");
      await round();
      expect(await messages()).to.deep.equal([0, 1]);
    });

    it('are all sent again after Redis was wiped, once', async () => {
      const { person, project } = backend.current;
      const jobs = [jobId];
      for (let count = 0; count < 4; count += 1) {
        const who = await person();
        jobs.push(await queuedJob(backend.current, who, await project(who)));
      }
      await relayed();
      await round();
      expect(await Promise.all(jobs.map((id) => messages(id)))).to.deep.equal(jobs.map(() => [0]));
      await backend.current.redis.redis.flushdb();
      await round();
      await relayed();
      expect(await Promise.all(jobs.map((id) => inRedis(id)))).to.deep.equal(jobs.map(() => true));
      expect(await Promise.all(jobs.map((id) => messages(id)))).to.deep.equal(jobs.map(() => [0, 1]));
      await round();
      expect(await Promise.all(jobs.map((id) => messages(id)))).to.deep.equal(jobs.map(() => [0, 1]));
    });

    it('are sent again in one round also where there are more than fit in one batch', async () => {
      await backend.current.sql(`insert into preview_jobs (id, project_id, requested_by, tier, sdk_version, target_platform, entry_file, environment, file_count, source_bytes, max_build_ms, queue_class, queue_priority, queued_at)
        select gen_random_uuid(), project_id, requested_by, tier, sdk_version, target_platform, entry_file, environment, 1, 1, 1000, 'cpu', 'high', now()
          from preview_jobs, generate_series(1, 1_100) where id = ?`, [jobId]);
      await backend.current.sql('delete from outbox');
      await round();
      const [row] = await backend.current.sql("select count(*) as sent, count(distinct payload ->> 'jobId') as jobs from outbox where kind = 'job' and (payload ->> 'epoch')::int = 1");
      expect(row).to.deep.equal({ sent: 1_101, jobs: 1_101 });
    });

    it('are looked for again after a round that failed: the wipe is not forgotten', async () => {
      const { database, redis, producer, log, services: { kinds } } = backend.current;
      const broken = kinds.map((kind) => ({ ...kind, table: 'no_such_table' as 'preview_jobs' }));
      const failing = new Reconciler({ db: database.db, redis: redis.redis, producer, kinds: broken, systemKinds: [], log, everyMs: 3_600_000 });
      await relayed();
      await redis.redis.flushdb();
      expect(await failing.reconcile().then(() => 'done', () => 'failed')).to.equal('failed');
      await round();
      expect(await messages()).to.deep.equal([0, 1]);
    });
  });

  it('lets go of jobs whose sources never came', async () => {
    const { data } = await request(backend.current, ada, projectId, [sourceOf('index.js', `never ${jobId}`)]);
    await round();
    expect((await rowOf(data.job.id))['status']).to.equal('queued');
    await age("created_at = now() - interval '61 minutes'", data.job.id);
    await round();
    expect(await rowOf(data.job.id)).to.include({ status: 'cancelled', error_code: null });
    expect((await rowOf())['status'], 'one that was started').to.equal('queued');
  });

  it('goes round by itself until it is stopped', async () => {
    const { database, redis, producer, log, services: { kinds } } = backend.current;
    const reconciler = new Reconciler({ db: database.db, redis: redis.redis, producer, kinds, systemKinds: [], log, everyMs: 10 });
    await claim(backend.current, worker, jobId);
    await age("lease_expires_at = now() - interval '1 second'");
    reconciler.start();
    await until('the job to be put back', async () => (await rowOf())['status'] === 'queued');
    await reconciler.stop();
    await claim(backend.current, worker, jobId);
    await age("lease_expires_at = now() - interval '1 second'");
    expect((await rowOf())['status']).to.equal('running');
  });
});
