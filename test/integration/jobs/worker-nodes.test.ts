import { expect } from 'chai';
import type { WorkerCaller } from '#platform/call.ts';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { claim, queuedJob } from '../../support/preview-jobs.ts';
import { codeOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';

const metrics = { cpu_percent: 41.5, memory_bytes: 1_000_000, running: 1, free_slots: 1, uptime_seconds: 60 };

describe('worker nodes as administrators see them', () => {
  const backend = useBackend();
  let admin: Person;
  before(async () => { admin = await backend.current.person('admin'); });
  beforeEach(async () => {
    await backend.current.sql('delete from worker_heartbeats');
    await backend.current.sql("update worker_nodes set last_heartbeat_at = now() - interval '31 days'");
    await backend.current.redis.redis.flushdb();
  });
  const list = async (query: Record<string, unknown> = {}): Promise<DataOf<'listWorkers'>> => (await backend.current.run('listWorkers', admin, { query })).data;
  const beat = (node: WorkerCaller, more: Record<string, unknown> = {}, status: 'active' | 'draining' | 'stopped' = 'active') =>
    backend.current.run('reportHeartbeat', node, { body: { status, metrics: { ...metrics, ...more }, running_job_ids: [] } });
  const register = (name: string) => backend.current.run('registerWorker', { kind: 'worker', nodeId: name }, {
    body: { name, type: 'cpu', concurrency: 2, version: '1.0.0', capabilities: { kinds: ['preview'], sdk_versions: [], sandbox: 'none', local_model: false } },
  });

  it('show what they hold and the metrics of their last heartbeat, from Redis and without it', async () => {
    const { sql, redis: { redis }, person, project } = backend.current;
    const node = await backend.current.worker('builder-1');
    expect((await list()).items[0]).to.include({ name: 'builder-1', type: 'cpu', status: 'active', concurrency: 2, running_jobs: 0, metrics: null });
    await beat(node, { cpu_percent: 10 });
    await beat(node, { cpu_percent: 20 });
    const ada = await person();
    await claim(backend.current, node, await queuedJob(backend.current, ada, await project(ada)));
    const [shown] = (await list()).items;
    expect(shown).to.deep.include({ running_jobs: 1, metrics: { ...metrics, cpu_percent: 20 } });
    const key = `worker:heartbeat:${node.nodeId}`;
    expect(JSON.parse(await redis.get(key) ?? '{}')).to.deep.include({ status: 'active', metrics: { ...metrics, cpu_percent: 20 }, running_jobs: 0 });
    expect(await redis.ttl(key)).to.be.within(25, 30);
    await redis.flushdb();
    expect((await list()).items[0]?.metrics).to.deep.equal({ ...metrics, cpu_percent: 20 });
    await sql("update worker_nodes set last_heartbeat_at = now() - interval '31 seconds' where id = ?", [node.nodeId]);
    expect((await list()).items[0]?.status, 'three heartbeats late').to.equal('silent');
    await beat(node, {}, 'stopped');
    expect((await list()).items[0]?.status).to.equal('stopped');
    expect(await redis.exists(key)).to.equal(0);
  });

  it('stand in order of class and name, under filters and by cursor, in few statements', async () => {
    const names = ['a-1', 'a-2', 'b:3'];
    for (const name of ['b:3', 'a-2', 'a-1']) await beat(await backend.current.worker(name));
    const gpu = await backend.current.worker('a-0');
    await backend.current.sql("update worker_nodes set type = 'gpu' where id = ?", [gpu.nodeId]);
    const namesOf = ({ items }: DataOf<'listWorkers'>): string[] => items.map(({ name }) => name);
    expect(namesOf(await list())).to.deep.equal([...names, 'a-0']);
    expect((await list()).page).to.include({ total: 4 });
    expect(namesOf(await list({ type: 'gpu' }))).to.deep.equal(['a-0']);
    expect(namesOf(await list({ status: 'silent' }))).to.deep.equal([]);
    await backend.current.sql("update worker_nodes set last_heartbeat_at = now() - interval '1 hour' where name = 'a-2'");
    expect(namesOf(await list({ status: 'silent' }))).to.deep.equal(['a-2']);
    expect(namesOf(await list({ status: 'active', type: 'cpu' }))).to.deep.equal(['a-1', 'b:3']);
    const walked: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await list({ limit: 1, ...(cursor === undefined ? {} : { cursor }) });
      walked.push(...namesOf(page));
      cursor = page.page.next_cursor;
    }
    expect(walked).to.deep.equal([...names, 'a-0']);
    expect(await countStatements(() => list())).to.be.at.most(3);
    expect(await codeOf(list({ cursor: Buffer.from('x:y|z|w').toString('base64url') }))).to.equal('VALIDATION_ERROR');
    expect(await codeOf(backend.current.run('listWorkers', await backend.current.person('premium')))).to.equal('FORBIDDEN');
  });

  it('go on draining when their living process registers once more, and begin anew when it was gone', async () => {
    const node = await backend.current.worker('drainer');
    await beat(node);
    await backend.current.sql("update worker_nodes set status = 'draining' where id = ?", [node.nodeId]);
    expect((await register('drainer')).data.worker.status).to.equal('draining');
    expect((await beat(node)).data.drain).to.equal(true);
    await backend.current.sql("update worker_nodes set last_heartbeat_at = now() - interval '31 seconds' where id = ?", [node.nodeId]);
    expect((await register('drainer')).data.worker.status).to.equal('active');
    expect((await beat(node)).data.drain).to.equal(false);
  });
});
