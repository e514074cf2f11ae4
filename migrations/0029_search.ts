import type { Knex } from 'knex';

/** Tasks are many: what is there already is taken over beside the traffic, and indexed so; that takes it out of one transaction. */
export const config = { transaction: false };

/**
 * What is searched: one row for each project, task and comment with its words as they are compared, kept by triggers in
 * the transaction of every change. So one index finds all three kinds, and the words of a project lie side by side.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.transaction((trx) => trx.raw(`
    set local lock_timeout = '5s';
    -- Lower case without accents, words between single spaces. src/domains/search/folding.ts does the same. 8 µs for 140
    -- characters of English, 20 µs for others.
    create or replace function search_fold(words text) returns text language plpgsql immutable strict parallel safe as $$
    begin
      if octet_length(words) = length(words) then
        return regexp_replace(' ' || lower(words collate "C") || ' ', '[^a-z0-9]+', ' ', 'g');
      end if;
      return regexp_replace(
        ' ' || translate(replace(replace(replace(
          lower(regexp_replace(normalize(words, NFKD), '[\\u0300-\\u036f]+', '', 'g') collate pg_c_utf8), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'),
          'ςøđłı', 'σodli') || ' ',
        '[\\u0001-/:-\`{-~\\u007f-\\u00bf\\u2000-\\u206f\\u3000-\\u303f\\u30fb]+', ' ', 'g');
    end
    $$;
    -- The line break parts the title from the rest: folding leaves no other.
    create or replace function search_words(title text, body text) returns text language sql immutable parallel safe as $$
      select search_fold(title) || E'\\n' || search_fold(coalesce(body, ''))
    $$;

    create table if not exists search_entries (
      id uuid primary key,
      kind text not null check (kind in ('project', 'task', 'comment')),
      is_project boolean not null generated always as (kind = 'project') stored,
      project_id uuid not null references projects (id) on delete cascade,
      -- One of the two: short words lie in an index as well.
      brief text check (octet_length(brief) <= ${briefBytes}),
      long text,
      check (num_nonnulls(brief, long) = 1)
    );
    -- Estimates of how many rows hold a word decide between plans.
    alter table search_entries alter column brief set statistics 1000;`));
  for (const source of sources) await keep(knex, source);
  for (const source of sources) await takeOver(knex, source);
  for (const [name, definition] of indexes) {
    // One that a build broken off has left is not valid.
    await knex.raw(`drop index if exists ${name}`);
    await knex.raw(`create index concurrently ${name} on ${definition}`);
  }
}

export async function down(knex: Knex): Promise<void> {
  await knex.transaction(async (trx) => {
    await trx.raw("set local lock_timeout = '5s'");
    for (const { table } of sources) {
      for (const change of ['added', 'changed', 'removed']) await trx.raw(`drop trigger ${table}_search_${change} on ${table}; drop function search_${table}_${change}()`);
    }
    await trx.raw('drop table search_entries; drop function search_words(text, text); drop function search_fold(text)');
  });
}

/** With its key a row of the index stays far below the third of a page that it may have. */
const briefBytes = 600;

const indexes = [
  // Each project itself, then the newest in it, with their words in the index: 50,000 of a thousand projects are read from 4,000 pages, from the table from 25,000.
  ['search_entries_project_id_idx', 'search_entries (project_id, is_project desc, id desc) include (kind, brief)'],
  // The words of the others lie in the table; they are few.
  ['search_entries_long_idx', 'search_entries (project_id) where long is not null'],
  ['search_entries_brief_trgm_idx', 'search_entries using gin (brief gin_trgm_ops) where brief is not null'],
  ['search_entries_long_trgm_idx', 'search_entries using gin (long gin_trgm_ops) where long is not null'],
] as const;

/** A table whose rows are searched: how a row r says what it holds, and which rows hold something. */
interface Source { readonly table: string; readonly kind: string; readonly project: string; readonly title: string; readonly body: string; readonly holds: string; readonly columns: readonly string[] }
const sources: readonly Source[] = [
  { table: 'projects', kind: 'project', project: 'id', title: 'r.name', body: 'r.description', holds: 'r.deleted_at is null', columns: ['name', 'description', 'deleted_at'] },
  { table: 'tasks', kind: 'task', project: 'project_id', title: 'r.title', body: 'r.description', holds: 'true', columns: ['title', 'description'] },
  { table: 'comments', kind: 'comment', project: 'project_id', title: "''", body: 'r.body', holds: 'r.deleted_at is null', columns: ['body', 'deleted_at'] },
];

const entriesOf = ({ kind, project, title, body, holds }: Source, rows: string): string => `
  insert into search_entries (id, kind, project_id, brief, long)
  select r.id, '${kind}', r.${project}, case when w.is_brief then w.words end, case when not w.is_brief then w.words end
    from ${rows} r cross join lateral (
      select words, octet_length(words) <= ${briefBytes} as is_brief from (select search_words(${title}, ${body}) as words offset 0) folded offset 0) w
   where ${holds}`;

/** Triggers for whole statements where many rows may come and go; for each row where words change, so that other changes cost nothing. */
async function keep(knex: Knex, source: Source): Promise<void> {
  const { table, columns, holds } = source;
  const row = (of: string): string => `(${columns.map((column) => `${of}.${column}`).join(', ')})`;
  await knex.transaction(async (trx) => {
    await trx.raw(`
      set local lock_timeout = '5s';
      create or replace function search_${table}_added() returns trigger language plpgsql as $$
      begin
        ${entriesOf(source, 'added')} on conflict (id) do nothing;
        return null;
      end $$;
      create or replace function search_${table}_changed() returns trigger language plpgsql as $$
      begin
        if ${holds.replaceAll('r.', 'new.')} then
          ${entriesOf(source, '(select new.*)')}
          on conflict (id) do update set brief = excluded.brief, long = excluded.long;
        else
          delete from search_entries where id = new.id;
        end if;
        return null;
      end $$;
      create or replace function search_${table}_removed() returns trigger language plpgsql as $$
      begin
        delete from search_entries where id in (select id from removed);
        return null;
      end $$;
      create or replace trigger ${table}_search_added after insert on ${table}
        referencing new table as added for each statement execute function search_${table}_added();
      create or replace trigger ${table}_search_changed after update on ${table}
        for each row when (${row('old')} is distinct from ${row('new')}) execute function search_${table}_changed();
      create or replace trigger ${table}_search_removed after delete on ${table}
        referencing old table as removed for each statement execute function search_${table}_removed()`);
  });
}

/** Rows from before the triggers, in steps; each is held meanwhile, so that none changes or goes between being read and being written. */
async function takeOver(knex: Knex, source: Source): Promise<void> {
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const { rows: [last] } = await knex.raw<{ rows: { id: string | null }[] }>(`
      with held as materialized (select * from ${source.table} where id > ? order by id limit 5000 for share),
      taken as (${entriesOf(source, 'held')} on conflict (id) do nothing)
      select max(id::text) as id from held`, [after]);
    if (last?.id == null) return;
    after = last.id;
  }
}
