/** Wrong parameters of an operation: what stands in the URL or a header, and the place a refusal has to point to. */
import { type Operation, type Parameter, listOf, numberOf } from './contract.ts';
import { targetOf, type Drawn } from './requests.ts';
import { existingSignIns } from './sign-ins.ts';

export interface WrongTarget {
  readonly kind: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly pointer: string;
  /** A list is pointed at, or the item of it that is wrong. */
  readonly isBelow?: boolean;
}

/** Every request whose URL or headers are one change away from `right`. */
export function wrongParameters(operation: Operation, drawn: Drawn): WrongTarget[] {
  const right = operation.route.auth === 'preview' ? withToken(drawn) : drawn;
  const headersOf = (headers: Drawn['headers']): Record<string, string> => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
  const found: WrongTarget[] = [];
  // Alone, so that nothing else is wrong with it.
  const own = { ...right.query };
  delete own['cursor'];
  const target = targetOf(operation, right.path, own);
  const headers = headersOf(right.headers);
  const withQuery = (raw: string): string => `${target}${target.includes('?') ? '&' : '?'}${raw}`;
  for (const [name, raw] of [['unknown', 'unknown=1'], ['__proto__', '__proto__=1'], ['constructor', 'constructor'], ['limit[]', 'limit%5B%5D=1']] as const) {
    found.push({ kind: 'an unknown parameter', path: withQuery(raw), headers, pointer: `#/query/${name}` });
  }
  found.push({ kind: 'a name that does not decode', path: withQuery('%zz=1'), headers, pointer: '#/query' });
  found.push({ kind: 'too many parameters', path: withQuery(Array.from({ length: 101 }, (_, index) => `a${index}`).join('&')), headers, pointer: '#/query' });
  for (const parameter of operation.parameters) {
    const { name } = parameter;
    // A credential, which is judged before any parameter.
    if (name === 'token' && operation.route.auth === 'preview') continue;
    if (parameter.in === 'path') {
      for (const text of wrongTexts(parameter)) {
        const path = targetOf(operation, { ...right.path, [name]: '@@' }, own).replace(encodeURIComponent('@@'), text);
        found.push({ kind: `path: ${text.slice(0, 20)}`, path, headers, pointer: text === '%ff' ? '#/path' : `#/path/${name}` });
      }
    } else if (parameter.in === 'query') {
      const { [name]: _taken, ...others } = own;
      const base = targetOf(operation, right.path, others);
      const join = base.includes('?') ? '&' : '?';
      const isList = parameter.schema['type'] === 'array';
      for (const text of wrongTexts(parameter)) found.push({ kind: `query: ${text.slice(0, 20)}`, path: `${base}${join}${name}=${text}`, headers, pointer: `#/query/${name}`, isBelow: isList });
      if (!isList) found.push({ kind: 'a parameter twice', path: `${base}${join}${name}=1&${name}=1`, headers, pointer: `#/query/${name}` });
    } else if (!/^x-hivesync-/i.test(name)) {
      for (const text of wrongHeaders(parameter)) found.push({ kind: `header: ${text.slice(0, 20)}`, path: target, headers: { ...headers, [name.toLowerCase()]: text }, pointer: `#/headers/${name.toLowerCase()}` });
    }
  }
  return found;
}

/** With a token that holds: what is wrong beside it is told only then. */
function withToken({ path, query, ...rest }: Drawn): Drawn {
  const { token } = existingSignIns;
  return { ...rest, path: 'token' in path ? { ...path, token } : path, query: 'token' in query ? { ...query, token } : query };
}

/** Encoded as they are sent. */
function wrongTexts({ in: place, schema }: Parameter): string[] {
  const texts = ['%00', '%ff', '%zz'].filter((text) => place === 'query' || text !== '%zz');
  const [min, max, maxLength] = [numberOf(schema['minimum']), numberOf(schema['maximum']), numberOf(schema['maxLength'])];
  const empty = place === 'query' && (schema['type'] !== 'string' || (numberOf(schema['minLength']) ?? 0) > 0) ? [''] : [];
  switch (schema['type']) {
    case 'integer':
    case 'number':
      texts.push('abc', '0x10', '1e2', '%201', '+5', '1.5', '99999999999999999999', 'NaN', 'Infinity', '-0.1', '١');
      if (min !== null) texts.push(String(min - 1));
      if (max !== null) texts.push(String(max + 1));
      return [...texts, ...empty].map((text) => (text === '١' ? encodeURIComponent(text) : text));
    case 'boolean': return [...texts, ...empty, 'yes', '1', 'TRUE', 'null'];
    default:
  }
  if (maxLength !== null) texts.push('x'.repeat(maxLength + 1));
  if (schema['format'] === 'uuid') texts.push('not-an-id', '01920000-0000-7000-8000-00000000020', '01920000-0000-7000-8000-0000000002010', '01920000000070008000000000000201', '..%2f..%2fetc', '%27%20or%201%3D1');
  if (listOf(schema['enum']).length > 0) texts.push('neither_of_them', String(listOf(schema['enum'])[0]).toUpperCase());
  return [...texts, ...empty];
}

function wrongHeaders({ schema }: Parameter): string[] {
  const [minLength, maxLength] = [numberOf(schema['minLength']) ?? 0, numberOf(schema['maxLength']) ?? 0];
  const texts = minLength > 1 ? ['x'.repeat(minLength - 1)] : [];
  if (maxLength > 0) texts.push('x'.repeat(maxLength + 1));
  if (typeof schema['pattern'] === 'string') texts.push('with a space in it', 'caf\u00e9 caf\u00e9');
  return texts;
}
