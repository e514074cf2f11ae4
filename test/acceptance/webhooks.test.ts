/** Webhooks as an integrator meets them: by the SDK, with a receiver that checks signatures by the package that people use. */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo, createServer as createListener } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Webhook } from 'standardwebhooks';
import { failureOf } from '../support/failures.ts';
import { testFolder } from '../support/services.ts';
import { until, useSystem } from '../support/system.ts';

/** One that nobody listens on now. */
async function freePort(): Promise<number> {
  const listener = createListener();
  await new Promise<void>((resolve) => { listener.listen(0, '127.0.0.1', resolve); });
  const { port } = listener.address() as AddressInfo;
  await new Promise<void>((resolve) => { listener.close(() => resolve()); });
  return port;
}

interface Arrival { readonly headers: IncomingHttpHeaders; readonly body: string }

describe('webhooks over the wire', () => {
  const system = useSystem({ apis: 2, variables: { OUTGOING_ALLOWED_RANGES: '127.0.0.1/32' } });
  const arrivals: Arrival[] = [];
  /** What the receiver answers. */
  let status = 204;
  let receiver: Server;
  let url = '';
  before('somebody listens', async () => {
    receiver = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => { body += chunk; }).on('end', () => {
        arrivals.push({ headers: request.headers, body });
        response.writeHead(status).end(status === 204 ? undefined : 'Not now.');
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hivesync`;
  });
  after(() => {
    receiver.close();
    receiver.closeAllConnections();
  });
  const signed = ({ headers }: Arrival): Record<string, string> => ({
    'webhook-id': String(headers['webhook-id']), 'webhook-timestamp': String(headers['webhook-timestamp']), 'webhook-signature': String(headers['webhook-signature']),
  });

  it('tell of what happens, signed by a secret shown once, and send again what did not arrive', async () => {
    const { api } = (await system.current.person()).hive;
    const project = await api.createProject({ body: { name: 'Field Notes' } });
    const inProject = { path: { project_id: project.id } };
    const { webhook, secret } = await api.createWebhook({ ...inProject, body: { url, event_types: ['task.created'] } });
    const path = { webhook_id: webhook.id };
    expect((await api.listWebhooks(inProject)).items).to.deep.equal([webhook]);
    expect(await api.getWebhook({ path })).to.deep.equal(webhook);

    const test = await api.testWebhook({ path });
    expect([test.trigger, test.event_type, test.status]).to.deep.equal(['test', 'webhook.test', 'pending']);
    await until('the test to arrive', async () => (await api.getDelivery({ path: { delivery_id: test.id } })).status === 'succeeded');
    const first = arrivals.at(-1) ?? expect.fail('Nothing came.');
    expect(new Webhook(secret).verify(first.body, signed(first))).to.deep.include({ id: test.event_id, type: 'webhook.test', project_id: project.id });
    expect(first.headers['webhook-id']).to.equal(test.event_id);

    status = 500;
    const task = await api.createTask({ ...inProject, body: { title: 'Draw the map' } });
    const listed = async (): Promise<{ id: string; status: string; attempt_count: number; event_id: string }[]> =>
      (await api.listDeliveries({ path, query: { event_type: 'task.created' } })).items;
    await until('an attempt', async () => (await listed())[0]?.attempt_count === 1);
    const [missed] = await listed();
    expect(missed?.status).to.equal('pending');
    const detail = await api.getDelivery({ path: { delivery_id: missed?.id ?? '' } });
    expect(detail.attempts[0]).to.include({ response_status: 500, response_body: 'Not now.', failure: 'status' });
    expect(detail.payload['data']).to.have.nested.property('task.id', task.id);
    expect((await api.updateWebhook({ path, body: { is_active: false } })).disabled_reason).to.equal('switched_off');
    expect((await listed()).map((one) => one.status)).to.deep.equal(['cancelled']);
    expect(await failureOf(api.redeliverSince({ path, body: { since: project.created_at } }))).to.include({ code: 'CONFLICT', status: 409 });

    status = 204;
    await api.updateWebhook({ path, body: { is_active: true } });
    expect(await api.redeliverSince({ path, body: { since: project.created_at } })).to.deep.equal({ enqueued: 1, next_since: null });
    await until('it to arrive', async () => (await listed())[0]?.status === 'succeeded');
    expect(arrivals.at(-1)?.headers['webhook-id']).to.equal(missed?.event_id);
    const again = await api.redeliverDelivery({ path: { delivery_id: missed?.id ?? '' } });
    expect([again.trigger, again.event_id]).to.deep.equal(['redelivery', missed?.event_id]);

    const rotated = await api.rotateWebhookSecret({ path, body: { overlap_seconds: 60 } });
    const both = await api.testWebhook({ path });
    await until('the test to arrive', async () => (await api.getDelivery({ path: { delivery_id: both.id } })).status === 'succeeded');
    const last = arrivals.findLast(({ headers }) => headers['webhook-id'] === both.event_id) ?? expect.fail('Nothing came.');
    for (const known of [secret, rotated.secret]) new Webhook(known).verify(last.body, signed(last));
    await api.deleteWebhook({ path });
    expect(await failureOf(api.getWebhook({ path }))).to.include({ code: 'NOT_FOUND', status: 404 });
  });

  it('are taken by examples/webhook-receiver.ts, each event once, and no forged one', async () => {
    const { api } = (await system.current.person()).hive;
    const project = await api.createProject({ body: { name: 'Field Notes' } });
    const port = await freePort();
    const { webhook, secret } = await api.createWebhook({ path: { project_id: project.id }, body: { url: `http://127.0.0.1:${port}/`, event_types: ['task.created'] } });
    const example = fileURLToPath(new URL('../../examples/webhook-receiver.ts', import.meta.url));
    const file = join(testFolder(), 'webhook-secret.txt');
    await writeFile(file, `${secret}\n`);
    const child = spawn(process.execPath, [example, file, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => { said += text; });
      await until('it to listen', () => said.includes('listening'), 20_000);
      await api.createTask({ path: { project_id: project.id }, body: { title: 'Draw the map' } });
      const path = { webhook_id: webhook.id };
      const statuses = async (): Promise<string[]> => (await api.listDeliveries({ path })).items.map(({ status: of }) => of);
      await until('it to be taken', async () => (await statuses()).join() === 'succeeded');
      await api.redeliverSince({ path, body: { since: project.created_at, include_succeeded: true } });
      await api.testWebhook({ path });
      await until('all to be taken', async () => (await statuses()).join() === 'succeeded,succeeded,succeeded');
      await until('the test to be told', () => said.includes('test A test'));
      expect(said.split('\n').filter((line) => line === 'task Draw the map')).to.have.length(1);
      const forged = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: '{}', headers: { 'webhook-id': 'x', 'webhook-timestamp': '1772442000', 'webhook-signature': 'v1,AAAA' } });
      expect(forged.status).to.equal(401);
    } finally {
      child.kill();
    }
  });

  it('stop at what the tier of the project\'s owner allows', async () => {
    const { api } = (await system.current.person('free')).hive;
    const path = { project_id: (await api.createProject({ body: { name: 'Field Notes' } })).id };
    const make = () => api.createWebhook({ path, body: { url: 'https://hooks.example.com/x', event_types: ['webhook.disabled'] } });
    await make();
    const failure = await failureOf(make());
    expect([failure.status, failure.code, failure.details]).to.deep.equal([402, 'QUOTA_EXCEEDED', { limit: 'webhooks_per_project', allowed: 1, used: 1, tier: 'free', upgrade_to: 'pro' }]);
  });
});
