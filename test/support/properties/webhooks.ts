/** Webhooks for the property tests: stand-ins to draw with, and the real things, each made anew. */
import type { Person, System } from '../system.ts';

const standIns = { webhook: '00000000-0000-4000-8000-00000000d101', delivery: '00000000-0000-4000-8000-00000000d102' } as const;

/** What a request may name, by the field it stands in. */
export const existingWebhooks = { webhook_id: standIns.webhook, delivery_id: standIns.delivery } as const;

/** Nobody is spoken to: an address that is refused. */
const url = 'https://10.0.0.1/';
let made = 0;

/** The real things for the stand-ins that a request holds, in one project of a person. */
export async function webhooksFor(request: string, system: System, who: Person, projectId: string): Promise<Map<string, string>> {
  const real = new Map<string, string>();
  if (!request.includes(standIns.webhook) && !request.includes(standIns.delivery)) return real;
  const { webhookId, deliveryId } = await webhookIn(system, who, projectId);
  return real.set(standIns.webhook, webhookId).set(standIns.delivery, deliveryId);
}

/** A new endpoint with one delivery that failed; every third is off. */
export async function webhookIn(system: System, { tokens: { user } }: Person, projectId: string): Promise<{ webhookId: string; deliveryId: string }> {
  made += 1;
  const [row] = await system.sql(`
    with endpoint as (
      insert into webhook_endpoints (id, project_id, url, event_types, is_active, disabled_reason, disabled_at, created_by, secret, secret_key_id)
      select gen_random_uuid(), $1, $2, '{task.created}', not $3, case when $3 then 'failing' end, case when $3 then now() end, $4, '\\x00', 'none' returning id
    ), message as (
      insert into webhook_messages (id, project_id, type, body)
      select id, $1, 'task.created', jsonb_build_object('id', id, 'type', 'task.created', 'timestamp', '2026-03-02T09:31:00.000Z', 'project_id', $1::uuid, 'data', '{}'::jsonb)::text
        from gen_random_uuid() as id returning id
    ), delivery as (
      insert into webhook_deliveries (id, webhook_id, event_id, event_type, trigger, status, attempt_count, response_status, completed_at)
      select gen_random_uuid(), e.id, m.id, 'task.created', 'occurrence', 'failed', 1, 500, now() from endpoint e, message m returning id, webhook_id
    ), attempt as (
      insert into webhook_attempts (delivery_id, number, attempted_at, duration_ms, response_status, response_body, failure)
      select id, 1, now(), 12, 500, 'Not today.', 'status' from delivery
    )
    select id as delivery, webhook_id as webhook from delivery`, [projectId, url, made % 3 === 0, user.id]);
  return { webhookId: String(row?.['webhook']), deliveryId: String(row?.['delivery']) };
}
