import { expect } from 'chai';
import { type Person, useBackend } from '../../support/backend.ts';
import { queuedJob, request, sourceOf } from '../../support/preview-jobs.ts';
import { codeOf } from '../../support/refusals.ts';
import { until } from '../../support/until.ts';

/** Builds that are asked for while their project is being deleted. */
describe('a build that meets the deletion of its project', () => {
  const backend = useBackend();
  let ada: Person;
  const source = sourceOf('index.js', 'export default 1;');
  before(async () => { ada = await backend.current.person(); });

  /** A project whose one source is stored: a preview of it is enqueued at once. */
  const stocked = async (): Promise<string> => {
    const id = await backend.current.project(ada);
    await backend.current.run('cancelPreviewJob', ada, { path: { job_id: await queuedJob(backend.current, ada, id, 'export default 1;') } });
    return id;
  };
  const waiting = (count: number): Promise<void> => until('somebody to wait', async () =>
    (await backend.current.sql("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")).length === count);
  const builds = (projectId: string): Promise<{ status: string }[]> => backend.current.sql('select status from preview_jobs where project_id = ? order by id', [projectId]);

  for (const operation of ['requestPreview', 'buildPreview'] as const) {
    it(`comes to nothing by ${operation} where the deletion is first, though the policy was asked before`, async () => {
      const { run, database: { db } } = backend.current;
      const projectId = await stocked();
      const ask = (): Promise<unknown> => (operation === 'requestPreview'
        ? request(backend.current, ada, projectId, [source])
        : run('buildPreview', ada, { body: { project_id: projectId, target_platform: 'ios', entry_file: 'index.js', files: [{ path: 'index.js', content_base64: source.content.toString('base64') }] } }));
      const trx = await db.knex.transaction();
      await trx('projects').where({ id: projectId }).update({ deleted_at: trx.fn.now() });
      const asked = codeOf(ask());
      await waiting(1);
      await trx.commit();
      expect(await asked).to.equal('NOT_FOUND');
      expect(await builds(projectId)).to.deep.equal([{ status: 'cancelled' }]);
    });
  }

  it('is ended by the deletion where the build is first', async () => {
    const { run, database: { db } } = backend.current;
    const projectId = await stocked();
    const trx = await db.knex.transaction();
    // What the request waits for once it holds the project.
    await trx('users').where({ id: ada.userId }).forUpdate().select('id');
    const asked = request(backend.current, ada, projectId, [source]);
    await waiting(1);
    const deleted = run('deleteProject', ada, { path: { project_id: projectId } });
    await waiting(2);
    await trx.commit();
    expect((await asked).data.job.status).to.equal('queued');
    await deleted;
    expect(await builds(projectId)).to.deep.equal([{ status: 'cancelled' }, { status: 'cancelled' }]);
  });
});
