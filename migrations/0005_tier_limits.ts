import type { Knex } from 'knex';

const unbounded = null;

/** Starting values, per tier; an admin changes them without a restart. Null = no cap. */
const limits = {
  api_requests_per_minute: [120, 600, 3000, unbounded],
  preview_jobs_per_minute: [3, 15, 60, unbounded],
  preview_jobs_per_day: [50, 500, 5000, unbounded],
  preview_jobs_at_once: [1, 3, 10, unbounded],
  preview_source_files: [2000, 10_000, 40_000, 40_000],
  preview_source_bytes: [25_000_000, 100_000_000, 500_000_000, 500_000_000],
  preview_build_minutes: [2, 5, 15, 15],
  ai_jobs_per_minute: [2, 10, 60, unbounded],
  ai_jobs_per_day: [20, 300, 5000, unbounded],
  ai_lines_per_job: [300, 2000, 20_000, 20_000],
  ai_input_tokens_per_job: [8000, 32_000, 200_000, 200_000],
  refactor_files: [1000, 10_000, 50_000, 50_000],
  repo_syncs_per_hour: [4, 30, 240, unbounded],
  repo_mirror_bytes: [200_000_000, 2_000_000_000, 10_000_000_000, 10_000_000_000],
  projects: [5, 100, 1000, unbounded],
  team_members: [5, 50, 500, unbounded],
  webhooks_per_project: [1, 10, 50, unbounded],
  api_keys: [2, 20, 100, unbounded],
  notifications_per_day: [200, 2000, 20_000, unbounded],
  streams_at_once: [2, 10, 50, unbounded],
  artifact_retention_days: [7, 30, 180, unbounded],
  notification_retention_days: [30, 90, 365, unbounded],
} as const;

const tiers = ['free', 'pro', 'premium', 'admin'] as const;
const queues = { free: ['cpu', 'low'], pro: ['cpu', 'normal'], premium: ['gpu', 'high'], admin: ['gpu', 'high'] } as const;

export async function up(knex: Knex): Promise<void> {
  const columns = Object.keys(limits).map((name) => `${name} bigint check (${name} >= 0)`).join(',\n      ');
  await knex.raw(`
    create table tier_limits (
      tier text primary key check (tier in ('free', 'pro', 'premium', 'admin')),
      ${columns},
      queue_class text not null check (queue_class in ('cpu', 'gpu')),
      queue_priority text not null check (queue_priority in ('low', 'normal', 'high')),
      updated_by uuid references users (id),
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now()
    );
    create trigger tier_limits_touch before update on tier_limits for each row execute function touch_row();
    create index tier_limits_updated_by_idx on tier_limits (updated_by);
  `);
  await knex('tier_limits').insert(
    tiers.map((tier, index) => ({
      tier,
      queue_class: queues[tier][0],
      queue_priority: queues[tier][1],
      ...Object.fromEntries(Object.entries(limits).map(([name, values]) => [name, values[index] ?? null])),
    })),
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table tier_limits');
}
