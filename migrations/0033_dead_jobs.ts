import type { Knex } from 'knex';

const tables = ['preview_jobs', 'system_jobs'] as const;

/** A job that was given up after its last attempt: it waits for an administrator, who may put it back. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw("set local lock_timeout = '5s'");
  for (const table of tables) {
    await knex.raw(`
      alter table ${table}
        add column died_at timestamptz(3),
        -- When an administrator last put it back.
        add column retried_at timestamptz(3),
        add constraint ${table}_died_check check (died_at is null or status in ('failed', 'timed_out')) not valid`);
  }
  await knex.raw(`
    alter table system_jobs add column failure_kind text check (length(failure_kind) between 1 and 60);
    -- Each time it is put back a job gets another round of attempts; none is counted twice, since objects lie under their attempt.
    alter table preview_jobs drop constraint preview_jobs_max_attempts_check,
      add constraint preview_jobs_max_attempts_check check (max_attempts between 1 and 100) not valid;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    update preview_jobs set max_attempts = 10 where max_attempts > 10;
    alter table preview_jobs drop constraint preview_jobs_max_attempts_check,
      add constraint preview_jobs_max_attempts_check check (max_attempts between 1 and 10) not valid;
    alter table system_jobs drop column failure_kind;
  `);
  for (const table of tables) await knex.raw(`alter table ${table} drop constraint ${table}_died_check, drop column retried_at, drop column died_at`);
}
