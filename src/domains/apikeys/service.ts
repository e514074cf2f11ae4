/** Keys for CI and other automation: made, changed, replaced and ended by the person they act for. */
import type { Knex } from 'knex';
import type { ApiKey, ApiKeyCreate, ApiKeyCreated, ApiKeyPage, ApiKeyRotate, ApiKeyUpdate } from '#generated/sdk/types.gen.ts';
import { emit } from '#jobs/outbox.ts';
import type { Call } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import { countBound, type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import { newApiKey } from '#platform/tokens/api-keys.ts';
import { audit } from '../audit/audit.ts';
import type { SessionService } from '../auth/session-service.ts';
import { requireRole, requireSelf, requireVerified } from '../policy.ts';
import type { TierService } from '../tiers/service.ts';
import { changedTerms, differences, etagOf, hasExpired, type KeyTerms, type LockedKey, requireFuture, requireVersion } from './keys.ts';
import { countKeysSql, insertKeySql, listKeysSql, lockKeySql, replaceKeySql, revokeKeySql, updateKeySql, usedKeysSql } from './queries.ts';

export interface ApiKeyDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly tiers: TierService;
  readonly sessions: SessionService;
}

/** An entity and its strong validator. */
interface Versioned<T> { readonly entity: T; readonly etag: string }

export class ApiKeyService {
  readonly #on: ApiKeyDependencies;

  constructor(dependencies: ApiKeyDependencies) {
    this.#on = dependencies;
  }

  /** The caller's keys, newest first, expired ones among them. Two statements under an offset, one under a cursor. */
  async list(call: Call, query: PageQuery): Promise<ApiKeyPage> {
    const userId = requireSelf(call);
    const after = readCursor(query, {});
    const offset = after === null ? (query.offset ?? 0) : 0;
    const rows = await this.#on.db.named<ApiKey>('apikeys.list', listKeysSql, [userId, after?.at ?? null, after?.id ?? null, query.limit + 1, offset]);
    const [counted] = after === null ? await this.#on.db.named<{ total: number }>('apikeys.count', countKeysSql, [userId, countBound + 1]) : [];
    return pageOf(rows, query, {}, counted?.total ?? null, (row) => ({ at: row.created_at, id: row.id }));
  }

  /** Makes a key and shows it this once; QUOTA_EXCEEDED beyond the tier's `api_keys`, also under a race. */
  async create(call: Call, body: ApiKeyCreate): Promise<Versioned<ApiKeyCreated>> {
    const userId = requireVerified(call);
    requireFuture(body.expires_at, this.#on.clock.now());
    await this.#requireProjects(call, body.project_ids);
    const terms = { name: body.name, scopes: body.scopes, project_ids: eachOnce(body.project_ids ?? null), expires_at: body.expires_at ?? null };
    const entity = await transact(this.#on.db, call, async (trx) => {
      await this.#on.tiers.requireRoom(trx, userId, 'api_keys', () => this.#usedIn(trx, userId));
      const created = await this.#insert(trx, userId, terms);
      await audit(trx, call, { event_type: 'api_key.created', entity_type: 'api_key', entity_id: created.api_key.id, data: { ...terms } });
      return created;
    }, etagOfCreated);
    return { entity, etag: etagOfCreated(entity) };
  }

  /** Merges. What a key may do is read at each request, so that the change holds from the next one on, in every replica. */
  async update(call: Call, keyId: string, body: ApiKeyUpdate): Promise<Versioned<ApiKey>> {
    const userId = requireSelf(call);
    const nowMs = this.#on.clock.now();
    requireFuture(body.expires_at, nowMs);
    await this.#requireProjects(call, body.project_ids);
    const entity = await transact(this.#on.db, call, async (trx) => {
      const before = await this.#lock(trx, userId, keyId);
      requireVersion(before, call.ifMatch);
      const { name, scopes, project_ids: projectIds, expires_at: expiresAt } = changedTerms(before, body, nowMs);
      const [after] = await this.#on.db.namedIn<ApiKey>(trx, 'apikeys.update', updateKeySql, [keyId, name, scopes, eachOnce(projectIds), expiresAt]);
      if (after === undefined) throw notFound();
      await audit(trx, call, { event_type: 'api_key.updated', entity_type: 'api_key', entity_id: keyId, data: { changes: differences(before, after) } });
      return after;
    });
    return { entity, etag: etagOf(entity) };
  }

  /** Ends a key for good: refused from the next request on, its open streams end. */
  async revoke(call: Call, keyId: string): Promise<void> {
    const userId = requireSelf(call);
    await transact(this.#on.db, null, async (trx) => {
      const [ended] = await this.#on.db.namedIn<{ id: string }>(trx, 'apikeys.revoke', revokeKeySql, [keyId, userId]);
      if (ended === undefined) throw notFound();
      await audit(trx, call, { event_type: 'api_key.revoked', entity_type: 'api_key', entity_id: keyId });
      await emitRevoked(trx, userId, keyId);
    });
    await this.#on.sessions.told([keyId]);
  }

  /** Replaces a key by a new one of the same terms; of many at once exactly one does. */
  async rotate(call: Call, keyId: string, { overlap_seconds: overlapSeconds }: ApiKeyRotate): Promise<Versioned<ApiKeyCreated>> {
    const userId = requireVerified(call);
    const nowMs = this.#on.clock.now();
    const endsAt = overlapSeconds === 0 ? null : new Date(nowMs + overlapSeconds * 1000).toISOString();
    const entity = await transact(this.#on.db, call, async (trx) => {
      // A key is made wholly before the account ends or is suspended, or not at all.
      await this.#on.tiers.lockAccount(trx, userId);
      const old = await this.#lock(trx, userId, keyId);
      if (old.replaced_by !== null) throw new ServiceError('CONFLICT', 'This key is being replaced already.', { details: { replaced_by: old.replaced_by } });
      if (hasExpired(old, nowMs)) throw new ServiceError('CONFLICT', 'This key has expired. Make a new one.', { details: { expires_at: old.expires_at } });
      const created = await this.#insert(trx, userId, old);
      await this.#on.db.namedIn(trx, 'apikeys.replace', replaceKeySql, [keyId, created.api_key.id, endsAt]);
      const data = { replaced_by: created.api_key.id, overlap_seconds: overlapSeconds };
      await audit(trx, call, { event_type: 'api_key.rotated', entity_type: 'api_key', entity_id: keyId, data });
      if (endsAt === null) await emitRevoked(trx, userId, keyId);
      return created;
    }, etagOfCreated);
    if (endsAt === null) await this.#on.sessions.told([keyId]);
    return { entity, etag: etagOfCreated(entity) };
  }

  /** How many keys count for the limit `api_keys` now. One statement. */
  async used(userId: string): Promise<number> {
    const [row] = await this.#on.db.named<{ used: number }>('apikeys.used', usedKeysSql, [userId, this.#now()]);
    return row?.used ?? 0;
  }

  async #usedIn(trx: Knex.Transaction, userId: string): Promise<number> {
    const [row] = await this.#on.db.namedIn<{ used: number }>(trx, 'apikeys.used', usedKeysSql, [userId, this.#now()]);
    return row?.used ?? 0;
  }

  async #insert(trx: Knex.Transaction, userId: string, terms: KeyTerms): Promise<ApiKeyCreated> {
    const { key, hash, prefix, lastFour } = newApiKey();
    const { name, scopes, project_ids: projectIds, expires_at: expiresAt } = terms;
    const [row] = await this.#on.db.namedIn<ApiKey>(trx, 'apikeys.insert', insertKeySql, [newId(), userId, name, hash, prefix, lastFour, scopes, projectIds, expiresAt]);
    if (row === undefined) throw new Error('api_keys answered no row for an insert');
    return { api_key: row, key };
  }

  async #lock(trx: Knex.Transaction, userId: string, keyId: string): Promise<LockedKey> {
    const [row] = await this.#on.db.namedIn<LockedKey>(trx, 'apikeys.lock', lockKeySql, [keyId, userId]);
    if (row === undefined) throw notFound();
    return row;
  }

  /** NOT_FOUND where any is none that the caller may see. One query however many. */
  async #requireProjects(call: Call, projectIds: readonly string[] | null | undefined): Promise<void> {
    if (projectIds != null) await requireRole(this.#on.db, call, 'project', projectIds, 'member');
  }

  #now(): string {
    return new Date(this.#on.clock.now()).toISOString();
  }
}

/** One id may be written in two cases. */
const eachOnce = (ids: readonly string[] | null): string[] | null => (ids === null ? null : [...new Set(ids.map((id) => id.toLowerCase()))]);

const etagOfCreated = ({ api_key: key }: ApiKeyCreated): string => etagOf(key);

/** Tells every replica again by the outbox, where the process died before it could tell. */
const emitRevoked = (trx: Knex.Transaction, userId: string, keyId: string): Promise<void> =>
  emit(trx, { type: 'api_key.revoked', entityId: keyId, userId, data: {} });
