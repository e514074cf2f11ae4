/** How deliveries are sent, to a receiver that answers what each test says, by the real sender over real sockets. */
import { expect } from 'chai';
import { Webhook } from 'standardwebhooks';
import { sweepDeliveries } from '#domains/webhooks/retention.ts';
import { WebhookSender } from '#domains/webhooks/sender.ts';
import { createVault } from '#platform/crypto.ts';
import { createOutgoing, type Outgoing } from '#platform/outgoing/client.ts';
import { outgoingRules } from '#platform/outgoing/rules.ts';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { taskIn } from '../../support/tasks.ts';
import { until } from '../../support/until.ts';
import { WebhookReceiver } from '../../support/webhook-receiver.ts';

type Created = DataOf<'createWebhook'>;
type Delivery = DataOf<'getDelivery'>;

describe('deliveries of webhooks', () => {
  const backend = useBackend({ OUTGOING_ALLOWED_RANGES: '127.0.0.0/8' });
  const receiver = new WebhookReceiver();
  const senders: WebhookSender[] = [];
  let ada: Person;
  let projectId: string;

  before(async () => { await receiver.listen(); });
  after(() => receiver.close());
  beforeEach(async () => {
    await backend.current.sql("update webhook_deliveries set status = 'cancelled', completed_at = now(), next_attempt_at = null, lease_token = null, lease_expires_at = null where status = 'pending'");
    receiver.clear();
    ada = await backend.current.person();
    projectId = await backend.current.project(ada);
  });
  afterEach(async () => {
    receiver.release();
    await Promise.all(senders.splice(0).map((sender) => sender.stop()));
  });

  /** What happened becomes deliveries, which nobody sends yet. */
  const tell = async (): Promise<void> => {
    const relay = backend.current.relay();
    relay.start();
    await until('the events to be told', async () => (await backend.current.sql("select id from outbox where kind = 'event' and sent_at is null limit 1")).length === 0);
    await relay.stop();
  };
  const { send, listen, happen, deliveriesOf, only, webhook } = {
    send: (later = false): Promise<number> => backend.current.sendWebhooks({ later }),
    listen: async (path = '/'): Promise<Created> =>
      (await backend.current.run('createWebhook', ada, { path: { project_id: projectId }, body: { url: receiver.url(path), event_types: ['task.created', 'webhook.disabled'], is_active: true } })).data,
    happen: async (times = 1): Promise<void> => { for (let time = 0; time < times; time += 1) await taskIn(backend.current, ada, projectId, { title: `Task ${time}` }); },
    deliveriesOf: async ({ webhook: { id } }: Created): Promise<Delivery[]> => {
      const { data } = await backend.current.run('listDeliveries', ada, { path: { webhook_id: id }, query: { limit: 200 } });
      return Promise.all(data.items.reverse().map(async (one) => (await backend.current.run('getDelivery', ada, { path: { delivery_id: one.id } })).data));
    },
    only: async (created: Created): Promise<Delivery> => {
      const all = await deliveriesOf(created);
      expect(all).to.have.length(1);
      return all[0] as Delivery;
    },
    webhook: async ({ webhook: { id } }: Created): Promise<DataOf<'getWebhook'>> => (await backend.current.run('getWebhook', ada, { path: { webhook_id: id } })).data,
  };
  /** A sender of another process, or with another way out. */
  const anotherSender = (outgoing: Outgoing = createOutgoing(outgoingRules(backend.current.env))): WebhookSender => {
    const { env, log, database: { db } } = backend.current;
    const sender = new WebhookSender({ db, outgoing, vault: createVault(env.encryptionKey, env.encryptionKeyPrevious), log });
    senders.push(sender);
    return sender;
  };

  it('arrive signed, with the same bytes and id at every attempt and repeat, each with its own time', async () => {
    const created = await listen();
    receiver.answers = (_one, times) => (times === 1 ? { status: 500, body: 'not now' } : { status: 200, body: 'thanks' });
    await happen();
    expect(await send()).to.equal(1);
    const waiting = await only(created);
    expect([waiting.status, waiting.attempt_count, waiting.response_status, waiting.completed_at]).to.deep.equal(['pending', 1, 500, null]);
    const waitMs = Date.parse(waiting.next_attempt_at ?? '') - Date.parse(waiting.attempts[0]?.attempted_at ?? '');
    expect(waitMs).to.be.within(4_000, 6_500);
    expect(await send(), 'it is not due yet').to.equal(0);
    expect(await send(true)).to.equal(1);
    const arrived = await only(created);
    expect([arrived.status, arrived.attempt_count, arrived.response_status, arrived.next_attempt_at]).to.deep.equal(['succeeded', 2, 200, null]);
    expect(arrived.attempts.map(({ response_status: status, response_body: body, failure }) => [status, body, failure])).to.deep.equal([[500, 'not now', 'status'], [200, 'thanks', null]]);
    await backend.current.run('redeliverDelivery', ada, { path: { delivery_id: arrived.id } });
    expect(await send()).to.equal(1);
    expect(receiver.received).to.have.length(3);
    expect(new Set(receiver.received.map(({ id, body }) => id + body)).size).to.equal(1);
    for (const { headers, body } of receiver.received) {
      expect(new Webhook(created.secret).verify(body, headers as Record<string, string>)).to.deep.equal(arrived.payload);
      expect([headers['content-type'], headers['user-agent'], headers['webhook-id']]).to.deep.equal(['application/json', 'HiveSync-Webhooks/1', arrived.event_id]);
    }
  });

  it('are signed with both secrets while one is rotated, and then with the new one alone', async () => {
    const created = await listen();
    const path = { webhook_id: created.webhook.id };
    const { data: rotated } = await backend.current.run('rotateWebhookSecret', ada, { path, body: { overlap_seconds: 3_600 } });
    await happen();
    await send();
    for (const secret of [created.secret, rotated.secret]) new Webhook(secret).verify(receiver.received[0]?.body ?? '', receiver.received[0]?.headers as Record<string, string>);
    await backend.current.sql("update webhook_endpoints set previous_secret_expires_at = now() - interval '1 second' where id = ?", [created.webhook.id]);
    await happen();
    await send();
    const last = receiver.received[1];
    new Webhook(rotated.secret).verify(last?.body ?? '', last?.headers as Record<string, string>);
    expect(() => new Webhook(created.secret).verify(last?.body ?? '', last?.headers as Record<string, string>)).to.throw('No matching signature');
  });

  it('end as failed after ten attempts, and say of each what was in its way', async () => {
    const created = await listen();
    receiver.answers = (_one, times) => [
      { status: 404, body: 'x'.repeat(30_000) }, { status: 302, headers: { location: receiver.url('/elsewhere') } }, 'cut' as const, { status: 500, body: 'a\0b\xff' }, { status: 304 },
    ][times - 1] ?? { status: 503 };
    await happen();
    for (let attempt = 0; attempt < 12; attempt += 1) await send(true);
    const failed = await only(created);
    expect([failed.status, failed.attempt_count, failed.next_attempt_at]).to.deep.equal(['failed', 10, null]);
    expect(failed.attempts.map(({ response_status: status, failure }) => [status, failure])).to.deep.equal([
      [404, 'status'], [302, 'redirect'], [null, 'connection'], [500, 'status'], [304, 'status'], ...Array.from({ length: 5 }, () => [503, 'status']),
    ]);
    expect(failed.attempts[0]?.response_body).to.equal('x'.repeat(20_480));
    expect(failed.attempts[2]?.response_body).to.equal(null);
    expect(failed.attempts[3]?.response_body).to.equal('a\uFFFDbÿ');
    expect(receiver.at('/elsewhere')).to.deep.equal([]);
    expect((await webhook(created)).failing_since).to.equal(failed.attempts[0]?.attempted_at);
  });

  it('wait for what a 429 or 503 asks for, up to a day', async () => {
    const created = await listen();
    const asked = ['600', new Date(Date.now() + 7_200_000).toUTCString(), '9999999'];
    receiver.answers = (_one, times) => ({ status: times === 2 ? 503 : 429, headers: { 'retry-after': asked[times - 1] ?? '0' } });
    await happen();
    for (const seconds of [600, 7_200, 86_400]) {
      await send(true);
      const { next_attempt_at: next } = await only(created);
      expect((Date.parse(next ?? '') - Date.now()) / 1000).to.be.within(seconds - 20, seconds + 5);
    }
  });

  it('never reach a private address, also where a name that was public moves to one', async () => {
    const created = await listen();
    await backend.current.sql('update webhook_endpoints set url = replace(url, ?, ?) where id = ?', ['127.0.0.1', 'rebound.example', created.webhook.id]);
    let asked = 0;
    // 127.0.0.1 stands for a public address, ten for what it becomes.
    const rebinding = createOutgoing(outgoingRules(backend.current.env), () => Promise.resolve([(asked += 1) === 1 ? '127.0.0.1' : '10.0.0.1']));
    const sender = anotherSender(rebinding);
    await happen();
    await tell();
    expect(await sender.sendDue()).to.equal(1);
    expect(receiver.received).to.have.length(1);
    await happen();
    await tell();
    expect(await sender.sendDue()).to.equal(1);
    expect(receiver.received).to.have.length(1);
    expect((await deliveriesOf(created))[1]?.attempts.map(({ failure, response_status: status }) => [failure, status])).to.deep.equal([['address_refused', null]]);
  });

  it('of an endpoint that is gone (410) end with it at once: it is off, the others of the project and its keepers are told', async () => {
    const [created, other] = [await listen('/gone'), await listen('/other')];
    receiver.answers = ({ path }) => ({ status: path === '/gone' ? 410 : 204 });
    await happen(3);
    await send();
    await send();
    expect(await webhook(created)).to.deep.include({ is_active: false, disabled_reason: 'gone' });
    expect((await deliveriesOf(created)).map(({ status }) => status).filter((status) => status === 'pending' || status === 'succeeded')).to.deep.equal([]);
    const told = receiver.at<{ type: string; data: unknown }>('/other').filter(({ type }) => type === 'webhook.disabled');
    expect(told.map(({ data }) => data)).to.deep.equal([{ webhook_id: created.webhook.id, reason: 'gone', disabled_at: (await webhook(created)).disabled_at }]);
    expect(await backend.current.sql("select user_id from notifications where type = 'webhook.disabled' and payload ->> 'webhook_id' = ?", [created.webhook.id])).to.deep.equal([{ user_id: ada.userId }]);
    expect(await backend.current.sql("select user_id, data ->> 'reason' as reason from audit_logs where event_type = 'webhook.disabled' and entity_id = ?", [created.webhook.id])).to.deep.equal([{ user_id: null, reason: 'gone' }]);
    receiver.clear();
    await happen();
    await send(true);
    expect([receiver.at('/gone').length, receiver.at('/other').length]).to.deep.equal([0, 1]);
    expect((await webhook(other)).is_active).to.equal(true);
  });

  it('switch an endpoint off that has taken nothing for five days, and none that took something within them', async () => {
    const created = await listen();
    receiver.answers = () => ({ status: 500 });
    await happen();
    await send();
    const since = async (days: number): Promise<void> => void await backend.current.sql(`update webhook_endpoints set failing_since = now() - ? * interval '1 hour' where id = ?`, [days * 24, created.webhook.id]);
    await since(4.99);
    await send(true);
    expect((await webhook(created)).is_active).to.equal(true);
    receiver.answers = () => ({ status: 200 });
    await send(true);
    expect(await webhook(created)).to.deep.include({ is_active: true, failing_since: null });
    receiver.answers = () => ({ status: 500 });
    await happen();
    await send();
    await since(5.01);
    await send(true);
    expect(await webhook(created)).to.deep.include({ is_active: false, disabled_reason: 'failing' });
    expect((await deliveriesOf(created)).map(({ status }) => status)).to.deep.equal(['succeeded', 'failed']);
    // Switched on it begins anew.
    await backend.current.run('updateWebhook', ada, { path: { webhook_id: created.webhook.id }, body: { is_active: true } });
    await happen();
    await send();
    expect(await webhook(created)).to.deep.include({ is_active: true });
  });

  it('end with an endpoint that is switched off or deleted; a test alone goes to one that is off, once', async () => {
    const created = await listen();
    receiver.answers = () => ({ status: 500 });
    await happen();
    await send();
    const path = { webhook_id: created.webhook.id };
    await backend.current.run('updateWebhook', ada, { path, body: { is_active: false } });
    receiver.clear();
    await send(true);
    expect((await only(created)).status).to.equal('cancelled');
    expect(receiver.received).to.deep.equal([]);
    receiver.answers = () => ({ status: 500 });
    const { data: test } = await backend.current.run('testWebhook', ada, { path });
    for (let time = 0; time < 2; time += 1) await send(true);
    expect(receiver.at<{ type: string }>('/').map(({ type }) => type)).to.deep.equal(['webhook.test']);
    expect((await backend.current.run('getDelivery', ada, { path: { delivery_id: test.id } })).data).to.deep.include({ status: 'failed', attempt_count: 1, next_attempt_at: null });
    await backend.current.run('updateWebhook', ada, { path, body: { is_active: true } });
    await happen();
    await send();
    await backend.current.run('deleteWebhook', ada, { path });
    receiver.clear();
    await send(true);
    expect(receiver.received).to.deep.equal([]);
  });

  it('that are under way when the endpoint is switched off are ended by that, whatever comes of them', async () => {
    const created = await listen();
    receiver.answers = () => 'hang';
    await happen();
    const sending = send();
    await until('the attempt to be under way', () => receiver.received.length === 1);
    await backend.current.run('updateWebhook', ada, { path: { webhook_id: created.webhook.id }, body: { is_active: false } });
    receiver.release();
    await sending;
    expect(await only(created)).to.deep.include({ status: 'cancelled', attempt_count: 0, attempts: [] });
  });

  it('to one that hangs hold up nobody else, and are few at once, whatever waits for it and however many send', async () => {
    await listen('/slow');
    receiver.answers = ({ path }) => (path === '/slow' ? 'hang' : undefined);
    await happen(30);
    await tell();
    const fast = await listen('/fast');
    const two = [anotherSender(), anotherSender()];
    for (const sender of two) sender.start();
    const relay = backend.current.relay();
    relay.start();
    await until('what hangs to be under way', () => (receiver.mostAtOnce.get('/slow') ?? 0) >= 1);
    await happen(20);
    await until('the others to be sent', async () => (await deliveriesOf(fast)).filter(({ status }) => status === 'succeeded').length === 20);
    await relay.stop();
    expect(receiver.mostAtOnce.get('/slow')).to.be.within(1, 4);
  });

  it('are taken once however many send, and each attempt is written down once', async () => {
    const [one, other] = [await listen('/one'), await listen('/other')];
    const three = [anotherSender(), anotherSender(), anotherSender()];
    for (const sender of three) sender.start();
    const relay = backend.current.relay();
    relay.start();
    await happen(40);
    for (const created of [one, other]) await until('all to arrive', async () => (await deliveriesOf(created)).filter(({ status }) => status === 'succeeded').length === 40);
    await relay.stop();
    expect([receiver.at('/one').length, receiver.at('/other').length]).to.deep.equal([40, 40]);
    expect([...receiver.mostAtOnce.values()].every((most) => most <= 4)).to.equal(true);
    const attempts = await backend.current.sql<{ attempts: number }>('select count(*) as attempts from webhook_attempts a join webhook_deliveries d on d.id = a.delivery_id where d.webhook_id = any(?::uuid[])', [[one.webhook.id, other.webhook.id]]);
    expect(attempts).to.deep.equal([{ attempts: 80 }]);
  });

  it('of a process that goes down are given back, and of one that is lost are repeated once when its lease is over', async () => {
    const created = await listen();
    receiver.answers = () => 'hang';
    await happen();
    const leaving = anotherSender();
    const relay = backend.current.relay();
    relay.start();
    leaving.start();
    await until('the attempt to be under way', () => receiver.received.length === 1);
    await relay.stop();
    await leaving.stop();
    expect(await backend.current.sql('select status, attempt_count, lease_token from webhook_deliveries where webhook_id = ?', [created.webhook.id])).to.deep.equal([{ status: 'pending', attempt_count: 0, lease_token: null }]);
    receiver.release();
    receiver.clear();
    // Another one took it, sent it, and was killed before it could say so.
    await backend.current.sql("update webhook_deliveries set lease_token = gen_random_uuid(), lease_expires_at = now() + interval '1 minute' where webhook_id = ?", [created.webhook.id]);
    expect(await send()).to.equal(0);
    await backend.current.sql("update webhook_deliveries set lease_expires_at = now() where webhook_id = ?", [created.webhook.id]);
    expect(await send()).to.equal(1);
    expect(await only(created)).to.deep.include({ status: 'succeeded', attempt_count: 1 });
    expect(receiver.received).to.have.length(1);
  });

  it('are kept for thirty days with their attempts, a message for as long as a delivery of it', async () => {
    const created = await listen();
    await happen(2);
    await send();
    const [old, redelivered] = await deliveriesOf(created);
    await backend.current.run('redeliverDelivery', ada, { path: { delivery_id: redelivered?.id ?? '' } });
    await send();
    const ids = [old?.id ?? '', redelivered?.id ?? ''];
    await backend.current.sql("update webhook_deliveries set created_at = now() - interval '31 days' where id = any(?::uuid[])", [ids]);
    await backend.current.sql("update webhook_messages set created_at = now() - interval '31 days' where project_id = ?", [projectId]);
    const count = (): Promise<unknown[]> => backend.current.sql(`
      select (select count(*) from webhook_messages where project_id = e.project_id) as messages, count(distinct d.id) as deliveries, count(a.number) as attempts
        from webhook_endpoints e left join webhook_deliveries d on d.webhook_id = e.id left join webhook_attempts a on a.delivery_id = d.id where e.id = ? group by e.id`, [created.webhook.id]);
    expect(await count()).to.deep.equal([{ messages: 2, deliveries: 3, attempts: 3 }]);
    await sweepDeliveries(backend.current.database.db).run(new AbortController().signal);
    expect(await count()).to.deep.equal([{ messages: 1, deliveries: 1, attempts: 1 }]);
  });
});
