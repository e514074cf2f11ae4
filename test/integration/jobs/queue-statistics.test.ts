import { expect } from 'chai';
import { createServer } from 'node:http';
import { metricsText, metricsType } from '#domains/workers/metrics.ts';
import { isForMetrics, metricsListener } from '#http/metrics.ts';
import { listen } from '#http/server.ts';
import { Secret } from '#config/environment.ts';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { claim, failureReport, make, queuedJob } from '../../support/preview-jobs.ts';
import { codeOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';

describe('how the queues are', () => {
  const backend = useBackend();
  let admin: Person;
  before(async () => { admin = await backend.current.person('admin'); });
  beforeEach(async () => {
    await backend.current.sql('delete from system_jobs');
    await backend.current.sql("update preview_jobs set status = 'cancelled', died_at = null, completed_at = now() - interval '2 hours', started_at = null, lease_token_hash = null, lease_expires_at = null");
    await backend.current.sql('delete from outbox');
    await backend.current.redis.redis.flushdb();
  });
  const stats = async (): Promise<DataOf<'getQueueStats'>> => (await backend.current.run('getQueueStats', admin)).data;
  const queueOf = ({ queues }: DataOf<'getQueueStats'>, name: string) => queues.find((queue) => queue.name === name) ?? expect.fail(`there is no ${name}`);

  it('stands in order, empty ones too, with nothing where nothing is', async () => {
    const { queues, tiers, outbox_pending, dead_jobs } = await stats();
    expect(queues.map(({ name }) => name)).to.deep.equal([
      'cpu_tasks_high', 'cpu_tasks_normal', 'cpu_tasks_low', 'gpu_tasks_high', 'gpu_tasks_normal', 'gpu_tasks_low', 'system_tasks',
    ]);
    expect(tiers.map(({ tier }) => tier)).to.deep.equal(['free', 'pro', 'premium', 'admin']);
    expect(queues[6]).to.deep.equal({
      name: 'system_tasks', class: 'system', priority: null, waiting: 0, delayed: 0, running: 0, oldest_waiting_seconds: null, wait_p50_ms: null, wait_p95_ms: null, run_p50_ms: null, run_p95_ms: null, succeeded_1h: 0, failed_1h: 0,
    });
    expect([outbox_pending, dead_jobs]).to.deep.equal([0, 0]);
  });

  it('counts what waits, is delayed, runs, ended and died, by queue and by tier, with waiting times', async () => {
    const { person, project, worker: register, sql } = backend.current;
    const [ada, ben, worker] = [await person('premium'), await person('pro'), await register()];
    const jobs = [];
    for (let count = 0; count < 5; count += 1) jobs.push(await queuedJob(backend.current, ada, await project(ada)));
    const [running = '', delayed = '', succeeded = '', failed = '', waiting = ''] = jobs;
    await queuedJob(backend.current, ben, await project(ben));
    await sql("update preview_jobs set queued_at = now() - interval '7 seconds', run_after = now() - interval '7 seconds' where id = ?", [waiting]);
    await claim(backend.current, worker, running);
    await backend.current.run('reportJobResult', worker, { body: failureReport(await claim(backend.current, worker, delayed), { kind: 'storage_unavailable', retryable: true }) });
    await make(backend.current, worker, succeeded);
    await backend.current.run('reportJobResult', worker, { body: failureReport(await claim(backend.current, worker, failed)) });
    await sql("update preview_jobs set died_at = now() where id = ?", [failed]);
    await sql("update preview_jobs set started_at = greatest(queued_at, run_after) + interval '1500 milliseconds' where id in (?, ?, ?)", [running, succeeded, failed]);
    await sql("update preview_jobs set completed_at = started_at + interval '2500 milliseconds' where id = ?", [succeeded]);
    await sql("update preview_jobs set completed_at = started_at + interval '4 seconds' where id = ?", [failed]);
    await backend.current.redis.redis.flushdb();
    const found = await stats();
    const high = queueOf(found, 'cpu_tasks_high');
    expect(high).to.include({ class: 'cpu', priority: 'high', waiting: 1, delayed: 1, running: 1, wait_p50_ms: 1_500, wait_p95_ms: 1_500, run_p50_ms: 2_500, run_p95_ms: 4_000, succeeded_1h: 1, failed_1h: 1 });
    expect(high.oldest_waiting_seconds).to.be.within(7, 20);
    expect(queueOf(found, 'cpu_tasks_normal')).to.include({ waiting: 1, running: 0, wait_p50_ms: null, run_p50_ms: null });
    expect(found.tiers.find(({ tier }) => tier === 'premium')).to.deep.equal({
      tier: 'premium', waiting: 1, running: 1, oldest_waiting_seconds: high.oldest_waiting_seconds, wait_p50_ms: 1_500, wait_p95_ms: 1_500, run_p50_ms: 2_500, run_p95_ms: 4_000, succeeded_1h: 1, failed_1h: 1,
    });
    expect(found.tiers.find(({ tier }) => tier === 'pro')).to.include({ waiting: 1, running: 0 });
    expect(found.dead_jobs).to.equal(1);
    expect(found.outbox_pending).to.be.greaterThan(0);
    const kept = JSON.parse(await backend.current.redis.redis.get('queue:depth:cpu_tasks_high') ?? '{}') as Record<string, unknown>;
    expect(kept).to.deep.equal({ taken_at: found.taken_at, ...high });
    expect(await backend.current.redis.redis.ttl('queue:depth:system_tasks')).to.be.within(1, 60);
  });

  it('counts live sessions as jobs, but not how long they last', async () => {
    const { person, project, worker: register, sql } = backend.current;
    const [ada, worker] = [await person('pro'), await register()];
    const jobId = await queuedJob(backend.current, ada, await project(ada));
    await sql("update preview_jobs set status = 'cancelled', completed_at = now() - interval '2 hours' where id = ?", [jobId]);
    const insert = (columns: string, values: string): Promise<unknown> => sql(`insert into live_sessions (id, project_id, requested_by, job_id, tier, max_build_ms, idle_seconds, queue_class, queue_priority, queued_at, ${columns})
      select gen_random_uuid(), project_id, requested_by, id, tier, 1000, 600, queue_class, queue_priority, now() - interval '900 seconds', ${values} from preview_jobs where id = ?`, [jobId]);
    await insert('status, run_after', "'queued', now() - interval '9 seconds'");
    await insert('status, run_after, started_at, worker_id, lease_token_hash, lease_expires_at', `'running', now() - interval '900 seconds', now() - interval '899 seconds', '${worker.nodeId}', sha256('x'), now() + interval '20 seconds'`);
    await insert('status, run_after, started_at, completed_at', "'succeeded', now() - interval '900 seconds', now() - interval '898 seconds', now()");
    const found = await stats();
    expect(queueOf(found, 'cpu_tasks_normal')).to.include({ waiting: 1, running: 1, succeeded_1h: 1, wait_p50_ms: 1_000, wait_p95_ms: 2_000, run_p50_ms: null });
    expect(found.tiers.find(({ tier }) => tier === 'pro')).to.include({ waiting: 1, running: 1, run_p95_ms: null });
    const { data: { items } } = await backend.current.run('listWorkers', admin);
    expect(items.find(({ id }) => id === worker.nodeId)?.running_jobs).to.equal(1);
    await sql('delete from live_sessions');
  });

  it('is counted once in five seconds whoever asks, and without Redis each time', async () => {
    const { redis: { redis } } = backend.current;
    const first = await stats();
    expect(await countStatements(stats)).to.equal(0);
    expect((await stats()).taken_at).to.equal(first.taken_at);
    expect(await redis.ttl('cache:queue_stats')).to.be.within(1, 5);
    await redis.flushdb();
    expect(await countStatements(stats)).to.equal(3);
    expect(await codeOf(backend.current.run('getQueueStats', await backend.current.person('premium')))).to.equal('FORBIDDEN');
  });

  describe('as Prometheus reads it', () => {
    const ask = async (token: Secret | null, headers: Record<string, string> = {}, method = 'GET'): Promise<{ status: number; type: string | null; text: string }> => {
      const { database: { db }, services, log } = backend.current;
      const listener = metricsListener({ token, type: metricsType, text: () => metricsText(db, services.queueStatistics), log });
      const server = createServer((request, response) => { if (isForMetrics(request)) listener(request, response); else response.writeHead(418).end(); });
      try {
        const port = await listen(server, 0, '127.0.0.1');
        const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { method, headers });
        return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
      } finally {
        server.close();
      }
    };
    const token = new Secret('a token of the monitoring');
    const bearer = { authorization: 'Bearer a token of the monitoring'.replaceAll(' ', '-').replace('Bearer-', 'Bearer ') };
    const spoken = new Secret('a-token-of-the-monitoring');

    it('is for its token alone, wherever the caller says it comes from', async () => {
      expect((await ask(null, bearer)).status).to.equal(404);
      expect((await ask(token)).status).to.equal(401);
      expect((await ask(spoken, { authorization: 'Bearer another', 'x-forwarded-for': '127.0.0.1' })).status).to.equal(401);
      expect((await ask(spoken, bearer, 'POST')).status).to.equal(405);
      expect((await ask(spoken, bearer)).status).to.equal(200);
    });

    it('tells every queue, tier, worker and this process, in its format', async () => {
      const { text, type } = await ask(spoken, bearer);
      expect(type).to.equal('text/plain; version=0.0.4; charset=utf-8');
      expect(text).to.contain('hivesync_up 1\n').and.to.contain('hivesync_queue_waiting{queue="cpu_tasks_high",class="cpu",priority="high"} 0\n').and.to.contain('hivesync_dead_jobs 0\n');
      expect(text).to.match(/^hivesync_process_resident_bytes \d+$/m).and.to.match(/^hivesync_workers\{class="cpu",status="active"\} \d+$/m);
      for (const line of text.trimEnd().split('\n')) expect(line).to.match(/^(# (HELP|TYPE) hivesync_\w+ .+|hivesync_\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? -?\d+(\.\d+)?(e[+-]?\d+)?)$/);
    });
  });
});
