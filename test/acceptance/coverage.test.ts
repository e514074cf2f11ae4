import { expect } from 'chai';
import { routes } from '#generated/server/routes.gen.ts';
import { calledOperations } from '../support/operations.ts';

/** Workers call these; the acceptance tests run real workers, whose requests do not pass through the recording client. */
const calledByWorkers = new Set<string>(routes.filter((route) => route.auth === 'worker').map((route) => route.operationId));

function everyOperationWasCalled(): void {
  const missed = routes.map((route) => route.operationId).filter((id) => !calledOperations.has(id) && !calledByWorkers.has(id));
  expect(missed, 'operations that no acceptance test calls').to.deep.equal([]);
}

function everyOperationSucceeded(): void {
  const unsuccessful = [...calledOperations].filter(([id, statuses]) => !calledByWorkers.has(id) && ![...statuses].some((status) => status < 400)).map(([id]) => id);
  expect(unsuccessful, 'operations that no acceptance test saw succeed').to.deep.equal([]);
}

if (process.env['TEST_LANE'] !== undefined) {
  // The last file of the run, which is told what every lane has called.
  describe('over the wire', () => {
    it('every mounted operation was called', everyOperationWasCalled);
    it('every mounted operation was seen to succeed', everyOperationSucceeded);
  });
} else if (!process.argv.some((argument) => argument.endsWith('.test.ts') && !argument.includes('*'))) {
  // A root hook runs when every file has run; with single files named on the command line there is nothing to compare.
  after('every mounted operation was called over the wire', () => {
    everyOperationWasCalled();
    everyOperationSucceeded();
  });
}
