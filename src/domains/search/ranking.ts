import type { Database } from '#platform/database.ts';
import type { Keyset } from '#platform/paging.ts';
import { hasTrigrams } from './patterns.ts';
import { found, reachSql, type SearchKind, walkedAtMost, walkedEntries, type Wanted, type Way } from './queries.ts';

/** What the caller sees: a hash that changes with it, and how much it is. */
export interface Sight { readonly stamp: string; readonly projects: number; readonly ids: readonly string[] | null; readonly entries: number }

export interface Ranked { readonly kind: SearchKind; readonly id: string; readonly score: number }
/** A page of ids with one more than asked for, and how many there are; null where not all were compared. */
export interface Found { readonly rows: readonly Ranked[]; readonly total: number | null }

export interface Place { readonly limit: number; readonly offset: number; readonly after: Keyset | null }

/** So many among the newest are results enough: older ones are left out. */
export const plenty = 250;
/** Of each project, however many there are. */
const leastOfEach = 5;

/** Finds what a caller looks for, in a way that depends on how much that caller sees: never on how much there is of others. */
export class Ranking {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async sightOf({ userId, only, projectId }: Wanted): Promise<Sight> {
    const [sight] = await this.#db.named<Sight>('search.reach', reachSql, [userId, only, projectId]);
    return sight ?? { stamp: '', projects: 0, ids: [], entries: 0 };
  }

  /** One statement for most, two for who sees more than 5,000 entries. */
  async find(wanted: Wanted, { projects, ids, entries }: Sight, place: Place): Promise<Found> {
    if (entries === 0) return { rows: [], total: 0 };
    if (entries <= walkedEntries) return this.#run(wanted, { kind: 'walk', each: walkedEntries }, true, place);
    const eachOf = (bound: number): number => Math.max(leastOfEach, Math.floor(bound / projects));
    if (!wanted.words.some(hasTrigrams)) return { ...(await this.#run(wanted, { kind: 'walk', each: eachOf(walkedAtMost) }, true, place)), total: null };
    const each = eachOf(walkedEntries);
    const newest = await this.#run(wanted, { kind: 'walk', each }, false, place);
    return (newest.total ?? 0) >= plenty ? { ...newest, total: null } : this.#run(wanted, { kind: 'index', each, projectIds: ids }, true, place);
  }

  async #run(wanted: Wanted, way: Way, forgiving: boolean, place: Place): Promise<Found> {
    const { text, values } = found(wanted, way, forgiving, place);
    const rows = await this.#db.named<Ranked & { readonly total: number }>('', text, values);
    return { rows: rows.filter(({ id }) => id !== null).map(({ kind, id, score }) => ({ kind, id, score })), total: rows[0]?.total ?? 0 };
  }
}
