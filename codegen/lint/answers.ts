/** The statuses an operation's traits imply, the envelope, one kind of body a status, examples, Location. */
import { type Answer, type Contract, isSuccess, kindOf, type Operation, resolve } from '../contract.ts';
import { eachOperation } from './operations.ts';

const takes = (operation: Operation, header: string): boolean => operation.parameters.some((parameter) => parameter.in === 'header' && parameter.name.toLowerCase() === header);

/** Status → the trait that brings it. */
export function impliedStatuses(operation: Operation): ReadonlyMap<number, string> {
  const { raw } = operation;
  const implied = new Map<number, string>([[500, 'anything may fail'], [503, 'anything may be away']]);
  if (raw['x-auth'] !== undefined && raw['x-auth'] !== 'none') implied.set(401, 'it wants a credential');
  if (operation.body !== null) for (const status of [400, 413, 415]) implied.set(status, 'it takes a body');
  if (operation.parameters.length > 0) implied.set(400, 'it takes parameters');
  if (operation.parameters.some((parameter) => parameter.in === 'path')) implied.set(404, 'its path names something');
  if (raw['x-scope'] !== undefined || raw['x-roles'] !== undefined || raw['x-auth'] === 'admin') implied.set(403, 'it asks for a scope, a role or an admin');
  if (raw['x-rate-limit'] !== undefined) implied.set(429, 'it has a rate class');
  if (takes(operation, 'if-match')) implied.set(412, 'it takes If-Match');
  if (takes(operation, 'if-none-match')) implied.set(304, 'it takes If-None-Match');
  if (takes(operation, 'idempotency-key')) implied.set(409, 'it takes an Idempotency-Key');
  return implied;
}

export const statuses = eachOperation('statuses', function* (operation) {
  for (const [status, trait] of impliedStatuses(operation)) if (!operation.answers.has(status)) yield `must document ${status}: ${trait}`;
  if (![...operation.answers.keys()].some(isSuccess)) yield 'documents no success';
  for (const status of operation.answers.keys()) if (!Number.isInteger(status) || status < 200 || status > 599) yield 'documents an answer that is not a status from 200 to 599';
});

function* faultsOfEnvelope(answer: Answer): Iterable<string> {
  const schema = answer.content?.['application/json']?.schema;
  const { properties } = schema ?? {};
  const isEnvelope = schema?.type === 'object' && schema.additionalProperties === false
    && [...(schema.required ?? [])].sort().join() === 'data,error,ok' && Object.keys(properties ?? {}).sort().join() === 'data,error,ok'
    && properties?.['ok']?.const === true && properties['error']?.type === 'null';
  if (!isEnvelope) yield 'is not in the envelope {ok: true, data, error: null}, closed, with all three required';
}

export const envelopes = eachOperation('envelopes', function* (operation) {
  for (const [status, answer] of operation.answers) {
    const kind = kindOf(answer);
    if (kind === 'json' && Object.keys(answer.content ?? {}).length > 1) yield `has more than JSON at ${status}`;
    if (isSuccess(status) && kind === 'json') for (const fault of faultsOfEnvelope(answer)) yield `at ${status} ${fault}`;
    if (status >= 400 && answer.content?.['application/json']?.schema?.$ref !== '#/components/schemas/ErrorEnvelope') yield `at ${status} must answer ErrorEnvelope as JSON`;
    if ((status === 204 || status === 304) && kind !== 'none') yield `at ${status} has a body`;
  }
  const types = Object.keys(operation.body?.content ?? {});
  if (types.includes('application/json') && types.length > 1) yield 'takes JSON and other media types: one or the other';
});

const hasExample = (contract: Contract, examples: Readonly<Record<string, { readonly $ref?: string; readonly value?: unknown }>> | undefined): boolean =>
  Object.values(examples ?? {}).some((example) => resolve(contract, example).value !== undefined);

export const examples = eachOperation('examples', function* (operation, contract) {
  for (const [status, answer] of operation.answers) {
    const json = answer.content?.['application/json'];
    if (json !== undefined && !hasExample(contract, json.examples)) yield `needs a named example at ${status}`;
    const events = answer.content?.['text/event-stream'];
    if (events !== undefined && !hasExample(contract, events.examples)) yield `needs a named example of its events at ${status}: the mock plays it`;
  }
  const body = operation.body?.content['application/json'];
  if (body !== undefined && !hasExample(contract, body.examples)) yield 'needs a named example of its body';
});

export const locations = eachOperation('locations', function* (operation) {
  for (const status of [201, 202]) {
    const answer = operation.answers.get(status);
    if (answer !== undefined && !Object.keys(answer.headers ?? {}).some((name) => name.toLowerCase() === 'location')) yield `must document Location at ${status}`;
  }
});
