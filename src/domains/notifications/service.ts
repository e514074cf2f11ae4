/** What people are told of events that concern them: once for each event, by the channels they chose for its type. */
import type { Knex } from 'knex';
import type { NotificationChannels, NotificationChannelsMap, NotificationType } from '#generated/sdk/types.gen.ts';
import { sendMail } from '#jobs/mail-job.ts';
import type { Tier } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { newId } from '#platform/ids.ts';
import type { TierService } from '../tiers/service.ts';
import { notificationMail } from './mails.ts';
import { channelsSql, dropChannelsSql, insertSql, recipientSql, setChannelsSql, usedTodaySql } from './queries.ts';
import { isUrgent, shippedChannels, shippedMark, withShipped } from './types.ts';

export interface Notice {
  readonly userId: string;
  readonly type: NotificationType;
  /** Enough to show it without asking further; the contract lists the keys of each type. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** Names the event among all that a person is ever told of: told again under the same key, nothing happens. */
  readonly eventKey: string;
  readonly projectId?: string | null;
}

/** Channels by type to be set; null puts a type back to what is shipped. */
export type ChannelChanges = Readonly<Partial<Record<NotificationType, NotificationChannels | null>>>;

interface Recipient { readonly tier: Tier; readonly in_app: boolean | null; readonly email: boolean | null }
type ChannelRow = NotificationChannels & { readonly type: NotificationType };

export class NotificationService {
  readonly #db: Database;
  readonly #tiers: TierService;

  constructor(db: Database, tiers: TierService) {
    this.#db = db;
    this.#tiers = tiers;
  }

  /** Part of the version of what `channels` answers: what is shipped. */
  readonly shippedMark = shippedMark;

  /**
   * Tells somebody of an event, in the transaction of whoever learnt of it, however often that is. Beyond the tier's
   * `notifications_per_day` nothing is made but the mail of what is urgent. Nobody is told whose account is gone.
   */
  async notify(trx: Knex.Transaction, { userId, type, payload, eventKey, projectId = null }: Notice): Promise<void> {
    const [recipient] = await this.#db.namedIn<Recipient>(trx, 'notifications.recipient', recipientSql, [userId, type]);
    if (recipient === undefined) return;
    const channels = recipient.in_app === null || recipient.email === null ? shippedChannels(type) : { in_app: recipient.in_app, email: recipient.email };
    const hasRoom = await this.#hasRoom(trx, userId, recipient.tier);
    const isListed = channels.in_app && hasRoom;
    const isMailed = channels.email && (hasRoom || isUrgent(type));
    if (!isListed && !isMailed) return;
    const id = newId();
    const rows = await this.#db.namedIn(trx, 'notifications.insert', insertSql, [id, userId, projectId, type, JSON.stringify(payload), eventKey, isListed]);
    if (rows.length === 0) return;
    if (isMailed) await sendMail(trx, notificationMail, { notification_id: id });
  }

  /** Every type with the channels it takes for somebody. One statement. */
  async channels(userId: string): Promise<NotificationChannelsMap> {
    return withShipped(channelsOf(await this.#db.named<ChannelRow>('notifications.channels', channelsSql, [userId])));
  }

  /** The same inside a transaction, with changes made first; answers the former ones beside the present. Three statements at most. */
  async change(trx: Knex.Transaction, userId: string, changes: ChannelChanges): Promise<{ readonly before: NotificationChannelsMap; readonly after: NotificationChannelsMap }> {
    const set = channelsOf(await this.#db.namedIn<ChannelRow>(trx, 'notifications.channels', channelsSql, [userId]));
    const rows: ChannelRow[] = [];
    const dropped: NotificationType[] = [];
    const types = new Map(Object.entries(set)) as Map<NotificationType, NotificationChannels>;
    for (const [type, channels] of Object.entries(changes) as [NotificationType, NotificationChannels | null][]) {
      if (channels === null) dropped.push(type);
      else rows.push({ type, ...channels });
      if (channels === null) types.delete(type);
      else types.set(type, channels);
    }
    if (rows.length > 0) {
      const columns = [rows.map(({ type }) => type), rows.map((row) => row.in_app), rows.map((row) => row.email)] as const;
      await this.#db.namedIn(trx, 'notifications.set_channels', setChannelsSql, [userId, ...columns]);
    }
    if (dropped.length > 0) await this.#db.namedIn(trx, 'notifications.drop_channels', dropChannelsSql, [userId, dropped]);
    return { before: withShipped(set), after: withShipped(Object.fromEntries(types)) };
  }

  /** How many of `notifications_per_day` are used. One statement. */
  async usedToday(userId: string): Promise<number> {
    const [row] = await this.#db.named<{ used: number }>('notifications.used_today', usedTodaySql, [userId]);
    return row?.used ?? 0;
  }

  async #hasRoom(trx: Knex.Transaction, userId: string, tier: Tier): Promise<boolean> {
    const { notifications_per_day: allowed } = await this.#tiers.limitsOf(tier);
    if (allowed === null) return true;
    const [row] = await this.#db.namedIn<{ used: number }>(trx, 'notifications.used_today', usedTodaySql, [userId]);
    return (row?.used ?? 0) < allowed;
  }
}

const channelsOf = (rows: readonly ChannelRow[]): NotificationChannelsMap =>
  Object.fromEntries(rows.map(({ type, in_app, email }) => [type, { in_app, email }]));
