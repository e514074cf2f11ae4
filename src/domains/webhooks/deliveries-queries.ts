/** The SQL of deliveries as they are listed, read and made again. */
import type { Binding } from '#platform/database.ts';
import { countBound, type Keyset } from '#platform/paging.ts';

const columns = ['id', 'webhook_id', 'event_id', 'event_type', 'trigger', 'status', 'attempt_count', 'next_attempt_at', 'response_status', 'created_at', 'completed_at'];
const columnsOf = (alias: string): string => columns.map((column) => `${alias}.${column}`).join(', ');

/** Every filter narrows; null leaves out. */
export interface DeliveryFilters {
  readonly status: string | null;
  readonly event_type: string | null;
  readonly since: string | null;
  readonly until: string | null;
}

/** A statement with its values. One without filters has a name; one with some is planned anew for what it is asked. */
export interface Statement { readonly name: string; readonly text: string; readonly values: readonly Binding[] }

/** A page, newest first, one row more than asked for. */
export function deliveryPage(webhookId: string, filters: DeliveryFilters, page: { limit: number; offset: number; after: Keyset | null }): Statement {
  const values: Binding[] = [];
  const bind = (value: Binding): string => `$${values.push(value)}`;
  const conditions = conditionsOf(webhookId, filters, bind);
  if (page.after !== null) conditions.push(`(d.created_at, d.id) < (${bind(page.after.at)}::timestamptz, ${bind(page.after.id)}::uuid)`);
  const text = `
    select ${columnsOf('d')} from webhook_deliveries d where ${conditions.join(' and ')}
     order by d.created_at desc, d.id desc limit ${bind(page.limit + 1)} offset ${bind(page.offset)}`;
  return { name: nameOf('webhooks.deliveries', filters, page.after === null ? '' : '.after'), text, values };
}

/** How many there are, counted no further than one beyond the bound that the contract promises. */
export function deliveryCount(webhookId: string, filters: DeliveryFilters): Statement {
  const values: Binding[] = [];
  const conditions = conditionsOf(webhookId, filters, (value) => `$${values.push(value)}`);
  const text = `select count(*) as total from (select from webhook_deliveries d where ${conditions.join(' and ')} limit ${countBound + 1}) as bounded`;
  return { name: nameOf('webhooks.count_deliveries', filters, ''), text, values };
}

const nameOf = (name: string, filters: DeliveryFilters, suffix: string): string =>
  (Object.values(filters).every((value) => value === null) ? `${name}${suffix}` : '');

function conditionsOf(webhookId: string, filters: DeliveryFilters, bind: (value: Binding) => string): string[] {
  const conditions = [`d.webhook_id = ${bind(webhookId)}`];
  if (filters.status !== null) conditions.push(`d.status = ${bind(filters.status)}`);
  if (filters.event_type !== null) conditions.push(`d.event_type = ${bind(filters.event_type)}`);
  if (filters.since !== null) conditions.push(`d.created_at >= ${bind(filters.since)}::timestamptz`);
  if (filters.until !== null) conditions.push(`d.created_at < ${bind(filters.until)}::timestamptz`);
  return conditions;
}

/** One delivery with the body of its message. */
export const deliveryByIdSql = `
  select ${columnsOf('d')}, m.body from webhook_deliveries d join webhook_messages m on m.id = d.event_id where d.id = $1`;

/** What came of it, the oldest first. */
export const attemptsSql = `
  select attempted_at, duration_ms, response_status, response_body, failure from webhook_attempts where delivery_id = $1 order by number`;

/** The delivery to be made again, and its endpoint, held as they are until the commit: nothing of it is swept meanwhile. */
export const deliveryToRepeatSql = `
  select d.webhook_id, d.event_id, d.event_type, e.project_id, e.is_active
    from webhook_deliveries d join webhook_endpoints e on e.id = d.webhook_id and e.deleted_at is null
   where d.id = $1 for share of e, d`;

export const insertMessageSql = 'insert into webhook_messages (id, project_id, type, body) values ($1, $2, $3, $4)';

/** Deliveries that are due at once: of endpoint $1, ids $2, their events $3 and types $4, made because of $5. */
export const insertDeliveriesSql = `
  insert into webhook_deliveries (id, webhook_id, event_id, event_type, trigger, next_attempt_at)
  select made.id, $1, made.event_id, made.event_type, $5, now()
    from unnest($2::uuid[], $3::uuid[], $4::text[]) as made (id, event_id, event_type)
  returning ${columns.join(', ')}`;

/** An endpoint whose deliveries are made again, by one call at a time: the second finds what the first made. */
export const lockForRedeliverySql = 'select project_id, is_active from webhook_endpoints where id = $1 and deleted_at is null for no key update';

/** The most that one call sends again. */
export const redeliveredAtOnce = 1_000;
/** Days that deliveries are kept, and can be made again. */
export const keptDays = 30;

/**
 * Events first sent to $1 from $2 to before $3 that did not arrive, or with $4 those that did too; one that is on its way
 * now is left to that. Oldest first, one more than are made again at once.
 */
export const missedSql = `
  select d.event_id, d.event_type, d.created_at from webhook_deliveries d
   where d.webhook_id = $1 and d.trigger = 'occurrence' and d.status <> 'pending' and ($4 or d.status <> 'succeeded')
     and d.created_at >= greatest($2::timestamptz, now() - interval '${keptDays} days') and d.created_at < coalesce($3::timestamptz, now())
     and not exists (
       select from webhook_deliveries other
        where other.event_id = d.event_id and other.webhook_id = $1 and (other.status = 'pending' or (not $4 and other.status = 'succeeded')))
   order by d.created_at, d.id limit ${redeliveredAtOnce + 1}`;
