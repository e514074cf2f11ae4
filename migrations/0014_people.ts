import type { Knex } from 'knex';

const notificationTypes = [
  'task.assigned', 'task.completed', 'task.due_soon', 'comment.created', 'comment.replied', 'comment.mentioned', 'preview.succeeded',
  'preview.failed', 'preview.shared', 'ai_job.succeeded', 'ai_job.failed', 'refactor.succeeded', 'refactor.failed', 'repo.sync_failed',
  'invitation.received', 'invitation.accepted', 'project.transferred', 'webhook.disabled', 'account.suspicious_sign_in',
  'account.tier_changed', 'account.export_ready',
];
const knownType = `type in (${notificationTypes.map((type) => `'${type}'`).join(', ')})`;

/** API keys that are replaced by others, preferences with a version of their own, and what people are told. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';

    alter table api_keys
      add column replaced_by uuid references api_keys (id),
      add check (replaced_by <> id),
      add check (prefix ~ '^hsk_[0-9A-Za-z]{4}$'),
      add check (cardinality(scopes) between 1 and 20),
      add check (cardinality(project_ids) between 1 and 100);
    create index api_keys_replaced_by_idx on api_keys (replaced_by);
    create index api_keys_revoked_at_idx on api_keys (revoked_at) where revoked_at is not null;
    create index api_keys_listed_idx on api_keys (user_id, created_at desc, id desc) where revoked_at is null;
    -- last_used_at moves while a key is used: that makes no new version, or If-Match would refuse for no change.
    drop trigger api_keys_touch on api_keys;
    create trigger api_keys_touch before update of name, scopes, project_ids, expires_at, revoked_at, replaced_by on api_keys
      for each row execute function touch_row();

    -- Preferences are an entity of their own: changing them makes no new version of the profile.
    alter table user_profiles
      add column preferences_version bigint not null default 1,
      add column preferences_updated_at timestamptz(3) not null default now(),
      add check (jsonb_typeof(preferences) = 'object'),
      add check (avatar_url ~* '^https://');
    drop trigger user_profiles_touch on user_profiles;
    create trigger user_profiles_touch before update of display_name, avatar_url, searchable on user_profiles
      for each row execute function touch_row();

    -- What somebody set; a type without a row has the channels that are shipped.
    create table notification_preferences (
      user_id uuid not null references users (id) on delete cascade,
      type text not null check (${knownType}),
      in_app boolean not null,
      email boolean not null,
      row_version bigint not null default 1,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      primary key (user_id, type)
    );
    create trigger notification_preferences_touch before update on notification_preferences for each row execute function touch_row();

    -- One row for one event told to one person, also where it was told by mail alone (in_app false: not listed, not
    -- counted). read_at is all that ever changes.
    create table notifications (
      id uuid primary key,
      user_id uuid not null references users (id),
      project_id uuid references projects (id),
      type text not null check (${knownType}),
      payload jsonb not null check (jsonb_typeof(payload) = 'object'),
      event_key text not null check (length(event_key) between 1 and 200),
      in_app boolean not null,
      read_at timestamptz(3),
      created_at timestamptz(3) not null default now(),
      unique (user_id, event_key),
      check (in_app or read_at is null)
    );
    create index notifications_user_id_idx on notifications (user_id, created_at desc, id desc);
    create index notifications_unread_idx on notifications (user_id, created_at desc, id desc) where read_at is null and in_app;
    create index notifications_project_id_idx on notifications (project_id);
    create index notifications_created_at_idx on notifications (created_at);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    set local lock_timeout = '5s';
    drop table notifications;
    drop table notification_preferences;
    drop trigger user_profiles_touch on user_profiles;
    create trigger user_profiles_touch before update on user_profiles for each row execute function touch_row();
    alter table user_profiles
      drop constraint user_profiles_avatar_url_check1, drop constraint user_profiles_preferences_check,
      drop column preferences_updated_at, drop column preferences_version;
    drop trigger api_keys_touch on api_keys;
    create trigger api_keys_touch before update on api_keys for each row execute function touch_row();
    drop index api_keys_listed_idx;
    drop index api_keys_revoked_at_idx;
    alter table api_keys
      drop constraint api_keys_project_ids_check, drop constraint api_keys_scopes_check, drop constraint api_keys_prefix_check1,
      drop column replaced_by;
  `);
}
