import { expect } from 'chai';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { claim as takeUp } from '#jobs/claims.ts';
import { send } from '#jobs/leases.ts';
import type { JobRow } from '#jobs/kinds.ts';
import { OutboxRelay, takeSql } from '#jobs/relay.ts';
import { mostAhead, takeTurnsSql } from '#jobs/turns.ts';
import type { WorkerCaller } from '#platform/call.ts';
import { transact } from '#platform/database.ts';
import { JobConsumer, type JobMessage } from '#platform/queue.ts';
import { redisOptions } from '#platform/redis.ts';
import { WorkerBackend } from '#workers/backend.ts';
import type { JobOutcome } from '#workers/job-handler.ts';
import { UsageMeter } from '#workers/metrics.ts';
import { WorkerRuntime } from '#workers/runtime.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { claim, failureReport, queuedJob } from '../../support/preview-jobs.ts';
import { testFolder } from '../../support/services.ts';
import { until } from '../../support/until.ts';

describe('turns of accounts', () => {
  const backend = useBackend();
  const relays: OutboxRelay[] = [];
  const consumers: JobConsumer[] = [];
  const runtimes: WorkerRuntime[] = [];
  let worker: WorkerCaller;
  let ada: Person;
  let bob: Person;

  beforeEach(async () => {
    const { sql, redis, person } = backend.current;
    await sql("update preview_jobs set status = 'cancelled', completed_at = now(), lease_token_hash = null, lease_expires_at = null where status in ('queued', 'running')");
    await sql('delete from outbox');
    await redis.redis.flushdb();
    await redis.redis.set('queue:sentinel', '1');
    [ada, bob, worker] = [await person(), await person(), await backend.current.worker()];
  });
  afterEach(async () => {
    await Promise.all(consumers.splice(0).map((consumer) => consumer.close(2_000)));
    await Promise.all(runtimes.map((runtime) => runtime.release()));
    await Promise.all(runtimes.splice(0).map((runtime) => runtime.close(2_000)));
    await Promise.all(relays.splice(0).map((relay) => relay.stop()));
  });

  const startRelay = (): OutboxRelay => {
    const relay = backend.current.relay();
    relays.push(relay);
    relay.start();
    return relay;
  };
  /** As many jobs of one person, queued in one transaction beyond what a tier lets one have at once. */
  const backlogOf = async (who: Person, count: number): Promise<string[]> => {
    const [jobId, ...rest] = [await queuedJob(backend.current, who, await backend.current.project(who)), ...Array.from({ length: count - 1 })];
    const rows = await backend.current.sql<JobRow>(`insert into preview_jobs (id, project_id, requested_by, tier, sdk_version, target_platform, entry_file, environment, file_count, source_bytes, max_build_ms, queue_class, queue_priority, queued_at)
      select gen_random_uuid(), project_id, requested_by, tier, sdk_version, target_platform, entry_file, environment, 0, 0, 60000, queue_class, queue_priority, now()
        from preview_jobs, generate_series(1, ${rest.length}) where id = ? returning *`, [jobId]);
    await transact(backend.current.database.db, null, async (trx) => { for (const row of rows) await send(trx, row); });
    return [jobId, ...rows.map(({ id }) => id)];
  };
  const depth = async (): Promise<number> => (await backend.current.producer.depth('cpu', 'high')).waiting;
  const marked = async (): Promise<number> => (await backend.current.sql<{ sent: number }>("select count(*) as sent from outbox where kind = 'job' and sent_at is not null"))[0]?.sent ?? 0;
  const ownerOf = async (jobId: string): Promise<string> =>
    (await backend.current.sql<{ requested_by: string }>('select requested_by from preview_jobs where id = ?', [jobId]))[0]?.requested_by ?? '';
  /** Takes from the real queue one message after the other, claims the job and ends it; `mayGo` holds each before its claim. */
  const work = async (admitted: string[], mayGo: () => Promise<void> = () => Promise.resolve()): Promise<void> => {
    const consumer = new JobConsumer();
    consumers.push(consumer);
    await consumer.start({
      redis: redisOptions(backend.current.env, 'worker'), queueClass: 'cpu', prefetch: 1, log: backend.current.log,
      take: async ({ jobId }: JobMessage) => {
        await mayGo();
        const claimed = await claim(backend.current, worker, jobId);
        admitted.push(jobId);
        await backend.current.run('reportJobResult', worker, { body: failureReport(claimed) });
      },
    });
  };

  /** A real worker of one slot whose builds take so long. */
  const beginWorker = async (name: string, buildMs: number): Promise<void> => {
    const { env, url, log } = backend.current;
    const runtime = new WorkerRuntime({
      backend: new WorkerBackend({ baseUrl: url, name, sharedSecret: env.workerSharedSecret }),
      name, queueClass: 'cpu', concurrency: 1, version: '0.1.0', redis: redisOptions(env, 'worker'),
      handlers: new Map([['preview', {
        run: async (): Promise<JobOutcome> => {
          await new Promise((resolve) => { setTimeout(resolve, buildMs); });
          return { status: 'FAIL', failure: { kind: 'build_error', message: 'Nothing is built here.', retryable: false } };
        },
      }]]),
      capabilities: () => ({ kinds: ['preview'], sdk_versions: ['0.88.1'], sandbox: 'bubblewrap', local_model: false }),
      blobCacheBytes: () => 0, usage: new UsageMeter(), jobsDir: mkdtempSync(join(testFolder(), 'jobs-')), hostPaths: [], log,
      onDrain: () => undefined, onShutOut: () => undefined,
    });
    runtimes.push(runtime);
    await runtime.start();
    await runtime.takeJobs();
  };

  it('let another account\'s first job start within three admissions, with 500 of one queued before it', async () => {
    await backlogOf(ada, 500);
    startRelay();
    await until('the first ones', async () => (await depth()) === mostAhead);
    const admitted: string[] = [];
    await work(admitted);
    await until('the backlog to move', () => admitted.length >= 20, 10_000);
    const before = admitted.length;
    const [first = ''] = await backlogOf(bob, 1);
    const atCommit = admitted.length;
    await until('the other\'s job', () => admitted.includes(first), 10_000);
    expect(admitted.indexOf(first) - atCommit, 'admissions between its commit and its own').to.be.at.most(2);
    expect(before).to.be.lessThan(450);
    expect(new Set(admitted).size).to.equal(admitted.length);
  }).timeout(40_000);

  it('do so with several workers: those that are busy hold back nobody\'s', async () => {
    const { sql } = backend.current;
    const relay = startRelay();
    await Promise.all([beginWorker('slow-1', 4_000), beginWorker('slow-2', 4_000)]);
    const long = [...await backlogOf(await backend.current.person(), 1), ...await backlogOf(await backend.current.person(), 1)];
    const begun = async (ids: readonly string[]): Promise<number> => (await sql('select from preview_jobs where id = any(?) and started_at is not null', [ids])).length;
    await until('both to be busy, each still waiting for a next message', async () => (await begun(long)) === 2);
    await beginWorker('quick', 15);
    const [first = ''] = await backlogOf(bob, 1);
    await backlogOf(ada, 200);
    relay.wake();
    await until('the first job of the other', async () => (await begun([first])) === 1);
    const [between] = await sql<{ claims: number }>(`select count(*) as claims from preview_jobs other, preview_jobs mine
      where mine.id = ? and other.started_at > mine.queued_at and other.started_at < mine.started_at`, [first]);
    expect(Number(between?.claims)).to.be.at.most(2);
    expect(await begun(long), 'while those are busy').to.equal(2);
  }).timeout(40_000);

  it('hold without anybody claiming meanwhile: of 500 two are sent, of the next account its first, whoever relays', async () => {
    await backlogOf(ada, 500);
    for (let one = 0; one < 3; one += 1) startRelay();
    await until('the first ones', async () => (await depth()) === mostAhead);
    await backlogOf(bob, 3);
    await until('the other\'s', async () => (await depth()) === 2 * mostAhead);
    const order: string[] = [];
    const { promise: mayGo, resolve: go } = Promise.withResolvers<void>();
    await work(order, () => mayGo);
    go();
    await until('three admissions', () => order.length >= 4);
    const owners = await Promise.all(order.slice(0, 4).map(ownerOf));
    expect(owners.slice(0, 3)).to.deep.equal([ada.userId, ada.userId, bob.userId]);
  });

  it('go on after a wipe of Redis: everything is done once, and still two at a time', async () => {
    const jobs = [...await backlogOf(ada, 10), ...await backlogOf(bob, 4)];
    startRelay();
    // Marked, too: a wipe between a message and its mark is found by how long the job has waited, half a minute later.
    await until('the first ones', async () => (await depth()) === 2 * mostAhead && (await marked()) === 2 * mostAhead);
    await backend.current.redis.redis.flushdb();
    await backend.current.reconciler().reconcile();
    await until('those that were lost', async () => (await depth()) === 2 * mostAhead);
    const admitted: string[] = [];
    await work(admitted);
    await until('all of them', () => admitted.length === jobs.length, 15_000);
    expect([...admitted].sort()).to.deep.equal([...jobs].sort());
  });

  it('go on where a process died after sending and before it could mark it', async () => {
    const jobs = await backlogOf(ada, 6);
    const relay = startRelay();
    await until('the first ones', async () => (await depth()) === mostAhead && (await marked()) === mostAhead);
    await relay.stop();
    await backend.current.sql('update outbox set sent_at = null');
    startRelay();
    const admitted: string[] = [];
    await work(admitted);
    await until('all of them', () => admitted.length === jobs.length, 15_000);
    expect(admitted).to.have.length(jobs.length);
  });

  it('pass on when a job that was sent is cancelled, or its worker stops', async () => {
    const jobs = await backlogOf(ada, 4);
    startRelay();
    const sent = async (): Promise<string[]> =>
      (await backend.current.sql<{ job_id: string }>("select distinct job_id from outbox where sent_at is not null and job_id is not null")).map(({ job_id: id }) => id).sort();
    await until('the first two to be marked', async () => (await sent()).length === 2);
    const [first = '', second = ''] = await sent();
    await backend.current.run('cancelPreviewJob', ada, { path: { job_id: first } });
    await until('the third', async () => (await sent()).length === 3);
    await claim(backend.current, worker, second);
    await until('the last', async () => (await sent()).length === 4);
    expect(await sent()).to.deep.equal([...jobs].sort());
  });

  it('are passed on at once also where a job comes while the one before it is taken up, and neither hears of the other', async () => {
    const { database: { db }, producer, services, log } = backend.current;
    const [first = ''] = await backlogOf(ada, 2);
    let looks = 0;
    const watched: typeof db = { ...db, namedIn: (trx, name, ...rest) => { if (name === 'outbox.take_turns') looks += 1; return db.namedIn(trx, name, ...rest); } };
    const relay = new OutboxRelay(watched, producer, services.consumers, log);
    relays.push(relay);
    relay.start();
    await until('both places to be taken', async () => (await depth()) === mostAhead && (await marked()) === mostAhead);
    const claiming = await db.knex.transaction();
    const [kind] = services.kinds;
    if (kind === undefined) throw new Error('There is no kind.');
    const inClaiming = { ...db, named: (...args: Parameters<typeof db.named>) => db.namedIn(claiming, ...args) } as typeof db;
    expect(await takeUp(inClaiming, kind, first, worker.nodeId, { epoch: 0, claimKey: null })).not.to.equal(null);
    await backlogOf(ada, 1);
    const seen = looks;
    await until('a look that finds no place free', () => looks > seen);
    await claiming.commit();
    const committedAt = performance.now();
    await until('the third to be sent', async () => (await depth()) === mostAhead + 1);
    expect(performance.now() - committedAt).to.be.lessThan(1_000);
  });

  it('hold up nothing that waits for none: other messages are found past any backlog', async () => {
    await backend.current.sql("insert into outbox (kind, topic, payload, turn_of, job_id, epoch) select 'job', 'cpu:low', '{}', ?, gen_random_uuid(), 0 from generate_series(1, 20000)", [ada.userId]);
    await backend.current.sql('vacuum analyze outbox');
    for (const kind of ['job', 'event']) {
      const rows = await backend.current.database.db.named<{ 'QUERY PLAN': string }>('', `explain ${takeSql}`, [kind, 200]);
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan).to.contain('outbox_due_idx');
    }
  });

  it('are found by indexes alone', async () => {
    await backlogOf(ada, 300);
    await backend.current.sql(`insert into outbox (kind, topic, payload, sent_at) select 'event', 'old.event', '{}', now() from generate_series(1, 5000)`);
    await backend.current.sql('analyze outbox');
    await backend.current.sql('analyze preview_jobs');
    const { rows } = await backend.current.database.db.knex.raw<{ rows: { 'QUERY PLAN': string }[] }>(`explain ${takeTurnsSql.replace('$1', '200')}`);
    const lines = rows.map((row) => row['QUERY PLAN']);
    expect(lines.filter((line) => line.includes('Seq Scan')), lines.join('\n')).to.deep.equal([]);
  });
});
