import { fileURLToPath } from 'node:url';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { ExpoManifest, LiveRevision, LiveSession, LiveSessionCreated } from '#generated/sdk/types.gen.ts';
import type { ApiEvent } from '#sdk/index.ts';
import { failureOf } from '../support/failures.ts';
import { type Person, until, useSystem } from '../support/system.ts';

const sample = fileURLToPath(new URL('../../examples/field-notes', import.meta.url));
const screenPath = 'src/screens/NoteListScreen.tsx';
const screen = readFileSync(`${sample}/${screenPath}`, 'utf8');
const edited = (words: string): { path: string; content_base64: string } => ({ path: screenPath, content_base64: Buffer.from(screen.replace('What did you see today?', words)).toString('base64') });

interface Phone {
  readonly events: ApiEvent[];
  readonly revisions: () => LiveRevision[];
  /** The end of a revision, once it was sent. */
  readonly end: (revision: number, withinMs?: number) => Promise<LiveRevision>;
  readonly stop: () => void;
}

describe('live sessions over the wire', function () {
  this.timeout(240_000);
  const system = useSystem({ workers: 1 });
  let ada: Person;
  let jobId = '';

  before(async () => {
    ada = await system.current.person();
    const { id: projectId } = await ada.hive.api.createProject({ body: { name: 'Field Notes' } });
    jobId = (await ada.hive.previews.build(sample, { projectId, platform: 'ios' })).job.id;
  });

  const opened: string[] = [];
  const open = async (): Promise<LiveSessionCreated> => {
    const created = await ada.hive.api.createLiveSession({ body: { job_id: jobId } });
    opened.push(created.live_session.id);
    return created;
  };
  afterEach(async () => {
    for (const id of opened.splice(0)) await ada.hive.api.endLiveSession({ path: { live_id: id } });
  });

  /** Follows a session as a phone does: by the token in the query alone. */
  const follow = ({ live_session: { id }, token }: LiveSessionCreated, lastEventId?: string): Phone => {
    const controller = new AbortController();
    const events: ApiEvent[] = [];
    const ended = (async () => {
      for await (const event of system.current.anonymous().events('/preview/live-sessions/{live_id}/events', {
        path: { live_id: id }, query: { token }, signal: controller.signal, ...(lastEventId === undefined ? {} : { lastEventId }),
      })) events.push(event);
    })().catch((error: unknown) => { if (!controller.signal.aborted) throw error; });
    const revisions = (): LiveRevision[] => events.filter(({ event }) => event === 'revision').map(({ data }) => data as LiveRevision);
    return {
      events, revisions,
      end: async (revision, withinMs = 20_000) => {
        await until(`the end of revision ${revision}`, () => revisions().some((one) => one.revision === revision && one.status !== 'building'), withinMs);
        return revisions().find((one) => one.revision === revision && one.status !== 'building') ?? expect.fail('it ended');
      },
      stop: () => {
        controller.abort();
        ended.catch(() => undefined);
      },
    };
  };
  const push = (id: string, base: number, ...changes: Parameters<typeof ada.hive.api.pushLiveChanges>[0]['body']['changes']): Promise<LiveRevision> =>
    ada.hive.api.pushLiveChanges({ path: { live_id: id }, body: { base_revision: base, changes } });
  const bundleOf = async ({ bundle_url: url, bundle_sha256: sha256, bundle_size: size }: LiveRevision): Promise<string> => {
    const bytes = Buffer.from(await (await fetch(url ?? expect.fail('a revision that is ready has a bundle'))).arrayBuffer());
    expect([bytes.length, createHash('sha256').update(bytes).digest('hex')]).to.deep.equal([size, sha256]);
    return bytes.toString('utf8');
  };

  it('tells the phone of each edit’s bundle, says what is wrong with a broken one, and goes on when it is mended', async () => {
    const created = await open();
    expect(created.live_session).to.include({ status: 'starting', revision: 0, job_id: jobId, target_platform: 'ios' });
    expect(created.events_url).to.include(created.live_session.id).and.to.include(created.token);
    const { id } = created.live_session;
    const phone = follow(created);
    try {
      expect(await bundleOf(await phone.end(0))).to.include('What did you see today?');
      const times: { ms: number; worker: number | null }[] = [];
      for (let revision = 1; revision <= 5; revision += 1) {
        const startedAt = performance.now();
        const pushed = await push(id, revision - 1, edited(`Edit number ${revision}`));
        expect(pushed).to.include({ live_id: id, revision, status: 'building', bundle_url: null });
        const ended = await phone.end(revision);
        times.push({ ms: Math.round(performance.now() - startedAt), worker: ended.duration_ms });
        expect(ended.status).to.equal('ready');
        expect(await bundleOf(ended)).to.include(`Edit number ${revision}`);
      }
      if (process.env['CI'] !== 'true') process.stderr.write(`    edit to phone, and of it the worker: ${times.map(({ ms, worker }) => `${ms}/${worker ?? '?'}`).join(' ')} ms\n`);
      await push(id, 5, { path: screenPath, content_base64: Buffer.from('export default ( => 1;').toString('base64') });
      const broken = await phone.end(6);
      expect(broken).to.include({ status: 'failed', bundle_url: null });
      expect(broken.error).to.include({ kind: 'build_error', file: screenPath, line: 1 });
      await push(id, 6, edited('Mended'));
      expect(await bundleOf(await phone.end(7))).to.include('Mended');
      expect(phone.revisions().filter(({ revision }) => revision === 3).map(({ status }) => status)).to.deep.equal(['building', 'ready']);
      await ada.hive.api.endLiveSession({ path: { live_id: id } });
      await until('the end of the session', () => phone.events.some(({ event }) => event === 'ended'), 5_000);
      expect(phone.events.at(-1)?.data as LiveSession).to.include({ id, status: 'ended', revision: 7 });
      expect(await failureOf(push(id, 7, edited('Too late')))).to.include({ code: 'GONE' });
      await ada.hive.api.endLiveSession({ path: { live_id: id } });
    } finally {
      phone.stop();
    }
  });

  it('takes files that come and go, and builds for another phone from the newest on', async () => {
    const created = await open();
    const { id } = created.live_session;
    const phone = follow(created);
    try {
      await phone.end(0);
      const text = Buffer.from(`export const words = 'from a file that came';`).toString('base64');
      const importing = Buffer.from(`import { words } from '../words';\n${screen.replace("What did you see today?", '{words}')}`).toString('base64');
      await push(id, 0, { path: 'src/words/index.ts', content_base64: text }, { path: screenPath, content_base64: importing });
      expect(await bundleOf(await phone.end(1))).to.include('from a file that came');
      await push(id, 1, { path: 'src/words/index.ts', removed: true });
      expect(await phone.end(2)).to.have.nested.property('error.kind', 'missing_file');
      await push(id, 2, { path: 'src/words.ts', content_base64: text });
      expect(await bundleOf(await phone.end(3))).to.include('from a file that came');
      const second = follow(created);
      await second.end(3);
      expect(second.revisions()[0]).to.include({ revision: 3 });
      second.stop();
    } finally {
      phone.stop();
    }
  });

  it('brings the phone the images that came since, and no others, wherever they are put; and a source map once nobody edits', async () => {
    const created = await open();
    const { id } = created.live_session;
    const phone = follow(created);
    const image = readFileSync(`${sample}/assets/plant.png`);
    const fresh = Buffer.concat([image, Buffer.from('drawn anew')]);
    const encoded = (content: Buffer | string): string => Buffer.from(content).toString('base64');
    const showing = (path: string): { path: string; content_base64: string } => ({ path: screenPath, content_base64: encoded(`${screen}\nconsole.log(require('${path}'));`) });
    const imagesOf = async ({ assets }: LiveRevision): Promise<[string, boolean][]> => Promise.all(assets.map(async ({ path, url, size, sha256 }): Promise<[string, boolean]> => {
      const bytes = Buffer.from(await (await fetch(url)).arrayBuffer());
      return [path, bytes.length === size && createHash('sha256').update(bytes).digest('hex') === sha256 && bytes.equals(fresh)];
    }));
    try {
      expect((await phone.end(0)).assets).to.deep.equal([]);
      await push(id, 0, { path: 'src/screens/drawn.png', content_base64: encoded(fresh) }, showing('./drawn.png'));
      expect(await imagesOf(await phone.end(1))).to.deep.equal([['assets/src/screens/drawn.png', true]]);
      await push(id, 1, edited('Words alone'));
      expect((await phone.end(2)).assets).to.deep.equal([]);
      await push(id, 2, { path: 'src/screens/drawn.png', removed: true }, { path: 'src/moved.png', content_base64: encoded(fresh) }, showing('../moved.png'));
      expect(await imagesOf(await phone.end(3))).to.deep.equal([['assets/src/moved.png', true]]);
      await push(id, 3, { path: 'assets/plant.png', content_base64: encoded(fresh) });
      expect((await imagesOf(await phone.end(4))).sort()).to.deep.equal([['assets/assets/plant.png', true], ['assets/src/moved.png', true]]);

      const mapped = (): LiveRevision | undefined => phone.events.filter(({ event }) => event === 'source_map').map(({ data }) => data as LiveRevision).find(({ revision }) => revision === 4);
      await until('the source map', () => mapped() !== undefined, 20_000);
      const map = await (await fetch(mapped()?.source_map_url ?? '')).json() as { sections: { map: { sources: string[] } }[] };
      expect(map.sections.flatMap((section) => section.map.sources)).to.include(screenPath);
      const late = follow(created);
      const { source_map_url: url } = await late.end(4);
      expect(url).to.be.a('string');
      late.stop();

      const asked = await fetch(created.manifest_url, { headers: { accept: 'application/expo+json', 'expo-platform': 'ios' } });
      const manifest = await asked.json() as ExpoManifest;
      const hash = createHash('sha256').update(fresh).digest('base64url');
      expect(manifest.assets.filter((asset) => asset.hash === hash)).to.have.length(1);
      expect(manifest.assets.some((asset) => asset.hash === createHash('sha256').update(image).digest('base64url')), 'the image as it was').to.equal(false);
      expect(manifest.launchAsset.hash).to.equal(Buffer.from((await phone.end(4)).bundle_sha256 ?? '', 'hex').toString('base64url'));
      const page = await (await fetch(created.view_url)).text();
      expect(page).to.include('Live').and.to.include(encodeURIComponent(`/api/v1/preview/manifest?token=${created.token}`));
      expect(created.deep_link).to.include(encodeURIComponent(created.manifest_url));
      expect((await fetch(`${system.current.baseUrl}/api/v1/preview/sessions/${created.token}`)).status).to.equal(404);
      await ada.hive.api.endLiveSession({ path: { live_id: id } });
      for (const path of [`sessions/${created.token}`, `manifest?token=${created.token}`, `view/${created.token}`, `live-sessions/${id}/events?token=${created.token}`]) {
        expect((await fetch(`${system.current.baseUrl}/api/v1/preview/${path}`)).status, path).to.equal(410);
      }
    } finally {
      phone.stop();
    }
  });

  it('is rebuilt by another worker when the one that had it is lost, with every edit up to then', async () => {
    const created = await open();
    const { id } = created.live_session;
    const phone = follow(created);
    try {
      await phone.end(0);
      await push(id, 0, edited('Before the loss'));
      await phone.end(1);
      for (const worker of system.current.workers()) await worker.kill();
      await push(id, 1, { path: 'src/after.ts', content_base64: Buffer.from('export const after = 1;').toString('base64') });
      await system.current.startWorker();
      // Its lease runs out, the reconciler looks, and the new worker warms up.
      const after = await phone.end(2, 120_000);
      expect(after.status).to.equal('ready');
      expect(await bundleOf(after)).to.include('Before the loss');
    } finally {
      phone.stop();
    }
  });
});
