import type { KeyObject } from 'node:crypto';
import type { Knex } from 'knex';
import type { DeviceLink, DeviceLinkCreate, DeviceLinkGrant, DeviceLinkPoll, TokenPair } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import { randomToken, sha256 } from '#platform/crypto.ts';
import { type Database, transact, violatedConstraint } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import { audit } from '../audit/audit.ts';
import { consumeLinkSql, findLinkSql, type LinkRow, lockLinkSql, notePollSql, type PolledLink, pollLinkSql } from './device-link-queries.ts';
import { lockAccountSql } from './queries.ts';
import { requireSession } from './session-service.ts';
import type { SignIns } from './sign-ins.ts';
import { hashOfUserCode, newUserCode, plainUserCode, shownUserCode, type UserCodeGuesses } from './user-codes.ts';

const lifetimeSeconds = 900;
const firstIntervalSeconds = 5;
/** What a poll that comes too early adds to the interval, for good. */
const slowerSeconds = 5;
const longestIntervalSeconds = 60;
/** Two open links with one code would be one in some ten million. */
const codeTries = 3;

export interface DeviceLinkDependencies {
  readonly db: Database;
  readonly signIns: SignIns;
  readonly guesses: UserCodeGuesses;
  /** Keys the hashes of user codes; the previous one still finds the codes shown before a rotation. */
  readonly codeKey: KeyObject;
  readonly previousCodeKey: KeyObject | null;
  readonly baseUrl: string;
}

type Decision = 'approved' | 'denied';
/** What a poll came to; the interval it lengthened is committed, and only then told as an error. */
type Polled = { readonly kind: 'linked'; readonly pair: TokenPair } | { readonly kind: 'pending' | 'early'; readonly interval: number } | { readonly kind: 'denied' | 'expired' };

/** Signs in a device without a keyboard: it shows a code, and a person who is signed in elsewhere approves it (RFC 8628). */
export class DeviceLinkService {
  readonly #on: DeviceLinkDependencies;

  constructor(dependencies: DeviceLinkDependencies) {
    this.#on = dependencies;
  }

  /** Two codes: one that the device keeps to poll by, one that it shows. Only their hashes are kept. */
  async create(call: Call, body: DeviceLinkCreate): Promise<DeviceLinkGrant> {
    const deviceCode = randomToken();
    for (let tries = 1; ; tries += 1) {
      const userCode = newUserCode();
      try {
        await this.#insert(call, body, deviceCode, userCode);
        return this.#grant(deviceCode, userCode);
      } catch (error) {
        if (violatedConstraint(error) !== 'device_links_user_code_hash_key' || tries === codeTries) throw error;
      }
    }
  }

  /** What a person judges before approving; NOT_FOUND alike for a code that is unknown or has expired. */
  async get(call: Call, typed: string): Promise<DeviceLink> {
    const { userId } = requireSession(call);
    const code = plainUserCode(typed);
    const guess = await this.#on.guesses.begin(userId);
    const [row] = await this.#on.db.named<LinkRow>('auth.find_link', findLinkSql, this.#hashesOf(code));
    if (row === undefined) throw notFound();
    await guess.hit();
    return present(row, code);
  }

  /** Lets the device sign in as the caller at its next poll. Again changes nothing; CONFLICT when it was decided otherwise or by another. */
  async approve(call: Call, typed: string): Promise<DeviceLink> {
    return this.#decide(call, typed, 'approved');
  }

  async deny(call: Call, typed: string): Promise<DeviceLink> {
    return this.#decide(call, typed, 'denied');
  }

  /** Answers the token pair to exactly one poll after the approval; until then an error that says when to ask again. */
  async poll(call: Call, { device_code: deviceCode }: DeviceLinkPoll): Promise<TokenPair> {
    const polled = await transact(this.#on.db, null, (trx) => this.#poll(trx, call, sha256(deviceCode)));
    switch (polled.kind) {
      case 'linked': return polled.pair;
      case 'pending': throw new ServiceError('AUTHORIZATION_PENDING', `The person has not decided yet. Ask again in ${polled.interval} seconds.`, {
        details: { interval: polled.interval },
      });
      case 'early': throw new ServiceError('SLOW_DOWN', `You ask too often. Ask again in ${polled.interval} seconds.`, {
        details: { interval: polled.interval },
      });
      case 'denied': throw new ServiceError('ACCESS_DENIED', 'The person declined.');
      case 'expired': throw new ServiceError('EXPIRED_TOKEN', 'The code has expired. Begin again.');
    }
  }

  async #insert(call: Call, { client_name, device }: DeviceLinkCreate, deviceCode: string, userCode: string): Promise<void> {
    await this.#on.db.knex('device_links').insert({
      id: newId(), client_name, device_id: device?.device_id ?? null, device_name: device?.name ?? null, platform: device?.platform ?? null,
      device_code_hash: sha256(deviceCode), user_code_hash: hashOfUserCode(this.#on.codeKey, userCode),
      ip_address: call.ip, user_agent: call.userAgent.slice(0, 512), interval_seconds: firstIntervalSeconds,
      expires_at: this.#on.db.knex.raw("now() + interval '1 second' * ?", [lifetimeSeconds]),
    });
  }

  #grant(deviceCode: string, userCode: string): DeviceLinkGrant {
    const shown = shownUserCode(userCode);
    const where = `${this.#on.baseUrl}/link`;
    return {
      device_code: deviceCode, user_code: shown, verification_uri: where, verification_uri_complete: `${where}?code=${shown}`,
      expires_in: lifetimeSeconds, interval: firstIntervalSeconds,
    };
  }

  async #decide(call: Call, typed: string, decision: Decision): Promise<DeviceLink> {
    const { userId, sessionId, authenticatedAtMs } = requireSession(call);
    const code = plainUserCode(typed);
    const guess = await this.#on.guesses.begin(userId);
    const link = await transact(this.#on.db, null, async (trx) => {
      const [row] = await this.#on.db.namedIn<LinkRow>(trx, 'auth.lock_link', lockLinkSql, this.#hashesOf(code));
      if (row?.status === 'pending') {
        await trx('device_links').where({ id: row.id }).update({
          status: decision, user_id: userId, session_id: sessionId, authenticated_at: new Date(authenticatedAtMs).toISOString(), decided_at: trx.fn.now(),
        });
        const data = { client_name: row.client_name, device_name: row.device_name };
        await audit(trx, call, { event_type: `device_link.${decision}`, entity_type: 'device_link', entity_id: row.id, data });
        return { ...row, status: decision, user_id: userId };
      }
      return row;
    });
    if (link === undefined) throw notFound();
    await guess.hit();
    if (link.status === decision && link.user_id === userId) return present(link, code);
    throw new ServiceError('CONFLICT', 'This device was decided on already.', { details: { status: link.status } });
  }

  async #poll(trx: Knex.Transaction, call: Call, codeHash: Buffer): Promise<Polled> {
    const [row] = await this.#on.db.namedIn<PolledLink>(trx, 'auth.poll_link', pollLinkSql, [codeHash]);
    if (row === undefined) return { kind: 'expired' };
    if (row.status === 'denied') return { kind: 'denied' };
    if (row.status === 'approved') return this.#link(trx, call, row);
    const interval = row.is_early ? Math.min(row.interval_seconds + slowerSeconds, longestIntervalSeconds) : row.interval_seconds;
    await this.#on.db.namedIn(trx, 'auth.note_poll', notePollSql, [row.id, interval]);
    return { kind: row.is_early ? 'early' : 'pending', interval };
  }

  /** As recent as the sign-in that approved it; void where that session has ended, or its account is suspended. */
  async #link(trx: Knex.Transaction, call: Call, row: PolledLink): Promise<Polled> {
    const { user_id: userId, authenticated_at: authenticatedAt } = row;
    if (userId === null || authenticatedAt === null) return { kind: 'expired' };
    const account = await this.#on.db.namedIn(trx, 'auth.lock_standing_account', lockAccountSql, [userId]);
    if (account.length === 0) return { kind: 'expired' };
    const consumed = await this.#on.db.namedIn(trx, 'auth.consume_link', consumeLinkSql, [row.id]);
    if (consumed.length === 0) return { kind: 'expired' };
    const device = row.device_id === null || row.device_name === null || row.platform === null
      ? null
      : { device_id: row.device_id, name: row.device_name, platform: row.platform };
    const pair = await this.#on.signIns.open(trx, call, { userId, device, authenticatedAtMs: Date.parse(authenticatedAt), isApproved: true });
    await audit(trx, call, {
      event_type: 'device_link.completed', entity_type: 'device_link', entity_id: row.id, user_id: userId,
      data: { session_id: pair.session_id, client_name: row.client_name, device_name: row.device_name },
    });
    return { kind: 'linked', pair };
  }

  #hashesOf(code: string): [Buffer, Buffer | null] {
    const { codeKey, previousCodeKey } = this.#on;
    return [hashOfUserCode(codeKey, code), previousCodeKey === null ? null : hashOfUserCode(previousCodeKey, code)];
  }
}

const present = (row: LinkRow, code: string): DeviceLink => ({
  user_code: shownUserCode(code),
  status: row.status,
  client_name: row.client_name,
  device_name: row.device_name,
  platform: row.platform,
  ip_address: row.ip_address,
  user_agent: row.user_agent,
  created_at: row.created_at,
  expires_at: row.expires_at,
});
