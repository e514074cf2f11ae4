/** What the control port can make the server do wrong. */
import type { ServerResponse } from 'node:http';
import { S3Fault } from './signature.ts';

export interface Fault {
  /**
   * `status` answers an S3 error; `hang` takes the request and never answers; `cut` drops the connection; `stall`
   * and `truncate` send `afterBytes` of a GetObject's body and then hang or drop the connection.
   */
  readonly mode: 'status' | 'hang' | 'cut' | 'stall' | 'truncate';
  readonly status?: number;
  readonly afterBytes?: number;
  /** `PutObject`, `GetObject` …; absent = every operation. */
  readonly operation?: string;
  /** How many requests meet it; absent = all until it is cleared. */
  readonly times?: number;
}

export class Faults {
  #fault: Fault | null = null;
  #left = 0;
  readonly #counts = new Map<string, number>();

  set(fault: Fault | null): void {
    this.#fault = fault;
    this.#left = fault?.times ?? Infinity;
  }

  /** Requests seen since the start, by operation. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  /** @returns the fault this request is to meet */
  meet(operation: string): Fault | null {
    this.#counts.set(operation, (this.#counts.get(operation) ?? 0) + 1);
    const fault = this.#fault;
    if (fault === null || this.#left <= 0 || (fault.operation ?? operation) !== operation) return null;
    this.#left -= 1;
    return fault;
  }
}

/** @returns true when the request is done with */
export function strike(fault: Fault | null, response: ServerResponse): boolean {
  switch (fault?.mode) {
    case 'status': throw new S3Fault(fault.status ?? 503, fault.status === 403 ? 'AccessDenied' : 'SlowDown', 'Told to fail.');
    case 'hang': return true;
    case 'cut':
      response.socket?.destroy();
      return true;
    default: return false;
  }
}
