import { expect } from 'chai';
import { deliveryCount, deliveryPage, type DeliveryFilters, keptDays, missedSql } from '#domains/webhooks/deliveries-queries.ts';
import { newId } from '#platform/ids.ts';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { planOf } from '../../support/plans.ts';
import { codeOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';
import { until } from '../../support/until.ts';
import { deliveryTo, type Told } from '../../support/webhooks.ts';

describe('deliveries of webhooks', () => {
  const backend = useBackend();
  let ada: Person;
  let projectId: string;
  before(async () => {
    ada = await backend.current.person();
    projectId = await backend.current.project(ada);
  });
  const webhook = async (): Promise<string> =>
    (await backend.current.run('createWebhook', ada, { path: { project_id: projectId }, body: { url: 'https://hooks.example.com/', event_types: ['task.created'], is_active: true } })).data.webhook.id;
  const told = (webhookId: string, status: string, more: Told = {}): Promise<{ id: string; eventId: string }> => deliveryTo(backend.current, webhookId, projectId, status, more);
  const rowsOf = (webhookId: string): Promise<{ id: string; event_id: string; trigger: string; status: string }[]> =>
    backend.current.sql('select id, event_id, trigger, status from webhook_deliveries where webhook_id = ? order by id', [webhookId]);
  const since = (id: string, at: string, more: { until?: string; include_succeeded?: boolean } = {}) =>
    backend.current.run('redeliverSince', ada, { path: { webhook_id: id }, body: { since: at, include_succeeded: false, ...more } });
  const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();

  it('are listed newest first, by status, type and time, and walked by cursor in the same order', async () => {
    const { run } = backend.current;
    const id = await webhook();
    const other = await webhook();
    await told(other, 'failed');
    const made: { id: string; status: string; type: string; at: string }[] = [];
    for (let at = 0; at < 12; at += 1) {
      const one = { status: ['succeeded', 'failed', 'cancelled'][at % 3] ?? '', type: at % 2 === 0 ? 'task.created' : 'comment.created', at: `2026-03-0${1 + Math.floor(at / 3)}T00:00:00.000Z` };
      made.unshift({ ...one, id: (await told(id, one.status, one)).id });
    }
    // Of one moment the newer id comes first.
    const ids = (of: typeof made): string[] => [...of].sort((a, b) => (a.at === b.at ? (a.id < b.id ? 1 : -1) : a.at < b.at ? 1 : -1)).map((one) => one.id);
    const path = { webhook_id: id };
    const listed = async (query: Record<string, string>): Promise<string[]> => (await run('listDeliveries', ada, { path, query })).data.items.map((one) => one.id);
    expect(await listed({})).to.deep.equal(ids(made));
    expect(await listed({ status: 'failed' })).to.deep.equal(ids(made.filter(({ status }) => status === 'failed')));
    expect(await listed({ event_type: 'comment.created', status: 'cancelled' })).to.deep.equal(ids(made.filter(({ status, type }) => status === 'cancelled' && type === 'comment.created')));
    expect(await listed({ since: '2026-03-02T00:00:00.000Z', until: '2026-03-03T00:00:00.000Z' })).to.deep.equal(ids(made.filter(({ at }) => at.startsWith('2026-03-02'))));
    const { data: { page } } = await run('listDeliveries', ada, { path, query: { status: 'failed', limit: 3 } });
    expect([page.total, typeof page.next_cursor]).to.deep.equal([4, 'string']);
    expect(await codeOf(run('listDeliveries', ada, { path, query: { cursor: page.next_cursor ?? '' } })), 'of another filter').to.equal('VALIDATION_ERROR');
    expect(await codeOf(run('listDeliveries', ada, { path: { webhook_id: other }, query: { status: 'failed', cursor: page.next_cursor ?? '' } })), 'of another webhook').to.equal('VALIDATION_ERROR');
    const walked: string[] = [];
    let cursor: string | null = null;
    do {
      const next: { data: DataOf<'listDeliveries'> } = await run('listDeliveries', ada, { path, query: { limit: 5, ...(cursor === null ? {} : { cursor }) } });
      walked.push(...next.data.items.map((one) => one.id));
      cursor = next.data.page.next_cursor;
    } while (cursor !== null);
    expect(walked).to.deep.equal(ids(made));
  });

  it('are shown with the body as it was sent and each attempt, the oldest first', async () => {
    const { run, sql } = backend.current;
    const id = await webhook();
    const { id: deliveryId, eventId } = await told(id, 'failed');
    for (const number of [2, 1]) {
      await sql('insert into webhook_attempts (delivery_id, number, attempted_at, duration_ms, response_status, response_body, failure) values (?, ?, ?, ?, ?, ?, ?)',
        [deliveryId, number, `2026-03-02T09:31:0${number}.000Z`, 40 + number, number === 1 ? null : 503, number === 1 ? null : 'Back in a moment.', number === 1 ? 'timeout' : 'status']);
    }
    const { data } = await run('getDelivery', ada, { path: { delivery_id: deliveryId } });
    expect(data.payload).to.deep.equal({ id: eventId, type: 'preview.succeeded', timestamp: '2026-03-02T09:31:00.000Z', project_id: projectId, data: {} });
    expect(data.attempts).to.deep.equal([
      { attempted_at: '2026-03-02T09:31:01.000Z', duration_ms: 41, response_status: null, response_body: null, failure: 'timeout' },
      { attempted_at: '2026-03-02T09:31:02.000Z', duration_ms: 42, response_status: 503, response_body: 'Back in a moment.', failure: 'status' },
    ]);
  });

  it('of a test hold an event made for it, are due at once and made also for an endpoint that is off', async () => {
    const { run, sql } = backend.current;
    const id = await webhook();
    await run('updateWebhook', ada, { path: { webhook_id: id }, body: { is_active: false } });
    const heard: unknown[] = [];
    const listener = backend.current.database.db.listen('webhook_deliveries', () => void heard.push('wake'));
    await listener.ready;
    const { status, data } = await run('testWebhook', ada, { path: { webhook_id: id } });
    expect([status, data.trigger, data.event_type, data.status, data.attempt_count]).to.deep.equal([202, 'test', 'webhook.test', 'pending', 0]);
    await until('senders to be woken', () => heard.length > 0);
    await listener.close();
    const [row] = await sql<{ body: string; is_due: boolean }>('select m.body, d.next_attempt_at <= now() as is_due from webhook_deliveries d join webhook_messages m on m.id = d.event_id where d.id = ?', [data.id]);
    expect(row?.is_due).to.equal(true);
    const message = JSON.parse(row?.body ?? '') as Record<string, unknown>;
    expect(message).to.deep.include({ id: data.event_id, type: 'webhook.test', project_id: projectId });
    expect(message['data']).to.deep.include({ webhook_id: id, requested_by: ada.userId });
    expect(await sql("select event_type, project_id, data from audit_logs where entity_id = ? and event_type = 'webhook.tested'", [id])).to.deep.equal([{ event_type: 'webhook.tested', project_id: projectId, data: { delivery_id: data.id } }]);
  });

  it('are made again of the same event and body, by themselves, but not while the endpoint is off', async () => {
    const { run, sql } = backend.current;
    const id = await webhook();
    const former = await told(id, 'succeeded');
    const { status, data } = await run('redeliverDelivery', ada, { path: { delivery_id: former.id } });
    expect([status, data.trigger, data.event_id, data.status, data.attempt_count]).to.deep.equal([202, 'redelivery', former.eventId, 'pending', 0]);
    expect(data.id).to.not.equal(former.id);
    expect(await sql('select count(*)::int as messages from webhook_messages where id = ?', [former.eventId])).to.deep.equal([{ messages: 1 }]);
    expect(await sql("select data from audit_logs where entity_id = ? and event_type = 'webhook.redelivered'", [id])).to.deep.equal([{ data: { delivery_id: data.id, redelivered: former.id, event_id: former.eventId } }]);
    await run('updateWebhook', ada, { path: { webhook_id: id }, body: { is_active: false } });
    expect(await codeOf(run('redeliverDelivery', ada, { path: { delivery_id: former.id } }))).to.equal('CONFLICT');
    expect(await codeOf(since(id, daysAgo(1)))).to.equal('CONFLICT');
    expect((await rowsOf(id)).map((row) => row.status)).to.deep.equal(['succeeded', 'cancelled']);
  });

  it('that never arrived within a span are made again, the oldest first, once however often it is asked', async () => {
    const id = await webhook();
    const at = (minute: number): { at: string } => ({ at: new Date(Date.now() - 86_400_000 + minute * 60_000).toISOString() });
    const [start, end] = [at(1).at, at(8).at];
    await told(id, 'failed', at(0));
    const first = await told(id, 'failed', at(1));
    const arrived = await told(id, 'succeeded', at(2));
    const later = await told(id, 'failed', at(3));
    await told(id, 'succeeded', { ...at(4), trigger: 'redelivery', eventId: later.eventId });
    const waiting = await told(id, 'failed', at(5));
    await told(id, 'pending', { ...at(5), trigger: 'redelivery', eventId: waiting.eventId });
    const cancelled = await told(id, 'cancelled', at(6));
    await told(id, 'failed', { ...at(7), type: 'webhook.test', trigger: 'test' });
    await told(id, 'failed', at(8));
    const before = new Set((await rowsOf(id)).map((row) => row.id));
    const { database: { db }, sql } = backend.current;
    const holding = await db.knex.transaction();
    await holding.raw('select from webhook_endpoints where id = ? for no key update', [id]);
    const asked = Promise.all(Array.from({ length: 4 }, () => since(id, start, { until: end })));
    await until('all four to wait for each other', async () =>
      (await sql("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%from webhook_endpoints%'")).length === 4);
    await holding.commit();
    const race = await asked;
    expect(race.map(({ data }) => data.enqueued).sort()).to.deep.equal([0, 0, 0, 2]);
    const made = (await rowsOf(id)).filter((row) => !before.has(row.id));
    expect(made.map((row) => [row.event_id, row.trigger, row.status])).to.deep.equal([[first.eventId, 'redelivery', 'pending'], [cancelled.eventId, 'redelivery', 'pending']]);
    const { data } = await since(id, start, { until: end, include_succeeded: true });
    expect(data).to.deep.equal({ enqueued: 2, next_since: null });
    expect((await rowsOf(id)).slice(-2).map((row) => row.event_id), 'what arrived is sent again, what waits is left to that').to.have.members([arrived.eventId, later.eventId]);
  });

  it(`are made again by the thousand, and of nothing older than ${keptDays} days`, async () => {
    const id = await webhook();
    await told(id, 'failed', { at: daysAgo(keptDays + 1) });
    await backend.current.sql(`
      with message as (insert into webhook_messages (id, project_id, type, body) select gen_random_uuid(), ?, 'task.created', '{}' from generate_series(1, 2500) returning id)
      insert into webhook_deliveries (id, webhook_id, event_id, event_type, trigger, status, completed_at, created_at)
      select gen_random_uuid(), ?, id, 'task.created', 'occurrence', 'failed', now(), date_trunc('second', now()) - interval '1 hour' + (row_number() over () / 7) * interval '1 second' from message`, [projectId, id]);
    const counts: number[] = [];
    let from: string | null = daysAgo(40);
    let statements = 0;
    while (from !== null) {
      const at: string = from;
      statements = await countStatements(async () => {
        const { data } = await since(id, at);
        counts.push(data.enqueued);
        from = data.next_since;
      });
    }
    expect(counts).to.have.length(3);
    expect(Math.max(...counts)).to.be.within(990, 1_000);
    expect(counts.reduce((sum, count) => sum + count)).to.equal(2_500);
    expect(statements).to.equal(6);
    const rows = await rowsOf(id);
    expect(rows.filter(({ trigger }) => trigger === 'redelivery')).to.have.length(2_500);
    expect(new Set(rows.filter(({ trigger }) => trigger === 'redelivery').map(({ event_id }) => event_id)).size, 'each once').to.equal(2_500);
  });

  it('are read and made again in a bounded number of statements, by indexes where there are many', async () => {
    const { run, sql, database: { db } } = backend.current;
    const id = await webhook();
    const { id: deliveryId } = await told(id, 'failed');
    const counts = {
      list: await countStatements(() => run('listDeliveries', ada, { path: { webhook_id: id } })),
      filtered: await countStatements(() => run('listDeliveries', ada, { path: { webhook_id: id }, query: { status: 'failed' } })),
      get: await countStatements(() => run('getDelivery', ada, { path: { delivery_id: deliveryId } })),
      test: await countStatements(() => run('testWebhook', ada, { path: { webhook_id: id } })),
      again: await countStatements(() => run('redeliverDelivery', ada, { path: { delivery_id: deliveryId } })),
    };
    expect(counts).to.deep.equal({ list: 3, filtered: 3, get: 3, test: 6, again: 5 });

    await sql(`insert into webhook_endpoints (id, project_id, url, event_types, created_by, secret, secret_key_id)
      select gen_random_uuid(), project_id, url, event_types, created_by, secret, secret_key_id from webhook_endpoints, generate_series(1, 100) where id = ?`, [id]);
    await sql(`
      with message as (insert into webhook_messages (id, project_id, type, body) select gen_random_uuid(), ?, 'task.created', '{}' from generate_series(1, 20000) returning id)
      insert into webhook_deliveries (id, webhook_id, event_id, event_type, trigger, status, completed_at, created_at)
      select gen_random_uuid(), e.id, m.id, 'task.created', 'occurrence', case when m.n % 50 = 0 then 'failed' else 'succeeded' end, now(), now() - m.n * interval '1 minute'
        from (select id, row_number() over () as n from message) m, (select id, row_number() over (order by id) as n from webhook_endpoints where project_id = ?) e where e.n = 1 + m.n % 100`, [projectId, projectId]);
    for (const table of ['webhook_deliveries', 'webhook_messages', 'webhook_endpoints']) await sql(`analyze ${table}`);
    const [{ id: busy } = { id: '' }] = await sql<{ id: string }>('select id from webhook_endpoints where project_id = ? order by id limit 1', [projectId]);
    const none: DeliveryFilters = { status: null, event_type: null, since: null, until: null };
    const page = { limit: 50, offset: 0, after: null };
    const after = { at: daysAgo(1), id: newId() };
    for (const [filters, index] of [
      [none, 'webhook_deliveries_webhook_id_idx'], [{ ...none, status: 'failed' }, 'webhook_deliveries_status_idx'], [{ ...none, event_type: 'comment.created' }, 'webhook_deliveries_event_type_idx'],
    ] as const) {
      for (const statement of [deliveryPage(busy, filters, page), deliveryPage(busy, filters, { ...page, after })]) {
        const plan = await planOf(db, statement);
        expect(plan.readWhole, statement.text).to.deep.equal([]);
        expect(plan.nodes.some((node) => node.includes(index)), `${statement.text}: ${plan.nodes.join(', ')}`).to.equal(true);
      }
    }
    expect((await planOf(db, deliveryCount(busy, none))).readWhole).to.deep.equal([]);
    for (const withSucceeded of [false, true]) {
      expect((await planOf(db, { text: missedSql, values: [busy, daysAgo(2), null, withSucceeded] }, true)).readWhole).to.deep.equal([]);
    }
  });
});
