/** The SQL of what waits for what. */

/** In the order they were added, after $2, $3 where a walk goes on. */
export const listDependenciesSql = `
  select d.task_id, d.depends_on_task_id, b.title, b.status, d.created_at
    from task_dependencies d join tasks b on b.id = d.depends_on_task_id
   where d.task_id = $1 and ($2::timestamptz is null or (d.created_at, d.depends_on_task_id) > ($2, $3::uuid))
   order by d.created_at, d.depends_on_task_id limit $4 offset $5`;

export const countDependenciesSql = 'select count(*) as total from task_dependencies where task_id = $1';

/**
 * Keeps the task from becoming done, and the other from being deleted, until the commit; a row where both are there, in
 * one project. What the task waits for is counted by one at a time.
 */
export const holdPairSql = `
  select t.project_id from tasks t join tasks b on b.id = $2 and b.project_id = t.project_id
   where t.id = $1 for no key update of t for key share of b`;

export const edgeSql = `
  select exists (select 1 from task_dependencies where task_id = $1 and depends_on_task_id = $2) as stands,
         (select count(*) from task_dependencies where task_id = $1) as used`;

/**
 * Every task that $1 waits for, over however many others; each once, so that it ends, and $2 of them at most. `offset 0`
 * has the edges of each task looked up by the index: joined freely, the whole table is read for every step (a chain of
 * 9,000: 7 s).
 */
const reached = `
  with recursive reached (id) as (
    select $1::uuid
    union
    select d.id from reached r cross join lateral (select depends_on_task_id as id from task_dependencies where task_id = r.id offset 0) d
  ), bounded as materialized (select id from reached limit $2)`;

/** Whether $3 is among them, and how many there are. */
export const reachesSql = `${reached} select coalesce(bool_or(id = $3), false) as closes, count(*) as walked from bounded`;

/** For each of them one that waits for it: going back from any of them leads to $1. At most as many rows as tasks. */
export const waysSql = `
  ${reached} select distinct on (d.depends_on_task_id) d.depends_on_task_id as id, d.task_id as waits
    from bounded join task_dependencies d on d.task_id = bounded.id order by d.depends_on_task_id, d.created_at`;
