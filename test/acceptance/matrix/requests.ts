/**
 * For each operation the request that is right in every way, made for one scene: what it acts on belongs to the scene's
 * owner and is new where the request changes it. The matrix sends it as every caller; the other generated guarantees send
 * it as one that succeeds.
 */
import type { OperationRoute } from './routes.ts';
import type { Node } from '../../support/properties/credentials.ts';
import type { WireRequest } from '../../support/properties/wire.ts';
import { authRequests } from './requests/auth.ts';
import { commentRequests } from './requests/comments.ts';
import { credentialRequests } from './requests/credentials.ts';
import { healthRequests } from './requests/health.ts';
import { keyRequests } from './requests/keys.ts';
import { notificationRequests } from './requests/notifications.ts';
import { previewRequests } from './requests/previews.ts';
import { projectRequests } from './requests/projects.ts';
import { searchRequests } from './requests/search.ts';
import { teamRequests } from './requests/teams.ts';
import { taskRequests } from './requests/tasks.ts';
import { userRequests } from './requests/users.ts';
import { webhookRequests } from './requests/webhooks.ts';
import { workerRequests } from './requests/workers.ts';
import { basePath, jsonType, type Scene, type World } from './world.ts';

/** A request without its credentials. */
export interface Asked {
  /** Below the base path, with the query. */
  readonly path: string;
  readonly json?: unknown;
  /** A body that is no JSON. */
  readonly raw?: { readonly type: string; readonly text: string };
  /** The id of what it acts on, as it stands in path or body: a stranger must not tell it from one that does not exist. */
  readonly target?: string;
  /** As good a request of this operation that means something else: for a key used twice. */
  readonly other?: { readonly path?: string; readonly json?: unknown };
  /** The strong validator of what it changes, as it is now. */
  readonly etag?: string;
  /** What goes on while it waits for its answer. */
  readonly meanwhile?: (signal: AbortSignal) => Promise<void>;
  /** The caller's own session that it has to come by, where the one at hand does not do. */
  readonly accessToken?: string;
  /** Who signs it, for a worker's operation that the registered node does not sign. */
  readonly node?: Node;
}

export interface Recipe {
  /** Its caller is another one afterwards (signed out, gone, with another password): each request is sent by a new one. */
  readonly isSpending?: true;
  ask(world: World, scene: Scene): Promise<Asked>;
}

/** operationId → recipe. One that is missing for a mounted operation fails the matrix. */
export const recipes: ReadonlyMap<string, Recipe> = new Map<string, Recipe>(Object.entries({
  ...authRequests, ...commentRequests, ...credentialRequests, ...healthRequests, ...keyRequests, ...notificationRequests, ...previewRequests, ...projectRequests, ...searchRequests, ...teamRequests, ...taskRequests, ...userRequests, ...webhookRequests, ...workerRequests,
}));

/** The request as it goes over the wire, but for its credentials. */
export function written(route: OperationRoute, { path, json, raw }: Pick<Asked, 'path' | 'json' | 'raw'>, headers: Readonly<Record<string, string>> = {}): WireRequest {
  return {
    method: route.method.toUpperCase(), path: `${basePath}${path}`, body: raw?.text ?? (json === undefined ? null : JSON.stringify(json)),
    headers: { ...(json === undefined ? {} : jsonType), ...(raw === undefined ? {} : { 'content-type': raw.type }), ...headers },
  };
}
