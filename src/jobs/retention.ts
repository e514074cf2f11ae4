/** How long what jobs leave behind is kept, to see what happened: then it is swept. */
import type { Database } from '#platform/database.ts';
import { deleteInBatches } from '#platform/database/delete-in-batches.ts';
import type { Sweep } from './scheduled.ts';

const sentRowHours = 24;
const succeededJobDays = 7;
const failedJobDays = 30;

const sweepOutboxSql = `
  with old as (
    select id from outbox where sent_at < now() - interval '${sentRowHours} hours' limit $1 for update skip locked
  )
  delete from outbox using old where outbox.id = old.id returning outbox.id`;

const sweepSystemJobsSql = `
  with old as (
    select id from system_jobs
     where completed_at < now() - interval '${succeededJobDays} days'
       and (status = 'succeeded' or completed_at < now() - interval '${failedJobDays} days')
     limit $1 for update skip locked
  )
  delete from system_jobs using old where system_jobs.id = old.id returning system_jobs.id`;

/** The clean-ups of the job platform's own tables. */
export const jobSweeps = (db: Database): Sweep[] => [
  { name: 'outbox', run: (signal) => deleteInBatches(db, 'outbox.sweep', sweepOutboxSql, signal) },
  { name: 'system_jobs', everySeconds: 3_600, run: (signal) => deleteInBatches(db, 'system_jobs.sweep', sweepSystemJobsSql, signal) },
];
