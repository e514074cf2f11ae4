/** What a rule finds, and where. */
import type { Contract } from '../contract.ts';

export interface Fault {
  /** The rule's name, as the tests and the printed list have it. */
  readonly rule: string;
  /** Where, as a JSON pointer into the bundle. */
  readonly pointer: string;
  readonly message: string;
}

export type Rule = (contract: Contract) => readonly Fault[];
