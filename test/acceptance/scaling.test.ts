import { expect } from 'chai';
import { ensureSdk } from '../support/preview/sdk.ts';
import { inventoryApp } from '../support/preview/projects.ts';
import { failureOf } from '../support/failures.ts';
import { type Person, until, useSystem } from '../support/system.ts';

describe('workers that come and go by the rules', function () {
  this.timeout(300_000);
  const system = useSystem({ apis: 2, workers: 0, variables: { SCALING_DRIVER: 'process', WORKER_CONCURRENCY: '1' } });
  let admin: Person;
  before(async () => {
    await ensureSdk();
    admin = await system.current.person('admin');
  });
  const workers = async (status: 'active' | 'draining' | 'stopped'): Promise<{ id: string; name: string }[]> => (await admin.hive.api.listWorkers({ query: { type: 'cpu', status } })).items;

  it('starts the least a rule asks for, and drains one that is too many without ending its job', async () => {
    const { driver, rules } = await admin.hive.api.getScalingRules({});
    expect(driver).to.equal('process');
    expect(rules.map(({ type }) => type)).to.deep.equal(['cpu', 'gpu']);
    await admin.hive.api.updateScalingRules({ body: { type: 'gpu', enabled: false } });
    await admin.hive.api.updateScalingRules({ body: { type: 'cpu', min: 1, max: 1, cooldown_seconds: 1, idle_seconds: 3_600 } });
    expect(await failureOf(admin.hive.api.updateScalingRules({ body: { type: 'cpu', max: 0 } }))).to.include({ code: 'VALIDATION_ERROR', status: 400 });
    await until('a worker to come', async () => (await workers('active')).length === 1, 60_000);
    const [worker] = await workers('active');
    expect(worker?.name).to.match(/^auto-/);

    const ada = await system.current.person('premium');
    const { id: projectId } = await ada.hive.api.createProject({ body: { name: 'Field Notes' } });
    const files = Object.entries(inventoryApp(300)).map(([path, content]) => ({ path, content: Uint8Array.from(Buffer.from(content)) }));
    const building = ada.hive.previews.build(files, { projectId, platform: 'ios', entryFile: 'main.tsx' });
    await until('the build to run', async () => (await ada.hive.api.listPreviewJobs({ query: { status: 'running' } })).items.length === 1, 120_000);
    await admin.hive.api.updateScalingRules({ body: { type: 'cpu', min: 0, max: 0 } });
    const built = await building;
    expect(built.job).to.include({ status: 'succeeded', attempt: 1, worker_id: worker?.id });
    await until('the worker to have ended', async () => (await workers('stopped')).some(({ id }) => id === worker?.id), 60_000);
    await until('all to be noted', async () => (await admin.hive.api.listScalingEvents({ query: { type: 'cpu' } })).items.every(({ outcome }) => outcome === 'reached'), 30_000);
    const { items } = await admin.hive.api.listScalingEvents({ query: { type: 'cpu' } });
    expect(items.map(({ action, driver: by }) => [action, by])).to.deep.equal([['scale_down', 'process'], ['scale_up', 'process']]);
    for (const { reason } of items) expect(reason.length).to.be.greaterThan(10);
  });
});
