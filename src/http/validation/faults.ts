import type { ValidatorFault } from '../contract.ts';

/** One entry of a VALIDATION_ERROR's details. */
export interface Fault {
  readonly pointer: string;
  readonly message: string;
  readonly rule: string;
}

/** Bounds of the contract's ValidationFault. */
const maxPointer = 500;
const maxMessage = 500;
const maxFaults = 100;

export const fault = (pointer: string, message: string, rule: string): Fault => ({
  pointer: cut(pointer.toWellFormed(), maxPointer),
  message: cut(message, maxMessage),
  rule: cut(rule, 60),
});

const cut = (text: string, length: number): string => (text.length <= length ? text : text.slice(0, length).toWellFormed());

/** One step of a JSON pointer (RFC 6901). */
export const escapePointer = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1').toWellFormed();

/** Where a part of the request is found in a pointer. */
export type Part = 'path' | 'query' | 'headers' | 'body';

/**
 * What a generated validator found, in the contract's words. A property that is missing or too many is pointed at
 * itself, not at its parent.
 */
export function faultsOf(part: Part, errors: readonly ValidatorFault[] | null | undefined): Fault[] {
  const faults: Fault[] = [];
  const seen = new Set<string>();
  for (const error of errors ?? []) {
    const made = fault(`#/${part}${error.instancePath}${named(error)}`, messageOf(error), error.keyword);
    const key = `${made.pointer} ${made.rule}`;
    if (seen.has(key)) continue;
    seen.add(key);
    faults.push(made);
    if (faults.length === maxFaults) break;
  }
  return faults;
}

function named({ keyword, params }: ValidatorFault): string {
  const name =
    keyword === 'required' ? params['missingProperty']
      : keyword === 'additionalProperties' ? params['additionalProperty']
        : keyword === 'unevaluatedProperties' ? params['unevaluatedProperty']
          : keyword === 'propertyNames' ? params['propertyName']
            : undefined;
  return typeof name === 'string' ? `/${escapePointer(name)}` : '';
}

function messageOf({ keyword, params, message }: ValidatorFault): string {
  if (keyword === 'required') return 'is required';
  if (keyword === 'additionalProperties' || keyword === 'unevaluatedProperties') return 'is not known here';
  const allowed = params['allowedValues'];
  if (keyword === 'enum' && Array.isArray(allowed)) return `must be one of ${allowed.map(String).join(', ')}`;
  return message ?? 'is not valid';
}
