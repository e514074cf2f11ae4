/**
 * The SQL of search. Every statement finds out by itself what the caller may see. Measured among 1,000,000 entries: docs/search.md.
 */
import type { Keyset } from '#platform/paging.ts';
import type { Binding } from '#platform/database.ts';
import { faults, halves, holding, isForgiven } from './patterns.ts';

export type SearchKind = 'project' | 'task' | 'comment';

/** Whose projects are searched, and which of them. */
export interface Reach {
  readonly userId: string;
  /** Those of a restricted API key. */
  readonly only: readonly string[] | null;
  readonly projectId: string | null;
}

export interface Wanted extends Reach {
  readonly words: readonly string[];
  readonly kinds: readonly SearchKind[];
}

export interface Statement { readonly text: string; readonly values: readonly Binding[] }

/** So many entries are read at first: of who sees no more all, of who sees more the newest of each project. */
export const walkedEntries = 5_000;
/** So many where no trigram helps. */
export const walkedAtMost = 20_000;
/** So many projects are looked into at most, the newest; all of them where so many entries are taken of each that it is all there is. */
const walkedProjects = 1_000;

/** The condition under which $1 may see the project p; $2 are those of a restricted key, $3 the one that was asked for. */
const seen = `
  p.deleted_at is null
  and (p.owner_id = $1
    or p.team_id = any(array(select team_id from team_members where user_id = $1 and status = 'active'))
    or p.id = any(array(select project_id from project_members where user_id = $1 and status = 'active')))
  and ($2::uuid[] is null or p.id = any($2))`;
const visible = `visible as materialized (select p.id from projects p where ${seen} and ($3::uuid is null or p.id = $3))`;

/**
 * What the caller sees: one hash (who sees something else has another), how many projects, which (unless they are many) and,
 * no further than one beyond the bound, how many entries.
 */
export const reachSql = `
  with ${visible}
  select coalesce(md5(string_agg(id::text, '' order by id)), '') as stamp, count(*) as projects,
         case when count(*) <= ${walkedProjects} then array_agg(id) end as ids,
         (select count(*) from (
           select 1 from visible v cross join lateral (select 1 from search_entries e where e.project_id = v.id limit ${walkedEntries + 1}) e
            limit ${walkedEntries + 1}) as bounded) as entries
    from visible`;

/** How the entries that are compared are come by. */
export type Way =
  /** Of each project so many, where that is not all of it: itself and the newest in it. */
  | { readonly kind: 'walk'; readonly each: number }
  /** By trigrams; what is forgiven is walked to. `projectIds` are those that the caller saw a moment ago: they tell the planner how many rows that leaves, and nothing more. */
  | { readonly kind: 'index'; readonly each: number; readonly projectIds: readonly string[] | null };

type Bind = (value: Binding) => string;

/** Of fewer results than that typing faults are forgiven. */
const few = 20;

/**
 * A page of what holds every word, the best first, and how many do. With `forgiving`, and where these are few, words with
 * one typing fault count too, after all others.
 */
export function found(wanted: Wanted, way: Way, forgiving: boolean, page: { limit: number; offset: number; after: Keyset | null }): Statement {
  const { words } = wanted;
  const values: Binding[] = [wanted.userId, wanted.only, wanted.projectId, wanted.kinds];
  const bind: Bind = (value) => `$${values.push(value)}`;
  const parts = [visible, way.kind === 'index'
    ? `found as materialized (${scored(indexed(way.projectIds, words, bind), words, 'true', bind)})`
    : `found as materialized (${scored(walked(way.each, bind), words, holds('words', words, bind), bind)})`];
  if (forgiving && words.some(isForgiven)) {
    const more = scored(walked(way.each, bind), words, `(select count(*) from found) < ${few} and ${forgiven(words, bind)}`, bind);
    parts.push(`ranked as materialized (select id, kind, max(score) as score from (select * from found union all ${more}) of_both group by id, kind)`);
  } else {
    parts.push('ranked as (select * from found)');
  }
  const [score, id] = [bind(page.after === null ? null : Number(page.after.at)), bind(page.after?.id ?? null)];
  return {
    text: `with ${parts.join(', ')}
      select t.total, f.kind, f.id, f.score
        from (select count(*)::int as total from ranked) t
        left join lateral (
          select * from ranked where ${score}::int is null or (score, id) < (${score}, ${id}::uuid)
           order by score desc, id desc limit ${bind(page.limit + 1)} offset ${bind(page.offset)}) f on true`,
    values,
  };
}

const holds = (text: string, words: readonly string[], bind: Bind): string => words.map((word) => `${text} like ${bind(holding(word))}`).join(' and ');

/** What holds the words, by one of two indexes or by both: of trigrams, of projects. */
function indexed(projectIds: readonly string[] | null, words: readonly string[], bind: Bind): string {
  const estimated = projectIds === null ? '' : `and project_id = any(${bind(projectIds)}::uuid[])`;
  const by = (column: 'brief' | 'long'): string => `
    select id, kind, ${column} as words from search_entries
     where ${holds(column, words, bind)} ${estimated} and kind = any($4) and project_id in (select id from visible)`;
  return `(${by('brief')} union all ${by('long')})`;
}

/** Of each project that the caller sees so many entries with their words. Those of brief ones lie in the index that is walked. */
const walked = (each: number, bind: Bind): string => `(
  select e.id, e.kind, coalesce(e.brief, (select l.long from search_entries l where l.id = e.id)) as words
    from (select id from visible order by id desc limit ${bind(Math.max(walkedProjects, each))}) v cross join lateral (
      select id, kind, brief from search_entries s where s.project_id = v.id order by s.is_project desc, s.id desc limit ${bind(each)}) e
   where e.kind = any($4)
  -- Once for each row, however often the words are asked about.
  offset 0)`;

/** Every word, or for one that is long enough a word with one fault. Few rows come to the many ways of a fault: halves go before. */
const forgiven = (words: readonly string[], bind: Bind): string =>
  words.map((word, _at, { length }) => {
    const exactly = (): string => `words like ${bind(holding(word))}`;
    if (!isForgiven(word)) return exactly();
    // Of a single word what holds it was found already.
    return `(${length === 1 ? '' : `${exactly()} or `}((${halves(word).map((half) => `words like ${bind(half)}`).join(' or ')}) and words like any(${bind(faults(word).map((way) => `%${way}%`))}::text[])))`;
  }).join(' and ');

/**
 * Thousandths: of each word where it stands best, all words counting alike, and a little more where they stand as they were
 * written. 1000 is a title that says nothing else; what has a fault stays below 400, without one it is never below 450.
 */
function scored(from: string, words: readonly string[], condition: string, bind: Bind): string {
  const like = (pattern: string): string => `words like ${bind(pattern)}`;
  const one = words.map((word) => `case
    when ${like(`% ${word} %\n%`)} then 950 when ${like(`% ${word}%\n%`)} then 850 when ${like(`%${word}%\n%`)} then 750
    when ${like(`% ${word} %`)} then 650 when ${like(`% ${word}%`)} then 550 when ${like(`%${word}%`)} then 450 end`);
  const phrase = words.join(' ');
  const all = words.length === 1 ? one[0] ?? '' : `(${one.join(' + ')}) / ${words.length}
    + case when ${like(`% ${phrase} %\n%`)} then 40 when ${like(`% ${phrase} %`)} then 20 else 0 end`;
  const faulty = words.map((word) => `case when ${like(`%${word}%`)} then 350 when words like any(${bind(faults(word).map((way) => `%${way}%\n%`))}::text[]) then 300 else 200 end`);
  return `select id, kind, coalesce(case when ${like(` ${phrase} \n%`)} then 1000 end, ${all}, (${faulty.join(' + ')}) / ${words.length}) as score from ${from} entries where ${condition}`;
}

/** What of these still is there and seen by $1, as it is now: $3 projects, $4 tasks, $5 comments. */
export const presentSql = `
  select 'project' as kind, p.id, p.id as project_id, p.name as project_name, p.name as title, p.description as body,
         null as entity_type, null::uuid as entity_id, p.updated_at
    from projects p where p.id = any($3::uuid[]) and ${seen}
  union all
  select 'task', t.id, p.id, p.name, t.title, t.description, null, null, t.updated_at
    from tasks t join projects p on p.id = t.project_id where t.id = any($4::uuid[]) and ${seen}
  union all
  select 'comment', c.id, p.id, p.name, coalesce(t.title, c.anchor ->> 'path', p.name), c.body, c.entity_type, c.entity_id, c.updated_at
    from comments c join projects p on p.id = c.project_id left join tasks t on t.id = c.task_id
   where c.id = any($5::uuid[]) and c.deleted_at is null and ${seen}`;
