/** Values of the JSON types a schema names (its patterns and formats aside: a serialiser does not look at them). */
import fc from 'fast-check';
import { areRequirements, type Contract, resolve, type Schema } from '../../../codegen/contract.ts';

/** Deeper than this, lists are empty and optional fields absent, so that a schema may contain itself. */
const maxDepth = 5;

const json = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 });

export function valueOf(contract: Contract, schema: Schema, depth = 0): fc.Arbitrary<unknown> {
  const found = resolve(contract, schema);
  if (found['x-json'] === true) return json;
  if (found.const !== undefined) return fc.constant(found.const);
  if (found.enum !== undefined) return fc.constantFrom(...found.enum);
  if (found.oneOf !== undefined && !areRequirements(found.oneOf)) return fc.oneof(...found.oneOf.map((branch) => valueOf(contract, branch, depth + 1)));
  const types = typeof found.type === 'string' ? [found.type] : found.type ?? [];
  return fc.oneof(...types.map((type): fc.Arbitrary<unknown> => {
    switch (type) {
      case 'null': return fc.constant(null);
      case 'string': return fc.string({ maxLength: 12, unit: 'grapheme' });
      case 'boolean': return fc.boolean();
      case 'integer': return fc.maxSafeInteger();
      case 'number': return fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (Object.is(number, -0) ? 0 : number));
      case 'array': return fc.array(valueOf(contract, found.items ?? {}, depth + 1), { maxLength: depth >= maxDepth ? 0 : 2 });
      case 'object': return objectOf(contract, found, depth);
      default: throw new Error(`no value for the type ${type}`);
    }
  }));
}

function objectOf(contract: Contract, schema: Schema, depth: number): fc.Arbitrary<unknown> {
  if (schema.properties === undefined) {
    return fc.dictionary(fc.string(), valueOf(contract, schema.additionalProperties as Schema, depth + 1), { maxKeys: 3 });
  }
  const required = schema.required ?? [];
  const fields = Object.entries(schema.properties).filter(([name]) => depth < maxDepth || required.includes(name));
  return fc.record(Object.fromEntries(fields.map(([name, field]) => [name, valueOf(contract, field, depth + 1)])), { requiredKeys: [...required] });
}
