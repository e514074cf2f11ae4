/** Schemas of the contract in the words Ajv is given: no annotations, named schemas below `contract#/$defs`, unions decided. */
import { areRequirements, type Contract, type Json, type Schema, schemaName } from '../contract.ts';
import { type Objects, tellApart } from '../union.ts';

type Out = Record<string, unknown>;

/** Says nothing about what is valid; left out so that the generated code does not carry it. */
const annotations = new Set(['description', 'title', 'examples', 'example', 'deprecated', 'contentEncoding', 'contentMediaType', 'discriminator']);

const integers = { int32: true, int64: true } as Readonly<Record<string, boolean>>;

function decideObjects(contract: Contract, objects: Objects): Out {
  if (objects.by === 'only') return forAjv(contract, objects.schema);
  if (objects.by === 'const') {
    const { field, cases } = objects;
    return {
      type: 'object',
      required: [field],
      properties: { [field]: { enum: cases.flatMap(({ values }) => values) } },
      allOf: cases.map(({ values, schema }) => ({
        if: { type: 'object', required: [field], properties: { [field]: { enum: values } } },
        then: forAjv(contract, schema),
      })),
    };
  }
  return {
    type: 'object',
    anyOf: objects.cases.map(({ field }) => ({ type: 'object', properties: { [field]: {} }, required: [field] })),
    allOf: objects.cases.map(({ field, schema }) => ({
      if: { type: 'object', properties: { [field]: {} }, required: [field] },
      then: forAjv(contract, schema),
    })),
  };
}

function decide(contract: Contract, branches: readonly Schema[]): Out {
  const { types, byType, objects } = tellApart(contract, branches);
  const rules = [...byType].map(([type, schema]) => ({ if: { type }, then: forAjv(contract, schema) }));
  if (objects !== null) rules.push({ if: { type: 'object' }, then: decideObjects(contract, objects) });
  return { type: types, allOf: rules };
}

/** Formats whose expressions are of fixed length or plainly linear. */
const quickFormats = new Set(['uuid', 'date-time', 'date', 'time']);

/**
 * Where every fault is collected, Ajv goes on to the pattern after maxLength has failed: 64 KiB of text would be put
 * through an expression that was written for a hundred characters. So text that is too long is not looked at further.
 */
function boundPatterns(out: Out): Out {
  const { pattern, format, ...rest } = out;
  const isSlow = pattern !== undefined || (format !== undefined && !(typeof format === 'string' && quickFormats.has(format)));
  if (!isSlow || out['maxLength'] === undefined || out['if'] !== undefined) return out;
  return {
    ...rest,
    if: { type: 'string', maxLength: out['maxLength'] },
    then: { type: 'string', ...(pattern === undefined ? {} : { pattern }), ...(format === undefined ? {} : { format }) },
  };
}

/** One schema, with everything below it. */
export function forAjv(contract: Contract, schema: Schema): Out {
  const out: Out = {};
  for (const [key, value] of Object.entries(schema)) {
    if (annotations.has(key) || key.startsWith('x-')) continue;
    if (key === '$ref') out[key] = `contract#/$defs/${schemaName(String(value))}`;
    else if (key === 'properties') out[key] = Object.fromEntries(Object.entries(value as Record<string, Schema>).map(([name, field]) => [name, forAjv(contract, field)]));
    else if ((key === 'oneOf' || key === 'anyOf') && areRequirements(value as Schema[])) out[key] = value;
    else if (key === 'oneOf') Object.assign(out, decide(contract, value as Schema[]));
    else if (key === 'items' || key === 'propertyNames') out[key] = forAjv(contract, value as Schema);
    else if (key === 'additionalProperties') out[key] = typeof value === 'boolean' ? value : forAjv(contract, value as Schema);
    else if (key === 'format' && (integers[String(value)] === true || value === 'binary')) continue;
    else out[key] = value as Json;
  }
  return boundPatterns(out);
}

/** All named schemas as one document that `contract#/$defs/…` refers to. */
export const namedSchemas = (contract: Contract): Out => ({
  $id: 'contract',
  $defs: Object.fromEntries(Object.entries(contract.components?.schemas ?? {}).map(([name, schema]) => [name, forAjv(contract, schema)])),
});
