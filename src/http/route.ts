/**
 * The shape of one row of the generated route table and of what stands behind it.
 *
 * `codegen/` writes the rows from the contract (generated/server/routes.gen.ts); the pipeline in this folder is driven
 * by them alone, so nothing about an operation is said a second time in code.
 */
import type { Readable } from 'node:stream';
import type { Call } from '#platform/call.ts';

/** Who may call: the words of the Auth column (`x-auth` in the contract). */
export type Auth = 'none' | 'user' | 'jwt' | 'admin' | 'worker' | 'hook' | 'preview';

export interface Route<Id extends string = string> {
  readonly operationId: Id;
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Express form below the server base, e.g. `/projects/:project_id`. */
  readonly path: string;
  /** OpenAPI form, e.g. `/projects/{project_id}`: what logs and metrics show in place of the real path. */
  readonly template: string;
  readonly tag: string;
  readonly auth: Auth;
  /** API-key scope; null = an API key is refused. */
  readonly scope: string | null;
  /** Rate class; null = unlimited. */
  readonly rateLimit: string | null;
  /** Least role on the resource, e.g. `project:member`; null where there is no resource. */
  readonly roles: string | null;
  /** The parameter that names what the operation acts on, e.g. `path.project_id`. */
  readonly resource: string | null;
  /** The audit event this operation leaves. */
  readonly audit: string | null;
  /** Bound of the body in bytes, enforced before it is parsed; 0 = takes no body. */
  readonly maxBodyBytes: number;
  readonly requestBody: 'none' | 'json' | 'stream';
  /** Media types the body may have; empty when it takes none. */
  readonly requestTypes: readonly string[];
  /** Takes an Idempotency-Key. */
  readonly idempotent: boolean;
  /** Answers a strong ETag and honours If-None-Match. */
  readonly etag: boolean;
  /** Honours If-Match. */
  readonly ifMatch: boolean;
  /** A secret or token is in the answer: `Cache-Control: no-store`. */
  readonly noStore: boolean;
  /** Each documented status and the kind of its body. */
  readonly responses: Readonly<Record<number, 'json' | 'none' | 'stream' | 'events'>>;
}

/** One server-sent event. `id` is what a client sends back as Last-Event-ID; without an `event` it is that alone, and nothing happens. */
export interface StreamEvent {
  readonly id?: string;
  readonly event: string | null;
  readonly data: unknown;
}

/** What the pipeline hands to a handler: validated, coerced, with defaults filled in. */
export interface HandlerRequest<Path, Query, Headers, Body> {
  readonly path: Path;
  readonly query: Query;
  readonly headers: Headers;
  readonly body: Body;
  /** The raw body for operations whose body is a stream; already cut off at `maxBodyBytes`. */
  readonly stream: Readable | null;
  /** The bytes of the body as they came, for `hook` operations, whose signature is over them; null elsewhere. */
  readonly rawBody: Buffer | null;
  /** The Accept header as it came, for operations that answer in several forms. */
  readonly accept?: string | undefined;
}

/**
 * What a handler answers. `body` is the `data` of the envelope (the pipeline serialises and wraps it), absent for 204;
 * `stream` is sent as it is, `events` as server-sent events. `etag` is the entity's version, unquoted.
 */
export interface HandlerReply<Status extends number = number, Data = unknown> {
  readonly status: Status;
  readonly body?: Data;
  readonly headers?: Readonly<Record<string, string>>;
  readonly etag?: string;
  readonly stream?: Readable;
  readonly events?: AsyncIterable<StreamEvent>;
}

export type AnyHandler = (request: HandlerRequest<never, never, never, never>, call: Call) => Promise<HandlerReply>;
