import { expect } from 'chai';
import { routes } from '#generated/server/routes.gen.ts';
import { calledOperations } from '../support/operations.ts';

/** Workers call these; the acceptance tests run real workers, whose requests do not pass through the recording client. */
const calledByWorkers = new Set<string>(routes.filter((route) => route.auth === 'worker').map((route) => route.operationId));

// A root hook runs when every file has run; with single files named on the command line there is nothing to compare.
if (!process.argv.some((argument) => argument.endsWith('.test.ts') && !argument.includes('*'))) {
  after('every mounted operation was called over the wire', () => {
    const missed = routes.map((route) => route.operationId).filter((id) => !calledOperations.has(id) && !calledByWorkers.has(id));
    expect(missed, 'operations that no acceptance test calls').to.deep.equal([]);
    const unsuccessful = [...calledOperations].filter(([id, statuses]) => !calledByWorkers.has(id) && ![...statuses].some((status) => status < 400)).map(([id]) => id);
    expect(unsuccessful, 'operations that no acceptance test saw succeed').to.deep.equal([]);
  });
}
