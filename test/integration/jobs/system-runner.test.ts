import { expect } from 'chai';
import { addSystemJob } from '#jobs/system-jobs.ts';
import { useBackend } from '../../support/backend.ts';

describe('system jobs', () => {
  const on = useBackend();

  it('tries a job of an unknown kind again and says why', async () => {
    const { database: { db } } = on.current;
    await db.knex.transaction((trx) => addSystemJob(trx, { kind: 'no.such_kind' }));
    expect(await on.current.runSystemJobs()).to.deep.equal([{ kind: 'no.such_kind', outcome: 'again', error: 'There is no kind of system job called no.such_kind.' }]);
    expect(await on.current.runSystemJobs()).to.deep.equal([]);
  });
});
