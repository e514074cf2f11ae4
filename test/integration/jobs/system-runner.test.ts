import { expect } from 'chai';
import { Reconciler } from '#jobs/reconciler.ts';
import { addSystemJob, GivenUp, type SystemJobKind, type SystemJobRequest, type SystemJobRun } from '#jobs/system-jobs.ts';
import { claimSystemJob } from '#jobs/system-life.ts';
import { SystemRunner } from '#jobs/system-runner.ts';
import { useBackend } from '../../support/backend.ts';
import { until } from '../../support/until.ts';

describe('the runner of system jobs', () => {
  const backend = useBackend();
  beforeEach(async () => { await backend.current.sql('delete from system_jobs; delete from outbox; delete from audit_logs'); });

  type Run = SystemJobKind['run'];
  const kindOf = (run: Run, more: Partial<SystemJobKind> = {}): SystemJobKind => ({ kind: 'test.work', timeoutMs: 5_000, run, ...more });
  const runner = (kind: SystemJobKind, more: { extendEveryMs?: number } = {}): SystemRunner =>
    new SystemRunner({ db: backend.current.database.db, kinds: [kind], log: backend.current.log, ...more });
  const add = async (request: Partial<SystemJobRequest> = {}): Promise<string> =>
    await backend.current.database.db.knex.transaction((trx) => addSystemJob(trx, { kind: 'test.work', payload: { row: 7 }, ...request })) ?? '';
  const row = async (id: string): Promise<Record<string, unknown>> => (await backend.current.sql('select * from system_jobs where id = ?', [id]))[0] ?? {};
  /** Epochs of the job's messages, and in how many seconds each is to be sent. */
  const messages = (id: string) => backend.current.sql<{ epoch: number; in_seconds: number }>(
    "select (payload ->> 'epoch')::int as epoch, extract(epoch from run_after - created_at)::float8 as in_seconds from outbox where payload ->> 'jobId' = ? order by id", [id]);
  const makeDue = (id: string) => backend.current.sql('update system_jobs set run_after = now() where id = ?', [id]);
  const expireLease = (id: string) => backend.current.sql("update system_jobs set lease_expires_at = now() - interval '1 second' where id = ?", [id]);
  const reconcileWith = async (kind: SystemJobKind): Promise<void> => {
    const { database: { db }, redis: { redis }, producer, log } = backend.current;
    await new Reconciler({ db, redis, producer, kinds: [], systemKinds: [kind], log, everyMs: 3_600_000 }).reconcile();
  };
  const untilAborted = (signal: AbortSignal): Promise<never> => new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });

  it('runs a job with its payload, and keeps nothing of that once it is done', async () => {
    const seen: unknown[] = [];
    const id = await add();
    expect(await runner(kindOf(async (payload, { jobId, attempt }) => { seen.push({ payload, jobId, attempt }); })).run(id, 0)).to.equal('succeeded');
    expect(seen).to.deep.equal([{ payload: { row: 7 }, jobId: id, attempt: 1 }]);
    const after = await row(id);
    expect(after).to.include({ status: 'succeeded', attempt: 1, epoch: 0, lease_token: null, lease_expires_at: null, error_message: null });
    expect(after['payload']).to.deep.equal({});
    expect(after['completed_at']).to.be.a('string');
  });

  it('runs a job once however many take its message at once', async () => {
    let runs = 0;
    const kind = kindOf(async () => { runs += 1; });
    const id = await add();
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => runner(kind).run(id, 0)));
    expect(outcomes.sort()).to.deep.equal([...Array.from({ length: 11 }, () => 'nothing'), 'succeeded']);
    expect(runs).to.equal(1);
  });

  it('runs nothing before its time, under another epoch, or that does not exist', async () => {
    const kind = kindOf(() => Promise.reject(new Error('never')));
    const late = await add({ delayMs: 60_000 });
    expect((await messages(late))[0]?.in_seconds).to.be.within(59.9, 60.1);
    const now = await add();
    for (const [id, epoch] of [[late, 0], [now, 1], ['018f4f5a-0000-7000-8000-000000000000', 0]] as const) {
      expect(await runner(kind).run(id, epoch)).to.equal('nothing');
    }
  });

  it('tries a failed job again after a wait that grows, under a new epoch, until it succeeds', async () => {
    let fails = true;
    const kind = kindOf(async () => { if (fails) throw new Error('the provider is away'); });
    const id = await add();
    const waits: [number, number][] = [[7.5, 12.5], [22.5, 37.5], [67.5, 112.5], [202.5, 337.5]];
    for (const [index, [least, most]] of waits.entries()) {
      expect(await runner(kind).run(id, index)).to.equal('again');
      const message = (await messages(id)).at(-1);
      expect(message?.epoch).to.equal(index + 1);
      expect(message?.in_seconds).to.be.within(least - 0.1, most + 0.1);
      const after = await row(id);
      expect(after).to.include({ status: 'queued', attempt: index + 1, epoch: index + 1, error_message: 'the provider is away', lease_token: null, started_at: null });
      expect(after['payload']).to.deep.equal({ row: 7 });
      expect(await runner(kind).run(id, index + 1), 'before its time').to.equal('nothing');
      await makeDue(id);
    }
    fails = false;
    expect(await runner(kind).run(id, waits.length)).to.equal('succeeded');
    expect(await row(id)).to.include({ status: 'succeeded', attempt: 5, error_message: null });
  });

  it('gives up at once where the job says so, keeps why, and does what follows in the same transaction', async () => {
    const id = await add();
    const kind = kindOf(() => Promise.reject(new GivenUp('There is no such address.')), {
      givenUp: async (trx, payload) => {
        const [seen] = await trx('system_jobs').where({ id }).select('status');
        await trx('audit_logs').insert({ id, event_type: 'test.given_up', entity_type: 'test', entity_id: id, data: JSON.stringify({ payload, seen }) });
      },
    });
    expect(await runner(kind).run(id, 0)).to.equal('failed');
    const after = await row(id);
    expect(after).to.include({ status: 'failed', attempt: 1, error_message: 'There is no such address.' });
    expect(after['payload']).to.deep.equal({});
    expect(await backend.current.sql("select data from audit_logs where event_type = 'test.given_up'")).to.deep.equal([{ data: { payload: { row: 7 }, seen: { status: 'failed' } } }]);
    expect(await messages(id)).to.have.length(1);
  });

  it('gives up after the last attempt', async () => {
    const given: unknown[] = [];
    const kind = kindOf(() => Promise.reject(new Error('no')), { givenUp: async (_trx, payload) => { given.push(payload); } });
    const id = await add({ maxAttempts: 2 });
    expect(await runner(kind).run(id, 0)).to.equal('again');
    await makeDue(id);
    expect(await runner(kind).run(id, 1)).to.equal('failed');
    expect(given).to.deep.equal([{ row: 7 }]);
  });

  it('ends a failed job also where what follows it fails, which leaves nothing behind', async () => {
    const id = await add({ maxAttempts: 1 });
    const kind = kindOf(() => Promise.reject(new Error('no')), {
      givenUp: async (trx) => {
        await trx('audit_logs').insert({ id, event_type: 'test.given_up', entity_type: 'test', entity_id: id, data: '{}' });
        await trx.raw('select 1 / 0');
      },
    });
    expect(await runner(kind).run(id, 0)).to.equal('failed');
    expect(await row(id)).to.include({ status: 'failed', error_message: 'no' });
    expect(await backend.current.sql('select * from audit_logs')).to.deep.equal([]);
    expect(backend.current.logLines.some((line) => line.includes('system_job.given_up_failed'))).to.equal(true);
  });

  it('tries a job of an unknown kind again, since another version may know it, and then fails it with the reason', async () => {
    const id = await add({ kind: 'no.such_kind', maxAttempts: 2 });
    expect(await backend.current.runSystemJobs()).to.deep.equal([{ kind: 'no.such_kind', outcome: 'again', error: 'There is no kind of system job called no.such_kind.' }]);
    expect(await backend.current.runSystemJobs({ later: true })).to.deep.equal([{ kind: 'no.such_kind', outcome: 'failed', error: 'There is no kind of system job called no.such_kind.' }]);
    expect(backend.current.logLines.some((line) => line.includes('system_job.failed') && line.includes(id))).to.equal(true);
  });

  it('cuts a job off at its deadline, whether it listens or not', async () => {
    const deaf = kindOf(() => new Promise(() => undefined), { timeoutMs: 20 });
    const listening = kindOf((_payload, { signal }) => untilAborted(signal), { timeoutMs: 20 });
    for (const kind of [deaf, listening]) {
      const id = await add();
      expect(await runner(kind).run(id, 0)).to.equal('again');
      expect((await row(id))['error_message']).to.equal('System job test.work took longer than 20 ms.');
    }
  });

  it('counts as done what ends well after its time was up', async () => {
    const id = await add();
    const kind = kindOf((_payload, { signal }) => untilAborted(signal).catch(() => undefined), { timeoutMs: 20 });
    expect(await runner(kind).run(id, 0)).to.equal('succeeded');
  });

  it('strikes what looks like a secret out of the error it keeps, and cuts it to the column', async () => {
    const id = await add();
    await runner(kindOf(() => Promise.reject(new Error(`smtp://user:hunter22@mail.example.com refused ${'x'.repeat(5_000)}`)))).run(id, 0);
    const kept = String((await row(id))['error_message']);
    expect(kept).to.include('smtp://mail.example.com refused').and.not.include('hunter22');
    expect(kept.length).to.equal(2_000);
  });

  it('hands back what its own end cuts off, for others to run at once, and does not count the attempt', async () => {
    const begun = Promise.withResolvers<void>();
    const id = await add();
    const ending = runner(kindOf((_payload, { signal }) => { begun.resolve(); return untilAborted(signal); }));
    const run = ending.run(id, 0);
    await begun.promise;
    ending.abort();
    expect(await run).to.equal('handed_back');
    expect(await row(id)).to.include({ status: 'queued', attempt: 0, epoch: 1, error_message: null });
    expect((await messages(id)).map(({ epoch, in_seconds }) => [epoch, in_seconds])).to.deep.equal([[0, 0], [1, 0]]);
    expect(await runner(kindOf(() => Promise.resolve())).run(id, 1)).to.equal('succeeded');
  });

  describe('whose process is lost', () => {
    it('leave the job to others when the lease has run out: its work is done again, its effect is there once', async () => {
      // What the process did before it died: it claimed the job and had the mail sent, and nobody was told.
      const sent: string[] = [];
      const kind = kindOf(async (_payload, { jobId }: SystemJobRun) => { if (!sent.includes(jobId)) sent.push(jobId); });
      const id = await add();
      expect(await claimSystemJob(backend.current.database.db, id, 0)).to.include({ id, attempt: 1 });
      await kind.run({}, { jobId: id, attempt: 1, signal: new AbortController().signal });
      await reconcileWith(kind);
      expect(await row(id), 'while the lease holds').to.include({ status: 'running', epoch: 0 });
      await expireLease(id);
      await Promise.all([reconcileWith(kind), reconcileWith(kind)]);
      expect(await row(id)).to.include({ status: 'queued', epoch: 1, attempt: 1, error_message: 'The process that ran it was lost.' });
      expect(await messages(id)).to.have.length(2);
      expect(await runner(kind).run(id, 0), 'the message of before').to.equal('nothing');
      expect(await runner(kind).run(id, 1)).to.equal('succeeded');
      expect(sent).to.deep.equal([id]);
      expect(await row(id)).to.include({ status: 'succeeded', attempt: 2 });
    });

    it('wait before a third process is risked for them', async () => {
      const kind = kindOf(() => Promise.resolve());
      const id = await add();
      await claimSystemJob(backend.current.database.db, id, 0);
      await backend.current.sql('update system_jobs set attempt = 2 where id = ?', [id]);
      await expireLease(id);
      await reconcileWith(kind);
      expect((await messages(id)).at(-1)?.in_seconds).to.be.within(7, 13);
    });

    it('fail after the last attempt, with what follows that', async () => {
      const given: unknown[] = [];
      const kind = kindOf(() => Promise.resolve(), { givenUp: async (_trx, payload) => { given.push(payload); } });
      const id = await add({ maxAttempts: 1 });
      await claimSystemJob(backend.current.database.db, id, 0);
      await expireLease(id);
      await reconcileWith(kind);
      await reconcileWith(kind);
      const after = await row(id);
      expect(after).to.include({ status: 'failed', failure_kind: 'process_lost', error_message: 'The process that ran it was lost, in attempt 1 of 1.' });
      expect(after['died_at']).not.to.equal(null);
      expect(after['payload'], 'an administrator may put it back').to.deep.equal({ row: 7 });
      expect(given).to.deep.equal([{ row: 7 }]);
    });

    it('keep their lease for as long as they live, however long they run', async () => {
      const end = Promise.withResolvers<void>();
      const id = await add();
      const run = runner(kindOf(() => end.promise), { extendEveryMs: 10 }).run(id, 0);
      await until('the claim', async () => (await row(id))['status'] === 'running');
      await expireLease(id);
      await until('an extension', async () => Date.parse(String((await row(id))['lease_expires_at'])) > Date.now() + 25_000);
      await reconcileWith(kindOf(() => Promise.resolve()));
      end.resolve();
      expect(await run).to.equal('succeeded');
    });

    it('are told to stop when somebody else has their job, and can neither end it nor queue it', async () => {
      const id = await add();
      const kind = kindOf((_payload, { signal }) => untilAborted(signal));
      const run = runner(kind, { extendEveryMs: 10 }).run(id, 0);
      await until('the claim', async () => (await row(id))['status'] === 'running');
      await backend.current.sql('update system_jobs set lease_token = gen_random_uuid() where id = ?', [id]);
      expect(await run).to.equal('lost');
      expect(await row(id)).to.include({ status: 'running', epoch: 0 });
      expect(await messages(id)).to.have.length(1);
    });

    it('change nothing by a success that comes too late', async () => {
      const id = await add();
      const kind = kindOf(async () => {
        await expireLease(id);
        await reconcileWith(kind);
      });
      expect(await runner(kind).run(id, 0)).to.equal('lost');
      expect(await row(id)).to.include({ status: 'queued', epoch: 1 });
    });
  });
});
