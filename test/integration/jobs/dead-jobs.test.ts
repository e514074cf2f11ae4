import { expect } from 'chai';
import type { WorkerCaller } from '#platform/call.ts';
import { SystemRunner } from '#jobs/system-runner.ts';
import { addSystemJob, GivenUp, type SystemJobKind } from '#jobs/system-jobs.ts';
import { transact } from '#platform/database.ts';
import { newId } from '#platform/ids.ts';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { claim, epochOf, failureReport, make, queuedJob } from '../../support/preview-jobs.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';
import { until } from '../../support/until.ts';

describe('jobs that fail for good', () => {
  const backend = useBackend();
  let admin: Person;
  let ada: Person;
  let projectId: string;
  let worker: WorkerCaller;
  let jobId: string;
  beforeEach(async () => {
    const { sql, person, project, worker: register } = backend.current;
    await sql("update preview_jobs set status = 'cancelled', completed_at = coalesce(completed_at, now()), died_at = null, lease_token_hash = null, lease_expires_at = null");
    await sql('delete from system_jobs');
    [admin, ada, worker] = [await person('admin'), await person(), await register()];
    projectId = await project(ada);
    jobId = await queuedJob(backend.current, ada, projectId);
  });

  type Failure = NonNullable<Parameters<typeof failureReport>[1]>;
  const row = async (id = jobId): Promise<Record<string, unknown>> => (await backend.current.sql('select * from preview_jobs where id = ?', [id]))[0] ?? {};
  const makeDue = (id = jobId): Promise<unknown> => backend.current.sql('update preview_jobs set run_after = now() where id = ?', [id]);
  const attempt = async (failure: Failure, id = jobId): Promise<string> => {
    await makeDue(id);
    const claimed = await claim(backend.current, worker, id);
    return (await backend.current.run('reportJobResult', worker, { body: failureReport(claimed, failure) })).data.job_status;
  };
  const lose = async (id = jobId): Promise<void> => {
    await makeDue(id);
    await claim(backend.current, worker, id);
    await backend.current.sql("update preview_jobs set lease_expires_at = now() - interval '1 second' where id = ?", [id]);
    await backend.current.reconciler().reconcile();
  };
  const die = async (id = jobId): Promise<void> => { for (let times = 0; times < 3; times += 1) await attempt({ kind: 'crashed', message: 'It fell over.', retryable: true }, id); };
  const list = async (query: Record<string, unknown> = {}): Promise<DataOf<'listDeadJobs'>> => (await backend.current.run('listDeadJobs', admin, { query })).data;
  const retry = (id = jobId, options = {}) => backend.current.run('retryDeadJob', admin, { path: { job_id: id } }, options);
  const kindOf = (run: SystemJobKind['run']): SystemJobKind => ({ kind: 'test.work', timeoutMs: 5_000, run });
  const runSystem = (kind: SystemJobKind, id: string, epoch: number) => new SystemRunner({ db: backend.current.database.db, kinds: [kind], log: backend.current.log }).run(id, epoch);
  const systemJob = async (more = {}): Promise<string> => await transact(backend.current.database.db, null, (trx) => addSystemJob(trx, { kind: 'test.work', payload: { row: 7 }, maxAttempts: 1, ...more })) ?? '';

  for (const kind of ['build_error', 'unknown_import', 'missing_file', 'too_large', 'out_of_memory', 'timeout'] as const) {
    it(`end at their first attempt where none can help (${kind}), whatever the worker says, and are not dead`, async () => {
      expect(await attempt({ kind, retryable: true })).to.equal(kind === 'timeout' ? 'timed_out' : 'failed');
      expect(await row()).to.include({ attempt: 1, died_at: null });
      expect((await list()).items).to.deep.equal([]);
      expect(await codeOf(retry())).to.equal('NOT_FOUND');
    });
  }

  it('are tried again after faults of the infrastructure, later than after those of a worker, and die of the last', async () => {
    const waitOf = async (): Promise<number> => (await backend.current.sql<{ wait: number }>('select extract(epoch from run_after - now())::float8 as wait from preview_jobs where id = ?', [jobId]))[0]?.wait ?? 0;
    const failure = { kind: 'storage_unavailable', message: 'Storage was away.', retryable: true } as const;
    expect(await attempt(failure)).to.equal('queued');
    expect(await waitOf()).to.be.within(3, 6.3);
    expect(await attempt(failure)).to.equal('queued');
    expect(await waitOf()).to.be.within(22, 38);
    expect((await list()).items).to.deep.equal([]);
    expect(await attempt(failure)).to.equal('failed');
    const { items: [dead] } = await list();
    expect(dead).to.deep.include({
      job_id: jobId, kind: 'preview', project_id: projectId, requested_by: ada.userId, queue: 'cpu_tasks_high', attempts: 3, worker_id: worker.nodeId,
      failure_kind: 'storage_unavailable', failure_message: 'Storage was away.', retried_at: null,
    });
  });

  it('are told of at each of their ends, and once at each: put back by an administrator and failed again, their people and endpoints hear it again', async () => {
    const { sql, run } = backend.current;
    await run('createWebhook', ada, { path: { project_id: projectId }, body: { url: 'https://hooks.example.com/in', event_types: ['preview.failed'], is_active: true } });
    const told = async (): Promise<readonly [number, number]> => {
      const relay = backend.current.relay();
      relay.start();
      await until('events to be told', async () => (await sql("select from outbox where kind = 'event' and sent_at is null")).length === 0);
      await relay.stop();
      const notices = await sql("select from notifications where user_id = ? and type = 'preview.failed'", [ada.userId]);
      const messages = await sql("select from webhook_messages where project_id = ? and type = 'preview.failed'", [projectId]);
      return [notices.length, messages.length];
    };
    await die();
    expect(await told()).to.deep.equal([1, 1]);
    await retry();
    await die();
    expect(await told(), 'of the second end').to.deep.equal([2, 2]);
    await sql("update outbox set sent_at = null where kind = 'event'");
    expect(await told(), 'told again of both').to.deep.equal([2, 2]);
  });

  it('that kill each worker that takes them are dead after the last, with a growing wait from the second loss on', async () => {
    await lose();
    expect((await row())['status']).to.equal('queued');
    expect(Date.parse(String((await row())['run_after'])) - Date.now()).to.be.lessThan(500);
    await lose();
    expect(Date.parse(String((await row())['run_after'])) - Date.now()).to.be.within(4_000, 10_000);
    await lose();
    expect((await list()).items.map(({ job_id: id, failure_kind: kind, attempts }) => [id, kind, attempts])).to.deep.equal([[jobId, 'worker_lost', 3]]);
  });

  it('are put back once for another round of attempts, and told so in the audit', async () => {
    await die();
    const { data, status } = await retry();
    expect(status).to.equal(202);
    expect(data).to.include({ job_id: jobId, failure_kind: 'crashed', attempts: 3 });
    expect(data.retried_at).not.to.equal(null);
    expect(await row()).to.include({ status: 'queued', attempt: 3, max_attempts: 6, epoch: 3, error_code: null, failure: null, completed_at: null });
    expect((await list()).items, 'it is on its way').to.deep.equal([]);
    expect((await refusalOf(retry())).code).to.equal('CONFLICT');
    const [audited] = await backend.current.sql("select user_id, project_id, data from audit_logs where event_type = 'job.retried' and entity_id = ?", [jobId]);
    expect(audited).to.deep.equal({ user_id: admin.userId, project_id: projectId, data: { kind: 'preview', attempts: 3, failure_kind: 'crashed' } });
    expect(await backend.current.sql("select count(*) as sent from outbox where kind = 'job' and job_id = ? and epoch = 3", [jobId])).to.deep.equal([{ sent: 1 }]);
    await die();
    expect((await list()).items.map(({ attempts }) => attempts), 'dead once more').to.deep.equal([6]);
    expect((await list()).items[0]?.retried_at).to.equal(data.retried_at);
    await retry();
    await make(backend.current, worker, jobId);
    expect(await row()).to.include({ status: 'succeeded', attempt: 7 });
    expect((await list()).items).to.deep.equal([]);
    expect((await refusalOf(retry())).code).to.equal('CONFLICT');
  });

  it('are put back once when two administrators ask at once, and once over the wire under one key', async () => {
    await die();
    const outcomes = await Promise.allSettled([retry(), retry(), retry()]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    expect(await epochOf(backend.current, jobId)).to.equal(3);
    await die();
    const headers = { ...admin.headers, 'idempotency-key': newId() };
    const [first, second] = [await backend.current.http('POST', `/admin/dead-jobs/${jobId}/retry`, { headers }), await backend.current.http('POST', `/admin/dead-jobs/${jobId}/retry`, { headers })];
    expect([first.status, second.status]).to.deep.equal([202, 202]);
    expect(second.data).to.deep.equal(first.data);
    expect(second.headers.get('location')).to.equal(first.headers.get('location'));
    expect(await epochOf(backend.current, jobId)).to.equal(6);
  });

  it('are not put back where what they need is gone', async () => {
    await die();
    await backend.current.sql('delete from source_blobs where project_id = ?', [projectId]);
    expect(await refusalOf(retry())).to.include({ code: 'CONFLICT', message: 'This job cannot run any more. Its sources are gone.' });
    await backend.current.sql('update projects set deleted_at = now() where id = ?', [projectId]);
    expect(await refusalOf(retry())).to.include({ code: 'CONFLICT', message: 'This job cannot run any more. Its project is gone.' });
    expect((await row())['status']).to.equal('failed');
    expect(await codeOf(retry(newId()))).to.equal('NOT_FOUND');
  });

  it('are dead among the system\'s own where their attempts are used up, not where they gave up, and run with what they were asked', async () => {
    const seen: unknown[] = [];
    const [dead, givenUp] = [await systemJob(), await systemJob()];
    expect(await runSystem(kindOf(() => Promise.reject(new Error('No route to host'))), dead, 0)).to.equal('failed');
    expect(await runSystem(kindOf(() => Promise.reject(new GivenUp('There is no such row.'))), givenUp, 0)).to.equal('failed');
    const { items } = await list();
    expect(items).to.have.length(1);
    expect(items[0]).to.deep.include({
      job_id: dead, kind: 'test.work', project_id: null, requested_by: null, queue: 'system_tasks', attempts: 1, worker_id: null, failure_kind: 'error', failure_message: 'No route to host',
    });
    expect(await codeOf(retry(givenUp))).to.equal('NOT_FOUND');
    expect((await retry(dead)).data).to.include({ job_id: dead, kind: 'test.work' });
    expect(await runSystem(kindOf(async (payload) => { seen.push(payload); }), dead, 1)).to.equal('succeeded');
    expect(seen).to.deep.equal([{ row: 7 }]);
    expect(await codeOf(retry(dead))).to.equal('CONFLICT');
  });

  it('are not put back beside another job that does the same', async () => {
    const dead = await systemJob({ dedupeKey: 'one at a time' });
    await runSystem(kindOf(() => Promise.reject(new Error('no'))), dead, 0);
    await systemJob({ dedupeKey: 'one at a time' });
    expect(await refusalOf(retry(dead))).to.include({ code: 'CONFLICT', message: 'Another job does this work already.' });
  });

  it('stand in one list, newest first, by kind, by project and by cursor, in few statements', async () => {
    const other = await backend.current.project(ada);
    const second = await queuedJob(backend.current, ada, other, 'another');
    await die();
    const system = await systemJob();
    await runSystem(kindOf(() => Promise.reject(new Error('no'))), system, 0);
    await die(second);
    const ids = ({ items }: DataOf<'listDeadJobs'>): string[] => items.map(({ job_id: id }) => id);
    expect(ids(await list())).to.deep.equal([second, system, jobId]);
    expect((await list()).page).to.include({ total: 3 });
    expect(ids(await list({ kind: 'preview' }))).to.deep.equal([second, jobId]);
    expect(ids(await list({ kind: 'test.work' }))).to.deep.equal([system]);
    expect(ids(await list({ project_id: projectId }))).to.deep.equal([jobId]);
    expect(await list({ project_id: projectId, kind: 'test.work' })).to.deep.include({ items: [] });
    const walked: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await list({ limit: 1, ...(cursor === undefined ? {} : { cursor }) });
      walked.push(...ids(page));
      cursor = page.page.next_cursor;
    }
    expect(walked).to.deep.equal([second, system, jobId]);
    expect(ids(await list({ limit: 1, offset: 1 }))).to.deep.equal([system]);
    expect(await countStatements(() => list())).to.equal(2);
    expect(await codeOf(backend.current.run('listDeadJobs', ada))).to.equal('FORBIDDEN');
    expect(await codeOf(backend.current.run('retryDeadJob', ada, { path: { job_id: jobId } }))).to.equal('FORBIDDEN');
  });
});
