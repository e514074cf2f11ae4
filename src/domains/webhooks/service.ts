/** The endpoints of a project: made, changed and ended by those who keep it. What is sent to them, sender.ts does. */
import type { Knex } from 'knex';
import type { Webhook, WebhookCreate, WebhookPage, WebhookSecretRotate, WebhookSecretRotated, WebhookUpdate, WebhookWithSecret } from '#generated/sdk/types.gen.ts';
import { emit } from '#jobs/outbox.ts';
import type { Call, Tier } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import type { Vault } from '#platform/crypto.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import type { OutgoingRules } from '#platform/outgoing/rules.ts';
import { outgoingUrlFault } from '#platform/outgoing/url.ts';
import { countBound, type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import { audit } from '../audit/audit.ts';
import { requireRoleOn, requireRoleStill, requireSelf, requireVerified } from '../policy.ts';
import { quotaEvents } from '../quota.ts';
import type { TierService } from '../tiers/service.ts';
import {
  cancelPendingSql, countEndpointsSql, deleteEndpointSql, endpointByIdSql, insertEndpointSql, listEndpointsSql, lockEndpointSql, lockProjectSql, rotateSecretSql,
  updateEndpointSql, usedEndpointsSql,
} from './queries.ts';
import { type EndpointRow, originOf, presentEndpoint, requireVersion, type Versioned, versionedEndpoint } from './rows.ts';
import { newSecret, sealSecret } from './secrets.ts';

export interface WebhookDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly tiers: TierService;
  readonly vault: Vault;
  readonly rules: OutgoingRules;
}

/** A day, as the contract's default says, where the body is left out. */
const usualOverlapSeconds = 86_400;

export class WebhookService {
  readonly #on: WebhookDependencies;

  constructor(dependencies: WebhookDependencies) {
    this.#on = dependencies;
  }

  /** A project's endpoints, newest first. Two statements beside the policy's under an offset, one under a cursor. */
  async list(call: Call, projectId: string, query: PageQuery & { readonly is_active?: boolean | undefined }): Promise<WebhookPage> {
    const { db } = this.#on;
    const access = await requireRoleOn(db, call, 'project', projectId);
    const filters = { webhooks_of: access.projectId, is_active: query.is_active };
    const after = readCursor(query, filters);
    const isActive = query.is_active ?? null;
    const rows = await db.named<EndpointRow>('webhooks.list', listEndpointsSql, [
      access.projectId, isActive, after?.at ?? null, after?.id ?? null, query.limit + 1, after === null ? (query.offset ?? 0) : 0,
    ]);
    const [counted] = after === null ? await db.named<{ total: number }>('webhooks.count', countEndpointsSql, [access.projectId, isActive, countBound + 1]) : [];
    return pageOf(rows.map(presentEndpoint), query, filters, counted?.total ?? null, (row) => ({ at: row.created_at, id: row.id }));
  }

  /**
   * Makes an endpoint and shows its secret this once; QUOTA_EXCEEDED beyond what the tier of the project's owner allows,
   * also under a race. Five statements beside the policy's, one more for the last places.
   */
  async create(call: Call, projectId: string, body: WebhookCreate): Promise<WebhookWithSecret> {
    const { db, vault } = this.#on;
    const access = await requireRoleOn(db, call, 'project', projectId);
    const userId = requireVerified(call);
    this.#requireUrl(body.url);
    return transact(db, call, async (trx) => {
      await this.#requireRoom(trx, call, access.projectId);
      const [id, secret] = [newId(), newSecret()];
      const sealed = sealSecret(vault, secret, id);
      const [row] = await db.namedIn<EndpointRow>(trx, 'webhooks.insert', insertEndpointSql, [
        id, access.projectId, body.url, body.event_types, body.is_active ?? true, userId, sealed.data, sealed.keyId,
      ]);
      if (row === undefined) throw new Error('webhook_endpoints answered no row for an insert');
      const data = { origin: originOf(row.url), event_types: row.event_types, is_active: row.is_active };
      await audit(trx, call, { event_type: 'webhook.created', entity_type: 'webhook', entity_id: id, project_id: row.project_id, data });
      return { webhook: presentEndpoint(row), secret };
    });
  }

  async get(call: Call, webhookId: string): Promise<Versioned<Webhook>> {
    const { db } = this.#on;
    await requireRoleOn(db, call, 'webhook', webhookId);
    const [row] = await db.named<EndpointRow>('webhooks.by_id', endpointByIdSql, [webhookId]);
    if (row === undefined) throw notFound();
    return versionedEndpoint(row);
  }

  /** Merges. Switched off it cancels what waits; switched on it begins anew, and brings nothing back. */
  async update(call: Call, webhookId: string, body: WebhookUpdate): Promise<Versioned<Webhook>> {
    const { db } = this.#on;
    await requireRoleOn(db, call, 'webhook', webhookId);
    if (body.url !== undefined) this.#requireUrl(body.url);
    return transact(db, null, async (trx) => {
      const before = await this.#lock(trx, call, webhookId);
      const { url = before.url, event_types: types = before.event_types, is_active: isActive = before.is_active } = body;
      const [after] = await db.namedIn<EndpointRow>(trx, 'webhooks.update', updateEndpointSql, [before.id, url, types, isActive]);
      if (after === undefined) throw notFound();
      if (before.is_active && !isActive) await db.namedIn(trx, 'webhooks.cancel_pending', cancelPendingSql, [before.id, true]);
      const changes = differences(before, after);
      if (Object.keys(changes).length > 0) {
        await audit(trx, call, { event_type: 'webhook.updated', entity_type: 'webhook', entity_id: after.id, project_id: after.project_id, data: { changes } });
      }
      return versionedEndpoint(after);
    });
  }

  /** Ends it at once: its secrets are gone, and nothing is sent or shown of it any more. Its rows go by a sweep. */
  async remove(call: Call, webhookId: string): Promise<void> {
    const { db } = this.#on;
    await requireRoleOn(db, call, 'webhook', webhookId);
    await transact(db, null, async (trx) => {
      const row = await this.#lock(trx, call, webhookId);
      await db.namedIn(trx, 'webhooks.delete', deleteEndpointSql, [row.id]);
      await db.namedIn(trx, 'webhooks.cancel_pending', cancelPendingSql, [row.id, false]);
      const data = { origin: originOf(row.url), event_types: row.event_types };
      await audit(trx, call, { event_type: 'webhook.deleted', entity_type: 'webhook', entity_id: row.id, project_id: row.project_id, data });
    });
  }

  /** Makes a new secret and shows it this once; the one until now signs beside it for the overlap. */
  async rotateSecret(call: Call, webhookId: string, body: WebhookSecretRotate | undefined): Promise<WebhookSecretRotated> {
    const { db, vault, clock } = this.#on;
    await requireRoleOn(db, call, 'webhook', webhookId);
    const overlapSeconds = body?.overlap_seconds ?? usualOverlapSeconds;
    const endsAt = new Date(clock.now() + overlapSeconds * 1000).toISOString();
    return transact(db, call, async (trx) => {
      const { id } = await this.#lock(trx, call, webhookId);
      const secret = newSecret();
      const sealed = sealSecret(vault, secret, id);
      const [row] = await db.namedIn<EndpointRow>(trx, 'webhooks.rotate', rotateSecretSql, [id, sealed.data, sealed.keyId, overlapSeconds === 0 ? null : endsAt]);
      if (row === undefined) throw notFound();
      await audit(trx, call, {
        event_type: 'webhook.secret_rotated', entity_type: 'webhook', entity_id: id, project_id: row.project_id, data: { overlap_seconds: overlapSeconds },
      });
      return { webhook: presentEndpoint(row), secret, previous_expires_at: endsAt };
    });
  }

  /** The row under the call's If-Match, locked until the commit. */
  async #lock(trx: Knex.Transaction, call: Call, webhookId: string): Promise<EndpointRow> {
    const [row] = await this.#on.db.namedIn<EndpointRow>(trx, 'webhooks.lock', lockEndpointSql, [webhookId]);
    if (row === undefined) throw notFound();
    requireVersion(call.ifMatch, row.row_version);
    return row;
  }

  /** One more must fit. The project's row is locked, so that two at once cannot both take the last place, nor somebody who lost the role meanwhile. */
  async #requireRoom(trx: Knex.Transaction, call: Call, projectId: string): Promise<void> {
    const { db, tiers } = this.#on;
    const [project] = await db.namedIn<{ owner_id: string; tier: Tier }>(trx, 'webhooks.lock_project', lockProjectSql, [projectId]);
    if (project === undefined) throw notFound();
    await requireRoleStill(db, trx, call, 'project', projectId);
    const { webhooks_per_project: allowed } = await tiers.limitsOf(project.tier);
    if (allowed === null) return;
    const [counted] = await db.namedIn<{ used: number }>(trx, 'webhooks.used', usedEndpointsSql, [projectId]);
    const used = counted?.used ?? 0;
    if (used < allowed) {
      await emit(trx, ...quotaEvents(project.owner_id, { limit: 'webhooks_per_project', used: used + 1, allowed, tier: project.tier }));
      return;
    }
    const refusal = await tiers.quotaExceeded('webhooks_per_project', project.tier, used);
    if (project.owner_id === requireSelf(call)) throw refusal;
    throw new ServiceError('QUOTA_EXCEEDED', `The owner's tier (${project.tier}) allows ${allowed} webhooks in a project. Delete one, or ask the owner.`, { details: refusal.details });
  }

  #requireUrl(url: string): void {
    const fault = outgoingUrlFault(url, this.#on.rules);
    if (fault === null) return;
    throw new ServiceError('VALIDATION_ERROR', `The URL ${fault}.`, { details: [{ pointer: '#/body/url', message: fault, rule: 'webhookUrl' }] });
  }
}

/** Old and new of what a change moved, for the audit trail; of URLs their origins, and that they are not the same. */
function differences(before: EndpointRow, after: EndpointRow): Record<string, { readonly from: unknown; readonly to: unknown }> {
  const changes: Record<string, { from: unknown; to: unknown }> = {};
  if (before.url !== after.url) changes['origin'] = { from: originOf(before.url), to: originOf(after.url) };
  if (before.event_types.join() !== after.event_types.join()) changes['event_types'] = { from: before.event_types, to: after.event_types };
  if (before.is_active !== after.is_active) changes['is_active'] = { from: before.is_active, to: after.is_active };
  return changes;
}
