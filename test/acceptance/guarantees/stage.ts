/**
 * What the guarantees that are generated over the route table stand on: a system, its world, and for each operation a
 * request that succeeds, as somebody who may make it.
 */
import type { WireAnswer, WireRequest } from '../../support/properties/wire.ts';
import { type System, type SystemOptions, until, useSystem } from '../../support/system.ts';
import { type Caller, Callers } from '../matrix/callers.ts';
import { type Column, expectations } from '../matrix/expectations.ts';
import { type Asked, recipes, written } from '../matrix/requests.ts';
import type { OperationRoute } from '../matrix/routes.ts';
import { systemOptions, World } from '../matrix/world.ts';

/** Who makes an operation's request succeed: the first of these that the matrix lets. */
const able: readonly Column[] = ['owner', 'admin', 'node', 'nobody'];

export interface Prepared {
  readonly asked: Asked;
  readonly caller: Caller;
  readonly request: WireRequest;
}

export class Stage {
  readonly world: World;
  readonly #callers: Callers;

  private constructor(world: World) {
    this.world = world;
    this.#callers = new Callers(world);
  }

  static async open(system: System): Promise<Stage> {
    return new Stage(await World.open(system));
  }

  /** A new request of this operation that will succeed, or as this column's caller makes it. */
  async prepare(route: OperationRoute, column: Column = columnOf(route)): Promise<Prepared> {
    const recipe = recipes.get(route.operationId);
    if (recipe === undefined) throw new Error(`${route.operationId} is mounted: write its recipe in matrix/requests/.`);
    const caller = await this.#callers.of(column, recipe.isSpending === true);
    const asked = await recipe.ask(this.world, caller.scene);
    return { asked, caller, request: await this.signed(route, caller, asked, written(route, asked)) };
  }

  /** Adds the caller's credentials. */
  async signed(route: OperationRoute, caller: Caller, asked: Asked, request: WireRequest): Promise<WireRequest> {
    return { ...request, headers: { ...request.headers, ...(await caller.headersFor(route, request, asked)) } };
  }

  /** The request for what is as good and means something else; null where there is none. */
  async other(route: OperationRoute, { asked, caller }: Prepared): Promise<WireRequest | null> {
    if (asked.other === undefined) return null;
    return this.signed(route, caller, asked, written(route, { path: asked.path, json: asked.json, ...asked.other }));
  }

  /** Does `work` while what a request waits for goes on. */
  async during<T>({ meanwhile }: Asked, work: () => Promise<T>): Promise<T> {
    const done = new AbortController();
    const going = meanwhile?.(done.signal);
    try {
      return await work();
    } finally {
      done.abort();
      await going;
    }
  }

  async send({ asked, request }: Prepared, headers: Readonly<Record<string, string>> = {}): Promise<WireAnswer> {
    return this.during(asked, () => this.world.send({ ...request, headers: { ...request.headers, ...headers } }));
  }

  /** Waits until what the last requests led to is done: events told, system jobs run, webhooks sent. */
  async settled(): Promise<void> {
    await until('events and jobs to come to rest', async () => {
      const [row] = await this.world.sql<{ open: number }>(`
        select (select count(*)::int from outbox where sent_at is null and run_after <= now() and topic not like 'cpu:%' and topic not like 'gpu:%')
             + (select count(*)::int from system_jobs where (status = 'running' or (status = 'queued' and run_after <= now())) and kind not in (select name from schedules))
             + (select count(*)::int from webhook_deliveries where status = 'pending' and next_attempt_at <= now()) as open`);
      return row?.open === 0;
    }, 30_000);
  }

  /** How many rows each table has, but for what comes and goes by itself. */
  async rows(): Promise<Readonly<Record<string, number>>> {
    const counts = (await this.#tables()).map((name) =>
      `select '${name}' as name, count(*)::int as rows from ${name}${unscheduled(name)}`);
    return Object.fromEntries((await this.world.sql<{ name: string; rows: number }>(counts.join(' union all '))).map(({ name, rows }) => [name, rows]));
  }

  /** A digest of each table's rows, but for what comes and goes by itself and stamps of use; `without` leaves tables out. */
  async contents(without: readonly string[] = []): Promise<Readonly<Record<string, string>>> {
    const tables = (await this.#tables()).filter((name) => !without.includes(name));
    const digests = tables.map((name) => `
      select '${name}' as name, count(*) || ' ' || coalesce(md5(string_agg(md5((to_jsonb(t) - '{${stamps}}'::text[])::text), '' order by to_jsonb(t)::text)), '') as digest
        from ${name} t${unscheduled(name)}`);
    return Object.fromEntries((await this.world.sql<{ name: string; digest: string }>(digests.join(' union all '))).map(({ name, digest }) => [name, digest]));
  }

  async #tables(): Promise<string[]> {
    const tables = await this.world.sql<{ name: string }>(`select tablename as name from pg_tables where schemaname = 'public' and tablename not like 'knex_%' order by 1`);
    return tables.map(({ name }) => name).filter((name) => !passing.has(name));
  }

  /** What `work` gives, and the rows it leaves once everything it led to is done: table → how many more (or fewer) there are. */
  async rowsLeftBy<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly rows: Readonly<Record<string, number>> }> {
    await this.settled();
    const before = await this.rows();
    const result = await work();
    await this.settled();
    const after = Object.entries(await this.rows());
    return { result, rows: Object.fromEntries(after.map(([name, rows]) => [name, rows - (before[name] ?? 0)] as const).filter(([, rows]) => rows !== 0)) };
  }
}

const passing = new Set(['idempotency_keys', 'worker_heartbeats', 'schedules']);
/** Columns that any request moves on, or a batch of them a while later. */
const stamps = 'last_seen,last_used_at,last_heartbeat_at,updated_at,row_version,sent_at,attempts';

/** Periodic work goes on meanwhile: its jobs, and the messages that take them to their queue, are nobody's doing. */
function unscheduled(table: string): string {
  const scheduled = 'in (select name from schedules)';
  if (table === 'system_jobs') return ` where kind not ${scheduled}`;
  if (table !== 'outbox') return '';
  return ` where not (kind = 'job' and payload ->> 'jobId' in (select id::text from system_jobs where kind ${scheduled}))`;
}

export function columnOf(route: OperationRoute): Column {
  const row = expectations.get(route.operationId);
  const column = able.find((one) => row?.[one].code === null);
  if (column === undefined) throw new Error(`${route.operationId} is mounted: write its row in matrix/expectations.ts.`);
  return column;
}

/** A stage for the tests of a describe. Read it inside tests and hooks only. */
export function useStage(options: SystemOptions = {}): { readonly current: Stage; readonly system: System } {
  let present: Stage | null = null;
  // Before the system's own end, which drops the database.
  after('leave the database', () => present?.world.close());
  const system = useSystem({ ...systemOptions, ...options, variables: { ...systemOptions.variables, ...options.variables } });
  before('people', async function () {
    this.timeout(60_000);
    present = await Stage.open(system.current);
  });
  beforeEach('nobody has asked too often', () => present?.world.forgetLimits());
  return {
    get current() {
      if (present === null) throw new Error('The stage is there inside tests and hooks only.');
      return present;
    },
    get system() { return system.current; },
  };
}
