/** generated/server/routes.gen.ts: one row an operation, in an order in which a router can try them. */
import { type Contract, kindOf, type Operation } from '../contract.ts';
import { banner } from '../output.ts';
import type { Route } from '#http/route.ts';

/** Words before parameters, segment by segment, so that `/samples/{slug}` never swallows `/samples/check-updates`. */
export function byPath(a: Operation, b: Operation): number {
  const [left, right] = [a.path.split('/'), b.path.split('/')];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const [one, other] = [left[index], right[index]];
    if (one === undefined) return -1;
    if (other === undefined) return 1;
    if (one === other) continue;
    const [oneIsParameter, otherIsParameter] = [one.startsWith('{'), other.startsWith('{')];
    if (oneIsParameter !== otherIsParameter) return oneIsParameter ? 1 : -1;
    return one < other ? -1 : 1;
  }
  return a.method < b.method ? -1 : a.method > b.method ? 1 : 0;
}

const takes = (operation: Operation, header: string): boolean =>
  operation.parameters.some((parameter) => parameter.in === 'header' && parameter.name.toLowerCase() === header);

const answersEtag = (operation: Operation): boolean =>
  [...operation.answers].some(([status, answer]) => status < 300 && Object.keys(answer.headers ?? {}).some((name) => name.toLowerCase() === 'etag'));

/** One row of the table, as src/http/route.ts describes it. */
export function routeOf(operation: Operation): Route {
  const { raw } = operation;
  const requestTypes = Object.keys(operation.body?.content ?? {});
  const responses: Record<number, 'json' | 'none' | 'stream' | 'events'> = {};
  for (const [status, answer] of [...operation.answers].sort(([a], [b]) => a - b)) responses[status] = kindOf(answer);
  return {
    operationId: operation.id,
    method: operation.method,
    path: operation.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    template: operation.path,
    tag: raw.tags?.[0] ?? '',
    auth: raw['x-auth'] as Route['auth'],
    scope: raw['x-scope'] ?? null,
    rateLimit: raw['x-rate-limit'] ?? null,
    roles: raw['x-roles'] ?? null,
    resource: raw['x-resource'] ?? null,
    audit: raw['x-audit'] ?? null,
    maxBodyBytes: operation.body === null ? 0 : raw['x-max-body'] ?? 0,
    requestBody: requestTypes.length === 0 ? 'none' : requestTypes.includes('application/json') ? 'json' : 'stream',
    requestTypes,
    idempotent: takes(operation, 'idempotency-key'),
    etag: answersEtag(operation),
    ifMatch: takes(operation, 'if-match'),
    noStore: raw['x-no-store'] ?? false,
    responses,
  };
}

export function writeRoutes(contract: Contract, mounted: readonly Operation[], pending: readonly Operation[]): string {
  const rows = [...mounted].sort(byPath).map((operation) => `  ${JSON.stringify(routeOf(operation))},`);
  const waiting = [...pending].sort(byPath).map(({ id, method, path }) => `  ${JSON.stringify({ operationId: id, method, template: path })},`);
  return [
    banner,
    "import type { Route } from '#http/route.ts';",
    "import type { OperationId, PendingOperationId } from './handlers.gen.ts';\n",
    '/** The version of the contract these rows are of. */',
    `export const contractVersion = ${JSON.stringify(contract.info.version)};\n`,
    '/** The path every route is mounted below. */',
    `export const basePath = ${JSON.stringify(contract.servers?.[0]?.url ?? '/')};\n`,
    '/** Every mounted operation; words come before parameters, so the order is one a router may try them in. */',
    'export const routes: readonly Route<OperationId>[] = [',
    ...rows,
    '];\n',
    'export interface PendingRoute {',
    '  readonly operationId: PendingOperationId;',
    "  readonly method: Route['method'];",
    '  readonly template: string;',
    '}\n',
    '/** In the contract and not mounted yet (codegen/pending.json). */',
    'export const pendingRoutes: readonly PendingRoute[] = [',
    ...waiting,
    '];\n',
  ].join('\n');
}
