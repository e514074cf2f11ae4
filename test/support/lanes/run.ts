/** Runs files of tests in lanes beside each other, and tells of each when it is through by the reporter mocha has for one run. */
import { EventEmitter } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import Mocha from 'mocha';
import { Lane } from './lane.ts';
import type { Fault, Ran, TestEvent } from './messages.ts';
import type { Rounds } from './order.ts';

const { EVENT_RUN_BEGIN, EVENT_RUN_END, EVENT_SUITE_BEGIN, EVENT_SUITE_END, EVENT_TEST_PASS, EVENT_TEST_FAIL, EVENT_TEST_PENDING } = Mocha.Runner.constants;
const { default: SummaryReporter } = await import(new URL('../reporter.mjs', import.meta.url).href) as { default: new (runner: unknown, options: object) => unknown };

/** The files, below this folder, in so many lanes; answers how many failures there were. */
export async function runInLanes(folder: string, { beside, alone }: Rounds, count: number): Promise<number> {
  const runFolder = mkdtempSync(join(tmpdir(), 'hivesync-run-'));
  // PostgreSQL keeps its data below it as an account of its own where we are root.
  chmodSync(runFolder, 0o755);
  const called = new Map<string, Set<number>>();
  let failures = 0;
  const runner = reporting();

  /** A failure that no test of a file tells of. */
  const tellOf = (title: string, message: string): void => {
    failures += 1;
    tell(runner, { name: EVENT_TEST_FAIL, title, titlePath: [title], duration: 0, slow: 0, fault: { message, stack: `Error: ${message}`, uncaught: false, difference: null, cause: null } });
  };
  const hear = ({ file, events, failures: counted, called: calls }: Ran): void => {
    for (const event of events) tell(runner, event);
    if (counted > 0 && events.every(({ name }) => name !== EVENT_TEST_FAIL)) tellOf(relative(folder, file), 'No test was run.');
    else failures += counted;
    for (const [operationId, statuses] of calls) called.set(operationId, new Set([...called.get(operationId) ?? [], ...statuses]));
  };
  const runOne = async (lane: Lane, file: string): Promise<void> => {
    const ran = await lane.run(join(folder, file), called);
    if (ran.kind === 'ran') hear(ran);
    else tellOf(file, `The process of this file ended before it was through (${ran.how}).`);
  };
  const endOf = async (lane: Lane): Promise<void> => {
    const how = await lane.end();
    if (how !== 0) tellOf(`the end of lane ${lane.number}`, `Its process ended with ${how}: what it wrote says why.`);
  };

  const lanes = Array.from({ length: count }, (_, index) => new Lane(index + 1, runFolder));
  const [first] = lanes;
  if (first === undefined) throw new Error('There is at least one lane.');
  runner.emit(EVENT_RUN_BEGIN);
  const rootSuite = { title: '', root: true };
  runner.emit(EVENT_SUITE_BEGIN, rootSuite);
  try {
    const waiting = [...beside];
    await Promise.all(lanes.map(async (lane) => {
      for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) await runOne(lane, file);
      if (lane !== first) await endOf(lane);
    }));
    for (const file of alone) await runOne(first, file);
    await endOf(first);
  } finally {
    rmSync(runFolder, { recursive: true, force: true, maxRetries: 5 });
  }
  runner.emit(EVENT_SUITE_END, rootSuite);
  runner.emit(EVENT_RUN_END);
  return failures;
}

/** What the reporter takes for mocha's runner. */
function reporting(): EventEmitter {
  const runner = Object.assign(new EventEmitter(), { stats: { suites: 0, tests: 0, passes: 0, pending: 0, failures: 0, start: new Date(), duration: 0 } });
  runner.on(EVENT_TEST_PASS, () => { runner.stats.passes += 1; });
  runner.on(EVENT_TEST_PENDING, () => { runner.stats.pending += 1; });
  runner.on(EVENT_TEST_FAIL, () => { runner.stats.failures += 1; });
  runner.once(EVENT_RUN_END, () => { runner.stats.duration = Date.now() - runner.stats.start.getTime(); });
  new SummaryReporter(runner, {});
  return runner;
}

function tell(runner: EventEmitter, { name, title, titlePath, duration, slow, fault }: TestEvent): void {
  runner.emit(name, { title, duration, titlePath: () => titlePath, fullTitle: () => titlePath.join(' '), slow: () => slow }, ...(fault === null ? [] : [errorOf(fault)]));
}

const errorOf = ({ message, stack, uncaught, difference, cause }: Fault): Error => Object.assign(new Error(message), {
  stack, uncaught, ...(difference === null ? { showDiff: false } : { showDiff: true, ...difference }), ...(cause === null ? {} : { cause: errorOf(cause) }),
});
