import type { Route } from './route.ts';

/** Where the new entity, or the job, of an answer is read: its path, or null where the contract knows none. */
export type Locate = (data: unknown, path: Readonly<Record<string, unknown>>) => string | null;

const nowhere: Locate = () => null;
const viewed: Locate = (data) => textOf(data, 'view_url');

/**
 * Finds the `Location` of what an operation creates or enqueues in the route table, so that it is known while the
 * effect's transaction still runs (an idempotent answer is sealed there, headers and all). For `POST /a/{x}/bs` that is
 * the GET of `/a/{x}/bs/{id}`, else of `/bs/{id}` or `/a/bs/{id}`; for work, `{job: {id}}` or `{id}`, the GET of `…/jobs/{id}` in the
 * same part of the API. An entity that is only read in its list is where it is changed or deleted, one that its path
 * names by another field than its id goes by that (`user_id` of a member), and what `POST /bs/{id}/replace` makes stands
 * among the `bs`; what is sent for a `b` (`POST /bs/{b_id}/test`) is read as one of `/b-cs/{c_id}`, or, where it is many, in the list
 * `/bs/{b_id}/cs`; work that is seen nowhere but in a list is followed there; what none of these read says itself where it is looked at (`view_url`). Where a handler names another
 * place, that one is sent and the difference is logged.
 */
export function locationOf(route: Route, routes: readonly Route[], basePath: string): Locate {
  if (route.responses[201] === undefined && route.responses[202] === undefined) return nowhere;
  const single = routes.filter((one) => /\/\{\w+\}$/.test(one.template));
  const readable = single.filter((one) => one.method === 'get');
  const readAt = (collection: string, among = readable): Route | undefined =>
    among.find((one) => one.template.slice(0, one.template.lastIndexOf('/')) === collection);

  // Work on something that is itself read nowhere is followed by that thing's events.
  const parent = route.template.replace(/\/\w+$/, '');
  const events = routes.find((one) => one.method === 'get' && one.template === `${parent}/events`);
  if (route.responses[202] !== undefined && events !== undefined && !readable.some((one) => one.template === parent)) return (_data, path) => placed(events.template, path, basePath);

  const words = route.template.split('/').slice(1);
  const last = words.at(-1) ?? '';
  const first = words[0] ?? '';
  const read = readAt(route.template) ?? readAt(`/${last}`);
  const job = route.responses[202] === undefined ? undefined : readAt(`/${first}/jobs`) ?? readAt(route.template.replace(/\/[^/]+$/, ''));
  const isList = routes.some((one) => one.method === 'get' && one.template === route.template);
  const collection = isList ? route.template : route.template.replace(/\/\{\w+\}\/\w+$/, '');
  const target = route.responses[202] === undefined ? read ?? readAt(collection, single) ?? readAt(`/${last}`, single) ?? readAt(`/${first}/${last}`, single) : job ?? read;
  if (target === undefined) {
    const below = sentBelow(route, routes, single);
    if (below !== null) return (data, path) => (idOf(data) === null ? placed(below.list.template, path, basePath) : placed(below.one.template, { [below.id]: idOf(data) }, basePath));
    const list = route.template.replace(/(\/\{\w+\})?\/\w+$/, '');
    const isSeenThere = route.responses[202] !== undefined && routes.some((one) => one.method === 'get' && one.template === list);
    return isSeenThere ? () => `${basePath}${list}` : viewed;
  }
  const { template } = target;

  return (data, path) => {
    const names = [...template.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
    const id = textOf(data, names.at(-1) ?? '') ?? idOf(data);
    if (id === null) return viewed(data, path);
    let place = `${basePath}${template}`;
    for (const [at, name] of names.entries()) {
      const value = at === names.length - 1 ? id : path[name];
      if (typeof value !== 'string') return null;
      place = place.replace(`{${name}}`, encodeURIComponent(value));
    }
    return place;
  };
}

/** What is sent on behalf of a thing (`POST /bs/{b_id}/test`), or of one such sending (`POST /b-cs/{c_id}/again`): the list of a thing's, and the GET of each. */
function sentBelow(route: Route, routes: readonly Route[], single: readonly Route[]): { readonly list: Route; readonly one: Route; readonly id: string } | null {
  if (route.responses[202] === undefined) return null;
  const [, parts = '', name = ''] = /^\/([\w-]+)\/\{(\w+)\}\/[\w-]+$/.exec(route.template) ?? [];
  for (const list of routes) {
    const [, things, thing, sendings] = /^\/([\w-]+)\/\{(\w+)_id\}\/(\w+)$/.exec(list.template) ?? [];
    if (list.method !== 'get' || things === undefined) continue;
    const one = single.find((each) => each.method === 'get' && each.template.startsWith(`/${thing}-${sendings}/{`));
    const id = /\{(\w+)\}$/.exec(one?.template ?? '')?.[1];
    if (one === undefined || id === undefined) continue;
    if ((parts === things && name === `${thing}_id`) || (parts === `${thing}-${sendings}` && name === id)) return { list, one, id };
  }
  return null;
}

/** A path with the parameters of the request's own; null where one is missing. */
function placed(template: string, path: Readonly<Record<string, unknown>>, basePath: string): string | null {
  let place = `${basePath}${template}`;
  for (const [name] of template.matchAll(/\{(\w+)\}/g)) {
    const value = path[name.slice(1, -1)];
    if (typeof value !== 'string') return null;
    place = place.replace(name, encodeURIComponent(value));
  }
  return place;
}

/** The entity's id: `{job: {id}}` of accepted work, else its own. */
function idOf(data: unknown): string | null {
  if (typeof data !== 'object' || data === null) return null;
  const { job, id } = data as { readonly job?: unknown; readonly id?: unknown };
  if (typeof job === 'object' && job !== null) return idOf(job);
  if (typeof id === 'string') return id;
  // `createApiKey` answers `{api_key, key}`, `createWebhook` `{webhook, secret}`: the one entity in it.
  const inner = Object.values(data).find((value) => typeof value === 'object' && value !== null && typeof (value as { id?: unknown }).id === 'string');
  return inner === undefined ? null : idOf(inner);
}

function textOf(data: unknown, name: string): string | null {
  const value: unknown = typeof data === 'object' && data !== null ? Reflect.get(data, name) : null;
  return typeof value === 'string' ? value : null;
}
