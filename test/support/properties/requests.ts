/** Requests of an operation that the contract takes, for fast-check, and how they are written on the wire. */
import fc from 'fast-check';
import { valueOf, type Existing } from './arbitrary.ts';
import { type Operation, type Parameter, listOf, takes } from './contract.ts';
import { textOf } from './strings.ts';
import type { WireRequest } from './wire.ts';

export interface Drawn {
  readonly path: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Undefined where the operation takes none. */
  readonly body: unknown;
}

export const basePath = '/api/v1';

/** Written by the signer, which knows the time. */
const signedHeaders = /^x-hivesync-/i;
/** What a header can carry: no control, no space at its ends. */
const headerText = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

export function validRequest({ parameters, body }: Operation, existing: Existing): fc.Arbitrary<Drawn> {
  return fc.record({
    path: recordOf(parameters.filter((one) => one.in === 'path'), existing),
    query: recordOf(parameters.filter((one) => one.in === 'query'), existing),
    headers: recordOf(parameters.filter((one) => one.in === 'header' && !signedHeaders.test(one.name)), existing),
    body: body === null ? fc.constant(undefined) : valueOf(body, existing),
  });
}

function recordOf(parameters: readonly Parameter[], existing: Existing): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(
    Object.fromEntries(parameters.map((parameter) => [parameter.name, parameterValue(parameter, existing)])),
    { requiredKeys: parameters.filter((one) => one.required).map((one) => one.name) },
  ) as fc.Arbitrary<Record<string, unknown>>;
}

function parameterValue({ name, in: place, schema }: Parameter, existing: Existing): fc.Arbitrary<unknown> {
  if (place !== 'header' || schema['type'] !== 'string') return valueOf(schema, existing, name);
  const texts = fc.oneof(textOf(schema).filter((text) => headerText.test(text)), fc.stringMatching(/^"[\x23-\x7e]{1,20}"$/), fc.constantFrom('"1"', 'W/"1"', '"2", "1"'));
  return texts.filter((text) => takes(schema, text));
}

const encode = (value: unknown): string => encodeURIComponent(String(value));
/** Of what a query may hold as it is, some is left so, as many clients do. */
const encodeLoosely = (value: unknown): string => encode(value).replace(/%(?:3A|2F|3F|40|24|3B)/g, decodeURIComponent);

/** The path with its parameters, and the query, as they are sent. */
export function targetOf({ route }: Operation, path: Drawn['path'], query: Drawn['query'] = {}): string {
  const plain = route.template.replace(/\{([^}]+)\}/g, (_, name: string) => encode(path[name]));
  const pairs = Object.entries(query).flatMap(([name, value]) => (Array.isArray(value) ? listOf(value) : [value]).map((one) => `${encode(name)}=${encodeLoosely(one)}`));
  return `${basePath}${plain}${pairs.length > 0 ? `?${pairs.join('&')}` : ''}`;
}

/** As it is sent, but for its credentials. */
export function written(operation: Operation, { path, query, headers, body }: Drawn): WireRequest {
  return {
    method: operation.route.method.toUpperCase(),
    path: targetOf(operation, path, query),
    headers: {
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)])),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: body === undefined ? null : JSON.stringify(body),
  };
}
