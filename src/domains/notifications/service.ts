/** What people are told of events that concern them: once for each event, by the channels they chose for its type. */
import type { Knex } from 'knex';
import type { NotificationChannels, NotificationChannelsMap, NotificationType, TierLimits } from '#generated/sdk/types.gen.ts';
import { mailSendKind } from '#jobs/mail-job.ts';
import { addSystemJobs } from '#jobs/system-jobs.ts';
import type { Tier } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { newId } from '#platform/ids.ts';
import type { ProjectMembershipService } from '../projects/membership-service.ts';
import { isNear, quotaKey } from '../quota.ts';
import type { TierService } from '../tiers/service.ts';
import type { NotificationFeed } from './feed.ts';
import { hasOwnMail, notificationMail } from './mails.ts';
import { channelsSql, dropChannelsSql, insertSql, lockPeopleSql, recipientsSql, setChannelsSql, usedTodayByAllSql, usedTodaySql } from './queries.ts';
import { isUrgent, shippedChannels, shippedMark, withShipped } from './types.ts';

export interface Notice {
  readonly userIds: readonly string[];
  readonly type: NotificationType;
  /** Enough to show it without asking further; the contract lists the keys of each type. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** Names the event among all that a person is ever told of: told again under the same key, nothing happens. */
  readonly eventKey: string;
  /** Only those who may open this project now are told. */
  readonly projectId?: string | null;
}

/** One event for one person, where each is told something else. */
export interface Telling extends Omit<Notice, 'userIds' | 'type'> { readonly userId: string }

export interface NotificationDependencies {
  readonly db: Database;
  readonly tiers: TierService;
  readonly members: Pick<ProjectMembershipService, 'activeMembers' | 'activeAmong'>;
  readonly feed: Pick<NotificationFeed, 'changed'>;
}

/** Channels by type to be set; null puts a type back to what is shipped. */
export type ChannelChanges = Readonly<Partial<Record<NotificationType, NotificationChannels | null>>>;

interface Recipient {
  readonly id: string;
  readonly tier: Tier;
  readonly in_app: boolean | null;
  readonly email: boolean | null;
  readonly near_in_app: boolean | null;
  readonly near_email: boolean | null;
}
interface Row {
  readonly id: string;
  readonly userId: string;
  readonly type: NotificationType;
  readonly payload: string;
  readonly eventKey: string;
  readonly projectId: string | null;
  readonly isListed: boolean;
  readonly isMailed: boolean;
  /** Which of its person's it is, from 0. */
  readonly nth: number;
}
type ChannelRow = NotificationChannels & { readonly type: NotificationType };

const nearType = 'account.quota_near';

export class NotificationService {
  readonly #on: NotificationDependencies;
  readonly #db: Database;

  constructor(dependencies: NotificationDependencies) {
    this.#on = dependencies;
    this.#db = dependencies.db;
  }

  /** Part of the version of what `channels` answers: what is shipped. */
  readonly shippedMark = shippedMark;

  /** Tells in a transaction of its own, then wakes the streams. Harmless however often it is repeated. */
  async tell(...notices: readonly Notice[]): Promise<void> {
    const told = await transact(this.#db, null, async (trx) => {
      const ids = new Set<string>();
      // Events are told beside each other: two that name the same people in another order would wait for each other.
      if (notices.length > 1) await this.#db.namedIn(trx, 'notifications.lock_people', lockPeopleSql, [notices.flatMap(({ userIds }) => userIds)]);
      for (const notice of notices) for (const id of await this.notifyAll(trx, notice)) ids.add(id);
      return [...ids];
    });
    this.#on.feed.changed(told);
  }

  /**
   * The same of many events of one type, each with the one who is told: eight statements, however many. Of those with a
   * project, only who may open it now is told.
   */
  async tellEach(type: NotificationType, tellings: readonly Telling[]): Promise<void> {
    if (tellings.length === 0) return;
    const told = await transact(this.#db, null, async (trx) => {
      const inProjects = tellings.flatMap(({ userId, projectId = null }) => (projectId === null ? [] : [{ userId, projectId }]));
      const mayOpen = await this.#on.members.activeAmong(trx, inProjects);
      return this.notifyEach(trx, type, tellings.filter(({ userId, projectId = null }) => projectId === null || mayOpen({ userId, projectId })));
    });
    this.#on.feed.changed([...new Set(told)]);
  }

  /**
   * Tells people of an event, in the transaction of whoever learnt of it, however often that is; answers who was told now.
   * Six statements at most, however many people.
   */
  async notifyAll(trx: Knex.Transaction, { userIds, type, projectId = null, ...rest }: Notice): Promise<string[]> {
    const asked = [...new Set(userIds)];
    const ids = projectId === null || asked.length === 0 ? asked : [...await this.#on.members.activeMembers(projectId, asked, trx)];
    return this.notifyEach(trx, type, ids.map((userId) => ({ ...rest, userId, projectId })));
  }

  /**
   * The same of many events of one type, each with the one who is told; that they may open its project is the caller's to
   * see to. Five statements at most. Beyond a tier's `notifications_per_day` nothing is made but the mail of what is
   * urgent. Nobody is told whose account is gone.
   */
  async notifyEach(trx: Knex.Transaction, type: NotificationType, tellings: readonly Telling[]): Promise<string[]> {
    if (tellings.length === 0) return [];
    const ids = [...new Set(tellings.map(({ userId }) => userId))];
    const recipients = await this.#db.namedIn<Recipient>(trx, 'notifications.recipients', recipientsSql, [ids, type, nearType]);
    const limits = new Map<Tier, TierLimits>();
    for (const { tier } of recipients) if (!limits.has(tier)) limits.set(tier, await this.#on.tiers.limitsOf(tier));
    const used = await this.#usedToday(trx, recipients, limits);
    const byPerson = Map.groupBy(tellings, ({ userId }) => userId);
    return this.#insert(trx, recipients.flatMap((recipient) =>
      rowsOf(recipient, type, byPerson.get(recipient.id) ?? [], used.get(recipient.id) ?? 0, limits.get(recipient.tier)?.notifications_per_day ?? null)));
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

  /** What each has had today, under the locks; nothing of those without a cap. */
  async #usedToday(trx: Knex.Transaction, recipients: readonly Recipient[], limits: ReadonlyMap<Tier, TierLimits>): Promise<Map<string, number>> {
    const capped = recipients.filter(({ tier }) => (limits.get(tier)?.notifications_per_day ?? null) !== null).map(({ id }) => id);
    if (capped.length === 0) return new Map();
    const rows = await this.#db.namedIn<{ id: string; used: number }>(trx, 'notifications.used_today_by_all', usedTodayByAllSql, [capped]);
    return new Map(rows.map(({ id, used }) => [id, used]));
  }

  async #insert(trx: Knex.Transaction, rows: readonly Row[]): Promise<string[]> {
    if (rows.length === 0) return [];
    const inserted = await this.#db.namedIn<{ id: string; user_id: string }>(trx, 'notifications.insert', insertSql, [
      rows.map(({ id }) => id), rows.map(({ userId }) => userId), rows.map((row) => row.projectId ?? ''), rows.map(({ type }) => type), rows.map(({ payload }) => payload),
      rows.map(({ eventKey }) => eventKey), rows.map(({ isListed }) => isListed), rows.map((row) => row.isMailed && !hasOwnMail(row.type)), rows.map(({ nth }) => nth),
    ]);
    const isNew = new Set(inserted.map(({ id }) => id));
    await addSystemJobs(trx, rows.filter((row) => isNew.has(row.id) && row.isMailed && hasOwnMail(row.type))
      .map(({ id }) => ({ kind: mailSendKind, payload: { notification_id: id, template: notificationMail } })));
    return inserted.map(({ user_id: userId }) => userId);
  }
}

/** What of this becomes of one person, the day's cap and their channels regarded; and that the cap is nearly reached, where this is it. */
function rowsOf(recipient: Recipient, type: NotificationType, tellings: readonly Telling[], usedBefore: number, allowed: number | null): Row[] {
  const { id: userId, tier } = recipient;
  const channels = channelsOr(recipient.in_app, recipient.email, type);
  const near = channelsOr(recipient.near_in_app, recipient.near_email, nearType);
  const rows: Row[] = [];
  let used = usedBefore;
  const add = (of: NotificationType, { payload, eventKey, projectId = null }: Omit<Telling, 'userId'>, isListed: boolean, isMailed: boolean): void => {
    if (!isListed && !isMailed) return;
    rows.push({ id: newId(), userId, type: of, payload: JSON.stringify(payload), eventKey, projectId, isListed, isMailed, nth: rows.length });
    if (isListed) used += 1;
  };
  for (const telling of tellings) {
    const hasRoom = allowed === null || used < allowed;
    add(type, telling, channels.in_app && hasRoom, channels.email && (hasRoom || isUrgent(type)));
    if (allowed === null || !channels.in_app || !isNear(used, allowed) || used >= allowed) continue;
    const use = { limit: 'notifications_per_day', used, allowed, tier } as const;
    add(nearType, { payload: use, eventKey: quotaKey(use) }, near.in_app, near.email);
  }
  return rows;
}

const channelsOr = (inApp: boolean | null, email: boolean | null, type: NotificationType): NotificationChannels =>
  (inApp === null || email === null ? shippedChannels(type) : { in_app: inApp, email });

const channelsOf = (rows: readonly ChannelRow[]): NotificationChannelsMap =>
  Object.fromEntries(rows.map(({ type, in_app, email }) => [type, { in_app, email }]));
