/** What a preview survives. Counted are effects (artifacts, ends), not only states. */
import { expect } from 'chai';
import { inventoryApp } from '../support/preview/projects.ts';
import { failureOf } from '../support/failures.ts';
import { startS3Server } from '../support/s3-server/start.ts';
import { type Person, type System, until, useSystem } from '../support/system.ts';

const filesOf = (shelves: number): { path: string; content: Uint8Array<ArrayBuffer> }[] =>
  Object.entries(inventoryApp(shelves)).map(([path, content]) => ({ path, content: Uint8Array.from(Buffer.from(content)) }));

async function newProject(system: System): Promise<{ person: Person; projectId: string }> {
  const person = await system.person();
  return { person, projectId: (await person.hive.api.createProject({ body: { name: 'Faults' } })).id };
}

/** How often a job ended, by what its end leaves in the outbox; and whether any artifact is there twice. */
async function effectsOf(system: System, jobId: string): Promise<{ ends: number; bundles: number }> {
  const [row] = await system.sql(`
    select (select count(*)::int from outbox where topic in ('preview.succeeded', 'preview.failed') and payload ->> 'entityId' = $1::text) as ends,
           (select count(*)::int from preview_artifacts where job_id = $1::uuid and kind = 'bundle' and encoding = 'identity') as bundles`, [jobId]);
  return { ends: Number(row?.['ends']), bundles: Number(row?.['bundles']) };
}

describe('previews under faults', function () {
  this.timeout(240_000);

  describe('with workers that die', () => {
    const system = useSystem();

    it('builds a preview whose worker was killed in the middle, on another worker, once', async () => {
      const { person, projectId } = await newProject(system.current);
      const first = await system.current.startWorker();
      const building = person.hive.previews.build(filesOf(400), { projectId, platform: 'ios', entryFile: 'main.tsx' });
      let jobId = '';
      await until('the build to run', async () => {
        const [job] = (await person.hive.api.listPreviewJobs({ query: { status: 'running' } })).items;
        jobId = job?.id ?? '';
        return job?.stage === 'bundling';
      });
      await first.kill();
      await system.current.startWorker();
      const built = await building;
      expect(built.job).to.include({ id: jobId, status: 'succeeded', attempt: 2 });
      expect(await effectsOf(system.current, jobId)).to.deep.equal({ ends: 1, bundles: 1 });
    });

    it('builds a preview that was waiting when Redis was wiped', async () => {
      const { person, projectId } = await newProject(system.current);
      for (const worker of system.current.workers()) await worker.kill();
      const building = person.hive.previews.build(filesOf(5), { projectId, platform: 'ios', entryFile: 'main.tsx' });
      await until('the job to be on its queue', async () => (await system.current.sql('select 1 from outbox where kind = $1 and sent_at is null', ['job'])).length === 0
        && (await person.hive.api.listPreviewJobs({ query: { status: 'queued' } })).items[0]?.awaiting_upload === false);
      await system.current.redis.flushdb();
      await system.current.startWorker();
      const built = await building;
      expect(built.job.status).to.equal('succeeded');
      expect(await effectsOf(system.current, built.job.id)).to.deep.equal({ ends: 1, bundles: 1 });
    });

    it('keeps an accepted request when the API is killed right after it', async () => {
      const { person, projectId } = await newProject(system.current);
      const building = person.hive.previews.build(filesOf(100), { projectId, platform: 'android', entryFile: 'main.tsx' });
      building.catch(() => undefined);
      await until('the job to be accepted', async () => (await system.current.sql('select 1 from preview_jobs where project_id = $1 and queued_at is not null', [projectId])).length === 1);
      await system.current.restartApi();
      const [row] = await system.current.sql('select id from preview_jobs where project_id = $1', [projectId]);
      const ended = await person.hive.previews.wait(String(row?.['id']));
      expect(ended.status).to.equal('succeeded');
      expect(await effectsOf(system.current, ended.id)).to.deep.equal({ ends: 1, bundles: 1 });
    });
  });

  describe('with storage of its own, which goes away', () => {
    let s3: Awaited<ReturnType<typeof startS3Server>>;
    const variables: Record<string, string> = {};
    before(async () => {
      s3 = await startS3Server();
      Object.assign(variables, {
        R2_ENDPOINT: s3.endpoint, R2_BUCKET: s3.bucket, R2_ACCESS_KEY: s3.accessKey, R2_SECRET_KEY: s3.secretKey, R2_REGION: s3.region,
      });
    });
    const system = useSystem({ workers: 1, variables });
    after(async () => { await s3.stop(); });

    it('builds a preview through presigned URLs that verify signature, length and checksum', async () => {
      const { person, projectId } = await newProject(system.current);
      const built = await person.hive.previews.build(filesOf(20), { projectId, platform: 'ios', entryFile: 'main.tsx' });
      expect(built.job.status).to.equal('succeeded');
      expect(built.url.startsWith(s3.endpoint)).to.equal(true);
      expect(await (await fetch(built.url)).text()).to.contain('Inventory');
    });

    it('answers STORAGE_ERROR while storage is away, and the same start succeeds when it is back', async () => {
      const { person, projectId } = await newProject(system.current);
      const once = system.current.anonymous({ accessToken: person.tokens.access_token, maxRetries: 0 });
      const [file] = filesOf(1);
      if (file === undefined) throw new Error('there is a file');
      const body = { project_id: projectId, target_platform: 'ios' as const, entry_file: 'index.js', files: [{ path: 'index.js', content_base64: Buffer.from('x').toString('base64') }] };
      await s3.setFault({ mode: 'status', status: 503 });
      const failure = await failureOf(once.api.buildPreview({ body }, { timeoutMs: 60_000 }));
      expect(failure).to.include({ code: 'STORAGE_ERROR', status: 502 });
      await s3.setFault(null);
      expect((await once.api.buildPreview({ body }, { timeoutMs: 60_000 })).expires_in).to.equal(600);
    });
  });
});
