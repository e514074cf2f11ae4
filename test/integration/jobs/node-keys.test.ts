import { expect } from 'chai';
import { useBackend } from '../../support/backend.ts';
import { statementsOf } from '../../support/statements.ts';
import { until } from '../../support/until.ts';

describe('the key of a node', () => {
  const backend = useBackend();

  it('is looked for once a second however often the node asks, and refused within a second of its being shut out', async () => {
    const { services: { nodeKeys }, sql } = backend.current;
    const { nodeId } = await backend.current.worker();
    const asked = await statementsOf(async () => {
      for (let times = 0; times < 50; times += 1) expect(await nodeKeys.signingKey(nodeId, 'claimJob')).not.to.equal(null);
    });
    expect(asked.length).to.be.within(1, 2);
    await sql("update worker_nodes set status = 'revoked' where id = ?", [nodeId]);
    const revokedAt = performance.now();
    await until('it to be refused', async () => (await nodeKeys.signingKey(nodeId, 'claimJob')) === null);
    expect(performance.now() - revokedAt).to.be.below(2_000);
  });
});
