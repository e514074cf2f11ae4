/** Every mounted operation as every caller, against the reviewed table of expectations.ts. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { pendingRoutes, routes } from '#generated/server/routes.gen.ts';
import type { WireAnswer, WireRequest } from '../../support/properties/wire.ts';
import { useSystem } from '../../support/system.ts';
import { type Caller, Callers } from './callers.ts';
import { type Column, columns, type Expected, expectations } from './expectations.ts';
import { type Asked, recipes, written } from './requests.ts';
import type { OperationRoute } from './routes.ts';
import { systemOptions, World } from './world.ts';

/** Headers that are new for each answer, or count. */
const passing = new Set(['x-request-id', 'date', 'ratelimit', 'connection', 'keep-alive', 'retry-after']);

const said = ({ status, code, reason }: Expected): string => [status, code, reason].filter((part) => part !== null).join(' ');

/** The answer in the words of the table. */
function outcomeOf({ status, text, headers }: WireAnswer): string {
  if (status < 400) return String(status);
  if (headers['content-type']?.includes('json') !== true) return `${status} without an envelope`;
  const { error } = JSON.parse(text) as { error: { code: string; details: unknown } };
  const reason = typeof error.details === 'object' && error.details !== null && 'reason' in error.details ? String(error.details.reason) : null;
  return [status, error.code, ...(reason === null ? [] : [reason])].join(' ');
}

describe('every operation answers each caller as the table says', function () {
  this.timeout(60_000);
  let world: World;
  let callers: Callers;
  // Before the system's own end, which drops the database.
  after('leave the database', () => world.close());
  const system = useSystem(systemOptions);
  before('people', async function () {
    this.timeout(60_000);
    world = await World.open(system.current);
    callers = new Callers(world);
  });
  beforeEach(() => world.forgetLimits());

  const whole = async (route: OperationRoute, caller: Caller, asked: Asked): Promise<WireRequest> => {
    const request = written(route, asked);
    return { ...request, headers: { ...request.headers, ...(await caller.headersFor(route, request, asked)) } };
  };

  async function answerOf(route: OperationRoute, caller: Caller, asked: Asked): Promise<WireAnswer> {
    const done = new AbortController();
    const meanwhile = asked.meanwhile?.(done.signal);
    try {
      return await world.send(await whole(route, caller, asked));
    } finally {
      done.abort();
      await meanwhile;
    }
  }

  /** A hidden thing and one that does not exist are told in the same bytes. */
  async function expectLikeMissing(route: OperationRoute, caller: Caller, asked: Asked, hidden: WireAnswer): Promise<void> {
    const { target } = asked;
    expect(target, `${route.operationId} answers NOT_FOUND and its recipe names no target`).to.be.a('string');
    const other = <T>(part: T): T => (part === undefined ? part : JSON.parse(JSON.stringify(part).replaceAll(String(target), randomUUID())) as T);
    const missing = await world.send(await whole(route, caller, { ...asked, path: other(asked.path), json: other(asked.json) }));
    const seen = ({ status, text, headers }: WireAnswer): unknown =>
      ({ status, text, headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !passing.has(name)).sort()) });
    expect(seen(hidden), `${route.operationId}: hidden and missing`).to.deep.equal(seen(missing));
  }

  for (const route of routes) {
    it(route.operationId, async () => {
      const [row, recipe] = [expectations.get(route.operationId), recipes.get(route.operationId)];
      if (row === undefined || recipe === undefined) throw new Error(`${route.operationId} is mounted: write its row in expectations.ts and its recipe in requests/.`);
      const wrong: string[] = [];
      await Promise.all((Object.keys(columns) as Column[]).map(async (column) => {
        const caller = await callers.of(column, recipe.isSpending === true);
        const asked = await recipe.ask(world, caller.scene);
        const answer = await answerOf(route, caller, asked);
        const expected = row[column];
        const outcome = outcomeOf(answer);
        if (outcome !== said(expected)) wrong.push(`${column} (${columns[column]}): ${outcome}, expected ${said(expected)}: ${answer.text.slice(0, 200)}`);
        else if (answer.status === 404) await expectLikeMissing(route, caller, asked, answer);
      }));
      expect(wrong.sort(), wrong.join('\n')).to.deep.equal([]);
    });
  }

  it('writes down nothing secret that was sent or answered, in no log and no table', () => world.expectSecretsKept());

  it('has a row for every operation that is mounted, and none for one that is not in the contract', () => {
    const [mounted, pending] = [routes.map(({ operationId }): string => operationId), pendingRoutes.map(({ operationId }): string => operationId)];
    expect(mounted.filter((id) => !expectations.has(id)), 'without a row').to.deep.equal([]);
    expect(mounted.filter((id) => !recipes.has(id)), 'without a recipe').to.deep.equal([]);
    expect([...expectations.keys()].filter((id) => !mounted.includes(id) && !pending.includes(id)), 'rows of nothing').to.deep.equal([]);
    expect([...recipes.keys()].filter((id) => !expectations.has(id)), 'recipes without a row').to.deep.equal([]);
  });

  it('says in each row only what the contract documents', () => {
    for (const route of routes) {
      const row = Object.values(expectations.get(route.operationId) ?? {});
      expect(row.filter(({ status }) => route.responses[status] === undefined), route.operationId).to.deep.equal([]);
    }
  });
});
