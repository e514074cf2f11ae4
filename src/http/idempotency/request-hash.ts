import type { KeyObject } from 'node:crypto';
import { hmacSha256 } from '#platform/crypto.ts';

/**
 * What makes two requests the same: path parameters, query, and the body's meaning. Keys of the body are sorted, so that
 * a client that writes them in another order still repeats itself; depth is bounded by the parser. Under the server's
 * pepper and the client's own key: some bodies hold a password, of which a plain hash would let any number be tried.
 */
export const requestHash = (pepper: KeyObject, key: string, request: { readonly path: unknown; readonly query: unknown; readonly body: unknown }): Buffer =>
  hmacSha256(pepper, `request\n${key}\n${canonical(request.path)}\n${canonical(request.query)}\n${canonical(request.body)}`);

export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`;
}
