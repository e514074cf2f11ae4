/** Values that a schema of the contract takes, for fast-check. */
import fc from 'fast-check';
import { isRecord, listOf, numberOf, schemaOf, takes, type Schema } from './contract.ts';
import { textOf } from './strings.ts';

/** Values of things that exist, by the name of the field they stand in; mixed in beside random ones. */
export type Existing = Readonly<Record<string, unknown>>;

/** Arrays and maps get this much beyond their least size. */
const more = 3;

const jsonFields = fc.dictionary(
  fc.string({ unit: 'binary', maxLength: 20 }).filter((key) => key !== '__proto__' && !key.includes('\0')),
  fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }), { maxKeys: 4 },
).filter((value) => !JSON.stringify(value).includes('\\u0000'));

/** @param name the field the value stands in: what exists under that name is used now and then */
export function valueOf(given: Schema, existing: Existing, name = ''): fc.Arbitrary<unknown> {
  const schema = schemaOf(given);
  const value = unnamed(schema, existing, name);
  const known = existing[name];
  if (known === undefined || !takes(schema, known)) return value;
  return fc.oneof({ weight: 4, arbitrary: fc.constant<unknown>(known) }, { weight: 1, arbitrary: value });
}

function unnamed(schema: Schema, existing: Existing, name: string): fc.Arbitrary<unknown> {
  if ('const' in schema) return fc.constant(schema['const']);
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...listOf(schema['enum']));
  const branches = [...listOf(schema['oneOf']), ...listOf(schema['anyOf'])];
  if (branches.length > 0) {
    // Of two branches only one may take the value: the schema itself has the last word.
    return fc.oneof(...branches.map((branch) => valueOf(narrowed(schema, schemaOf(branch)), existing, name))).filter((value) => takes(schema, value));
  }
  const parts = listOf(schema['allOf']).map(schemaOf);
  if (parts.length > 0) return fc.tuple(...[...parts, without(schema, 'allOf')].map((part) => valueOf(part, existing, name))).map(merge).filter((value) => takes(schema, value));
  const types = Array.isArray(schema['type']) ? listOf(schema['type']) : [schema['type'] ?? 'object'];
  return fc.oneof(...types.map((type) => ofType(String(type), schema, existing, name)));
}

/** A branch with what stands beside the branches: the fields that all of them share, and which of them this one requires. */
function narrowed(schema: Schema, branch: Schema): Schema {
  if (!isRecord(schema['properties'])) return branch;
  const beside = without(without(schema, 'oneOf'), 'anyOf');
  return {
    ...beside, ...branch,
    properties: { ...schema['properties'], ...(isRecord(branch['properties']) ? branch['properties'] : {}) },
    required: [...new Set([...listOf(beside['required']), ...listOf(branch['required'])])],
  };
}

const without = (schema: Schema, key: string): Schema => Object.fromEntries(Object.entries(schema).filter(([one]) => one !== key));
const merge = (values: readonly unknown[]): unknown => (values.every(isRecord) ? Object.assign({}, ...values) as unknown : values.at(-1));

function ofType(type: string, schema: Schema, existing: Existing, name: string): fc.Arbitrary<unknown> {
  switch (type) {
    case 'null': return fc.constant(null);
    case 'boolean': return fc.boolean();
    case 'integer': return integerOf(schema);
    case 'number': return fc.double({ min: numberOf(schema['minimum']) ?? -1e9, max: numberOf(schema['maximum']) ?? 1e9, noNaN: true });
    case 'string': return textOf({ ...schema, type: 'string' });
    case 'array': return listsOf(schema, existing, name);
    case 'object': return objectOf(schema, existing);
    default: throw new Error(`No values are known of type ${type}.`);
  }
}

function integerOf(schema: Schema): fc.Arbitrary<number> {
  const [min, max] = [numberOf(schema['minimum']) ?? -1_000_000, numberOf(schema['maximum']) ?? 1_000_000];
  return fc.oneof({ weight: 4, arbitrary: fc.maxSafeInteger().map((any) => min + (Math.abs(any) % (Math.min(max - min, 1_000) + 1))) }, { weight: 1, arbitrary: fc.constantFrom(min, max) });
}

function listsOf(schema: Schema, existing: Existing, name: string): fc.Arbitrary<unknown[]> {
  const minLength = numberOf(schema['minItems']) ?? 0;
  const maxLength = Math.min(numberOf(schema['maxItems']) ?? minLength + more, minLength + more);
  // `running_job_ids` holds what `job_id` names elsewhere.
  const items = valueOf(schemaOf(schema['items']), existing, name.replace(/^.*?([a-z]+_id)s$/, '$1'));
  if (schema['uniqueItems'] === true) return fc.uniqueArray(items, { minLength, maxLength, selector: (item) => JSON.stringify(item) });
  return fc.array(items, { minLength, maxLength });
}

function objectOf(schema: Schema, existing: Existing): fc.Arbitrary<Record<string, unknown>> {
  const properties = Object.entries(isRecord(schema['properties']) ? schema['properties'] : {});
  if (schema['x-json'] === true && properties.length === 0) return jsonFields;
  const required = new Set(listOf(schema['required']));
  const fields = fc.record(
    Object.fromEntries(properties.map(([name, field]) => [name, valueOf(schemaOf(field), existing, name)])),
    { requiredKeys: properties.map(([name]) => name).filter((name) => required.has(name)) },
  ) as fc.Arbitrary<Record<string, unknown>>;
  const least = numberOf(schema['minProperties']) ?? 0;
  const extra = schema['additionalProperties'];
  if (!isRecord(extra)) return fields.filter((value) => Object.keys(value).length >= least);
  const names = isRecord(schema['propertyNames']) ? unnamed({ type: 'string', ...schemaOf(schema['propertyNames']) }, {}, '') as fc.Arbitrary<string> : fc.string({ minLength: 1, maxLength: 20 });
  const maxKeys = Math.min(numberOf(schema['maxProperties']) ?? more, Math.max(least, more));
  return fc.tuple(fields, fc.dictionary(names, valueOf(schemaOf(extra), existing), { minKeys: least, maxKeys })).map(([known, open]) => ({ ...open, ...known }));
}
