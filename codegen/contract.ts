/**
 * The bundled contract as the generators read it: only the parts of OpenAPI 3.1 and JSON Schema 2020-12 that this
 * contract uses (codegen/lint holds it to them), with the references of parameters, answers and headers resolved.
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly Json[];
  readonly const?: Json;
  readonly default?: Json;
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly description?: string;
  readonly examples?: readonly Json[];
  readonly 'x-json'?: boolean;
  readonly 'x-foreign-names'?: boolean;
  readonly 'x-statuses'?: Readonly<Record<string, number>>;
}

export interface Example { readonly $ref?: string; readonly value?: Json }
export interface Media { readonly schema?: Schema; readonly examples?: Readonly<Record<string, Example>> }
export interface Header { readonly $ref?: string; readonly required?: boolean; readonly schema?: Schema }
export interface Parameter {
  readonly $ref?: string;
  readonly name: string;
  readonly in: 'path' | 'query' | 'header' | 'cookie';
  readonly required?: boolean;
  readonly style?: string;
  readonly explode?: boolean;
  readonly schema?: Schema;
}
export interface Body { readonly $ref?: string; readonly required?: boolean; readonly content: Readonly<Record<string, Media>> }
export interface Answer {
  readonly $ref?: string;
  readonly description?: string;
  readonly headers?: Readonly<Record<string, Header>>;
  readonly content?: Readonly<Record<string, Media>>;
}

export interface RawOperation {
  readonly operationId?: string;
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Body;
  readonly responses?: Readonly<Record<string, Answer>>;
  readonly 'x-auth'?: string;
  readonly 'x-scope'?: string;
  readonly 'x-rate-limit'?: string;
  readonly 'x-roles'?: string;
  readonly 'x-resource'?: string;
  readonly 'x-audit'?: string;
  readonly 'x-max-body'?: number;
  readonly 'x-no-store'?: boolean;
}
export type PathItem = { readonly parameters?: readonly Parameter[] } & { readonly [M in Method]?: RawOperation };

export interface Contract {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly servers?: readonly { readonly url: string }[];
  readonly tags?: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly webhooks?: Readonly<Record<string, PathItem>>;
  readonly components?: {
    readonly schemas?: Readonly<Record<string, Schema>>;
    readonly parameters?: Readonly<Record<string, Parameter>>;
    readonly responses?: Readonly<Record<string, Answer>>;
    readonly headers?: Readonly<Record<string, Header>>;
    readonly examples?: Readonly<Record<string, Example>>;
    readonly securitySchemes?: Readonly<Record<string, Json>>;
  };
}

export const methods = ['get', 'post', 'put', 'patch', 'delete'] as const;
export type Method = (typeof methods)[number];

/** One operation with its path's parameters merged in and its references resolved. */
export interface Operation {
  readonly id: string;
  readonly method: Method;
  /** As OpenAPI writes it: `/projects/{project_id}`. */
  readonly path: string;
  /** Where it stands in the bundle. */
  readonly pointer: string;
  readonly raw: RawOperation;
  readonly parameters: readonly Parameter[];
  readonly body: Body | null;
  /** By status; references of the answer and of its headers and examples resolved. */
  readonly answers: ReadonlyMap<number, Answer>;
}

export const escapePointer = (word: string): string => word.replaceAll('~', '~0').replaceAll('/', '~1');
const unescapePointer = (word: string): string => word.replaceAll('~1', '/').replaceAll('~0', '~');

/** The value a JSON pointer of the bundle (`#/components/schemas/Project`) names; throws where there is none. */
export function lookUp(contract: Contract, pointer: string): unknown {
  let value: unknown = contract;
  for (const word of pointer.replace(/^#\/?/, '').split('/').map(unescapePointer)) {
    if (typeof value !== 'object' || value === null || !(word in value)) throw new Error(`${pointer} names nothing in the contract`);
    value = (value as Record<string, unknown>)[word];
  }
  return value;
}

/** Follows references until something stands there itself. */
export function resolve<T extends { readonly $ref?: string }>(contract: Contract, value: T): T {
  let found = value;
  for (let hops = 0; found.$ref !== undefined; hops += 1) {
    if (hops > 20) throw new Error(`${value.$ref ?? ''} refers to itself`);
    found = lookUp(contract, found.$ref) as T;
  }
  return found;
}

/** The name of a `#/components/schemas/…` reference. */
export function schemaName(ref: string): string {
  const match = /^#\/components\/schemas\/([^/]+)$/.exec(ref);
  if (match?.[1] === undefined) throw new Error(`${ref} is not a reference to a schema by its name`);
  return match[1];
}

const resolveAnswer = (contract: Contract, given: Answer): Answer => {
  const answer = resolve(contract, given);
  const headers = Object.entries(answer.headers ?? {}).map(([name, header]) => [name, resolve(contract, header)] as const);
  return headers.length === 0 ? answer : { ...answer, headers: Object.fromEntries(headers) };
};

/** Every operation, in the order of the document. */
export function operationsOf(contract: Contract): readonly Operation[] {
  const found: Operation[] = [];
  for (const [path, item] of Object.entries(contract.paths)) {
    for (const method of methods) {
      const raw = item[method];
      if (raw === undefined) continue;
      const parameters = new Map<string, Parameter>();
      for (const given of [...(item.parameters ?? []), ...(raw.parameters ?? [])]) {
        const parameter = resolve(contract, given);
        parameters.set(`${parameter.in} ${parameter.name}`, parameter);
      }
      found.push({
        id: raw.operationId ?? '',
        method,
        path,
        pointer: `#/paths/${escapePointer(path)}/${method}`,
        raw,
        parameters: [...parameters.values()],
        body: raw.requestBody === undefined ? null : resolve(contract, raw.requestBody),
        answers: new Map(Object.entries(raw.responses ?? {}).map(([status, answer]) => [Number(status), resolveAnswer(contract, answer)])),
      });
    }
  }
  return found;
}

/** The JSON types a schema admits; `integer` counts as `number`. Empty where it names none. */
export function typesOf(schema: Schema): readonly string[] {
  const named = typeof schema.type === 'string' ? [schema.type] : schema.type ?? [];
  return [...new Set(named.map((type) => (type === 'integer' ? 'number' : type)))];
}

export type BodyKind = 'json' | 'none' | 'stream' | 'events';

/** What kind of body an answer has; JSON answers have no other media type beside (codegen/lint holds that). */
export function kindOf(answer: Answer): BodyKind {
  const types = Object.keys(answer.content ?? {});
  if (types.length === 0) return 'none';
  if (types.includes('application/json')) return 'json';
  if (types.includes('text/event-stream')) return 'events';
  return 'stream';
}

/**
 * Whether the branches of a `oneOf` or `anyOf` only name required fields of the object they stand in ("either of
 * these"): then they are a rule of that object and no union of shapes.
 */
export const areRequirements = (branches: readonly Schema[] | undefined): boolean =>
  branches !== undefined && branches.every((branch) => Object.keys(branch).join() === 'required');

export const isSuccess = (status: number): boolean => status >= 200 && status < 300;

/** The schema of the envelope's `data` in a JSON answer. */
export function dataOf(answer: Answer): Schema {
  const data = answer.content?.['application/json']?.schema?.properties?.['data'];
  if (data === undefined) throw new Error('a JSON answer without the envelope');
  return data;
}
