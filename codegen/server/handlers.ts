/**
 * generated/server/handlers.gen.ts: what each handler is given and may answer. The types of the wire come from the
 * SDK's types, so that there is one writer of them; this adds what only the server knows: defaults are filled in,
 * header names are lower case, errors are thrown and so are no answers.
 */
import { type Answer, isSuccess, kindOf, type Operation, type Parameter, resolve, type Contract, type Schema } from '../contract.ts';
import { banner } from '../output.ts';

/** What the pipeline itself sets, so no handler has to. */
const headersOfThePipeline = new Set([
  'etag', 'ratelimit', 'ratelimit-policy', 'x-request-id', 'idempotency-replayed', 'cache-control', 'vary', 'content-type', 'retry-after', 'www-authenticate',
]);

export const pascal = (id: string): string => `${id.charAt(0).toUpperCase()}${id.slice(1)}`;
const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(' | ');

/** Names of the properties of a body that have a default, which the validator fills in. */
const defaultedFields = (contract: Contract, schema: Schema): string[] =>
  Object.entries(resolve(contract, schema).properties ?? {}).filter(([, field]) => field.default !== undefined).map(([name]) => name);

function pathType(operation: Operation): string {
  return operation.parameters.some((parameter) => parameter.in === 'path') ? `wire.${pascal(operation.id)}Data['path']` : 'NoParameters';
}

function queryType(contract: Contract, operation: Operation): string {
  const query = operation.parameters.filter((parameter) => parameter.in === 'query');
  if (query.length === 0) return 'NoParameters';
  const type = `NonNullable<wire.${pascal(operation.id)}Data['query']>`;
  const filled = query.filter((parameter) => resolve(contract, parameter.schema ?? {}).default !== undefined || parameter.schema?.default !== undefined);
  return filled.length === 0 ? type : `Filled<${type}, ${quoted(filled.map((parameter) => parameter.name))}>`;
}

function headersType(operation: Operation): string {
  const headers = operation.parameters.filter((parameter) => parameter.in === 'header');
  if (headers.length === 0) return 'NoParameters';
  const all = `NonNullable<wire.${pascal(operation.id)}Data['headers']>`;
  const field = (parameter: Parameter): string =>
    `readonly '${parameter.name.toLowerCase()}'${parameter.required === true ? '' : '?'}: NonNullable<${all}['${parameter.name}']>`;
  return `{ ${headers.map(field).join('; ')} }`;
}

function bodyType(contract: Contract, operation: Operation): string {
  const schema = operation.body?.content['application/json']?.schema;
  if (operation.body === null || schema === undefined) return 'undefined';
  const wire = `NonNullable<wire.${pascal(operation.id)}Data['body']>`;
  const filled = defaultedFields(contract, schema);
  const type = filled.length === 0 ? wire : `Filled<${wire}, ${quoted(filled)}>`;
  return operation.body.required === true ? type : `${type} | undefined`;
}

function headersOfReply(answer: Answer): string {
  const required = Object.entries(answer.headers ?? {})
    .filter(([name, header]) => header.required === true && !headersOfThePipeline.has(name.toLowerCase()))
    .map(([name]) => name);
  const etag = Object.entries(answer.headers ?? {}).some(([name, header]) => name.toLowerCase() === 'etag' && header.required === true);
  const headers = required.length === 0 ? 'readonly headers?: ReplyHeaders' : `readonly headers: ReplyHeaders & { ${required.map((name) => `readonly '${name}': string`).join('; ')} }`;
  return `${headers}; readonly etag${etag ? '' : '?'}: string`;
}

/** The union of answers; 3xx ones are among them, since a service may know that nothing has changed. */
function replyType(operation: Operation): string {
  const replies: string[] = [];
  for (const [status, answer] of [...operation.answers].sort(([a], [b]) => a - b)) {
    if (!isSuccess(status) && !(status >= 300 && status < 400)) continue;
    const rest = headersOfReply(answer);
    const kind = kindOf(answer);
    if (kind === 'json') replies.push(`{ readonly status: ${status}; readonly body: wire.${pascal(operation.id)}Responses[${status}]['data']; ${rest} }`);
    else if (kind === 'events') replies.push(`{ readonly status: ${status}; readonly events: AsyncIterable<StreamEvent>; ${rest} }`);
    else if (kind === 'stream') replies.push(`{ readonly status: ${status}; readonly stream: Readable; ${rest} }`);
    else replies.push(`{ readonly status: ${status}; ${rest} }`);
  }
  return replies.length === 0 ? 'never' : replies.map((reply) => `\n  | ${reply}`).join('');
}

const union = (ids: readonly string[]): string => (ids.length === 0 ? ' never' : `\n${ids.map((id) => `  | '${id}'`).join('\n')}`);

export function writeHandlers(contract: Contract, mounted: readonly Operation[], pending: readonly Operation[]): string {
  const lines = [
    banner,
    "import type { Readable } from 'node:stream';",
    "import type { HandlerRequest, StreamEvent } from '#http/route.ts';",
    "import type { Call } from '#platform/call.ts';",
    "import type * as wire from '../sdk/types.gen.ts';\n",
    '/** Every mounted operation. */',
    `export type OperationId =${union(mounted.map(({ id }) => id))};\n`,
    '/** In the contract and not mounted yet (codegen/pending.json). */',
    `export type PendingOperationId =${union(pending.map(({ id }) => id))};\n`,
    'type NoParameters = Readonly<Record<never, never>>;',
    'type ReplyHeaders = Readonly<Record<string, string>>;',
    '/** The fields K have a default in the contract, so a validated request always has them. */',
    'type Filled<T, K extends keyof T> = Omit<T, K> & { readonly [P in K]-?: Exclude<T[P], undefined> };\n',
  ];
  for (const operation of mounted) {
    const name = pascal(operation.id);
    lines.push(
      `export type ${name}Request = HandlerRequest<${pathType(operation)}, ${queryType(contract, operation)}, ${headersType(operation)}, ${bodyType(contract, operation)}>;`,
      `export type ${name}Reply =${replyType(operation)};\n`,
    );
  }
  lines.push('/** What stands behind each operation. Errors are thrown (ServiceError), never returned. */', 'export interface Handlers {');
  for (const operation of mounted) {
    const name = pascal(operation.id);
    lines.push(`  /** ${operation.method.toUpperCase()} ${operation.path} */`, `  readonly ${operation.id}: (request: ${name}Request, call: Call) => Promise<${name}Reply>;`);
  }
  lines.push('}\n');
  return lines.join('\n');
}
