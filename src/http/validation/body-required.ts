import type { Contract } from '../contract.ts';
import type { Route } from '../route.ts';

/** Whether the contract says that the operation's body must be there (`requestBody.required`). */
export function isBodyRequired(contract: Contract, route: Route): boolean {
  const operation = member(member(member(contract.document, 'paths'), route.template), route.method);
  return member(member(operation, 'requestBody'), 'required') === true;
}

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
