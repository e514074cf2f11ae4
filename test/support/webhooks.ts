/** Webhooks as tests need them: what was sent written down as a sender writes it. */
import { newId } from '#platform/ids.ts';
import type { Backend } from './backend.ts';

export interface Told {
  readonly type?: string;
  /** When it happened: now. */
  readonly at?: string;
  readonly trigger?: 'occurrence' | 'redelivery' | 'test';
  /** Of an event that was sent before; a new one. */
  readonly eventId?: string;
  /** What it told. */
  readonly text?: string;
}

/** A delivery in this status; of a new event, unless told. */
export async function deliveryTo(backend: Pick<Backend, 'sql'>, webhookId: string, projectId: string, status: string, more: Told = {}): Promise<{ id: string; eventId: string }> {
  const { type = 'preview.succeeded', at = null, trigger = 'occurrence', eventId = newId(), text } = more;
  const id = newId();
  const body = JSON.stringify({ id: eventId, type, timestamp: '2026-03-02T09:31:00.000Z', project_id: projectId, data: text === undefined ? {} : { text } });
  await backend.sql('insert into webhook_messages (id, project_id, type, body) values (?, ?, ?, ?) on conflict do nothing', [eventId, projectId, type, body]);
  await backend.sql(`
    insert into webhook_deliveries (id, webhook_id, event_id, event_type, trigger, status, next_attempt_at, completed_at, created_at)
    values (?, ?, ?, ?, ?, ?, case when ? = 'pending' then now() end, case when ? <> 'pending' then now() end, coalesce(?::timestamptz, now()))`,
  [id, webhookId, eventId, type, trigger, status, status, status, at]);
  return { id, eventId };
}
