/**
 * A lane of `npm test`: a process that runs one file of tests after the other, as it is told, with PostgreSQL and Redis of
 * its own. What its tests leave open is found out at its end, as at the end of a run of mocha.
 */
import { readFileSync } from 'node:fs';
import Mocha from 'mocha';
import { mochaGlobalTeardown } from '../global-setup.ts';
import { calledOperations } from '../operations.ts';
import type { Fault, Order, Ran, TestEvent } from './messages.ts';

const { EVENT_SUITE_BEGIN, EVENT_SUITE_END, EVENT_TEST_PASS, EVENT_TEST_FAIL, EVENT_TEST_PENDING } = Mocha.Runner.constants;
/** Of the processors each lane has but a part. */
const patience = 2;
const { timeout, slow, retries, forbidOnly, forbidPending, failZero } = JSON.parse(readFileSync(new URL('../../../.mocharc.json', import.meta.url), 'utf8')) as Mocha.MochaOptions;

const say = (ran: Ran): Promise<void> => new Promise((resolve, reject) => {
  process.send?.(ran, (error: Error | null) => (error === null ? resolve() : reject(error)));
});

function faultOf(error: Error & { readonly uncaught?: boolean; readonly actual?: unknown; readonly expected?: unknown }): Fault {
  const differs = (Mocha.reporters.Base as unknown as { showDiff(error: unknown): boolean }).showDiff(error);
  const written = (value: unknown): string => (typeof value === 'string' ? value : Mocha.utils.stringify(value));
  return {
    message: String(error.message), stack: String(error.stack), uncaught: error.uncaught === true,
    difference: differs ? { actual: written(error.actual), expected: written(error.expected) } : null,
    cause: error.cause instanceof Error ? faultOf(error.cause) : null,
  };
}

/** Notes what a reporter is told, but of the root suite of the file: the run has one of its own. */
function noting(events: TestEvent[]) {
  return class extends Mocha.reporters.Base {
    constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
      super(runner, options);
      const note = (name: string) => (about: Mocha.Suite | Mocha.Runnable, error?: Error): void => {
        if ('root' in about && about.root) return;
        const { duration = 0 } = about as Mocha.Runnable;
        events.push({ name, title: about.title, titlePath: about.titlePath(), duration, slow: Number(about.slow()), fault: error === undefined ? null : faultOf(error) });
      };
      for (const name of [EVENT_SUITE_BEGIN, EVENT_SUITE_END, EVENT_TEST_PASS, EVENT_TEST_FAIL, EVENT_TEST_PENDING]) runner.on(name as 'fail', note(name));
    }
  };
}

async function run(file: string): Promise<Ran> {
  const events: TestEvent[] = [];
  const mocha = new Mocha({ timeout: Number(timeout) * patience, slow, retries, forbidOnly, forbidPending, failZero, reporter: noting(events) } as unknown as Mocha.MochaOptions);
  mocha.addFile(file);
  await mocha.loadFilesAsync();
  const before = new Set([...process.listeners('uncaughtException'), ...process.listeners('unhandledRejection')]);
  const failures = await new Promise<number>((resolve) => { mocha.run(resolve); });
  // Those of this file's runner, which would take what goes wrong in the next one for its own.
  for (const name of ['uncaughtException', 'unhandledRejection'] as const) {
    for (const listener of process.listeners(name as 'uncaughtException')) if (!before.has(listener)) process.off(name, listener);
  }
  return { kind: 'ran', file, events, failures, called: calledOperations };
}

// As mocha has it: what nobody caught fails the test it happens in.
process.on('unhandledRejection', (reason) => { throw reason; });

// The run is gone, so nobody asks any more; what we started goes with us.
const orphaned = (): void => process.exit(1);
process.once('disconnect', orphaned);

process.on('message', (order: Order) => {
  void (async () => {
    if (order.kind === 'run') {
      for (const [operationId, statuses] of order.called) calledOperations.set(operationId, new Set([...calledOperations.get(operationId) ?? [], ...statuses]));
      await say(await run(order.file));
      return;
    }
    process.off('disconnect', orphaned);
    process.disconnect();
    await mochaGlobalTeardown();
  })();
});
