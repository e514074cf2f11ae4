import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { WebhookDeliveryService } from './deliveries-service.ts';
import type { WebhookService } from './service.ts';

type Operations =
  | 'listWebhooks' | 'createWebhook' | 'getWebhook' | 'updateWebhook' | 'deleteWebhook' | 'rotateWebhookSecret'
  | 'testWebhook' | 'redeliverSince' | 'listDeliveries' | 'getDelivery' | 'redeliverDelivery';

const placeOf = (deliveryId: string): string => `/api/v1/webhook-deliveries/${deliveryId}`;

export const webhookHandlers = (webhooks: WebhookService, deliveries: WebhookDeliveryService): Pick<Handlers, Operations> => ({
  listWebhooks: async ({ path, query }, call) => ({ status: 200, body: await webhooks.list(call, path.project_id, query) }),
  createWebhook: async ({ path, body }, call) => {
    const made = await webhooks.create(call, path.project_id, body);
    return { status: 201, body: made, headers: { Location: `/api/v1/webhooks/${made.webhook.id}` } };
  },
  getWebhook: async ({ path }, call) => {
    const { entity, etag } = await webhooks.get(call, path.webhook_id);
    return { status: 200, body: entity, etag };
  },
  updateWebhook: async ({ path, body }, call) => {
    const { entity, etag } = await webhooks.update(call, path.webhook_id, body);
    return { status: 200, body: entity, etag };
  },
  deleteWebhook: async ({ path }, call) => {
    await webhooks.remove(call, path.webhook_id);
    return { status: 204 };
  },
  rotateWebhookSecret: async ({ path, body }, call) => ({ status: 200, body: await webhooks.rotateSecret(call, path.webhook_id, body) }),
  testWebhook: async ({ path }, call) => {
    const delivery = await deliveries.test(call, path.webhook_id);
    return { status: 202, body: delivery, headers: { Location: placeOf(delivery.id) } };
  },
  redeliverSince: async ({ path, body }, call) => ({
    status: 202, body: await deliveries.redeliverSince(call, path.webhook_id, body), headers: { Location: `/api/v1/webhooks/${path.webhook_id}/deliveries` },
  }),
  listDeliveries: async ({ path, query }, call) => ({ status: 200, body: await deliveries.list(call, path.webhook_id, query) }),
  getDelivery: async ({ path }, call) => ({ status: 200, body: await deliveries.get(call, path.delivery_id) }),
  redeliverDelivery: async ({ path }, call) => {
    const delivery = await deliveries.redeliver(call, path.delivery_id);
    return { status: 202, body: delivery, headers: { Location: placeOf(delivery.id) } };
  },
});
