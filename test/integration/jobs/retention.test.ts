import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { addSystemJob } from '#jobs/system-jobs.ts';
import { useBackend } from '../../support/backend.ts';

describe('sweeps', () => {
  const backend = useBackend();
  const sweep = async (name: string): Promise<void> => {
    await backend.current.database.db.knex.transaction((trx) => addSystemJob(trx, { kind: `sweep.${name}` }));
    expect(await backend.current.runSystemJobs()).to.deep.equal([{ kind: `sweep.${name}`, outcome: 'succeeded', error: null }]);
  };

  it('are scheduled, each under its own name, and known to the runner', () => {
    const { schedules, systemKinds } = backend.current.services;
    const kinds = systemKinds.map(({ kind }) => kind);
    expect(schedules.map(({ name }) => name)).to.include.members(['sweep.outbox', 'sweep.system_jobs', 'sweep.idempotency_keys', 'sweep.worker_heartbeats']);
    for (const { kind } of schedules) expect(kinds).to.include(kind);
  });

  it('delete heartbeats of long ago in batches, and leave the others', async () => {
    const worker = await backend.current.worker();
    const beat = (ago: string) => backend.current.sql(
      `insert into worker_heartbeats (id, node_id, "timestamp") select gen_random_uuid(), ?, now() - ?::interval from generate_series(1, 1200)`, [worker.nodeId, ago],
    );
    await beat('3 days');
    await beat('1 day');
    await sweep('worker_heartbeats');
    expect(await backend.current.sql(`select count(*) as kept, min("timestamp") > now() - interval '2 days' as are_new from worker_heartbeats`))
      .to.deep.equal([{ kept: 1_200, are_new: true }]);
  });

  it('keep the log of view tokens for a month after each has expired', async () => {
    const ada = await backend.current.person();
    const projectId = await backend.current.project(ada);
    for (const ago of ['31 days', '29 days', '-1 minute']) {
      await backend.current.sql(`insert into preview_sessions (id, project_id, user_id, token_hash, purpose, bundle_url, expires_at)
        values (?, ?, ?, sha256(?::bytea), 'view', ?, now() - ?::interval)`, [newId(), projectId, ada.userId, ago, ago, ago]);
    }
    await sweep('preview_tokens');
    expect(await backend.current.sql('select bundle_url from preview_sessions order by expires_at')).to.deep.equal([{ bundle_url: '29 days' }, { bundle_url: '-1 minute' }]);
  });

  it('keep sent rows of the outbox for a day, and unsent ones for ever', async () => {
    const { sql } = backend.current;
    await sql('delete from outbox');
    await sql(`insert into outbox (kind, topic, payload, created_at, sent_at) values
      ('event', 'old', '{}', now() - interval '2 days', now() - interval '25 hours'),
      ('event', 'new', '{}', now() - interval '2 days', now() - interval '23 hours'),
      ('event', 'unsent', '{}', now() - interval '9 days', null)`);
    await sweep('outbox');
    const topics = (await sql<{ topic: string }>("select topic from outbox where kind = 'event'")).map(({ topic }) => topic);
    expect(topics).to.deep.equal(['new', 'unsent']);
  });

  it('keep system jobs that succeeded for a week, those that failed for a month, and open ones for ever', async () => {
    const { sql } = backend.current;
    await sql('delete from system_jobs');
    const rows: [string, string, string | null][] = [
      ['ok.old', 'succeeded', '8 days'], ['ok.new', 'succeeded', '6 days'], ['bad.old', 'failed', '31 days'], ['bad.new', 'failed', '29 days'], ['open.old', 'queued', null],
    ];
    for (const [kind, status, ago] of rows) {
      await sql(`insert into system_jobs (id, kind, status, run_after, completed_at, created_at)
        values (?, ?, ?, now() + interval '1 hour', now() - ?::interval, now() - interval '90 days')`, [newId(), kind, status, ago]);
    }
    await sweep('system_jobs');
    const kept = await sql<{ kind: string }>("select kind from system_jobs where kind not like 'sweep.%' order by kind");
    expect(kept.map(({ kind }) => kind)).to.deep.equal(['bad.new', 'ok.new', 'open.old']);
  });
});
