import { expect } from 'chai';
import { Housekeeping, sweepHeartbeats } from '#jobs/housekeeping.ts';
import { useBackend } from '../../support/backend.ts';
import { until } from '../../support/until.ts';

describe('housekeeping', () => {
  const backend = useBackend();

  it('deletes heartbeats of long ago, and leaves the others', async () => {
    const worker = await backend.current.worker();
    const beat = (ago: string) => backend.current.sql(
      `insert into worker_heartbeats (id, node_id, "timestamp") select gen_random_uuid(), ?, now() - ?::interval from generate_series(1, 1200)`, [worker.nodeId, ago],
    );
    await beat('3 days');
    await beat('1 day');
    expect(await sweepHeartbeats(backend.current.database.db)).to.equal(1_200);
    expect(await backend.current.sql('select count(*) as kept from worker_heartbeats where node_id = ?', [worker.nodeId])).to.deep.equal([{ kept: 1_200 }]);
  });

  it('does every chore in each round, whatever became of the one before, and none once it was stopped', async () => {
    const done: string[] = [];
    const housekeeping = new Housekeeping([
      { name: 'broken', run: () => Promise.reject(new Error('the database went away')) },
      { name: 'sound', run: () => { done.push('sound'); return Promise.resolve(0); } },
    ], backend.current.log, 5);
    housekeeping.start();
    await until('two rounds', () => done.length >= 2);
    await housekeeping.stop();
    const rounds = done.length;
    await housekeeping.run();
    expect(done).to.have.length(rounds);
  });
});
