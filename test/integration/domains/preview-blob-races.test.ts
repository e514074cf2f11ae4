import { expect } from 'chai';
import { blobKey } from '#domains/previews/keys.ts';
import { sweepBlobs } from '#domains/previews/blobs-clean-up.ts';
import { useBackend } from '../../support/backend.ts';
import { claim, request, type Source, sourceOf, uploadMissing } from '../../support/preview-jobs.ts';

describe('sources that nobody asked for in a long time', () => {
  const backend = useBackend();

  it('are there for a build that waits, starts or runs with them, whenever the sweep comes', async () => {
    const { run, sql, storage, database, person, project, worker } = backend.current;
    const [ada, node] = [await person('premium'), await worker()];
    const projectId = await project(ada);
    const dayGoesBy = (): Promise<unknown> => sql("update source_blobs set last_used_at = now() - interval '25 hours' where project_id = ?", [projectId]);
    const sweep = (): Promise<number> => sweepBlobs(database.db, storage).run(new AbortController().signal);
    /** Of the project, and in no build. */
    const old = async (text: string): Promise<Source> => {
      const source = sourceOf('index.js', text);
      await storage.put(blobKey(projectId, source.sha256), source.content, { contentType: 'application/octet-stream', maxBytes: 1_000 });
      await sql("insert into source_blobs (project_id, sha256, size, last_used_at) values (?, decode(?, 'hex'), ?, now() - interval '25 hours')", [projectId, source.sha256, source.size]);
      return source;
    };
    for (let round = 0; round < 8; round += 1) {
      const sources = [await old(`old ${round}`), sourceOf('src/fresh.js', `fresh ${round}`)];
      const { data } = await request(backend.current, ada, projectId, sources);
      expect(data.missing.map(({ sha256 }) => sha256)).to.deep.equal([sources[1]?.sha256]);
      await uploadMissing(data, sources.slice(1));
      await dayGoesBy();
      const gone = [round % 2 === 0 ? await sweep() : 0];
      await Promise.all([run('startPreviewJob', ada, { path: { job_id: data.job.id } }), sweep(), dayGoesBy().then(sweep)]);
      const claimed = await claim(backend.current, node, data.job.id);
      await dayGoesBy();
      gone.push(await sweep());
      await sql("update source_blobs set condemned_at = now() - interval '3 hours' where condemned_at is not null");
      gone.push(await sweep());
      expect(gone).to.deep.equal([0, 0, 0]);
      const items = claimed.input.kind === 'preview' ? claimed.input.sources.items ?? [] : [];
      const brought = await Promise.all(items.map(async ({ url }) => (await fetch(url)).text()));
      expect(brought).to.have.members(sources.map(({ content }) => content.toString()));
      await run('cancelPreviewJob', ada, { path: { job_id: data.job.id } });
    }
  });
});
