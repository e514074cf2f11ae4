/**
 * How long search takes on the server's side: from the call of the service to its answer, nothing kept from one search to
 * the next. Needs the rows of `npm run seed:large`.
 *
 *   node bench/search.ts                  the database of npm start, or the configured one
 *   node bench/search.ts --runs 100
 */
import { parseArgs } from 'node:util';
import { readEnvironment } from '#config/environment.ts';
import { SearchService } from '#domains/search/service.ts';
import type { Call } from '#platform/call.ts';
import { type Database, openDatabase } from '#platform/database.ts';
import type { Redis } from '#platform/redis.ts';
import { largeAccounts } from '../seeds/large.ts';
import { located } from '../seeds/located.ts';

/** By what makes it easy or hard. */
const asked = {
  'common word': 'the', 'part of common words': 'tion', 'short words': 'a b c', 'short and long': 'in app', 'two words': 'login button', 'word': 'keyboard', 'word in the text of few': 'quotation',
  'no hit': 'xylophone', 'no hit, common parts': 'thenation', 'typing fault': 'keybaord', 'fault in one of two': 'login buton', 'Cyrillic': 'привет', 'Japanese': '検索 地図',
} as const;
type Who = keyof typeof largeAccounts;

const callOf = (userId: string): Call => ({
  requestId: 'bench', operationId: 'search', ip: '127.0.0.1', userAgent: 'bench', signal: new AbortController().signal, policy: { allowed: false }, roles: null, idempotency: null, ifMatch: null,
  caller: { kind: 'user', userId, sessionId: 'bench', tier: 'premium', isVerified: true, authenticatedAtMs: 0 },
});
/** A cache that keeps nothing. */
const noRedis = { get: () => Promise.resolve(null), set: () => Promise.resolve('OK') } as unknown as Redis;

async function measure(db: Database, runs: number): Promise<void> {
  const search = new SearchService(db, noRedis);
  const times = new Map<string, number[]>();
  const totals = new Map<string, number | null>();
  const all: number[] = [];
  // Interleaved, so that whatever else the machine does strikes all alike; the first round warms up.
  for (let run = 0; run <= runs; run += 1) {
    for (const who of Object.keys(largeAccounts) as Who[]) {
      for (const [name, q] of Object.entries(asked)) {
        const key = `${name} \`${q}\` | ${who}`;
        const startedAt = performance.now();
        const { page } = await search.search(callOf(largeAccounts[who].id), { q, limit: 50 });
        const took = performance.now() - startedAt;
        totals.set(key, page.total);
        if (run === 0) continue;
        times.set(key, [...(times.get(key) ?? []), took]);
        all.push(took);
      }
    }
  }
  console.log('| search | caller | found | median ms | p95 ms |\n| --- | --- | ---: | ---: | ---: |');
  for (const [key, taken] of times) console.log(`| ${key} | ${totals.get(key) ?? 'very many'} | ${at(taken, 0.5)} | ${at(taken, 0.95)} |`);
  console.log(`| all of them, equally often | both | | ${at(all, 0.5)} | ${at(all, 0.95)} |`);
}

const at = (times: readonly number[], share: number): string => ([...times].sort((a, b) => a - b)[Math.ceil(times.length * share) - 1] ?? 0).toFixed(1);

const { values } = parseArgs({ options: { runs: { type: 'string', default: '30' } } });
const db = openDatabase({ ...(await located(readEnvironment(undefined, { role: 'api' }))), postgresPoolSize: 2 });
try {
  await measure(db, Number(values.runs));
} finally {
  await db.close();
}
