/**
 * What belongs to others, named in any place that takes an id (path, query, body), is answered as what does not exist:
 * the same bytes, but for the request's own id. Generated over the contract: a new operation, parameter or field is asked
 * about without a line here, and one whose kind nobody knows fails.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { isRecord, listOf, type Operation, operations, resolved } from '../../support/properties/contract.ts';
import type { WireAnswer } from '../../support/properties/wire.ts';
import { written } from '../matrix/requests.ts';
import { missedDelivery } from '../matrix/requests/webhooks.ts';
import { basePath, type World } from '../matrix/world.ts';
import { useStage } from './stage.ts';

const tags = new Set(['Teams', 'Projects', 'Tasks', 'Comments', 'Notifications', 'Invitations', 'Search', 'Previews', 'Webhooks', 'API keys']);
type Kind = 'team' | 'project' | 'task' | 'label' | 'attachment' | 'comment' | 'tag' | 'invitation' | 'notification' | 'preview_job' | 'share' | 'live_session' | 'user' | 'api_key' | 'webhook' | 'delivery';

const kindOf: Readonly<Record<string, Kind>> = {
  team_id: 'team', project_id: 'project', project_ids: 'project', task_id: 'task', depends_on_task_id: 'task', label_id: 'label', label_ids: 'label', attachment_id: 'attachment',
  comment_id: 'comment', parent_id: 'comment', tag_id: 'tag', invitation_id: 'invitation', notification_id: 'notification', job_id: 'preview_job', share_id: 'share', live_id: 'live_session',
  user_id: 'user', assignee_id: 'user', author_id: 'user', key_id: 'api_key', webhook_id: 'webhook', delivery_id: 'delivery',
};

/** Fields that mean something else with others: what stands beside them, and what is named then. */
const beside: Readonly<Record<string, readonly { readonly kind: Kind; readonly query?: Readonly<Record<string, string>>; readonly json?: Readonly<Record<string, unknown>> }[]>> = {
  'createComment body entity_id': [{ kind: 'task', json: { entity_type: 'task', body: 'Seen.' } }, { kind: 'preview_job', json: { entity_type: 'preview', body: 'Seen.' } }],
  'listComments query entity_id': [{ kind: 'task', query: { entity_type: 'task' } }, { kind: 'preview_job', query: { entity_type: 'preview' } }],
  'listProjectActivity query entity_id': [{ kind: 'task' }, { kind: 'comment' }],
  'createInvitation body target_id': [
    { kind: 'team', json: { target_type: 'team', role: 'member', email: 'somebody@example.com' } }, { kind: 'project', json: { target_type: 'project', role: 'member', email: 'somebody@example.com' } },
  ],
  'transferProject body team_id': [{ kind: 'team', json: {} }],
};

/** Whoever has an account may be named, and templates are everybody's: no secret is in these. */
const open: readonly string[] = ['addTeamMember body user_id', 'addProjectMember body user_id', 'transferProject body user_id', 'sharePreview body user_id', 'createProject body template_id'];

const passing = new Set(['x-request-id', 'date', 'ratelimit', 'connection', 'keep-alive', 'retry-after']);
const seen = ({ status, text, headers }: WireAnswer): unknown =>
  ({ status, text, headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !passing.has(name)).sort()) });

type Place = 'path' | 'query' | 'body';
const isId = (name: string): boolean => /_ids?$/.test(name);

/** The fields of a body that hold ids, in every branch of it. */
function idsIn(schema: unknown): { name: string; isList: boolean }[] {
  const found = resolved(schema);
  if (!isRecord(found)) return [];
  const own = isRecord(found['properties']) ? Object.entries(found['properties']).filter(([name]) => isId(name)) : [];
  const branches = ['oneOf', 'anyOf', 'allOf'].flatMap((word) => listOf(found[word]).flatMap(idsIn));
  const all = [...own.map(([name, field]) => ({ name, isList: (resolved(field) as Record<string, unknown>)['type'] === 'array' || name.endsWith('_ids') })), ...branches];
  return all.filter(({ name }, at) => all.findIndex((one) => one.name === name) === at);
}

const placesOf = ({ parameters, body }: Operation): { place: Place; name: string; isList: boolean }[] => [
  ...parameters.flatMap(({ name, in: place }) => (place !== 'header' && isId(name) ? [{ place, name, isList: false }] : [])),
  ...idsIn(body).map((field) => ({ place: 'body' as const, ...field })),
];

/** Somebody else's team and project with one of everything in it. */
async function elsewhere(world: World): Promise<Readonly<Record<Kind, string>>> {
  const [other, friend] = [await world.person(), await world.person()];
  const make = async (path: string, json: unknown): Promise<string> => (await world.data<{ id: string }>('POST', path, { as: other, json })).id;
  const team = await make('/teams', { name: 'Elsewhere' });
  const project = await make('/projects', { name: 'Elsewhere', team_id: team });
  const task = await make(`/projects/${project}/tasks`, { title: 'Elsewhere' });
  const previews = await world.data<{ job: { id: string } }>('POST', '/preview/request', {
    as: other, json: { project_id: project, entry_file: 'index.js', files: [{ path: 'index.js', sha256: 'a'.repeat(64), size: 1 }] },
  });
  const share = await make(`/preview/jobs/${previews.job.id}/shares`, { user_id: friend.id });
  const live = randomUUID();
  await world.sql(`insert into live_sessions (id, project_id, requested_by, job_id, tier, max_build_ms, idle_seconds, queue_class, queue_priority)
    values ($1, $2, $3, $4, 'free', 60000, 600, 'cpu', 'low')`, [live, project, other.id, previews.job.id]);
  const notification = randomUUID();
  await world.sql("insert into notifications (id, user_id, project_id, type, payload, event_key, in_app) values ($1, $2, $3, 'account.export_ready', '{}', $4, true)", [notification, other.id, project, notification]);
  const { webhook } = await world.data<{ webhook: { id: string } }>('POST', `/projects/${project}/webhooks`, { as: other, json: { url: world.hookUrl, event_types: ['task.created'] } });
  const kept = { projectId: project, webhookId: webhook.id };
  return {
    team, project, task, label: await make(`/projects/${project}/labels`, { name: 'elsewhere', color: '#0a7f5a' }),
    attachment: await make(`/tasks/${task}/attachments`, { name: 'x', external_url: 'https://example.com/x' }),
    comment: await make(`/projects/${project}/comments`, { entity_type: 'task', entity_id: task, body: 'Elsewhere.' }),
    tag: await make(`/projects/${project}/tags`, { name: 'elsewhere', color: '#0a7f5a' }),
    invitation: await make('/invitations', { target_type: 'project', target_id: project, role: 'member', username: friend.username }),
    webhook: kept.webhookId, delivery: await missedDelivery(world, kept),
    notification, preview_job: previews.job.id, share, live_session: live, user: friend.id,
    api_key: (await world.data<{ api_key: { id: string } }>('POST', '/api-keys', { as: other, json: { name: 'x', scopes: ['projects:read'] } })).api_key.id,
  };
}

describe('what belongs to others', function () {
  this.timeout(60_000);
  const stage = useStage({ apis: 1 });
  let theirs: Readonly<Record<Kind, string>>;
  before('somebody else has one of everything', async () => { theirs = await elsewhere(stage.current.world); });

  let asked = 0;
  for (const operation of operations) {
    const { route } = operation;
    if (!tags.has(route.tag) || (route.auth !== 'user' && route.auth !== 'jwt')) continue;
    for (const { place, name, isList } of placesOf(operation)) {
      const called = `${route.operationId} ${place} ${name}`;
      if (open.includes(called)) continue;
      const ways = beside[called] ?? [{ kind: kindOf[name] ?? null }];
      for (const way of ways) {
        const { kind, query = {}, json }: { kind: Kind | null; query?: Readonly<Record<string, string>>; json?: Readonly<Record<string, unknown>> } = way;
        asked += 1;
        it(`is answered as missing by ${route.operationId}, named as ${name} in the ${place}${ways.length > 1 ? ` (${String(kind)})` : ''}`, async () => {
          if (kind === null) throw new Error(`Nobody knows what ${called} names: say it in kindOf or beside.`);
          const on = stage.current;
          const prepared = await on.prepare(route);
          const ask = async (id: string): Promise<WireAnswer> => {
            const path = place === 'path' ? withParameter(route.template, prepared.asked.path, name, id)
              : place === 'query' ? withQuery(prepared.asked.path, { ...query, [name]: id }) : prepared.asked.path;
            const body = place === 'body' ? { ...json ?? prepared.asked.json as object, [name]: isList ? [id] : id } : prepared.asked.json;
            const request = written(route, { path, json: body });
            return on.world.send({ ...request, headers: { ...request.headers, ...(await prepared.caller.headersFor(route, request, prepared.asked)) } });
          };
          const [hidden, missing] = [await ask(theirs[kind]), await ask(randomUUID())];
          expect(seen(hidden)).to.deep.equal(seen(missing));
          if (place === 'query') {
            // A filter by what is not there finds nothing.
            if (hidden.status === 200) expect(JSON.parse(hidden.text)).to.have.nested.property('data.items').that.deep.equals([]);
            else expect(hidden.status, hidden.text).to.equal(404);
            return;
          }
          // What is taken off is off, whoever's it was: nothing happens, and nothing is told.
          if (hidden.status === 204 && route.method === 'delete') return;
          const { error } = JSON.parse(hidden.text) as { error: { code: string; details: unknown } };
          // By the field itself, and not by something else that is wrong about the request.
          const isPointed = place === 'body' && error.code === 'VALIDATION_ERROR' && listOf(error.details).some((fault) => isRecord(fault) && String(fault['pointer']).includes(`/${name}`));
          expect(error.code === 'NOT_FOUND' || isPointed, hidden.text).to.equal(true);
        });
      }
    }
  }

  it('is asked about wherever an id can stand', () => expect(asked).to.be.greaterThan(60));
});

/** The path with another id in the place of one of its parameters. */
function withParameter(template: string, path: string, name: string, id: string): string {
  const [plain = '', query] = path.split('?');
  const parts = plain.split('/');
  const at = template.split('/').indexOf(`{${name}}`);
  if (at < 0 || plain.startsWith(basePath)) throw new Error(`${name} is not in ${template}`);
  parts[at] = id;
  return `${parts.join('/')}${query === undefined ? '' : `?${query}`}`;
}

/** The path with these parameters in its query, also where it has others. */
function withQuery(path: string, parameters: Readonly<Record<string, string>>): string {
  const [plain = '', query] = path.split('?');
  const whole = new URLSearchParams(query);
  for (const [name, value] of Object.entries(parameters)) whole.set(name, value);
  return `${plain}?${whole.toString()}`;
}
