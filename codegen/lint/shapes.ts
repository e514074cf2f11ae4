/** What schemas may look like: the language, the bounds, closedness, names, unions and defaults. */
import { areRequirements, type Contract, type Operation, operationsOf, resolve, type Schema } from '../contract.ts';
import { tellApart } from '../union.ts';
import type { Fault, Rule } from './fault.ts';
import { type Place, visitBelow, visitSchemas } from './schemas.ts';

const eachSchema = (rule: string, check: (place: Place, contract: Contract) => Iterable<string>): Rule => (contract) => {
  const faults: Fault[] = [];
  visitSchemas(contract, (place) => {
    for (const message of check(place, contract)) faults.push({ rule, pointer: place.pointer, message });
  });
  return faults;
};

const isRequirement = (schema: Schema): boolean => Object.keys(schema).join() === 'required';
const named = (schema: Schema): readonly string[] => (typeof schema.type === 'string' ? [schema.type] : schema.type ?? []);

const keywords = new Set([
  '$ref', 'type', 'properties', 'required', 'additionalProperties', 'propertyNames', 'items', 'oneOf', 'anyOf', 'enum', 'const', 'default', 'format', 'pattern',
  'minLength', 'maxLength', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minItems', 'maxItems', 'uniqueItems', 'minProperties',
  'maxProperties', 'description', 'title', 'examples', 'deprecated', 'writeOnly', 'contentEncoding', 'contentMediaType', 'x-json', 'x-statuses', 'x-foreign-names',
]);
const besideRef = new Set(['$ref', 'description', 'title', 'examples', 'deprecated', 'default']);
const formats = new Set(['uuid', 'date-time', 'date', 'uri', 'email', 'hostname', 'int32', 'int64', 'binary']);

/** Every keyword is one that validators, serialisers and types all understand alike. */
export const language = eachSchema('language', function* ({ schema }) {
  for (const key of Object.keys(schema)) if (!keywords.has(key)) yield `${key} is not of this contract's schema language`;
  if (schema.$ref !== undefined) {
    for (const key of Object.keys(schema)) if (!besideRef.has(key)) yield `${key} beside $ref: put it where the reference leads`;
    return;
  }
  if (isRequirement(schema)) return;
  if (named(schema).length === 0 && schema.oneOf === undefined && schema['x-json'] !== true) yield 'needs a type';
  if (schema.anyOf !== undefined && !areRequirements(schema.anyOf)) yield 'anyOf is only for branches that name required fields: use oneOf';
  if (schema.format !== undefined && !formats.has(schema.format)) yield `the format ${schema.format} is not checked by anything`;
  if (schema['x-json'] !== undefined && schema['x-json'] !== true) yield 'x-json may only be true';
});

const isBounded = (schema: Schema): boolean => schema.enum !== undefined || schema.const !== undefined;

export const bounds = eachSchema('bounds', function* ({ schema, media }) {
  const types = named(schema);
  // Bodies that are not JSON are bounded by x-max-body, or stream.
  if (media !== null && media !== 'application/json') return;
  if (types.includes('string') && schema.maxLength === undefined && !isBounded(schema)) yield 'a string needs maxLength, enum or const';
  if (types.includes('array') && schema.maxItems === undefined) yield 'an array needs maxItems';
  if (types.includes('integer') && !isBounded(schema) && (schema.minimum === undefined || schema.maximum === undefined)) yield 'an integer needs minimum and maximum';
  if (Math.abs(schema.minimum ?? 0) > Number.MAX_SAFE_INTEGER || Math.abs(schema.maximum ?? 0) > Number.MAX_SAFE_INTEGER) yield 'a bound beyond what a double holds exactly';
  const isOpen = types.includes('object') && (schema.properties === undefined || schema['x-json'] === true);
  if (isOpen && schema.maxProperties === undefined) yield 'an object of free names needs maxProperties';
});

export const closedness = eachSchema('closedness', function* ({ schema, media }) {
  if (media !== null && media !== 'application/json') return;
  const types = named(schema);
  if (types.includes('object')) {
    const fields = Object.keys(schema.properties ?? {});
    // A JSON field may name what is read of it (somebody else's document); the serialisers take none that does.
    if (schema['x-json'] === true) return;
    if (fields.length > 0) {
      if (schema.additionalProperties !== false) yield 'an object needs additionalProperties: false';
    } else if (typeof schema.additionalProperties !== 'object') {
      yield 'an object without properties must be a map (additionalProperties: a schema) or a JSON field (x-json: true)';
    }
  }
  if (types.includes('array') && schema.items === undefined && schema['x-json'] !== true) yield 'an array needs items';
});

export const requiredFields = eachSchema('requiredFields', function* ({ schema }) {
  if (isRequirement(schema)) return;
  for (const field of schema.required ?? []) if (schema.properties?.[field] === undefined) yield `requires ${field}, which is not among its properties`;
  for (const branch of [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])].filter(isRequirement)) {
    for (const field of branch.required ?? []) if (schema.properties?.[field] === undefined) yield `requires ${field}, which is not among its properties`;
  }
});

/** What would be a surprise under the same name in a program. */
export const bannedNames = ['File', 'Error', 'Event', 'Response', 'Request'] as const;

export const schemaNames: Rule = (contract) => Object.keys(contract.components?.schemas ?? {}).flatMap((name): Fault[] => {
  const pointer = `#/components/schemas/${name}`;
  if (/-\d+$/.test(name)) return [{ rule: 'schemaNames', pointer, message: `two schemas are called ${name.replace(/-\d+$/, '')}` }];
  if (!/^[A-Z][A-Za-z0-9]*$/.test(name)) return [{ rule: 'schemaNames', pointer, message: `${name} is not PascalCase` }];
  return bannedNames.some((banned) => banned === name) ? [{ rule: 'schemaNames', pointer, message: `${name} hides a name that programs have already` }] : [];
});

export const unions = eachSchema('unions', function* ({ schema }, contract) {
  if (schema.oneOf === undefined || areRequirements(schema.oneOf)) return;
  if (schema.properties !== undefined || schema.items !== undefined || named(schema).length > 0) yield 'oneOf beside a shape of its own: name the shape in each branch';
  try {
    tellApart(contract, schema.oneOf);
  } catch (error) {
    yield `nothing tells the branches apart: ${(error as Error).message}`;
  }
});

/** Comparing objects with one another takes the square of their number. */
export const uniqueItems = eachSchema('uniqueItems', function* ({ schema }, contract) {
  if (schema.uniqueItems !== true || schema.items === undefined) return;
  const types = named(resolve(contract, schema.items));
  if (types.length === 0 || types.some((type) => type === 'object' || type === 'array')) yield 'uniqueItems only over items that are no objects or arrays';
});

/** A default below a PATCH would overwrite what the caller left alone. */
export const defaults: Rule = (contract) => operationsOf(contract).filter(({ method }) => method === 'patch').flatMap((operation: Operation) => {
  const faults: Fault[] = [];
  const seen = new Set<string>();
  const look = (schema: Schema, pointer: string): void => {
    visitBelow(schema, pointer, (place) => {
      if (place.schema.default !== undefined) faults.push({ rule: 'defaults', pointer: place.pointer, message: `a default in the body of ${operation.id}, which merges` });
      if (place.schema.$ref !== undefined && !seen.has(place.schema.$ref)) {
        seen.add(place.schema.$ref);
        look(resolve(contract, place.schema), place.schema.$ref);
      }
    });
  };
  const schema = operation.body?.content['application/json']?.schema;
  if (schema !== undefined) look(schema, `${operation.pointer}/requestBody/content/application~1json/schema`);
  return faults;
});

/** The error codes and their statuses name each other. */
export const errorCodes: Rule = (contract) => {
  const schema = contract.components?.schemas?.['ErrorCode'];
  const pointer = '#/components/schemas/ErrorCode';
  if (schema === undefined) return [{ rule: 'errorCodes', pointer, message: 'there is no schema ErrorCode' }];
  const codes = (schema.enum ?? []).map(String);
  const statuses = schema['x-statuses'] ?? {};
  return [
    ...codes.filter((code) => !((statuses[code] ?? 0) >= 400 && (statuses[code] ?? 0) <= 599)).map((code) => `${code} has no status from 400 to 599 in x-statuses`),
    ...Object.keys(statuses).filter((code) => !codes.includes(code)).map((code) => `x-statuses names ${code}, which is no code`),
  ].map((message) => ({ rule: 'errorCodes', pointer, message }));
};
