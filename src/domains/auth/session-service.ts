import type { Knex } from 'knex';
import type { Device, DevicePage, Session, SessionPage } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import { audit } from '../audit/audit.ts';
import { requireSelf } from '../policy.ts';
import type { Revocations } from './revocations.ts';
import { countDevicesSql, countSessionsSql, listDevicesSql, listSessionsSql } from './session-queries.ts';
import { endSessions, type WhichSessions } from './sessions.ts';

type SessionRow = Omit<Session, 'current'>;

/** A person's sessions and devices; and the end of them, for whoever ends an account's access. */
export class SessionService {
  readonly #db: Database;
  readonly #revocations: Revocations;

  constructor(db: Database, revocations: Revocations) {
    this.#db = db;
    this.#revocations = revocations;
  }

  /** The caller's sessions that have not ended, last seen first. Two statements under an offset, one under a cursor. */
  async list(call: Call, query: PageQuery): Promise<SessionPage> {
    const { userId, sessionId } = requireSession(call);
    const page = await this.#page<SessionRow>(query, { name: 'sessions', list: listSessionsSql, count: countSessionsSql }, userId, []);
    return { ...page, items: page.items.map((row) => ({ ...row, current: row.id === sessionId })) };
  }

  /** Every device the caller has signed in with, last seen first. */
  async listDevices(call: Call, query: PageQuery): Promise<DevicePage> {
    const { userId, sessionId } = requireSession(call);
    return this.#page<Device>(query, { name: 'devices', list: listDevicesSql, count: countDevicesSql }, userId, [sessionId]);
  }

  /** Ends the caller's session; its access token is refused from the next request on, in every replica. */
  async logout(call: Call): Promise<void> {
    await this.#endOne(call, requireSession(call).sessionId);
  }

  /** The same for any session of the caller; NOT_FOUND where it has ended already. */
  async revoke(call: Call, sessionId: string): Promise<void> {
    if (!(await this.#endOne(call, sessionId))) throw notFound();
  }

  /** The same for every session but the one the request came by. */
  async revokeOthers(call: Call): Promise<void> {
    const { userId, sessionId } = requireSession(call);
    const ended = await transact(this.#db, null, async (trx) => {
      const ids = await endSessions(trx, userId, { exceptId: sessionId });
      await audit(trx, call, { event_type: 'session.others_revoked', entity_type: 'session', entity_id: sessionId, data: { sessions_ended: ids.length } });
      return ids;
    });
    await this.told(ended);
  }

  /** Forgets a device and ends its sessions; what they were, and from where, stays known without it. */
  async removeDevice(call: Call, deviceId: string): Promise<void> {
    const { userId } = requireSession(call);
    const ended = await transact(this.#db, null, async (trx) => {
      const ids = await endSessions(trx, userId, { deviceSessionId: deviceId });
      const own = trx('device_sessions').where({ id: deviceId, user_id: userId });
      await trx('sessions').whereIn('device_session_id', own.clone().select('id')).update({ device_session_id: null });
      const [device] = await own.del().returning<{ device_name: string; platform: string }[]>(['device_name', 'platform']);
      if (device === undefined) throw notFound();
      await audit(trx, call, { event_type: 'device.removed', entity_type: 'device', entity_id: deviceId, data: { ...device, sessions_ended: ids.length } });
      return ids;
    });
    await this.told(ended);
  }

  /** Ends sessions of an account inside the caller's transaction; hand what it answers to `told` after the commit. */
  async end(trx: Knex.Transaction, userId: string, which: WhichSessions = {}): Promise<string[]> {
    return endSessions(trx, userId, which);
  }

  /** Makes ended sessions (or revoked API keys) known to every replica. */
  async told(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#revocations.revoke(...ids);
  }

  async #endOne(call: Call, sessionId: string): Promise<boolean> {
    const { userId } = requireSession(call);
    const ended = await transact(this.#db, null, async (trx) => {
      const ids = await endSessions(trx, userId, { onlyId: sessionId });
      if (ids.length > 0) await audit(trx, call, { event_type: 'session.revoked', entity_type: 'session', entity_id: sessionId });
      return ids;
    });
    await this.told(ended);
    return ended.length > 0;
  }

  async #page<Row extends { readonly id: string; readonly last_seen: string }>(
    query: PageQuery, { name, list, count }: { readonly name: string; readonly list: string; readonly count: string }, userId: string, more: readonly string[],
  ): Promise<Awaited<ReturnType<typeof pageOf<Row>>>> {
    const filters = { of: name };
    const after = readCursor(query, filters);
    const rows = await this.#db.named<Row>(`auth.list_${name}`, list, [
      userId, after?.at ?? null, after?.id ?? null, query.limit + 1, after === null ? (query.offset ?? 0) : 0, ...more,
    ]);
    const [counted] = after === null ? await this.#db.named<{ total: number }>(`auth.count_${name}`, count, [userId]) : [];
    return pageOf(rows, query, filters, counted?.total ?? null, (row) => ({ at: row.last_seen, id: row.id }));
  }
}

/** The signed-in person and the session the request came by. */
export function requireSession(call: Call): { readonly userId: string; readonly sessionId: string; readonly authenticatedAtMs: number } {
  const userId = requireSelf(call);
  if (call.caller.kind !== 'user') throw new ServiceError('FORBIDDEN', 'This is for a signed-in person; an API key has no session.');
  return { userId, sessionId: call.caller.sessionId, authenticatedAtMs: call.caller.authenticatedAtMs };
}
