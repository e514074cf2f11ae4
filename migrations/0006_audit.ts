import type { Knex } from 'knex';

/** Append-only; written in the transaction of the effect it tells of. A null user_id is the system itself. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table audit_logs (
      id uuid primary key,
      user_id uuid references users (id),
      project_id uuid references projects (id),
      event_type text not null check (length(event_type) between 3 and 80),
      entity_type text not null check (length(entity_type) <= 40),
      entity_id uuid,
      data jsonb not null default '{}',
      ip_address inet,
      request_id text check (length(request_id) <= 128),
      created_at timestamptz(3) not null default now()
    );
    create index audit_logs_user_id_idx on audit_logs (user_id, created_at desc);
    create index audit_logs_project_id_idx on audit_logs (project_id, created_at desc);
    create index audit_logs_created_at_idx on audit_logs (created_at desc, id desc);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table audit_logs');
}
