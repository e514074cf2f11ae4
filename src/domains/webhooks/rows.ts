/** Rows of webhooks, and what of them the contract shows. */
import type { Webhook, WebhookAttempt, WebhookDelivery, WebhookDeliveryDetail, WebhookPayload } from '#generated/sdk/types.gen.ts';
import { ServiceError } from '#platform/errors.ts';

/** An endpoint as it is read: secrets are not even selected. */
export interface EndpointRow extends Webhook { readonly row_version: number }

/** A delivery as it is read. */
export type DeliveryRow = WebhookDelivery;

/** An entity with its strong validator. */
export interface Versioned<T> { readonly entity: T; readonly etag: string }

/** By name, so that a column that is added is shown to nobody until it is thought of here. */
export const presentEndpoint = (row: EndpointRow): Webhook => ({
  id: row.id,
  project_id: row.project_id,
  url: row.url,
  event_types: row.event_types,
  is_active: row.is_active,
  disabled_reason: row.disabled_reason,
  disabled_at: row.disabled_at,
  failing_since: row.failing_since,
  created_by: row.created_by,
  created_at: row.created_at,
  updated_at: row.updated_at,
});

export const versionedEndpoint = (row: EndpointRow): Versioned<Webhook> => ({ entity: presentEndpoint(row), etag: String(row.row_version) });

export const presentDelivery = (row: DeliveryRow): WebhookDelivery => ({
  id: row.id,
  webhook_id: row.webhook_id,
  event_id: row.event_id,
  event_type: row.event_type,
  trigger: row.trigger,
  status: row.status,
  attempt_count: row.attempt_count,
  next_attempt_at: row.next_attempt_at,
  response_status: row.response_status,
  created_at: row.created_at,
  completed_at: row.completed_at,
});

export const presentDetail = (row: DeliveryRow, body: string, attempts: readonly WebhookAttempt[]): WebhookDeliveryDetail => ({
  ...presentDelivery(row),
  payload: JSON.parse(body) as WebhookPayload,
  attempts: attempts.map((attempt) => ({
    attempted_at: attempt.attempted_at,
    duration_ms: attempt.duration_ms,
    response_status: attempt.response_status,
    response_body: attempt.response_body,
    failure: attempt.failure,
  })),
});

/** Refuses a change under an If-Match that names another version. */
export function requireVersion(ifMatch: string | null, version: number): void {
  if (ifMatch === null || ifMatch === String(version)) return;
  throw new ServiceError('PRECONDITION_FAILED', 'Somebody changed this since you read it. Read it again.');
}

/** What an audit tells of an endpoint's URL: its path and query may hold a key of whoever listens there. */
export const originOf = (url: string): string => new URL(url).origin;
