import { ServiceError } from '#platform/errors.ts';
import type { OperationValidators, Validator } from '../contract.ts';
import type { Exchange, Step } from '../exchange.ts';
import type { Route } from '../route.ts';
import { parseEntityTag } from '../conditional.ts';
import { fault, faultsOf, type Fault, type Part } from './faults.ts';
import { parseQuery } from './query.ts';

const maxFaults = 100;

/**
 * Judges path, query, headers and body by the generated validators, and says every fault found at once. Parameters are
 * coerced to their types and get their defaults; bodies are taken as they are.
 */
export function validate(route: Route, validators: OperationValidators, bodyRequired: boolean): Step {
  const judges: (readonly [Part, Validator])[] = [];
  for (const part of ['path', 'query', 'headers', 'body'] as const) {
    const validator = validators[part];
    if (validator !== undefined) judges.push([part, validator]);
  }
  const takesQuery = validators.query !== undefined;
  const wantsHeaders = validators.headers !== undefined || route.auth === 'hook';
  const hasPath = route.path.includes(':');

  return (exchange) => {
    const { req } = exchange;
    if (hasPath) exchange.path = pathOf(exchange);
    exchange.query = parseQuery(req.originalUrl);
    if (wantsHeaders) exchange.headers = { ...req.headers };
    exchange.isValid = false;
    const faults: Fault[] = [];
    for (const [part, validator] of judges) {
      if (part === 'body' && exchange.body === undefined) {
        if (bodyRequired) faults.push(fault('#/body', 'is required', 'required'));
        continue;
      }
      if (!validator(exchange[part])) faults.push(...faultsOf(part, validator.errors));
    }
    if (!takesQuery) faults.push(...unknownParameters(exchange.query));
    if (exchange.query['cursor'] !== undefined && exchange.query['offset'] !== undefined) {
      faults.push(fault('#/query/offset', 'is refused together with a cursor', 'cursor'));
    }
    if (faults.length > 0) throw invalid(faults.slice(0, maxFaults));
    exchange.isValid = true;
    if (route.ifMatch) exchange.ifMatch = ifMatchOf(exchange);
  };
}

const unknownParameters = (query: Record<string, unknown>): Fault[] =>
  Object.keys(query).map((name) => fault(`#/query/${name}`, 'is not known here', 'additionalProperties'));

/** Express has decoded the parameters; a NUL is the one thing it lets through that a database cannot take. */
function pathOf({ req }: Exchange): Record<string, unknown> {
  const path: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(req.params)) {
    if (value.includes('\0')) throw invalid([fault(`#/path/${name}`, 'must be text without U+0000', 'encoding')]);
    path[name] = value;
  }
  return path;
}

function ifMatchOf({ req }: Exchange): string | null {
  const header = req.headers['if-match'];
  // `*` asks only that the thing exists, which the operation finds out by itself.
  if (header === undefined || header.trim() === '*') return null;
  const tag = parseEntityTag(header);
  if (tag === null) throw invalid([fault('#/headers/if-match', 'must be one ETag in quotes, or *', 'entityTag')]);
  // A weak tag never matches where a change depends on it (RFC 9110, 13.1.1).
  if (tag.isWeak) throw new ServiceError('PRECONDITION_FAILED', 'A weak ETag cannot guard a change. Send the one you were given.');
  return tag.value;
}

/** One sentence for a person, the whole list for a program. */
function invalid(faults: readonly Fault[]): ServiceError {
  const [first] = faults;
  const where = first === undefined ? '' : first.pointer.split('/').slice(2).join('.') || 'The body';
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  return new ServiceError('VALIDATION_ERROR', `${where} ${first?.message ?? ''}${more}.`.slice(0, 1000), { details: faults });
}
