import { sha256 } from '#platform/crypto.ts';

/**
 * What makes two requests the same: path parameters, query, and the body's meaning. Keys of the body are sorted, so that
 * a client that writes them in another order still repeats itself; depth is bounded by the parser.
 */
export const requestHash = (path: unknown, query: unknown, body: unknown): Buffer =>
  sha256(`${canonical(path)}\n${canonical(query)}\n${canonical(body)}`);

export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`;
}
