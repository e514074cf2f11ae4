/** What the process of the run and its lanes say to each other. */

/** What a lane is to do next. It ends when it is told to. */
export type Order =
  | { readonly kind: 'run'; readonly file: string; readonly called: Calls }
  | { readonly kind: 'end' };

export interface Ran {
  readonly kind: 'ran';
  readonly file: string;
  readonly events: readonly TestEvent[];
  /** By mocha's own count: failed hooks too, and a file without a test. */
  readonly failures: number;
  /** The operations that were called over the wire in this lane until now, each with the statuses it answered. */
  readonly called: Calls;
}

export type Calls = ReadonlyMap<string, ReadonlySet<number>>;

/** An event of mocha's, with what a reporter asks of its suite, test or hook. */
export interface TestEvent {
  readonly name: string;
  readonly title: string;
  readonly titlePath: readonly string[];
  readonly duration: number;
  readonly slow: number;
  readonly fault: Fault | null;
}

/** An error as it goes from process to process: what mocha shows of it. */
export interface Fault {
  readonly message: string;
  readonly stack: string;
  readonly uncaught: boolean;
  /** Where the two are to be shown beside each other. */
  readonly difference: { readonly actual: string; readonly expected: string } | null;
  readonly cause: Fault | null;
}
