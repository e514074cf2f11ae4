import { expect } from 'chai';
import type { ScheduledJob } from '#jobs/scheduled.ts';
import { Scheduler } from '#jobs/scheduler.ts';
import { SystemRunner } from '#jobs/system-runner.ts';
import type { SystemJobKind } from '#jobs/system-jobs.ts';
import { useBackend } from '../../support/backend.ts';
import { until } from '../../support/until.ts';

describe('the scheduler', () => {
  const backend = useBackend();
  const hourly: ScheduledJob = { name: 'hourly', everySeconds: 3_600, kind: 'work.hourly' };
  const daily: ScheduledJob = { name: 'daily', everySeconds: 86_400, kind: 'work.daily', payload: { depth: 2 } };
  const scheduler = (schedules: readonly ScheduledJob[] = [hourly, daily], everyMs?: number): Scheduler =>
    new Scheduler(backend.current.database.db, schedules, backend.current.log, everyMs);
  beforeEach(async () => { await backend.current.sql('delete from system_jobs; delete from schedules'); });

  const setNext = (name: string, when: string) => backend.current.sql('update schedules set next_run_at = now() + ?::interval where name = ?', [when, name]);
  const jobs = async (): Promise<string[]> => (await backend.current.sql<{ kind: string }>('select kind from system_jobs order by id')).map(({ kind }) => kind);
  /** In how many seconds it is due. */
  const dueIn = async (name: string): Promise<number> => (await backend.current.sql<{ left: number }>(
    'select round(extract(epoch from next_run_at - now()))::int as left from schedules where name = ?', [name]))[0]?.left ?? NaN;
  const end = (status: 'succeeded' | 'failed') => backend.current.sql(`update system_jobs set status = ?, completed_at = now() where status = 'queued'`, [status]);

  it('runs a new schedule within a minute of the start, and then every so often', async () => {
    const one = scheduler();
    await one.sync();
    expect(await one.runDue()).to.deep.equal([]);
    expect(await dueIn('hourly')).to.be.within(58, 60);
    await setNext('hourly', '-1 second');
    expect(await one.runDue()).to.deep.equal(['hourly']);
    expect(await one.runDue()).to.deep.equal([]);
    expect(await jobs()).to.deep.equal(['work.hourly']);
    expect(await dueIn('hourly')).to.be.within(3_596, 3_600);
  });

  it('adds the job with its payload under a key of the schedule, and its message, in one transaction', async () => {
    const one = scheduler();
    await one.sync();
    await setNext('daily', '-1 second');
    await one.runDue();
    expect(await backend.current.sql(`select payload, dedupe_key, (select count(*) from outbox where payload ->> 'jobId' = system_jobs.id::text) as messages from system_jobs`))
      .to.deep.equal([{ payload: { depth: 2 }, dedupe_key: 'schedule:daily', messages: 1 }]);
  });

  it('makes each due run exactly once however many schedulers look at once', async () => {
    const many = Array.from({ length: 6 }, () => scheduler());
    await Promise.all(many.map((one) => one.sync()));
    for (let round = 1; round <= 5; round += 1) {
      await setNext('hourly', '-1 second');
      await setNext('daily', '-1 second');
      const ran = (await Promise.all(many.map((one) => one.runDue()))).flat();
      expect(ran.sort(), `round ${round}`).to.deep.equal(['daily', 'hourly']);
      await end('succeeded');
    }
    expect(await jobs()).to.have.length(10);
  });

  it('makes up for missed times once, and keeps to its hours', async () => {
    const one = scheduler();
    await one.sync();
    // Five times went by, the last of them ten minutes ago.
    await setNext('hourly', '-250 minutes');
    expect(await one.runDue()).to.deep.equal(['hourly']);
    expect(await dueIn('hourly')).to.be.within(50 * 60 - 2, 50 * 60);
    expect(await one.runDue()).to.deep.equal([]);
  });

  it('does not repeat anything because of a restart, and does not lose what was due meanwhile', async () => {
    const before = scheduler();
    await before.sync();
    await setNext('hourly', '-1 second');
    await before.runDue();
    await end('succeeded');
    await setNext('daily', '-1 second');
    const after = scheduler();
    await after.sync();
    expect(await after.runDue()).to.deep.equal(['daily']);
    expect(await dueIn('hourly')).to.be.within(3_590, 3_600);
  });

  it('runs what failed again at its next time', async () => {
    const { database: { db }, log } = backend.current;
    const one = scheduler([{ ...hourly, maxAttempts: 1 }]);
    const kind: SystemJobKind = { kind: 'work.hourly', timeoutMs: 1_000, run: () => Promise.reject(new Error('the disk is full')) };
    const runner = new SystemRunner({ db, kinds: [kind], log });
    await one.sync();
    for (let round = 1; round <= 2; round += 1) {
      await setNext('hourly', '-1 second');
      expect(await one.runDue()).to.deep.equal(['hourly']);
      const [job] = await backend.current.sql<{ id: string; epoch: number }>("select id, epoch from system_jobs where status = 'queued'");
      expect(await runner.run(job?.id ?? '', job?.epoch ?? 0)).to.equal('failed');
    }
    expect(await backend.current.sql('select status, error_message from system_jobs')).to.deep.equal(
      Array.from({ length: 2 }, () => ({ status: 'failed', error_message: 'the disk is full' })));
  });

  it('adds no second job while the last one has not ended, and says so', async () => {
    const one = scheduler();
    await one.sync();
    for (let round = 1; round <= 2; round += 1) {
      await setNext('hourly', '-1 second');
      await one.runDue();
    }
    expect(await jobs()).to.deep.equal(['work.hourly']);
    expect(backend.current.logLines.some((line) => line.includes('scheduler.still_running'))).to.equal(true);
    expect(await dueIn('hourly')).to.be.within(3_590, 3_600);
  });

  it('brings a schedule that became more frequent forward, and leaves the others', async () => {
    await scheduler().sync();
    await setNext('hourly', '50 minutes');
    await setNext('daily', '20 hours');
    await backend.current.sql("update schedules set last_run_at = now() - interval '10 minutes' where name = 'hourly'");
    await scheduler([{ ...hourly, everySeconds: 900 }, daily]).sync();
    expect(await dueIn('hourly')).to.be.within(298, 300);
    expect(await dueIn('daily')).to.be.within(72_000 - 2, 72_000);
  });

  it('leaves the schedules of another version alone, and forgets those that nobody moved on for long', async () => {
    await scheduler().sync();
    await setNext('daily', '-1 second');
    const other = scheduler([hourly]);
    await other.sync();
    expect(await other.runDue()).to.deep.equal([]);
    await setNext('daily', '-41 days');
    await other.sync();
    expect(await backend.current.sql('select name from schedules')).to.deep.equal([{ name: 'hourly' }]);
  });

  it('goes round by itself until it is stopped, and lets no failure end it', async () => {
    const one = scheduler([hourly], 5);
    await backend.current.sql('alter table schedules rename to schedules_away');
    one.start();
    await until('a failure', () => backend.current.logLines.some((line) => line.includes('scheduler.round')));
    await backend.current.sql('alter table schedules_away rename to schedules');
    await until('its row', async () => !Number.isNaN(await dueIn('hourly')));
    await setNext('hourly', '-1 second');
    await until('its job', async () => (await jobs()).length === 1);
    await one.stop();
    await end('succeeded');
    await setNext('hourly', '-1 second');
    expect(await jobs()).to.deep.equal(['work.hourly']);
  });
});
