import { setImmediate } from 'node:timers/promises';
import type { SearchResult, SearchResultPage } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import type { Redis } from '#platform/redis.ts';
import { requireRoleOn, requireSelf } from '../policy.ts';
import { SearchCache } from './cache.ts';
import { wordsOf } from './folding.ts';
import { presentSql, type SearchKind, type Wanted } from './queries.ts';
import { type Place, type Ranked, Ranking } from './ranking.ts';
import { type FoundThing, present } from './results.ts';

export interface SearchQuery extends PageQuery {
  readonly q: string;
  readonly types?: readonly SearchKind[] | undefined;
  readonly project_id?: string | undefined;
}

/** Two hundred long texts take a second to look through: nobody else waits for that. */
const withoutPauseMs = 10;

const allKinds: readonly SearchKind[] = ['comment', 'project', 'task'];

export class SearchService {
  readonly #db: Database;
  readonly #ranking: Ranking;
  readonly #cache: SearchCache;

  constructor(db: Database, redis: Redis) {
    this.#db = db;
    this.#ranking = new Ranking(db);
    this.#cache = new SearchCache(redis);
  }

  /**
   * What holds every word of the query, the best first. Three statements for most (what the caller sees, what is found,
   * what is shown of it), two where it was just found; one more asks for a project that was named, and one where the caller
   * sees more than 5,000 things.
   */
  async search(call: Call, query: SearchQuery): Promise<SearchResultPage> {
    const userId = requireSelf(call);
    if (query.project_id !== undefined) await requireRoleOn(this.#db, call, 'project', query.project_id, 'member');
    const words = wordsIn(query.q);
    const kinds = [...(query.types ?? allKinds)].sort();
    const filters = { words, kinds, project_id: query.project_id?.toLowerCase() };
    const after = readCursor(query, filters, (at) => /^\d{1,4}$/.test(at));
    const wanted: Wanted = { userId, only: call.caller.kind === 'api_key' ? call.caller.projectIds : null, projectId: filters.project_id ?? null, words, kinds };
    const place: Place = { limit: query.limit, offset: after === null ? (query.offset ?? 0) : 0, after };
    const sight = await this.#ranking.sightOf(wanted);
    const found = words.length === 0 ? { rows: [], total: 0 }
      : await this.#cache.take([wanted, sight.stamp, place], () => this.#ranking.find(wanted, sight, place));
    const { items, page } = pageOf(found.rows, query, filters, found.total, ({ score, id }) => ({ at: String(score), id }));
    return { items: await this.#shown(wanted, items), page };
  }

  /** As they are now: what went meanwhile, or is seen no longer, is left out. */
  async #shown({ userId, only, words }: Wanted, ranked: readonly Ranked[]): Promise<SearchResult[]> {
    if (ranked.length === 0) return [];
    const idsOf = (kind: SearchKind): string[] => ranked.filter((one) => one.kind === kind).map(({ id }) => id);
    const rows = await this.#db.named<FoundThing>('search.present', presentSql, [userId, only, idsOf('project'), idsOf('task'), idsOf('comment')]);
    const things = new Map(rows.map((row) => [row.id, row]));
    const shown: SearchResult[] = [];
    let since = performance.now();
    for (const { id, score } of ranked) {
      const thing = things.get(id);
      if (thing === undefined) continue;
      shown.push(present(thing, score / 1_000, words));
      if (performance.now() - since < withoutPauseMs) continue;
      await setImmediate();
      since = performance.now();
    }
    return shown;
  }
}

/** White space at both ends does not count. Signs alone are no words: nothing is found by them. */
function wordsIn(q: string): string[] {
  if ([...q.trim()].length < 3) {
    throw new ServiceError('VALIDATION_ERROR', 'Three characters are the least to look for.', {
      details: [{ pointer: '#/query/q', message: 'must NOT have fewer than 3 characters, white space at both ends not counted', rule: 'minLength' }],
    });
  }
  return wordsOf(q);
}
