import { isUtf8 } from 'node:buffer';
import { ServiceError } from '#platform/errors.ts';
import type { Step } from '../exchange.ts';
import { escapePointer, fault } from '../validation/faults.ts';

/**
 * Parses `rawBody`. Of a key given twice the last one counts, for validators and handlers alike. Refused, with a
 * pointer: what is not UTF-8 or not JSON, and the key `__proto__`, which assignment takes for the prototype. Depth and
 * text that PostgreSQL cannot hold are the generated validators' to refuse.
 */
export const parseJson: Step = (exchange) => {
  const { rawBody } = exchange;
  if (rawBody === null || rawBody.length === 0) return;
  if (!isUtf8(rawBody)) throw malformed('is not UTF-8');
  const text = rawBody.toString('utf8');
  exchange.body = parse(text);
  // Looked for only where the text could hold it, written plainly or with an escaped underscore.
  const pointer = /__proto__|\\u005f/i.test(text) ? findPrototypeKey(exchange.body, '#/body', 0) : null;
  if (pointer !== null) {
    throw new ServiceError('VALIDATION_ERROR', 'The body has a key named __proto__.', { details: [fault(pointer, 'must not be a key', 'key')] });
  }
};

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw malformed('is not JSON', error);
  }
}

const malformed = (message: string, cause?: unknown): ServiceError =>
  new ServiceError('VALIDATION_ERROR', `The body ${message}.`, { details: [fault('#/body', message, 'json')], cause });

/** Deeper than the validators let anything pass, so that a deep body cannot exhaust the stack here. */
const maxDepth = 40;

function findPrototypeKey(value: unknown, pointer: string, depth: number): string | null {
  if (typeof value !== 'object' || value === null || depth > maxDepth) return null;
  for (const [key, inner] of Object.entries(value)) {
    const found = key === '__proto__' ? `${pointer}/__proto__` : findPrototypeKey(inner, `${pointer}/${escapePointer(key)}`, depth + 1);
    if (found !== null) return found;
  }
  return null;
}
