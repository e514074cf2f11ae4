/**
 * What the generated validators share: exact coercion of parameters, and the checks JSON Schema cannot say. This file
 * is copied beside them as it is.
 */
import type { ErrorObject } from 'ajv';

/** The shape of Ajv's error objects; `keyword` is also `text` (see below), `number` or `depth`. */
export interface ValidatorFault {
  readonly instancePath: string;
  readonly keyword: string;
  readonly message?: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** True where the data are valid; else `errors` holds why, until the next call. Faults of a whole are dropped where those of its part say more. */
export interface Validator {
  (data: unknown): boolean;
  errors?: readonly ValidatorFault[] | null;
}

/** What Ajv's standalone code exports. */
export interface Compiled {
  (data: unknown): boolean;
  errors?: readonly ErrorObject[] | null;
}

/** What a parameter's text stands for. */
export type Coercion = 'integer' | 'number' | 'boolean' | 'strings' | 'integers' | 'numbers' | 'booleans' | 'list' | 'listOfIntegers';

/** At most this many faults are answered. */
const maxFaults = 100;
/** Deeper JSON than this is refused: jsonb and JSON.stringify both recurse. */
const maxDepth = 32;

const integerForm = /^-?(?:0|[1-9]\d{0,15})$/;
const numberForm = /^-?(?:0|[1-9]\d{0,15})(?:\.\d{1,15})?$/;

const toInteger = (value: unknown): unknown => (typeof value === 'string' && integerForm.test(value) ? Number(value) : value);
const toNumber = (value: unknown): unknown => (typeof value === 'string' && numberForm.test(value) ? Number(value) : value);
const toBoolean = (value: unknown): unknown => (value === 'true' ? true : value === 'false' ? false : value);
const asArray = (value: unknown): unknown => (typeof value === 'string' ? [value] : value);
const split = (value: unknown): unknown => (typeof value === 'string' ? (value === '' ? [] : value.split(',')) : value);
const each = (value: unknown, change: (item: unknown) => unknown): unknown => (Array.isArray(value) ? value.map(change) : value);

function coerce(kind: Coercion, value: unknown): unknown {
  switch (kind) {
    case 'integer': return toInteger(value);
    case 'number': return toNumber(value);
    case 'boolean': return toBoolean(value);
    case 'strings': return asArray(value);
    case 'integers': return each(asArray(value), toInteger);
    case 'numbers': return each(asArray(value), toNumber);
    case 'booleans': return each(asArray(value), toBoolean);
    case 'list': return split(value);
    case 'listOfIntegers': return each(split(value), toInteger);
  }
}

const escapePointer = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

/** The first NUL, half surrogate pair, infinite number or depth past the bound; PostgreSQL's text and jsonb take none of them. */
function unstorable(value: unknown, path: string, depth: number): ValidatorFault | null {
  if (typeof value === 'string') {
    if (!value.includes('\0') && value.isWellFormed()) return null;
    return { instancePath: path, keyword: 'text', message: 'must hold neither NUL nor half a surrogate pair', params: {} };
  }
  // 1e400 is JSON, and no number: it would be kept as null.
  if (typeof value === 'number' && !Number.isFinite(value)) return { instancePath: path, keyword: 'number', message: 'must be a number of double precision', params: {} };
  if (typeof value !== 'object' || value === null) return null;
  if (depth >= maxDepth) return { instancePath: path, keyword: 'depth', message: `must not be nested deeper than ${maxDepth} levels`, params: {} };
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const found = unstorable(value[index], `${path}/${index}`, depth + 1);
      if (found !== null) return found;
    }
    return null;
  }
  for (const [name, field] of Object.entries(value)) {
    const below = `${path}/${escapePointer(name)}`;
    const found = unstorable(name, below, depth + 1) ?? unstorable(field, below, depth + 1);
    if (found !== null) return found;
  }
  return null;
}

/** Keywords that only say that something below them failed. */
const wholes = new Set(['if', 'allOf', 'anyOf', 'oneOf', 'propertyNames']);

function told(errors: readonly ErrorObject[]): readonly ValidatorFault[] {
  const parts = errors.filter(({ keyword }) => !wholes.has(keyword));
  const seen = new Set<string>();
  const faults: ValidatorFault[] = [];
  for (const { instancePath: path, keyword, message, params, propertyName } of parts.length > 0 ? parts : errors) {
    // Of a key that breaks a rule the fault is the key, not the map it stands in.
    const instancePath = propertyName === undefined ? path : `${path}/${escapePointer(propertyName)}`;
    const key = `${instancePath} ${keyword} ${JSON.stringify(params)}`;
    if (seen.has(key)) continue;
    seen.add(key);
    faults.push({ instancePath, keyword, params, ...(message === undefined ? {} : { message }) });
    if (faults.length === maxFaults) break;
  }
  return faults;
}

function judge(validator: Validator, compiled: Compiled, data: unknown): boolean {
  if (!compiled(data)) {
    validator.errors = told(compiled.errors ?? []);
    return false;
  }
  const found = unstorable(data, '', 0);
  validator.errors = found === null ? null : [found];
  return found === null;
}

/**
 * A validator of path, query or header parameters. It changes the record it is given: text becomes what the contract
 * says (integers and numbers in plain decimal, true/false, lists), and defaults are filled in. Text that has not the
 * form stays as it is and so fails the type check.
 */
export function ofParameters(coercions: Readonly<Record<string, Coercion>>, compiled: Compiled): Validator {
  const names = Object.keys(coercions);
  const validator: Validator = (data) => {
    const record = data as Record<string, unknown>;
    for (const name of names) {
      const value = record[name];
      const kind = coercions[name];
      if (value !== undefined && kind !== undefined) record[name] = coerce(kind, value);
    }
    return judge(validator, compiled, data);
  };
  return validator;
}

/** A validator of a JSON body: nothing is coerced; the defaults of the body's own fields are filled in. */
export function ofBody(compiled: Compiled): Validator {
  const validator: Validator = (data) => judge(validator, compiled, data);
  return validator;
}
