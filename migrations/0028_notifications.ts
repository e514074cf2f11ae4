import type { Knex } from 'knex';

const before = [
  'task.assigned', 'task.completed', 'task.due_soon', 'comment.created', 'comment.replied', 'comment.mentioned', 'preview.succeeded',
  'preview.failed', 'preview.shared', 'ai_job.succeeded', 'ai_job.failed', 'refactor.succeeded', 'refactor.failed', 'repo.sync_failed',
  'invitation.received', 'invitation.accepted', 'project.transferred', 'webhook.disabled', 'account.suspicious_sign_in',
  'account.tier_changed', 'account.export_ready',
];
const added = 'account.quota_near';
const tables = ['notifications', 'notification_preferences'];
const knownType = (types: readonly string[]): string => `type in (${types.map((type) => `'${type}'`).join(', ')})`;

/** People hear of a limit that is nearly used up, and of what need not be mailed at once in one mail with the rest. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    -- Validated by the next migration, beside the traffic.
    ${tables.map((table) => `
    alter table ${table} drop constraint ${table}_type_check, add constraint ${table}_type_check check (${knownType([...before, added])}) not valid;`).join('')}
    -- Mailed with others: waits for the next digest, or is part of the one with this id.
    alter table notifications
      add column awaits_digest boolean not null default false,
      add column digest_id uuid,
      add constraint notifications_digest_check check (not awaits_digest or digest_id is null) not valid;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    ${tables.map((table) => `
    delete from ${table} where type = '${added}';
    alter table ${table} drop constraint ${table}_type_check, add constraint ${table}_type_check check (${knownType(before)});`).join('')}
    alter table notifications drop constraint notifications_digest_check, drop column digest_id, drop column awaits_digest;
  `);
}
