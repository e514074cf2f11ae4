import Mocha from 'mocha';

/**
 * Mocha's own spec output, and at the end a line `N passed, N failed` alone. A test that was skipped counts as failed
 * (forbidPending makes the run fail as well); retries are off, so a count is a count of tests.
 */
export default class SummaryReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      process.stdout.write(`${passes} passed, ${failures + pending} failed\n`);
    });
  }
}
