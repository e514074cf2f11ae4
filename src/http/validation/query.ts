import { ServiceError } from '#platform/errors.ts';
import { fault } from './faults.ts';

/** More than any operation knows; beyond it nobody means well. */
const maxParameters = 100;

const malformed = (pointer: string): ServiceError =>
  new ServiceError('VALIDATION_ERROR', 'The URL is not well encoded.', {
    details: [fault(pointer, 'must be percent-encoded UTF-8 without U+0000', 'encoding')],
  });

/**
 * The query parameters of a URL: a parameter given twice is a list. Unlike querystring and URLSearchParams this refuses
 * what is badly encoded, where they guess.
 */
export function parseQuery(url: string): Record<string, unknown> {
  // No prototype: a parameter named like one of its members is just another unknown parameter.
  const query = Object.create(null) as Record<string, unknown>;
  const start = url.indexOf('?');
  if (start === -1 || start === url.length - 1) return query;
  const pairs = url.slice(start + 1).split('&');
  if (pairs.length > maxParameters) {
    throw new ServiceError('VALIDATION_ERROR', 'The URL has too many parameters.', {
      details: [fault('#/query', `must NOT have more than ${maxParameters} parameters`, 'maxProperties')],
    });
  }
  for (const pair of pairs) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals), '#/query');
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1), `#/query/${name}`);
    const before = query[name];
    if (before === undefined) query[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else query[name] = [before, value];
  }
  return query;
}

function decode(text: string, pointer: string): string {
  try {
    const decoded = decodeURIComponent(text.includes('+') ? text.replaceAll('+', ' ') : text);
    if (decoded.includes('\0')) throw malformed(pointer);
    return decoded;
  } catch (error) {
    throw error instanceof ServiceError ? error : malformed(pointer);
  }
}
