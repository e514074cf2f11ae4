/** What was sent to an endpoint: shown, tried out, and sent again. */
import type { Knex } from 'knex';
import type {
  WebhookAttempt, WebhookDelivery, WebhookDeliveryDetail, WebhookDeliveryPage, WebhookEventType, WebhookRedeliver, WebhookRedelivery, WebhookTestMessage,
} from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import { type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import { audit } from '../audit/audit.ts';
import { requireRoleOn, requireSelf } from '../policy.ts';
import {
  attemptsSql, deliveryByIdSql, deliveryCount, type DeliveryFilters, deliveryPage, deliveryToRepeatSql, insertDeliveriesSql, insertMessageSql, lockForRedeliverySql,
  missedSql, redeliveredAtOnce,
} from './deliveries-queries.ts';
import { holdEndpointSql } from './queries.ts';
import { type DeliveryRow, type EndpointRow, presentDelivery, presentDetail } from './rows.ts';
import { wakeDeliveries } from './waking.ts';

type DeliveryQuery = PageQuery & { readonly [Name in keyof DeliveryFilters]?: DeliveryFilters[Name] | undefined };
interface MissedEvent { readonly event_id: string; readonly event_type: WebhookEventType; readonly created_at: string }
interface Repeatable extends Omit<MissedEvent, 'created_at'> { readonly webhook_id: string; readonly project_id: string; readonly is_active: boolean }

const testText = 'A test of this webhook: if you can read this, it arrived.';

export class WebhookDeliveryService {
  readonly #db: Database;
  readonly #clock: Clock;

  constructor(db: Database, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  /** Newest first. Two statements beside the policy's under an offset, one under a cursor. */
  async list(call: Call, webhookId: string, query: DeliveryQuery): Promise<WebhookDeliveryPage> {
    const access = await requireRoleOn(this.#db, call, 'webhook', webhookId);
    const filters: DeliveryFilters = { status: query.status ?? null, event_type: query.event_type ?? null, since: query.since ?? null, until: query.until ?? null };
    const bound = { deliveries_of: access.id, ...filters };
    const after = readCursor(query, bound);
    const page = deliveryPage(access.id, filters, { limit: query.limit, offset: after === null ? (query.offset ?? 0) : 0, after });
    const rows = await this.#db.named<DeliveryRow>(page.name, page.text, page.values);
    const count = deliveryCount(access.id, filters);
    const [counted] = after === null ? await this.#db.named<{ total: number }>(count.name, count.text, count.values) : [];
    return pageOf(rows.map(presentDelivery), query, bound, counted?.total ?? null, (row) => ({ at: row.created_at, id: row.id }));
  }

  /** One with what was sent and what each attempt came to. Two statements beside the policy's. */
  async get(call: Call, deliveryId: string): Promise<WebhookDeliveryDetail> {
    await requireRoleOn(this.#db, call, 'webhook_delivery', deliveryId);
    const [row] = await this.#db.named<DeliveryRow & { readonly body: string }>('webhooks.delivery', deliveryByIdSql, [deliveryId]);
    if (row === undefined) throw notFound();
    return presentDetail(row, row.body, await this.#db.named<WebhookAttempt>('webhooks.attempts', attemptsSql, [row.id]));
  }

  /** Sends one event made up for it, whatever types the endpoint takes, also to one that is off; it is tried once. */
  async test(call: Call, webhookId: string): Promise<WebhookDelivery> {
    await requireRoleOn(this.#db, call, 'webhook', webhookId);
    const userId = requireSelf(call);
    return transact(this.#db, call, async (trx) => {
      const [endpoint] = await this.#db.namedIn<EndpointRow>(trx, 'webhooks.hold', holdEndpointSql, [webhookId]);
      if (endpoint === undefined) throw notFound();
      const message: WebhookTestMessage = {
        id: newId(), type: 'webhook.test', timestamp: new Date(this.#clock.now()).toISOString(), project_id: endpoint.project_id,
        data: { webhook_id: endpoint.id, requested_by: userId, message: testText },
      };
      await this.#db.namedIn(trx, 'webhooks.insert_message', insertMessageSql, [message.id, endpoint.project_id, message.type, JSON.stringify(message)]);
      const [made] = await this.#add(trx, endpoint.id, 'test', [{ event_id: message.id, event_type: message.type }]);
      if (made === undefined) throw new Error('webhook_deliveries answered no row for an insert');
      await audit(trx, call, {
        event_type: 'webhook.tested', entity_type: 'webhook', entity_id: endpoint.id, project_id: endpoint.project_id, data: { delivery_id: made.id },
      });
      return made;
    });
  }

  /** Sends one event again, with attempts of its own; CONFLICT while the endpoint is off. */
  async redeliver(call: Call, deliveryId: string): Promise<WebhookDelivery> {
    await requireRoleOn(this.#db, call, 'webhook_delivery', deliveryId);
    return transact(this.#db, call, async (trx) => {
      const [former] = await this.#db.namedIn<Repeatable>(trx, 'webhooks.to_repeat', deliveryToRepeatSql, [deliveryId]);
      if (former === undefined) throw notFound();
      requireActive(former);
      const [made] = await this.#add(trx, former.webhook_id, 'redelivery', [former]);
      if (made === undefined) throw new Error('webhook_deliveries answered no row for an insert');
      await audit(trx, call, {
        event_type: 'webhook.redelivered', entity_type: 'webhook', entity_id: former.webhook_id, project_id: former.project_id,
        data: { delivery_id: made.id, redelivered: deliveryId.toLowerCase(), event_id: former.event_id },
      });
      return made;
    });
  }

  /**
   * Sends again what was missed within a span, oldest first. Asked for twice it sends once: what is on its way is left to
   * that. Five statements beside the policy's, however many.
   */
  async redeliverSince(call: Call, webhookId: string, body: WebhookRedeliver): Promise<WebhookRedelivery> {
    const { id } = await requireRoleOn(this.#db, call, 'webhook', webhookId);
    const { since, until = null, include_succeeded: withSucceeded = false } = body;
    return transact(this.#db, call, async (trx) => {
      const [endpoint] = await this.#db.namedIn<Pick<EndpointRow, 'project_id' | 'is_active'>>(trx, 'webhooks.lock_for_redelivery', lockForRedeliverySql, [id]);
      if (endpoint === undefined) throw notFound();
      requireActive(endpoint);
      const { events, next } = cut(await this.#db.namedIn<MissedEvent>(trx, 'webhooks.missed', missedSql, [id, since, until, withSucceeded]));
      if (events.length > 0) await this.#add(trx, id, 'redelivery', events);
      await audit(trx, call, {
        event_type: 'webhook.redelivered', entity_type: 'webhook', entity_id: id, project_id: endpoint.project_id,
        data: { since, until, include_succeeded: withSucceeded, enqueued: events.length },
      });
      return { enqueued: events.length, next_since: next };
    });
  }

  /** New deliveries, in the order of their events, which senders hear of upon the commit. Two statements. */
  async #add(trx: Knex.Transaction, webhookId: string, trigger: WebhookDelivery['trigger'], events: readonly Omit<MissedEvent, 'created_at'>[]): Promise<WebhookDelivery[]> {
    const rows = await this.#db.namedIn<DeliveryRow>(trx, 'webhooks.insert_deliveries', insertDeliveriesSql, [
      webhookId, events.map(() => newId()), events.map((event) => event.event_id), events.map((event) => event.event_type), trigger,
    ]);
    await wakeDeliveries(trx);
    return rows.map(presentDelivery);
  }
}

function requireActive({ is_active: isActive }: Pick<EndpointRow, 'is_active'>): void {
  if (!isActive) throw new ServiceError('CONFLICT', 'This webhook is off. Switch it on first.', { details: { field: 'is_active' } });
}

/**
 * What is sent again now, and where the next call goes on: between two moments, so that none is sent by both, unless more
 * than are sent at once share one.
 */
function cut(missed: readonly MissedEvent[]): { readonly events: readonly MissedEvent[]; readonly next: string | null } {
  const following = missed[redeliveredAtOnce];
  if (following === undefined) return { events: missed, next: null };
  const batch = missed.slice(0, redeliveredAtOnce);
  const before = batch.filter((event) => event.created_at !== following.created_at);
  return { events: before.length > 0 ? before : batch, next: following.created_at };
}
