/**
 * From what happened to what is sent: of each event one message for each project it is of, and a delivery to each of its
 * endpoints that takes the type. Told again, an event adds nothing: its message is there.
 */
import type { WebhookEventType } from '#generated/sdk/types.gen.ts';
import type { DomainEvent } from '#jobs/outbox.ts';
import type { EventConsumer } from '#jobs/relay.ts';
import { sha256Hex } from '#platform/crypto.ts';
import type { Database } from '#platform/database.ts';
import { newId } from '#platform/ids.ts';
import { composers, momentOf } from './messages.ts';
import { deliveriesChannel } from './waking.ts';

/** The endpoints of the projects $1, and of those of the teams $2, that take $3 now. A project's last event is that it was deleted. */
const endpointsSql = `
  select e.id, e.project_id, p.team_id from webhook_endpoints e join projects p on p.id = e.project_id
   where e.project_id in (select unnest($1::uuid[]) union select id from projects where team_id = any($2::uuid[]))
     and e.is_active and e.deleted_at is null and $3 = any(e.event_types) and (p.deleted_at is null or $3 = 'project.deleted')`;

/**
 * Messages that are not there yet, with their deliveries. Endpoints are held meanwhile: one that is switched off or deleted
 * at this moment is left out, or its deliveries are there for it to cancel.
 */
const addSql = `
  with taking as materialized (
    select e.id from webhook_endpoints e where e.id = any($7::uuid[]) and e.is_active and e.deleted_at is null order by e.id for share
  ), told as (
    insert into webhook_messages (id, project_id, type, event_key, body)
    select m.id, m.project_id, $1, m.event_key, m.body from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[]) as m (id, project_id, event_key, body)
        on conflict do nothing
    returning id
  ), added as (
    insert into webhook_deliveries (id, webhook_id, event_id, event_type, trigger, next_attempt_at)
    select d.id, d.webhook_id, d.event_id, $1, 'occurrence', now()
      from unnest($6::uuid[], $7::uuid[], $8::uuid[]) as d (id, webhook_id, event_id)
      join told on told.id = d.event_id join taking on taking.id = d.webhook_id
    returning id
  )
  select pg_notify('${deliveriesChannel}', '') from (select from added limit 1) as anything`;

interface TakingEndpoint { readonly id: string; readonly project_id: string; readonly team_id: string | null }
interface AddedMessage { readonly id: string; readonly projectId: string; readonly key: string; readonly body: string; readonly webhookIds: readonly string[] }

/** Of one statement: an event of a team is one of each of its projects. */
const messagesAtOnce = 200;

/** The consumers of every type that endpoints can ask for; each takes several events at once. */
export function webhookConsumers(db: Database): Map<string, EventConsumer> {
  return new Map([...composers.keys()].map((type): [string, EventConsumer] => {
    const together = (events: readonly DomainEvent[]): Promise<void> => fanOut(db, type, events);
    return [type, Object.assign((event: DomainEvent) => together([event]), { together })];
  }));
}

/** Where nobody listens one statement; else three, whatever the number of events and endpoints, one more for each 200 messages beyond. */
async function fanOut(db: Database, type: WebhookEventType, events: readonly DomainEvent[]): Promise<void> {
  const idsOf = (of: (event: DomainEvent) => unknown): string[] => [...new Set(events.map(of).filter((id) => typeof id === 'string'))];
  const endpoints = await db.named<TakingEndpoint>('webhooks.taking', endpointsSql, [idsOf(({ projectId }) => projectId), idsOf(teamOf), type]);
  if (endpoints.length === 0) return;
  const heard = events.map((event) => ({ event, projects: projectsOf(event, endpoints) })).filter(({ projects }) => projects.size > 0);
  if (heard.length === 0) return;
  const say = await composers.get(type)?.(heard.map(({ event }) => event), db);
  const messages: AddedMessage[] = [];
  for (const { event, projects } of heard) {
    const data = say?.(event);
    if (data === undefined) continue;
    for (const [projectId, webhookIds] of projects) {
      // Ids sort as what they tell of happened; an event of a team is told as several.
      const id = event.projectId == null ? newId() : (event.id ?? newId());
      const body = JSON.stringify({ id, type, timestamp: momentOf(event), project_id: projectId, data });
      messages.push({ id, projectId, key: `${keyOf(event)}:${projectId}`, body, webhookIds });
    }
  }
  // In one order, so that two who tell the same events wait for each other and not both for ever.
  messages.sort((one, other) => (one.key < other.key ? -1 : 1));
  for (let start = 0; start < messages.length; start += messagesAtOnce) await add(db, type, messages.slice(start, start + messagesAtOnce));
}

/** An event of a team (somebody joined it) has no project of its own. */
const teamOf = ({ projectId, data }: DomainEvent): unknown => (projectId == null ? data['team_id'] : null);

/** Its projects that are listened to, each with who listens; an endpoint is not told of itself. */
function projectsOf(event: DomainEvent, endpoints: readonly TakingEndpoint[]): Map<string, string[]> {
  const teamId = teamOf(event);
  const listening = endpoints.filter(({ id, project_id: projectId, team_id: of }) =>
    id !== event.entityId && (projectId === event.projectId || (typeof teamId === 'string' && of === teamId)));
  const projects = new Map<string, string[]>();
  for (const { id, project_id: projectId } of listening) projects.set(projectId, [...(projects.get(projectId) ?? []), id]);
  return projects;
}

/** One that a version before this one emitted has no id: it is known by what it says. */
const keyOf = (event: DomainEvent): string => event.id ?? sha256Hex(JSON.stringify(event));

async function add(db: Database, type: WebhookEventType, messages: readonly AddedMessage[]): Promise<void> {
  const deliveries = messages.flatMap(({ id, webhookIds }) => webhookIds.map((webhookId) => ({ id: newId(), webhookId, eventId: id })));
  await db.named('webhooks.fan_out', addSql, [
    type, messages.map(({ id }) => id), messages.map(({ projectId }) => projectId), messages.map(({ key }) => key), messages.map(({ body }) => body),
    deliveries.map(({ id }) => id), deliveries.map(({ webhookId }) => webhookId), deliveries.map(({ eventId }) => eventId),
  ]);
}
