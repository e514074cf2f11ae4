/** The mock's refusals, in the contract's envelope with the contract's codes and statuses. */
import type { Contract } from '../contract.ts';

export interface ValidationFault { readonly pointer: string; readonly message: string; readonly rule: string }

export class Refusal extends Error {
  readonly code: string;
  readonly details: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: string, message: string, details: unknown = null, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'Refusal';
    this.code = code;
    this.details = details;
    this.headers = headers;
  }
}

/** The status the contract gives a code. */
export const statusOf = (contract: Contract, code: string): number => contract.components?.schemas?.['ErrorCode']?.['x-statuses']?.[code] ?? 500;

export const refusalText = ({ code, message, details }: Refusal): string => JSON.stringify({ ok: false, data: null, error: { code, message, details } });

export function invalid(faults: readonly ValidationFault[]): Refusal {
  const [first] = faults;
  return new Refusal('VALIDATION_ERROR', first === undefined ? 'The request is not what the contract says.' : `${first.pointer}: ${first.message}`, faults);
}

/** One violation as Prism tells it. */
export interface Violation { readonly path?: readonly (string | number)[]; readonly code?: string | number; readonly message: string }

/** Prism names the field in the sentence where the fault is that it is missing or not known. */
function fieldIn({ code, message }: Violation): string | null {
  if (code === 'required') return /required property '(.+)'/.exec(message)?.[1] ?? null;
  if (code === 'additionalProperties') return /found '(.+)'/.exec(message)?.[1] ?? null;
  return null;
}

const escaped = (word: string | number): string => String(word).replaceAll('~', '~0').replaceAll('/', '~1');

export function faultOf(violation: Violation): ValidationFault {
  const field = fieldIn(violation);
  const path = [...(violation.path ?? []), ...(field === null ? [] : [field])].map((word, index) => (index === 0 && word === 'header' ? 'headers' : word));
  const message = violation.message.replace(/^Request (?:body|(?:query|path|header) parameter)(?: property)?(?: \S+)?? (?=must )/, '');
  return { pointer: `#/${path.map(escaped).join('/')}`, message, rule: String(violation.code ?? 'unknown') };
}
