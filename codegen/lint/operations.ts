/** What every operation says of itself: words, who may call, its class and its other extensions. */
import { type Contract, escapePointer, methods, type Operation, operationsOf, resolve, type Schema } from '../contract.ts';
import type { Fault, Rule } from './fault.ts';

export const rateClasses = ['read', 'write', 'strict', 'job', 'upload', 'stream', 'search', 'worker', 'admin', 'public'] as const;
export const scopes = [
  'account:read', 'projects:read', 'projects:write', 'tasks:read', 'tasks:write', 'comments:read', 'comments:write', 'previews:read',
  'previews:write', 'ai:read', 'ai:write', 'repos:read', 'repos:write', 'webhooks:read', 'webhooks:write', 'notifications:read',
  'notifications:write', 'search:read', 'samples:read', 'faq:read',
] as const;
export const roles = ['project:member', 'project:admin', 'project:owner', 'team:member', 'team:admin', 'team:owner'] as const;

const person = { accessToken: [] };
const securityByAuth: Readonly<Record<string, readonly Readonly<Record<string, readonly string[]>>[]>> = {
  none: [], hook: [], preview: [], user: [person, { apiKey: [] }], jwt: [person], admin: [person], worker: [{ workerSignature: [] }],
};

const includes = (list: readonly string[], word: unknown): boolean => typeof word === 'string' && list.includes(word);

/** Runs a check over every operation; what it yields is a fault of that operation. */
export const eachOperation = (rule: string, check: (operation: Operation, contract: Contract) => Iterable<string>): Rule => (contract) =>
  operationsOf(contract).flatMap((operation) => [...check(operation, contract)].map((message): Fault => ({
    rule, pointer: operation.pointer, message: `${operation.id === '' ? 'an operation' : operation.id} ${message}`,
  })));

export const words = eachOperation('words', function* ({ id, raw }, contract) {
  if (!/^[a-z][A-Za-z0-9]*$/.test(id)) yield 'needs an operationId in camelCase';
  if (raw.tags?.length !== 1) yield 'needs exactly one tag';
  for (const tag of raw.tags ?? []) if (!(contract.tags ?? []).some(({ name }) => name === tag)) yield `has the tag ${tag}, which the contract does not list`;
  if ((raw.summary ?? '').trim() === '') yield 'needs a summary';
  if ((raw.description ?? '').trim() === '') yield 'needs a description';
});

export const uniqueIds: Rule = (contract) => {
  const seen = new Set<string>();
  return operationsOf(contract).flatMap(({ id, pointer }): Fault[] => {
    if (seen.has(id)) return [{ rule: 'uniqueIds', pointer, message: `${id} is the id of two operations` }];
    seen.add(id);
    return [];
  });
};

/** A path that is listed and has nothing on it. */
export const emptyPaths: Rule = (contract) => Object.entries(contract.paths)
  .filter(([, item]) => methods.every((method) => item[method] === undefined))
  .map(([path]) => ({ rule: 'emptyPaths', pointer: `#/paths/${escapePointer(path)}`, message: `${path} has no operation` }));

export const auth = eachOperation('auth', function* ({ raw }) {
  const who = raw['x-auth'];
  const expected = who === undefined ? undefined : securityByAuth[who];
  if (expected === undefined) yield `needs x-auth, one of ${Object.keys(securityByAuth).join(', ')}`;
  else if (JSON.stringify(raw.security) !== JSON.stringify(expected)) yield `is for ${who ?? ''}, so its security must be ${JSON.stringify(expected)}`;
  const scope = raw['x-scope'];
  if (scope !== undefined && !includes(scopes, scope)) yield `has the unknown x-scope ${scope}`;
  if (who === 'user' && scope === undefined) yield 'takes API keys and needs the x-scope that admits them (or x-auth: jwt)';
  if (who !== 'user' && scope !== undefined) yield 'takes no API key, so x-scope means nothing';
});

export const rateLimit = eachOperation('rateLimit', function* ({ raw }) {
  const name = raw['x-rate-limit'];
  if (name === undefined) {
    if (raw.tags?.[0] !== 'Health') yield 'needs x-rate-limit';
  } else if (!includes(rateClasses, name)) {
    yield `has the unknown x-rate-limit ${name}`;
  }
});

function hasField(contract: Contract, schema: Schema | undefined, field: string): boolean {
  if (schema === undefined) return false;
  const found = resolve(contract, schema);
  if (found.properties !== undefined) return found.properties[field] !== undefined;
  return (found.oneOf ?? []).length > 0 && (found.oneOf ?? []).every((branch) => hasField(contract, branch, field));
}

function resourceExists(contract: Contract, operation: Operation, resource: string): boolean {
  const [place, name, more] = resource.split('.');
  if (name === undefined || more !== undefined) return false;
  if (place === 'body') return hasField(contract, operation.body?.content['application/json']?.schema, name);
  return (place === 'path' || place === 'query') && operation.parameters.some((parameter) => parameter.in === place && parameter.name === name);
}

export const policy = eachOperation('policy', function* (operation, contract) {
  const { 'x-roles': role, 'x-resource': resource } = operation.raw;
  if (role !== undefined && !includes(roles, role)) yield `has the unknown x-roles ${role}`;
  if (role !== undefined && resource === undefined) yield 'has x-roles without the x-resource they are held on';
  if (resource !== undefined && !resourceExists(contract, operation, resource)) yield `has the x-resource ${resource}, which is no parameter of it`;
});

export const otherTraits = eachOperation('otherTraits', function* (operation) {
  const { raw } = operation;
  const { 'x-audit': audit, 'x-max-body': maxBody, 'x-no-store': noStore } = raw;
  if (audit !== undefined && !/^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$/.test(String(audit))) yield `has the x-audit ${String(audit)}, which is not of the form thing.happened`;
  if (noStore !== undefined && noStore !== true) yield 'may only say x-no-store: true';
  if (operation.body === null && maxBody !== undefined) yield 'takes no body, so x-max-body means nothing';
  if (operation.body !== null && !(Number.isSafeInteger(maxBody) && Number(maxBody) > 0)) yield 'takes a body and needs x-max-body in bytes';
  if (operation.body !== null && operation.method === 'get') yield 'is a GET and takes a body';
});

/** Extensions by where they may stand. */
const known = {
  operation: new Set(['x-auth', 'x-scope', 'x-rate-limit', 'x-roles', 'x-resource', 'x-audit', 'x-max-body', 'x-no-store']),
  schema: new Set(['x-json', 'x-statuses', 'x-foreign-names']),
} as const;

/** An extension nobody reads is a rule nobody enforces. */
export const extensions: Rule = (contract) => {
  const faults: Fault[] = [];
  const walk = (value: unknown, pointer: string): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      const at = `${pointer}/${escapePointer(key)}`;
      // Examples hold data, and fields may be called anything.
      if (key === 'example' || key === 'examples' || key === 'default' || key === 'enum' || key === 'const') continue;
      if (key.startsWith('x-') && !Array.isArray(value)) {
        const isOperation = /^#\/(paths|webhooks)\/[^/]+\/(get|post|put|patch|delete)$/.test(pointer);
        const isSchema = !isOperation && ('type' in value || 'oneOf' in value || '$ref' in value);
        if (/\/(headers|properties|schemas)$/.test(pointer)) walk(inner, at);
        else if (!(isOperation ? known.operation : isSchema ? known.schema : new Set<string>()).has(key)) faults.push({ rule: 'extensions', pointer: at, message: `${key} is not known here` });
        continue;
      }
      walk(inner, at);
    }
  };
  walk({ ...contract, components: { ...contract.components, examples: undefined } }, '#');
  return faults;
};
