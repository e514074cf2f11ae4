/** Validators of requests: Ajv's standalone code in three modules, and the table that names them by operation. */
import standalone from 'ajv/dist/standalone/index.js';
import type { Contract, Operation, Parameter, Schema } from '../contract.ts';
import { resolve, typesOf } from '../contract.ts';
import { banner, type Files } from '../output.ts';
import { type Ajv2020, newAjv } from './ajv.ts';
import { forAjv } from './schema.ts';
import { asModule } from './module.ts';
import type { Coercion } from './runtime.ts';

/**
 * Bodies up to this size are told every fault; larger ones the first, since millions of faults would be collected
 * for a body of megabytes made wrong on purpose (measured: 5 MB of `[1,1,…]` where objects are due).
 */
const allFaultsUpToBytes = 65_536;

const nameIn = (parameter: Parameter): string => (parameter.in === 'header' ? parameter.name.toLowerCase() : parameter.name);

/** How the text of a parameter becomes its value; null where it stays text. */
export function coercionOf(contract: Contract, parameter: Parameter): Coercion | null {
  const schema = resolve(contract, parameter.schema ?? {});
  const [type] = typesOf(schema).filter((name) => name !== 'null');
  const isInteger = (found: Schema): boolean => found.type === 'integer' || (Array.isArray(found.type) && found.type.includes('integer'));
  if (type === 'number') return isInteger(schema) ? 'integer' : 'number';
  if (type === 'boolean') return 'boolean';
  if (type !== 'array') return null;
  const items = resolve(contract, schema.items ?? {});
  const [item] = typesOf(items);
  if (parameter.explode === false || parameter.in !== 'query') return isInteger(items) ? 'listOfIntegers' : 'list';
  if (item === 'number') return isInteger(items) ? 'integers' : 'numbers';
  return item === 'boolean' ? 'booleans' : 'strings';
}

/** Parameters of one place as the schema of a record. Query strings are closed; a request carries more headers than ours. */
function recordOf(contract: Contract, place: Parameter['in'], parameters: readonly Parameter[]): Record<string, unknown> {
  return {
    type: 'object',
    properties: Object.fromEntries(parameters.map((parameter) => [nameIn(parameter), forAjv(contract, parameter.schema ?? {})])),
    required: parameters.filter((parameter) => parameter.required === true).map(nameIn),
    ...(place === 'query' ? { additionalProperties: false } : {}),
  };
}

interface Row { readonly part: string; readonly text: string }

/** The files below generated/validators that production loads. */
export function writeRequestValidators(contract: Contract, operations: readonly Operation[], runtime: string): Files {
  const parameterAjv = newAjv(contract, { allErrors: true, fillDefaults: true, standalone: true });
  const smallAjv = newAjv(contract, { allErrors: true, fillDefaults: true, standalone: true });
  const largeAjv = newAjv(contract, { allErrors: false, fillDefaults: true, standalone: true });
  const exported = new Map<Ajv2020, Record<string, string>>([[parameterAjv, {}], [smallAjv, {}], [largeAjv, {}]]);
  const named = new Map<Ajv2020, Map<string, string>>([[parameterAjv, new Map()], [smallAjv, new Map()], [largeAjv, new Map()]]);
  /** The name it is compiled under: many operations take the same parameters, and one function serves them all. */
  const add = (ajv: Ajv2020, wanted: string, schema: Record<string, unknown>): string => {
    const key = JSON.stringify(schema);
    const known = named.get(ajv)?.get(key);
    if (known !== undefined) return known;
    ajv.addSchema({ $id: wanted, ...schema });
    (exported.get(ajv) ?? {})[wanted] = wanted;
    named.get(ajv)?.set(key, wanted);
    return wanted;
  };

  const rows = operations.map((operation) => {
    const parts: Row[] = [];
    for (const [place, part] of [['path', 'path'], ['query', 'query'], ['header', 'headers']] as const) {
      const parameters = operation.parameters.filter((parameter) => parameter.in === place);
      if (parameters.length === 0 && place !== 'query') continue;
      const name = add(parameterAjv, `${operation.id}_${part}`, recordOf(contract, place, parameters));
      const coercions = Object.fromEntries(parameters.flatMap((parameter) => {
        const kind = coercionOf(contract, parameter);
        return kind === null ? [] : [[nameIn(parameter), kind]];
      }));
      parts.push({ part, text: `ofParameters(${JSON.stringify(coercions)}, parameters.${name})` });
    }
    const schema = operation.body?.content['application/json']?.schema;
    if (schema !== undefined) {
      const isLarge = (operation.raw['x-max-body'] ?? 0) > allFaultsUpToBytes;
      const name = add(isLarge ? largeAjv : smallAjv, `${operation.id}_body`, forAjv(contract, schema));
      parts.push({ part: 'body', text: `ofBody(${isLarge ? 'largeBodies' : 'bodies'}.${name})` });
    }
    return `  ${operation.id}: { ${parts.map(({ part, text }) => `${part}: ${text}`).join(', ')} },`;
  });

  const files: Files = new Map([['runtime.gen.ts', banner + runtime]]);
  for (const [file, ajv] of [['parameters', parameterAjv], ['bodies', smallAjv], ['largeBodies', largeAjv]] as const) {
    const made = exported.get(ajv) ?? {};
    asModule(files, `${file}.gen`, standalone.default(ajv, made), Object.keys(made));
  }
  files.set('requests.gen.ts', [
    banner,
    "import type { OperationId } from '../server/handlers.gen.ts';",
    "import * as bodies from './bodies.gen.js';",
    "import * as largeBodies from './largeBodies.gen.js';",
    "import * as parameters from './parameters.gen.js';",
    "import { ofBody, ofParameters, type Validator } from './runtime.gen.ts';\n",
    "export type { Validator, ValidatorFault } from './runtime.gen.ts';\n",
    '/** The validators of one request; a part the operation does not take is absent, but for the query, which is then empty. */',
    'export interface RequestValidators {',
    '  readonly path?: Validator;',
    '  readonly query: Validator;',
    '  /** Keyed by header names in lower case; headers that the contract does not name are not looked at. */',
    '  readonly headers?: Validator;',
    '  readonly body?: Validator;',
    '}\n',
    'export const validators: Readonly<Record<OperationId, RequestValidators>> = {',
    ...rows,
    '};\n',
  ].join('\n'));
  return files;
}
