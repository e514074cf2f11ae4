/** Signing in: a session, the device it is on, and the first refresh token of its family. */
import type { KeyObject } from 'node:crypto';
import type { Knex } from 'knex';
import { emit } from '#jobs/outbox.ts';
import type { Call } from '#platform/call.ts';
import { newId } from '#platform/ids.ts';
import { hashOf, refreshLifetimeMs, refreshToken } from './refresh-tokens.ts';

export interface Device {
  readonly device_id: string;
  readonly name: string;
  readonly platform: string;
}

export interface OpenedSession {
  readonly sessionId: string;
  readonly refreshToken: string;
}

/** Opens a session for an account, in the transaction of the sign-in. Two statements, three with a device. */
export async function openSession(
  trx: Knex.Transaction, call: Call,
  { userId, device, authenticatedAtMs }: { readonly userId: string; readonly device: Device | null; readonly authenticatedAtMs: number },
  refreshKey: KeyObject,
): Promise<OpenedSession> {
  const sessionId = newId();
  await trx('sessions').insert({
    id: sessionId,
    user_id: userId,
    device_session_id: device === null ? null : await rememberDevice(trx, userId, device),
    ip_address: call.ip,
    user_agent: call.userAgent.slice(0, 512),
    authenticated_at: new Date(authenticatedAtMs).toISOString(),
    expires_at: trx.raw("now() + interval '1 millisecond' * ?", [refreshLifetimeMs]),
  });
  const family = newId();
  return { sessionId, refreshToken: await writeToken(trx, refreshKey, sessionId, family, 0) };
}

/** Adds the token of a family at a counter; answers it. Only its hash is stored. */
export async function writeToken(trx: Knex.Transaction, refreshKey: KeyObject, sessionId: string, family: string, counter: number): Promise<string> {
  const token = refreshToken(refreshKey, family, counter);
  await trx('refresh_tokens').insert({
    id: newId(),
    session_id: sessionId,
    family,
    counter,
    token_hash: hashOf(token),
    expires_at: trx.raw("now() + interval '1 millisecond' * ?", [refreshLifetimeMs]),
  });
  return token;
}

/** Which sessions of an account end: all, all but one, or those of one id or device. */
export interface WhichSessions {
  readonly exceptId?: string;
  readonly onlyId?: string;
  readonly deviceSessionId?: string;
}

/**
 * Ends open sessions of an account and answers their ids: tell `Revocations` of them after the commit. Three statements
 * however many there are. A sign-in under way at the same moment is waited for and ended too, or finds the account as it
 * is afterwards.
 */
export async function endSessions(trx: Knex.Transaction, userId: string, which: WhichSessions = {}): Promise<string[]> {
  if (which.onlyId === undefined) await trx('users').where({ id: userId }).forNoKeyUpdate().select('id');
  const ended: { id: string }[] = await trx('sessions')
    .where({ user_id: userId })
    .whereNull('revoked_at')
    .modify((query) => {
      if (which.exceptId !== undefined) query.whereNot({ id: which.exceptId });
      if (which.onlyId !== undefined) query.where({ id: which.onlyId });
      if (which.deviceSessionId !== undefined) query.where({ device_session_id: which.deviceSessionId });
    })
    .update({ revoked_at: trx.fn.now() })
    .returning('id');
  await emit(trx, ...ended.map(({ id }) => ({ type: 'session.revoked', entityId: id, userId, data: {} })));
  return ended.map(({ id }) => id);
}

async function rememberDevice(trx: Knex.Transaction, userId: string, device: Device): Promise<string> {
  const [row] = await trx('device_sessions')
    .insert({ id: newId(), user_id: userId, device_id: device.device_id, device_name: device.name, platform: device.platform })
    .onConflict(['user_id', 'device_id'])
    .merge({ device_name: device.name, platform: device.platform, last_seen: trx.fn.now() })
    .returning<{ id: string }[]>('id');
  if (row === undefined) throw new Error('device_sessions answered no row for an upsert');
  return row.id;
}
