/** Each kind of wrong body that can be made of a right one, with the place a refusal has to point to. */
import { isRecord, listOf, numberOf, schemaOf, takes, type Schema } from './contract.ts';

export interface WrongBody {
  readonly kind: string;
  /** The JSON text sent. */
  readonly text: string;
  /** A JSON pointer into the request. */
  readonly pointer: string;
  /** The fault may lie anywhere below the pointer. */
  readonly isBelow: boolean;
}

interface Change {
  readonly kind: string;
  readonly path: readonly string[];
  /** JSON text in the place of what is there; null takes it away. */
  readonly raw: string | null;
  /** Not a matter of the schema: refused although it takes the value. */
  readonly isOurs?: boolean;
  readonly isBelow?: boolean;
}

/** More than any test sends. */
const maxTextLength = 60_000;
const maxDepth = 32;
const marker = '@@raw@@';
const otherTypes = ['"text"', '12', '-1.5', 'true', 'null', '[]', '[{}]', '{}', '{"text":1}'];

/** Every wrong body one change away from `body`. */
export function wrongBodies(schema: Schema, body: unknown): WrongBody[] {
  return [...changesIn(schema, body, [])].flatMap((change) => {
    const text = apply(body, change);
    if (text.length > maxTextLength || (change.isOurs !== true && takes(schema, JSON.parse(text)))) return [];
    return [{ kind: change.kind, text, pointer: pointerTo(change.path), isBelow: change.isBelow === true }];
  });
}

export const pointerTo = (path: readonly string[]): string => ['#/body', ...path.map((name) => name.replaceAll('~', '~0').replaceAll('/', '~1'))].join('/');

function apply(body: unknown, { path, raw }: Change): string {
  if (path.length === 0) return raw ?? 'null';
  const copy: unknown = structuredClone(body);
  let parent: unknown = copy;
  for (const name of path.slice(0, -1)) parent = Reflect.get(parent as object, name);
  const last = path.at(-1) ?? '';
  if (raw === null) Reflect.deleteProperty(parent as object, last);
  else Object.defineProperty(parent as object, last, { value: marker, enumerable: true, configurable: true, writable: true });
  return JSON.stringify(copy).replace(`"${marker}"`, () => raw ?? '');
}

function* changesIn(given: Schema, value: unknown, path: readonly string[]): Generator<Change> {
  const schema = branchFor(schemaOf(given), value);
  for (const raw of otherTypes) if (!takes(schema, JSON.parse(raw))) yield { kind: 'another type', path, raw, isBelow: raw.includes('{') };
  yield { kind: 'deep nesting', path, raw: `${'['.repeat(2_000)}${']'.repeat(2_000)}`, isBelow: true };
  if ('const' in schema || 'enum' in schema) yield { kind: 'a value not in the list', path, raw: '"neither_of_them"' };
  if (typeof value === 'string') yield* textChanges(schema, value, path);
  if (typeof value === 'number') yield* numberChanges(schema, path);
  if (Array.isArray(value)) yield* arrayChanges(schema, listOf(value), path);
  if (isRecord(value)) yield* objectChanges(schema, value, path);
}

/** Of `oneOf` the branch that the value is of. */
function branchFor(schema: Schema, value: unknown): Schema {
  const branches = [...listOf(schema['oneOf']), ...listOf(schema['anyOf'])].map(schemaOf);
  const found = branches.find((branch) => takes(branch, value));
  return found === undefined ? schema : branchFor(found, value);
}

function* textChanges(schema: Schema, value: string, path: readonly string[]): Generator<Change> {
  const maxLength = numberOf(schema['maxLength']);
  if (maxLength !== null) yield { kind: 'a text too long', path, raw: JSON.stringify('x'.repeat(maxLength + 1)) };
  yield { kind: 'a text too short', path, raw: '""' };
  yield { kind: 'a text of another form', path, raw: JSON.stringify(`${value.slice(0, -1)}\n`) };
  yield { kind: 'a text of another form', path, raw: JSON.stringify(`\\${value.slice(1)}`) };
  yield { kind: 'NUL', path, raw: `"${escaped(value.slice(0, -1))}\\u0000"`, isOurs: true };
  yield { kind: 'half a surrogate pair', path, raw: `"\\ud83d${escaped(value.slice(1))}"`, isOurs: true };
}

const escaped = (text: string): string => JSON.stringify(text.toWellFormed()).slice(1, -1);

function* numberChanges(schema: Schema, path: readonly string[]): Generator<Change> {
  const [min, max] = [numberOf(schema['minimum']), numberOf(schema['maximum'])];
  if (min !== null) yield { kind: 'a number too small', path, raw: String(min - 1) };
  if (max !== null) yield { kind: 'a number too large', path, raw: String(max + 1) };
  for (const raw of ['0.5', '1e400', '-1e400', '99999999999999999999999', '1e308', '-0.1']) yield { kind: 'a number out of range', path, raw };
}

function* arrayChanges(schema: Schema, value: readonly unknown[], path: readonly string[]): Generator<Change> {
  const [first] = value;
  const maxItems = numberOf(schema['maxItems']);
  if (first !== undefined && maxItems !== null && maxItems <= 1_000) yield { kind: 'too many items', path, raw: JSON.stringify(Array.from({ length: maxItems + 1 }, () => first)) };
  yield { kind: 'too few items', path, raw: '[]' };
  if (first !== undefined && schema['uniqueItems'] === true) yield { kind: 'an item twice', path, raw: JSON.stringify([first, first]) };
  for (const [index, item] of value.entries()) yield* changesIn(schemaOf(schema['items']), item, [...path, String(index)]);
}

function* objectChanges(schema: Schema, value: Record<string, unknown>, path: readonly string[]): Generator<Change> {
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  for (const name of listOf(schema['required'])) yield { kind: 'a field missing', path: [...path, String(name)], raw: null };
  if (schema['additionalProperties'] === false) {
    for (const name of ['unknown_field', 'constructor', 'a/b~c', '']) yield { kind: 'an unknown field', path: [...path, name], raw: '1' };
  }
  yield { kind: 'no fields', path, raw: '{}', isBelow: true };
  yield { kind: 'the key __proto__', path: [...path, '__proto__'], raw: '{"admin":true}', isOurs: true };
  const maxProperties = numberOf(schema['maxProperties']);
  if (maxProperties !== null) {
    const many = Object.fromEntries(Array.from({ length: maxProperties + 1 }, (_, index) => [`PUBLIC_${index}`, 'x']));
    yield { kind: 'too many fields', path, raw: JSON.stringify(many) };
  }
  if ('propertyNames' in schema) yield { kind: 'a key of another form', path: [...path, 'not a key'], raw: '"x"' };
  if (schema['x-json'] === true) yield* jsonChanges(path);
  const extra = isRecord(schema['additionalProperties']) ? schemaOf(schema['additionalProperties']) : null;
  for (const [name, field] of Object.entries(value)) {
    const known = Object.hasOwn(properties, name) ? properties[name] : extra;
    if (known !== undefined && known !== null) yield* changesIn(schemaOf(known), field, [...path, name]);
  }
}

/** What free JSON may not hold: what neither jsonb nor JSON itself gives back as it came. */
function* jsonChanges(path: readonly string[]): Generator<Change> {
  const ours = { path, isOurs: true, isBelow: true } as const;
  yield { ...ours, kind: 'deep nesting', raw: `{"a":${'['.repeat(maxDepth + 1)}${']'.repeat(maxDepth + 1)}}` };
  yield { ...ours, kind: 'deep nesting', raw: `{"a":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}` };
  yield { ...ours, kind: 'NUL', raw: '{"a":["b\\u0000"]}' };
  yield { ...ours, kind: 'NUL', raw: '{"a\\u0000":1}' };
  yield { ...ours, kind: 'half a surrogate pair', raw: '{"a":{"b":"\\udc00"}}' };
  yield { ...ours, kind: 'the key __proto__', raw: '{"a":{"__proto__":{"b":1}}}' };
  yield { ...ours, kind: 'the key __proto__', raw: '{"\\u005f_proto__":1}' };
  yield { ...ours, kind: 'a number out of range', raw: '{"a":[1e400]}' };
  yield { ...ours, kind: 'a number out of range', raw: '{"a":-1e999}' };
}

/** Bodies that are no JSON, or not the JSON of an object. `right` is a body that would be taken. */
export function brokenTexts(right: string): readonly { kind: string; bytes: Uint8Array }[] {
  const texts: readonly (readonly [string, string])[] = [
    ['an empty body', ''],
    ['a body of spaces', '   '],
    ['half a body', right.slice(0, Math.ceil(right.length / 2))],
    ['a comma too many', `${right.slice(0, -1)},}`],
    ['something after the end', `${right}{}`],
    ['a byte order mark', `\ufeff${right}`],
    ['single quotes', right.replaceAll('"', '\'')],
    ['a number that is none', '{"a":NaN}'],
    ['an endless nesting', '['.repeat(30_000)],
    ['a nesting of thousands', `${'['.repeat(25_000)}${']'.repeat(25_000)}`],
    ['a raw line break in a text', '{"a":"\n"}'],
    ['a comment', `/* */${right}`],
  ];
  return [
    ...texts.map(([kind, text]) => ({ kind, bytes: Buffer.from(text) })),
    { kind: 'bytes that are no UTF-8', bytes: Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from('"}')]) },
    { kind: 'a surrogate in UTF-8', bytes: Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]) },
    { kind: 'UTF-16', bytes: Buffer.from(right, 'utf16le') },
  ];
}

/** A field named twice, of which the last counts: right first, wrong last. Null for a body without fields. */
export function repeatedField(schema: Schema, body: unknown): WrongBody | null {
  if (!isRecord(body)) return null;
  for (const [name, value] of Object.entries(body)) {
    const wrong = { ...body, [name]: { wrong: true } };
    if (takes(schema, wrong)) continue;
    const { [name]: _taken, ...rest } = body;
    const head = [`${JSON.stringify(name)}:${JSON.stringify(value)}`, ...Object.entries(rest).map(([key, field]) => `${JSON.stringify(key)}:${JSON.stringify(field)}`)];
    return { kind: 'a field twice', text: `{${head.join()},${JSON.stringify(name)}:{"wrong":true}}`, pointer: pointerTo([name]), isBelow: true };
  }
  return null;
}
