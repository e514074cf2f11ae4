/** What clients keep for an account, and by which channels it wants to be told of what. */
import { isDeepStrictEqual } from 'node:util';
import type { NotificationChannelsMap, Preferences, PreferencesMap, PreferencesUpdate } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { audit } from '../audit/audit.ts';
import type { NotificationService } from '../notifications/service.ts';
import { requireSelf } from '../policy.ts';

const columns = 'preferences, preferences_version, preferences_updated_at';
const readSql = `select ${columns} from user_profiles where user_id = $1`;
const lockSql = `${readSql} for no key update`;
/** Later than before in any case, as touch_row has it. */
const updateSql = `
  update user_profiles set preferences = $2, preferences_version = preferences_version + 1,
         preferences_updated_at = greatest(clock_timestamp(), preferences_updated_at + interval '1 millisecond')
   where user_id = $1 returning ${columns}`;

const mostKeys = 100;
const mostBytes = 32 * 1024;

interface Row { readonly preferences: PreferencesMap; readonly preferences_version: number; readonly preferences_updated_at: string }
interface Versioned { readonly entity: Preferences; readonly etag: string }

export class PreferenceService {
  readonly #db: Database;
  readonly #notifications: NotificationService;

  constructor(db: Database, notifications: NotificationService) {
    this.#db = db;
    this.#notifications = notifications;
  }

  /** Two statements. */
  async get(call: Call): Promise<Versioned> {
    const userId = requireSelf(call);
    // The version first: channels that change in between are then under a tag that has passed, never under one to come.
    const [row] = await this.#db.named<Row>('users.preferences', readSql, [userId]);
    if (row === undefined) throw notFound();
    return this.#present(row, await this.#notifications.channels(userId));
  }

  /** Merges key by key and type by type; null removes a key, and puts a type back to what is shipped. Six statements at most. */
  async update(call: Call, { preferences = {}, notifications = {} }: PreferencesUpdate): Promise<Versioned> {
    const userId = requireSelf(call);
    return transact(this.#db, null, async (trx) => {
      const [before] = await this.#db.namedIn<Row>(trx, 'users.lock_preferences', lockSql, [userId]);
      if (before === undefined) throw notFound();
      if (call.ifMatch !== null && call.ifMatch.split('-', 1)[0] !== String(before.preferences_version)) {
        throw new ServiceError('PRECONDITION_FAILED', 'The preferences changed since you read them. Read them again.');
      }
      const merged = merge(before.preferences, preferences);
      const channels = await this.#notifications.change(trx, userId, notifications);
      const stays = isDeepStrictEqual(merged, before.preferences) && isDeepStrictEqual(channels.after, channels.before);
      const [after] = stays ? [before] : await this.#db.namedIn<Row>(trx, 'users.update_preferences', updateSql, [userId, JSON.stringify(merged)]);
      if (after === undefined) throw notFound();
      // Clients keep what they like under their keys: the names tell enough.
      const data = { preferences: Object.keys(preferences), notifications: differences(channels.before, channels.after) };
      await audit(trx, call, { event_type: 'user.preferences_updated', entity_type: 'user', entity_id: userId, data });
      return this.#present(after, channels.after);
    });
  }

  #present(row: Row, notifications: NotificationChannelsMap): Versioned {
    return {
      entity: { preferences: row.preferences, notifications, updated_at: row.preferences_updated_at },
      etag: `${row.preferences_version}-${this.#notifications.shippedMark}`,
    };
  }
}

/** The bounds hold for what is kept, not for what is sent. */
function merge(kept: PreferencesMap, changes: PreferencesMap): PreferencesMap {
  const merged = Object.fromEntries(Object.entries({ ...kept, ...changes }).filter(([, value]) => value !== null));
  const count = Object.keys(merged).length;
  if (count > mostKeys) throw tooMuch(`must NOT have more than ${mostKeys} keys after the merge, has ${count}`, 'maxProperties');
  const bytes = Buffer.byteLength(JSON.stringify(merged));
  if (bytes > mostBytes) throw tooMuch(`must NOT have more than ${mostBytes} bytes after the merge, has ${bytes}`, 'maxBytes');
  return merged;
}

const tooMuch = (message: string, rule: string): ServiceError =>
  new ServiceError('VALIDATION_ERROR', 'These are more preferences than an account may keep. Remove some.', {
    details: [{ pointer: '#/body/preferences', message, rule }],
  });

function differences(before: NotificationChannelsMap, after: NotificationChannelsMap): Record<string, unknown> {
  const types = Object.keys(after) as (keyof NotificationChannelsMap)[];
  const moved = types.filter((type) => !isDeepStrictEqual(before[type], after[type]));
  return Object.fromEntries(moved.map((type) => [type, { from: before[type], to: after[type] }]));
}
