/** A folder that a phone follows, by the SDK alone: what an editor's plugin or a command line does. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { HiveSyncError, PreviewBuildError, type LiveBuildOptions, type LivePreview, type LiveRevision } from '#sdk/index.ts';
import { failureOf } from '../support/failures.ts';
import { follow } from '../support/live-follower.ts';
import { recordingFetch } from '../support/operations.ts';
import { temporaryFolder } from '../support/preview/projects.ts';
import { startTcpSwitch } from '../support/tcp-switch.ts';
import { type Person, until, useSystem } from '../support/system.ts';

const sample = fileURLToPath(new URL('../../examples/field-notes', import.meta.url));
const screenPath = 'src/screens/NoteListScreen.tsx';
const screen = readFileSync(join(sample, screenPath), 'utf8');

describe('a folder that a live session follows', function () {
  this.timeout(240_000);
  const system = useSystem({ workers: 1 });
  let ada: Person;
  let projectId = '';
  let work: ReturnType<typeof temporaryFolder>;
  const opened: LivePreview[] = [];

  before(async () => {
    ada = await system.current.person();
    projectId = (await ada.hive.api.createProject({ body: { name: 'Field Notes' } })).id;
  });
  beforeEach(() => {
    work = temporaryFolder();
    cpSync(sample, work.path, { recursive: true });
  });
  afterEach(async () => {
    for (const live of opened.splice(0)) await live.close();
    work.dispose();
  });

  const write = (path: string, content: string | Buffer): void => {
    mkdirSync(dirname(join(work.path, path)), { recursive: true });
    writeFileSync(join(work.path, path), content);
  };
  const say = (words: string): void => write(screenPath, screen.replace('What did you see today?', words));
  const open = async (more: Partial<LiveBuildOptions> = {}, hive = ada.hive): Promise<LivePreview> => {
    const live = await hive.previews.live(work.path, { projectId, platform: 'ios', ...more });
    opened.push(live);
    return live;
  };
  const bundleOf = async ({ status, error, bundle_url: url, bundle_sha256: sha256 }: LiveRevision): Promise<string> => {
    const bytes = Buffer.from(await (await fetch(url ?? expect.fail(`${status}: ${error?.message ?? 'no bundle'}`))).arrayBuffer());
    expect(createHash('sha256').update(bytes).digest('hex')).to.equal(sha256);
    return bytes.toString('utf8');
  };
  const firstReady = async (follower: ReturnType<typeof follow>): Promise<void> => { await follower.one('revision', ({ revision }) => revision.status === 'ready', 60_000); };

  it('shows each save on the phone, says what is wrong with a broken one, and ends with close', async () => {
    const live = await open();
    const follower = follow(live);
    expect(live.phone).to.include({ token: live.phone.token, qrText: live.phone.deepLink });
    expect(live.phone.qrText).to.include(encodeURIComponent(live.phone.manifestUrl));
    await firstReady(follower);
    const times: number[] = [];
    for (let edit = 1; edit <= 4; edit += 1) {
      const savedAt = performance.now();
      say(`Edit number ${edit}`);
      const revision = await follower.built(screenPath);
      times.push(Math.round(performance.now() - savedAt));
      expect(await bundleOf(revision)).to.include(`Edit number ${edit}`);
    }
    if (process.env['CI'] !== 'true') process.stderr.write(`    save to the phone's event: ${times.join(' ')} ms\n`);
    write(screenPath, 'export default ( => 1;');
    const broken = await follower.built(screenPath);
    expect(broken.error).to.include({ kind: 'build_error', file: screenPath, line: 1 });
    expect(broken.error?.code_frame).to.be.a('string');
    say('Mended');
    expect(await bundleOf(await follower.built(screenPath))).to.include('Mended');

    await live.close();
    await follower.ended;
    expect(follower.updates.at(-1)).to.deep.equal({ kind: 'ended', session: null });
    const late = await failureOf(ada.hive.api.pushLiveChanges({ path: { live_id: live.session.id }, body: { base_revision: live.revision, changes: [{ path: 'late.ts', content_base64: '' }] } }));
    expect(late.code).to.equal('GONE');
    await live.close();
  });

  it('follows files and folders that come, go and move, images, and files too large to be sent with a change', async () => {
    const live = await open();
    const follower = follow(live);
    await firstReady(follower);
    write('src/words/deep/index.ts', `export const words = 'from a new folder';`);
    write(screenPath, `import { words } from '../words/deep';\n${screen.replace('What did you see today?', '{words}')}`);
    await follower.built('src/words/deep/index.ts');
    await until('the new words', async () => {
      const last = follower.of('revision').findLast(({ revision }) => revision.status === 'ready');
      return last !== undefined && (await bundleOf(last.revision)).includes('from a new folder');
    }, 20_000);
    renameSync(join(work.path, 'src/words'), join(work.path, 'src/moved'));
    const lost = await follower.built('src/words/deep/index.ts');
    expect(lost.error).to.include({ kind: 'missing_file' });
    renameSync(join(work.path, 'src/moved'), join(work.path, 'src/words'));
    expect(await bundleOf(await follower.built('src/words/deep/index.ts'))).to.include('from a new folder');
    // What the project has had before is named by its hash.
    const image = Buffer.concat([readFileSync(join(work.path, 'assets/plant.png')), randomBytes(6_000_000)]);
    write('assets/plant.png', image);
    const { assets } = await follower.built('assets/plant.png', 60_000);
    const sha256 = createHash('sha256').update(image).digest('hex');
    expect(assets.filter((asset) => asset.sha256 === sha256 && asset.size === image.length)).to.have.length(1);
    write('node_modules/left-out/index.js', '1');
    write('.env', 'SECRET=1');
    say('After what is left out');
    expect(await bundleOf(await follower.built(screenPath))).to.include('After what is left out');
    expect(follower.of('pushed').flatMap(({ written }) => written)).to.not.include.members(['.env']);
    expect(follower.of('refused')).to.deep.equal([]);
  });

  it('sends what changed while the preview was built', async () => {
    // The first that is told of the build, whichever stage it has reached by then: it may never be seen waiting.
    let isSaid = false;
    const live = await open({ onProgress: ({ stage }) => {
      if (isSaid || stage === 'hashing' || stage === 'uploading') return;
      isSaid = true;
      say('Saved while it was built');
    } });
    const follower = follow(live);
    await follower.one('pushed', ({ written }) => written.includes(screenPath));
    await until('the bundle with it', async () => {
      const last = follower.of('revision').findLast(({ revision }) => revision.status === 'ready');
      return last !== undefined && (await bundleOf(last.revision)).includes('Saved while it was built');
    }, 30_000);
  });

  it('goes on where the connection was lost, and the API was killed, with what was saved meanwhile', async () => {
    const tcp = await startTcpSwitch(Number(new URL(system.current.baseUrl).port));
    try {
      const hive = system.current.anonymous({ baseUrl: `http://127.0.0.1:${tcp.port}`, accessToken: ada.tokens.access_token, fetch: recordingFetch, maxRetries: 0 });
      const live = await open({}, hive);
      const follower = follow(live);
      await firstReady(follower);
      await tcp.off();
      say('Saved without a connection');
      await follower.one('waiting', (update) => update.of === 'push' && update.error.code === 'CONNECTION_FAILED');
      await follower.one('waiting', (update) => update.of === 'events');
      await tcp.on();
      expect(await bundleOf(await follower.built(screenPath))).to.include('Saved without a connection');
      await system.current.restartApi();
      say('Saved after a crash');
      expect(await bundleOf(await follower.built(screenPath, 60_000))).to.include('Saved after a crash');
      expect(new Set(follower.of('pushed').map(({ revision }) => revision)).size, 'nothing was pushed twice').to.equal(follower.of('pushed').length);
    } finally {
      for (const live of opened.splice(0)) await live.close();
      await tcp.off();
    }
  });

  it('wins over changes that somebody else made to the session', async () => {
    const live = await open();
    const follower = follow(live);
    await firstReady(follower);
    const theirs = Buffer.from(screen.replace('What did you see today?', 'Theirs')).toString('base64');
    await ada.hive.api.pushLiveChanges({ path: { live_id: live.session.id }, body: { base_revision: live.revision, changes: [{ path: screenPath, content_base64: theirs }] } });
    write('src/ours.ts', 'export const ours = 1;');
    const { error } = await follower.one('waiting', (update) => update.of === 'push');
    expect(error).to.include({ code: 'CONFLICT' });
    const bundle = await bundleOf(await follower.built('src/ours.ts'));
    expect(bundle).to.include('What did you see today?').and.to.not.include('Theirs');
  });

  it('is told of a folder that is not taken, and goes on once it is mended', async () => {
    const live = await open();
    const follower = follow(live);
    await firstReady(follower);
    const { entry_file: entry } = await ada.hive.api.getPreviewJob({ path: { job_id: live.session.job_id } });
    const content = readFileSync(join(work.path, entry));
    rmSync(join(work.path, entry));
    expect((await follower.one('refused')).error).to.include({ code: 'VALIDATION_ERROR', status: 400 });
    write(entry, content);
    say('With its entry again');
    expect(await bundleOf(await follower.built(screenPath))).to.include('With its entry again');
  });

  it('begins with a preview there is, and the folder as it is now', async () => {
    const { job } = await ada.hive.previews.build(work.path, { projectId, platform: 'ios' });
    say('Changed since it was built');
    const live = await ada.hive.previews.live(work.path, { jobId: job.id });
    opened.push(live);
    expect(await bundleOf(await follow(live).built(screenPath))).to.include('Changed since it was built');
  });

  it('ends where it is ended elsewhere, and with the caller’s signal; one that does not build is not opened', async () => {
    const first = await open();
    const follower = follow(first);
    await ada.hive.api.endLiveSession({ path: { live_id: first.session.id } });
    const { session } = await follower.one('ended');
    expect(session ?? { status: 'ended' }).to.include({ status: 'ended' });
    await first.ended;
    await follower.ended;

    const controller = new AbortController();
    const second = await open({ signal: controller.signal });
    controller.abort();
    await second.ended;
    await until('the end of the session', async () => (await failureOf(ada.hive.api.pushLiveChanges({
      path: { live_id: second.session.id }, body: { base_revision: 99, changes: [{ path: 'a.ts', removed: true }] },
    }))).code === 'GONE');

    write(screenPath, 'export default ( => 1;');
    const failed = await failureOf(ada.hive.previews.live(work.path, { projectId, platform: 'ios' }));
    expect(failed).to.be.instanceOf(PreviewBuildError).and.to.include({ file: screenPath });
    expect(await failureOf(ada.hive.previews.live(join(work.path, 'nowhere'), { projectId }))).to.be.instanceOf(HiveSyncError).and.to.include({ code: 'BAD_SOURCES' });
  });

  it('is shown by the example, from its first line to Ctrl-C', async () => {
    const example = spawn(process.execPath, [fileURLToPath(new URL('../../examples/live-preview.ts', import.meta.url)), work.path, system.current.baseUrl], {
      env: { PATH: process.env['PATH'], HIVESYNC_TOKEN: ada.tokens.access_token, HIVESYNC_PROJECT_ID: projectId }, stdio: ['ignore', 'pipe', 'pipe'],
    });
    let told = '';
    for (const stream of [example.stdout, example.stderr]) stream.on('data', (chunk: Buffer) => { told += chunk.toString(); });
    const exit = once(example, 'exit');
    try {
      await until('its first bundle', () => told.includes('revision 0 is on the phone'));
      expect(told).to.match(/[█▀▄]{8}/u).and.to.include('/api/v1/preview/view/');
      say('Saved beside the example');
      await until('the save', () => told.includes(`revision 1: ${screenPath}`) && told.includes('revision 1 is on the phone'));
      write(screenPath, 'export default ( => 1;');
      await until('what is wrong', () => told.includes('revision 2 does not build') && told.includes('> 1 |'));
      example.kill('SIGINT');
      expect(await exit, told).to.deep.equal([0, null]);
      expect(told.trimEnd().endsWith('the session is over')).to.equal(true);
    } finally {
      example.kill('SIGKILL');
    }
  });

  it('is refused where as many are open as the tier allows', async () => {
    const grace = await system.current.person('free');
    const { id } = await grace.hive.api.createProject({ body: { name: 'Free' } });
    const tiers = await system.current.sql("select live_sessions_at_once as most from tier_limits where tier = 'free'", []);
    for (let count = 0; count < Number(tiers[0]?.['most']); count += 1) await open({ projectId: id }, grace.hive);
    expect(await failureOf(grace.hive.previews.live(work.path, { projectId: id, platform: 'ios' }))).to.include({ code: 'QUOTA_EXCEEDED', status: 402 });
  });
});
