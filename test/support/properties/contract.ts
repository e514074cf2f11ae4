/**
 * The contract as the property tests read it: every mounted operation with its parameters, its body's schema and its
 * documented answers, out of the bundled document; and an oracle that says what a schema takes. The oracle shares
 * nothing with the generated validators but the document.
 */
import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { routes } from '#generated/server/routes.gen.ts';

/** A JSON schema, read field by field. */
export type Schema = Readonly<Record<string, unknown>>;

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: Schema;
}

export type Route = (typeof routes)[number];

export interface Operation {
  readonly route: Route;
  readonly parameters: readonly Parameter[];
  /** The schema of a JSON body; null where there is none. */
  readonly body: Schema | null;
  /** Whether it may not be left out. */
  readonly isBodyRequired: boolean;
}

export const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

const document: unknown = JSON.parse(readFileSync(new URL('../../../generated/openapi.json', import.meta.url), 'utf8'));

/** Follows member names and `$ref`s from the document's root; null where nothing is. */
function at(...path: readonly string[]): unknown {
  let found: unknown = document;
  for (const name of path) {
    found = resolved(found);
    if (!isRecord(found) && !Array.isArray(found)) return null;
    found = Reflect.get(found, name) ?? null;
  }
  return resolved(found);
}

/** The thing itself where `$ref` names one. */
export function resolved(value: unknown): unknown {
  if (!isRecord(value) || typeof value['$ref'] !== 'string') return value;
  return at(...value['$ref'].slice(2).split('/').map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~')));
}

/** A schema with its `$ref` followed. */
export function schemaOf(value: unknown): Schema {
  const found = resolved(value);
  if (!isRecord(found)) throw new Error(`This is no schema: ${JSON.stringify(value)}`);
  return found;
}

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);

function parametersOf(route: Route): Parameter[] {
  const listed = [...listOf(at('paths', route.template, 'parameters')), ...listOf(at('paths', route.template, route.method, 'parameters'))];
  return listed.map((one) => {
    const parameter = schemaOf(one);
    const place = parameter['in'];
    if (place !== 'path' && place !== 'query' && place !== 'header') throw new Error(`${route.operationId} has a parameter in ${String(place)}`);
    return { name: String(parameter['name']), in: place, required: parameter['required'] === true, schema: schemaOf(parameter['schema']) };
  });
}

function operationOf(route: Route): Operation {
  const body = at('paths', route.template, route.method, 'requestBody', 'content', 'application/json', 'schema');
  const isBodyRequired = at('paths', route.template, route.method, 'requestBody', 'required') === true;
  return { route, parameters: parametersOf(route), body: isRecord(body) ? body : null, isBodyRequired };
}

export const operations: readonly Operation[] = routes.map(operationOf);

/** The contract's own example of an operation's body. */
export function exampleOf({ route }: Operation): Record<string, unknown> | null {
  const examples = at('paths', route.template, route.method, 'requestBody', 'content', 'application/json', 'examples');
  const [first] = isRecord(examples) ? Object.values(examples) : [];
  const value = resolved(first);
  return isRecord(value) && isRecord(value['value']) ? structuredClone(value['value']) : null;
}

const ajv = new Ajv2020({ allErrors: false, strict: false, inlineRefs: false, validateFormats: true, validateSchema: false });
addFormats.default(ajv);
ajv.addSchema(JSON.parse(JSON.stringify(document).replaceAll('"#/components/', '"contract#/components/')) as Record<string, unknown>, 'contract');
/** By the schema's text: many are put together of others anew for each value that is drawn. */
const compiled = new Map<string, ValidateFunction>();
const texts = new WeakMap<Schema, string>();

/** Whether a schema of the document takes the value. */
export function takes(schema: Schema, value: unknown): boolean {
  const text = texts.get(schema) ?? JSON.stringify(schema).replaceAll('"#/components/', '"contract#/components/');
  texts.set(schema, text);
  const validate = compiled.get(text) ?? ajv.compile(JSON.parse(text) as Record<string, unknown>);
  compiled.set(text, validate);
  return validate(value) === true;
}

/** The schema of a documented JSON answer; null where the status has no JSON body, undefined where it is not documented. */
export function answerSchema({ route }: Operation, status: number): Schema | null | undefined {
  if (route.responses[status] === undefined) return undefined;
  const schema = at('paths', route.template, route.method, 'responses', String(status), 'content', 'application/json', 'schema');
  return isRecord(schema) ? schema : null;
}
