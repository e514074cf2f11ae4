import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Autoscaler } from '#domains/workers/autoscaler.ts';
import type { Decision } from '#domains/workers/scaling-decision.ts';
import { httpDriver, processDriver, type ScalingDriver } from '#domains/workers/scaling-drivers.ts';
import { seenSql } from '#domains/workers/scaling-queries.ts';
import { Secret } from '#config/environment.ts';
import { listen } from '#http/server.ts';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { claim, queuedJob } from '../../support/preview-jobs.ts';
import { planOf } from '../../support/plans.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';

const metrics = { cpu_percent: 1, memory_bytes: 1_000_000, running: 0, free_slots: 2, uptime_seconds: 60 };

describe('scaling', () => {
  const backend = useBackend();
  let admin: Person;
  const asked: (Decision & { type: string })[] = [];
  let failure: Error | null;
  const driver: ScalingDriver = {
    name: 'process',
    namePrefix: 'auto-',
    ask: async (type, decision) => {
      if (failure !== null) throw failure;
      asked.push({ type, ...decision });
    },
    stop: () => Promise.resolve(),
  };
  beforeEach(async () => {
    const { sql, person } = backend.current;
    await sql('delete from scaling_events');
    await sql("update preview_jobs set status = 'cancelled', completed_at = now() - interval '1 day', lease_token_hash = null, lease_expires_at = null");
    await sql("update live_sessions set status = 'cancelled', completed_at = now() - interval '1 day', lease_token_hash = null, lease_expires_at = null");
    await sql("update worker_nodes set status = 'stopped', last_heartbeat_at = now() - interval '1 hour'");
    await sql("update scaling_rules set enabled = type = 'cpu', min = 1, max = 4, scale_up_queue_length = 2, target_wait_seconds = 10, idle_seconds = 300, cooldown_seconds = 60, updated_by = null");
    asked.length = 0;
    failure = null;
    admin = await person('admin');
  });
  const look = (): Promise<readonly Decision[]> => new Autoscaler({ db: backend.current.database.db, driver, log: backend.current.log }).look();
  const events = async (query: Record<string, unknown> = {}): Promise<DataOf<'listScalingEvents'>['items']> => (await backend.current.run('listScalingEvents', admin, { query })).data.items;
  const update = (body: Record<string, unknown>) => backend.current.run('updateScalingRules', admin, { body: { type: 'cpu', ...body } as never });
  const pass = (seconds: number): Promise<unknown> => backend.current.sql(`update scaling_events set created_at = created_at - ${seconds} * interval '1 second'`);
  const wait = async (count: number): Promise<void> => {
    const { person, project } = backend.current;
    const ada = await person();
    for (let made = 0; made < count; made += 1) await queuedJob(backend.current, ada, await project(ada));
  };
  const beat = (nodeId: string, status: 'active' | 'stopped' = 'active') =>
    backend.current.run('reportHeartbeat', { kind: 'worker', nodeId }, { body: { status, metrics, running_job_ids: [] } });

  describe('by the autoscaler', () => {
    it('asks for the workers that are missing, counts them as coming, and notes when they are there', async () => {
      await look();
      expect(asked).to.deep.equal([{ type: 'cpu', action: 'scale_up', from: 0, to: 1, reason: '0 workers run; the rule asks for 1 at least.', workerId: null }]);
      expect((await events())[0]).to.deep.include({ type: 'cpu', action: 'scale_up', from: 0, to: 1, driver: 'process', outcome: 'asked', error: null });
      await pass(61);
      expect(await look(), 'it is on its way').to.deep.equal([]);
      await backend.current.worker('auto-1');
      await look();
      expect((await events()).map(({ outcome }) => outcome)).to.deep.equal(['reached']);
      expect(asked).to.have.length(1);
    });

    it('asks for one more where jobs wait, once in a cooldown, up to the most the rule allows', async () => {
      await backend.current.worker('auto-1');
      await wait(9);
      for (let round = 0; round < 3; round += 1) await look();
      expect(asked.map(({ from, to, reason }) => [from, to, reason])).to.deep.equal([[1, 2, '9 jobs wait for 1 worker.']]);
      await backend.current.worker('auto-2');
      await pass(61);
      await update({ max: 2 });
      await look();
      expect(asked).to.have.length(1);
      await update({ max: 3 });
      await look();
      expect(asked[1]).to.include({ from: 2, to: 3 });
    });

    it('drains a worker that had no work for long, tells it so by its heartbeat, and notes when it is gone', async () => {
      const [first, second, foreign] = [await backend.current.worker('auto-1'), await backend.current.worker('auto-2'), await backend.current.worker('by-hand')];
      await look();
      expect(asked, 'they have just come').to.deep.equal([]);
      await backend.current.sql("update worker_nodes set created_at = now() - interval '301 seconds'");
      await wait(1);
      const { person, project } = backend.current;
      const ada = await person();
      await claim(backend.current, second, await queuedJob(backend.current, ada, await project(ada)));
      await backend.current.sql("update preview_jobs set status = 'cancelled', completed_at = now() - interval '1 day' where status = 'queued'");
      await look();
      expect(asked.map(({ action, workerId }) => [action, workerId]), 'not the one that works, nor one it did not start').to.deep.equal([['scale_down', first.nodeId]]);
      expect((await beat(first.nodeId)).data.drain).to.equal(true);
      expect((await beat(second.nodeId)).data.drain).to.equal(false);
      await look();
      expect((await events())[0]?.outcome).to.equal('asked');
      await beat(first.nodeId, 'stopped');
      await pass(61);
      await look();
      expect((await events()).map(({ action, outcome }) => [action, outcome])).to.deep.equal([['scale_down', 'reached']]);
      expect((await beat(foreign.nodeId)).data.drain).to.equal(false);
    });

    it('keeps the one whose last job ended within that time', async () => {
      const [first, second] = [await backend.current.worker('auto-1'), await backend.current.worker('auto-2')];
      await backend.current.sql("update worker_nodes set created_at = now() - interval '301 seconds'");
      const { person, project, run } = backend.current;
      const ada = await person();
      for (const worker of [first, second]) {
        const claimed = await claim(backend.current, worker, await queuedJob(backend.current, ada, await project(ada)));
        await run('reportJobResult', worker, { body: { job_id: claimed.job_id, status: 'FAIL', lease_token: claimed.lease_token, failure: { kind: 'build_error', message: 'x', retryable: false } } });
      }
      expect(await look()).to.deep.equal([]);
      await backend.current.sql("update preview_jobs set completed_at = now() - interval '301 seconds' where worker_id = ? and completed_at > now() - interval '1 hour'", [first.nodeId]);
      await look();
      expect(asked.map(({ workerId }) => workerId)).to.deep.equal([first.nodeId]);
    });

    it('counts a live session as work: it waits, and who holds one is not idle', async () => {
      const [first, second] = [await backend.current.worker('auto-1'), await backend.current.worker('auto-2')];
      const { sql, person, project } = backend.current;
      await sql("update worker_nodes set created_at = now() - interval '301 seconds'");
      const ada = await person();
      const jobId = await queuedJob(backend.current, ada, await project(ada));
      await sql("update preview_jobs set status = 'cancelled', completed_at = now() - interval '1 day' where id = ?", [jobId]);
      await sql(`insert into live_sessions (id, project_id, requested_by, job_id, tier, max_build_ms, idle_seconds, queue_class, queue_priority, status, queued_at, started_at, worker_id, lease_token_hash, lease_expires_at)
        select gen_random_uuid(), project_id, requested_by, preview_jobs.id, tier, 1000, 600, 'cpu', 'low', 'running', now(), now(), w.id::uuid, sha256(w.id::bytea), now() + interval '20 seconds'
          from preview_jobs, unnest(array[?, ?]) w(id) where preview_jobs.id = ?`, [first.nodeId, second.nodeId, jobId]);
      expect(await look()).to.deep.equal([]);
      await sql("update live_sessions set status = 'succeeded', completed_at = now() - interval '301 seconds', lease_token_hash = null, lease_expires_at = null where worker_id = ?", [first.nodeId]);
      await look();
      expect(asked.map(({ action, workerId }) => [action, workerId])).to.deep.equal([['scale_down', first.nodeId]]);
      await sql("update live_sessions set status = 'queued', worker_id = null, lease_token_hash = null, lease_expires_at = null, run_after = now() where worker_id = ?", [second.nodeId]);
      await sql("update worker_nodes set status = 'active' where id = ?", [first.nodeId]);
      await pass(61);
      await update({ scale_up_queue_length: 1, max: 5, target_wait_seconds: 1 });
      await sql("update live_sessions set queued_at = now() - interval '5 seconds', run_after = now() - interval '5 seconds' where status = 'queued'");
      await look();
      expect(asked[1]?.reason).to.match(/^1 job waits for 2 workers, the first for 5 s/u);
    });

    it('is one at a time, however many look', async () => {
      await Promise.all(Array.from({ length: 8 }, look));
      expect(asked).to.have.length(1);
      expect(await events()).to.have.length(1);
    });

    it('notes what could not be asked, and workers that did not come', async () => {
      failure = new Error('There is no such machine.');
      await look();
      expect((await events())[0]).to.include({ outcome: 'failed', error: 'There is no such machine.' });
      failure = null;
      await pass(61);
      await look();
      expect(asked).to.have.length(1);
      await pass(121);
      await look();
      expect((await events()).map(({ outcome }) => outcome)).to.deep.equal(['asked', 'failed', 'failed']);
    });

    it('notes a worker that ended as soon as it was started, with its exit code, and asks again after the cooldown', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'hivesync-scaling-'));
      const entry = join(folder, 'worker.mjs');
      writeFileSync(entry, 'process.exit(3);');
      const real = processDriver({ env: process.env, baseUrl: 'http://127.0.0.1:9', sharedSecret: new Secret('a shared secret of enough letters to be one'), log: backend.current.log, entry });
      const lookFor = (): Promise<readonly Decision[]> => new Autoscaler({ db: backend.current.database.db, driver: real, log: backend.current.log }).look();
      const lost = async (count: number): Promise<DataOf<'listScalingEvents'>['items']> => {
        for (const endAt = performance.now() + 10_000; ;) {
          const items = await events();
          if (items.length === count && items.every(({ outcome }) => outcome === 'failed')) return items;
          if (performance.now() > endAt) throw new Error(`It was not noted: ${JSON.stringify(items)}`);
          await new Promise((resolve) => { setTimeout(resolve, 20); });
        }
      };
      try {
        await update({ min: 2 });
        await lookFor();
        expect((await lost(1))[0]?.error).to.match(/^auto-.+ ended with exit code 3\.$/u);
        expect(await lookFor(), 'not within the cooldown').to.deep.equal([]);
        await pass(61);
        expect((await lookFor()).map(({ from, to }) => [from, to])).to.deep.equal([[0, 2]]);
        await lost(2);
      } finally {
        await real.stop(1_000);
        rmSync(folder, { recursive: true });
      }
    });

    it('leaves a class alone that is switched off', async () => {
      await update({ enabled: false });
      expect(await look()).to.deep.equal([]);
    });

    it('looks by indexes', async () => {
      await backend.current.sql(`insert into preview_jobs (id, project_id, requested_by, tier, sdk_version, target_platform, entry_file, environment, file_count, source_bytes, max_build_ms, queue_class, queue_priority, status, queued_at, started_at, completed_at)
        select gen_random_uuid(), p.id, p.owner_id, 'free', '0.88.1', 'ios', 'index.js', 'development', 1, 1, 1000, 'cpu', 'low', 'succeeded', now(), now(), now() - n * interval '1 minute' from (select id, owner_id from projects limit 1) p, generate_series(1, 20000) n`);
      await backend.current.sql('vacuum analyze preview_jobs');
      const plan = await planOf(backend.current.database.db, { text: seenSql, values: ['cpu', 'auto-', 300] });
      expect(plan.readWhole.filter((table) => table === 'preview_jobs'), plan.nodes.join(', ')).to.deep.equal([]);
    });
  });

  describe('over an endpoint', () => {
    let server: Server;
    const heard: { authorization: string | undefined; body: unknown }[] = [];
    let status = 202;
    let url = '';
    before(async () => {
      server = createServer((request, response) => {
        let text = '';
        request.on('data', (chunk: Buffer) => { text += chunk.toString(); }).on('end', () => {
          heard.push({ authorization: request.headers.authorization, body: JSON.parse(text) });
          response.writeHead(status).end();
        });
      });
      url = `http://127.0.0.1:${await listen(server, 0, '127.0.0.1')}/scale`;
    });
    after(() => { server.close(); });

    it('posts each wish with its reason, and fails where it is not taken', async () => {
      const over = httpDriver({ url, token: new Secret('a token of the endpoint') });
      const decision: Decision = { action: 'scale_up', from: 1, to: 2, reason: '9 jobs wait for 1 worker.', workerId: null };
      await over.ask('gpu', decision, () => undefined);
      expect(heard).to.deep.equal([{ authorization: 'Bearer a token of the endpoint', body: { type: 'gpu', action: 'scale_up', from: 1, to: 2, reason: decision.reason } }]);
      status = 500;
      expect(await over.ask('gpu', decision, () => undefined).then(() => 'asked', (error: unknown) => String(error))).to.contain('500');
    });
  });

  describe('by its rules', () => {
    it('shows them and who is asked, cpu and gpu', async () => {
      const { data } = await backend.current.run('getScalingRules', admin);
      expect(data.driver).to.equal('none');
      expect(data.rules.map(({ type, min, max }) => [type, min, max])).to.deep.equal([['cpu', 1, 4], ['gpu', 1, 4]]);
      const stranger = await backend.current.person('premium');
      for (const refused of [backend.current.run('getScalingRules', stranger), backend.current.run('listScalingEvents', stranger), backend.current.run('updateScalingRules', stranger, { body: { type: 'cpu', max: 9 } as never })]) {
        expect(await codeOf(refused)).to.equal('FORBIDDEN');
      }
    });

    it('merges what is named, with the audit of what was and is', async () => {
      const { data } = await update({ max: 6, idle_seconds: 30 });
      expect(data).to.include({ type: 'cpu', min: 1, max: 6, idle_seconds: 30, cooldown_seconds: 60, updated_by: admin.userId });
      const [audited] = await backend.current.sql("select user_id, data from audit_logs where event_type = 'scaling.updated' order by created_at desc limit 1");
      expect(audited).to.deep.equal({ user_id: admin.userId, data: { type: 'cpu', old: { max: 4, idle_seconds: 300 }, new: { max: 6, idle_seconds: 30 } } });
    });

    it('refuses a most below the least, by whichever is changed, and changes nothing then', async () => {
      await update({ min: 2 });
      const refusal = await refusalOf(update({ max: 1, idle_seconds: 5 }));
      expect([refusal.code, (refusal.details as { pointer: string }[])[0]?.pointer]).to.deep.equal(['VALIDATION_ERROR', '#/body/max']);
      expect(((await refusalOf(update({ min: 5 }))).details as { pointer: string }[])[0]?.pointer).to.equal('#/body/min');
      expect((await backend.current.run('getScalingRules', admin)).data.rules[0]).to.include({ min: 2, max: 4, idle_seconds: 300 });
      const both = await Promise.allSettled([update({ min: 4 }), update({ max: 3 })]);
      expect(both.filter(({ status }) => status === 'fulfilled'), 'one of two that exclude each other').to.have.length(1);
    });

    it('lists decisions newest first, by class and by cursor', async () => {
      await backend.current.sql(`insert into scaling_events (id, type, action, from_count, to_count, reason, driver, created_at)
        select gen_random_uuid(), case when n % 3 = 0 then 'gpu' else 'cpu' end, 'scale_up', n, n + 1, 'Number ' || n, 'none', now() - n * interval '1 minute' from generate_series(1, 7) n`);
      expect((await events()).map(({ from }) => from)).to.deep.equal([1, 2, 3, 4, 5, 6, 7]);
      expect((await events({ type: 'gpu' })).map(({ from }) => from)).to.deep.equal([3, 6]);
      const walked: number[] = [];
      for (let cursor: string | null | undefined; cursor !== null;) {
        const { data } = await backend.current.run('listScalingEvents', admin, { query: { limit: 2, ...(cursor === undefined ? {} : { cursor }) } });
        walked.push(...data.items.map(({ from }) => from));
        cursor = data.page.next_cursor;
      }
      expect(walked).to.deep.equal([1, 2, 3, 4, 5, 6, 7]);
      expect((await backend.current.run('listScalingEvents', admin, { query: { type: 'gpu' } })).data.page.total).to.equal(2);
    });
  });
});
