/**
 * Fairness among accounts. Of each account at most `mostAhead` messages of a queue are under way to a worker; the others
 * stay in the outbox until one of those is taken up. Queues are first in, first out: so whoever comes finds at most that
 * many of any one account before them, however long its backlog is. All of it stands in Postgres: a process that dies or
 * a Redis that is wiped changes nothing about whose turn it is.
 */
import type { Knex } from 'knex';
import type { Database } from '#platform/database.ts';
import { jobTables, type JobRow } from './kinds.ts';

/** Two keep a worker busy while the next is on its way; with more, others wait longer than they have to. */
export const mostAhead = 2;

/**
 * One sends at a time: two that looked at once would both find the same places free. The look is planned once for each
 * connection, perhaps while the tables were empty: it goes by its indexes whatever their size was then.
 */
const lockSql = "select pg_try_advisory_xact_lock(hashtext('outbox.turns')) as taken, set_config('enable_seqscan', 'off', true)";

const stillAhead = jobTables.map((table) => `exists (select from ${table} j where j.id = sent.job_id and j.epoch = sent.epoch and j.status = 'queued')`).join(' or ');

const waitingIn = (account: string): string => `kind = 'job' and sent_at is null and turn_of is not null and topic = ${account}.topic and turn_of = ${account}.turn_of`;
const freePlaces = `greatest(${mostAhead} - places.ahead, 0)`;

/**
 * The next rows to send: of each account with waiting rows as many as it has places free; the first place of everybody
 * before the second of anybody, and among equals whoever was served less in this look. A look costs two index lookups
 * and one read for each account that waits, whatever the length of its backlog; one row of nulls says that more wait (measured on two busy cores: 1,000 accounts
 * with 50 rows each 64 ms, one account with 50,000 rows 5 ms).
 */
export const takeTurnsSql = `
  with recursive turn as (
    (select topic, turn_of from outbox where kind = 'job' and sent_at is null and turn_of is not null order by topic, turn_of limit 1)
    union all
    select following.topic, following.turn_of from turn cross join lateral (
      select topic, turn_of from outbox
       where kind = 'job' and sent_at is null and turn_of is not null and (topic, turn_of) > (turn.topic, turn.turn_of)
       order by topic, turn_of limit 1) following
  ), looked as (
    select sent.id, sent.topic, sent.turn_of, ${stillAhead} as is_ahead
      from turn join outbox sent on sent.kind = 'job' and sent.topic = turn.topic and sent.turn_of = turn.turn_of
       and sent.sent_at is not null and sent.settled_at is null
  ), settled as (
    update outbox set settled_at = now() from looked where outbox.id = looked.id and not looked.is_ahead
  ), places as (
    select turn.topic, turn.turn_of, count(looked.id) filter (where looked.is_ahead) as ahead, count(looked.id) filter (where not looked.is_ahead) as served
      from turn left join looked on looked.topic = turn.topic and looked.turn_of = turn.turn_of
     group by turn.topic, turn.turn_of
  )
  select * from (
    select due.id, due.kind, due.topic, due.payload
      from places cross join lateral (
        select waiting.*, row_number() over (order by waiting.id) as nth from (
          select id, kind, topic, payload from outbox
           where ${waitingIn('places')} and run_after <= now() + interval '1 millisecond'
           order by id limit ${freePlaces} for update skip locked) waiting) due
     order by places.ahead + due.nth, places.served, due.id limit $1) taken
  union all
  select null, null, null, null from (
    select from places where (select count(*) from (select from outbox where ${waitingIn('places')} limit ${freePlaces} + 1) waiting) > ${freePlaces} limit 1) held`;

export interface Turns<Row> {
  readonly rows: readonly Row[];
  /**
   * Some wait for others to be taken up. Whoever takes one up says so, but for rows that were not there yet when that began:
   * neither knows of the other, and so the look is to be repeated.
   */
  readonly isHeld: boolean;
}

/** Null while another process sends: it looks again when it is done, and was woken as this one was. */
export async function takeTurns<Row extends { readonly id: number }>(db: Pick<Database, 'namedIn'>, trx: Knex.Transaction, limit: number): Promise<Turns<Row> | null> {
  const [lock] = await db.namedIn<{ taken: boolean }>(trx, 'outbox.lock_turns', lockSql, []);
  if (lock?.taken !== true) return null;
  const found = await db.namedIn<Row | { readonly id: null }>(trx, 'outbox.take_turns', takeTurnsSql, [limit]);
  const rows = found.filter((row): row is Row => row.id !== null);
  return { rows, isHeld: rows.length < found.length };
}

/** Whether the account of a job, a row named `job`, has more waiting for its turn. */
const isMoreWaiting = (job: string): string => `exists (
  select from outbox where kind = 'job' and sent_at is null and turn_of is not null and topic = ${job}.queue_class || ':' || ${job}.queue_priority and turn_of = ${job}.requested_by)`;

/** Of a job whose message was taken up: where its account has more waiting, the relay looks at once. Part of the statement that takes it up, as the row `job`. */
export const passTurnSql = (job: string): string => `select pg_notify('outbox', 'turns') from ${job} where ${isMoreWaiting(job)}`;

/** The same of a job whose message became needless. */
export async function passTurn(trx: Knex.Transaction, job: JobRow): Promise<void> {
  await trx.raw(passTurnSql('job').replace('from job', 'from (values (?::text, ?::text, ?::uuid)) as job (queue_class, queue_priority, requested_by)'), [job.queue_class, job.queue_priority, job.requested_by]);
}
