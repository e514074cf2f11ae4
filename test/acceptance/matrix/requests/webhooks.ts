import { randomUUID } from 'node:crypto';
import type { Asked, Recipe } from '../requests.ts';
import type { Scene, World } from '../world.ts';

/** An endpoint that takes whatever comes. */
const terms = ({ hookUrl }: World): { readonly url: string; readonly event_types: readonly string[] } => ({ url: `${hookUrl}/${randomUUID()}`, event_types: ['task.created'] });

interface Kept { readonly projectId: string; readonly webhookId: string }

/** A webhook of the project, made by an Owner beside the one it belongs to, who need not be able to any more. */
async function webhookOf(world: World, scene: Scene): Promise<Kept> {
  const projectId = await world.project(scene);
  const { webhook } = await world.data<{ webhook: { id: string } }>('POST', `/projects/${projectId}/webhooks`, { as: world.maker, json: terms(world) });
  return { projectId, webhookId: webhook.id };
}

/** Of an event that never arrived. */
export async function missedDelivery(world: World, { projectId, webhookId }: Kept): Promise<string> {
  const [id, eventId] = [randomUUID(), randomUUID()];
  const body = JSON.stringify({ id: eventId, type: 'task.created', timestamp: new Date().toISOString(), project_id: projectId, data: {} });
  await world.sql('insert into webhook_messages (id, project_id, type, body) values ($1, $2, $3, $4)', [eventId, projectId, 'task.created', body]);
  await world.sql(`
    insert into webhook_deliveries (id, webhook_id, event_id, event_type, trigger, status, attempt_count, completed_at)
    values ($1, $2, $3, 'task.created', 'occurrence', 'failed', 10, now())`, [id, webhookId, eventId]);
  return id;
}

const ofProject = (json?: (world: World) => unknown): Recipe => ({
  async ask(world, scene) {
    const id = await world.project(scene);
    return { path: `/projects/${id}/webhooks`, target: id, ...(json === undefined ? {} : { json: json(world), other: { json: json(world) } }) };
  },
});

const ofWebhook = (below: string, more: (world: World) => Partial<Asked> = () => ({})): Recipe => ({
  async ask(world, scene) {
    const kept = await webhookOf(world, scene);
    if (below === '/redeliver') await missedDelivery(world, kept);
    return { path: `/webhooks/${kept.webhookId}${below}`, target: kept.webhookId, ...more(world) };
  },
});

const ofDelivery = (below: string): Recipe => ({
  async ask(world, scene) {
    const kept = await webhookOf(world, scene);
    const [id, another] = [await missedDelivery(world, kept), await missedDelivery(world, kept)];
    return { path: `/webhook-deliveries/${id}${below}`, target: id, ...(below === '' ? {} : { other: { path: `/webhook-deliveries/${another}${below}` } }) };
  },
});

const since = (minutes: number): { readonly since: string } => ({ since: new Date(Date.now() - minutes * 60_000).toISOString() });

export const webhookRequests: Readonly<Record<string, Recipe>> = {
  listWebhooks: ofProject(),
  createWebhook: ofProject(terms),
  getWebhook: ofWebhook(''),
  updateWebhook: ofWebhook('', (world) => ({ json: terms(world) })),
  deleteWebhook: ofWebhook(''),
  rotateWebhookSecret: ofWebhook('/rotate-secret', () => ({ json: { overlap_seconds: 60 }, other: { json: { overlap_seconds: 120 } } })),
  testWebhook: {
    async ask(world, scene) {
      const [{ webhookId }, { webhookId: another }] = [await webhookOf(world, scene), await webhookOf(world, scene)];
      return { path: `/webhooks/${webhookId}/test`, target: webhookId, other: { path: `/webhooks/${another}/test` } };
    },
  },
  redeliverSince: ofWebhook('/redeliver', () => ({ json: since(60), other: { json: since(120) } })),
  listDeliveries: ofWebhook('/deliveries'),
  getDelivery: ofDelivery(''),
  redeliverDelivery: ofDelivery('/redeliver'),
};
