import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { LiveBuildOptions, LivePreview } from '#sdk/index.ts';
import { follow, type Follower } from '../../support/live-follower.ts';
import { until } from '../../support/until.ts';
import { failureOf, openFixture, sendError, type Fixture } from './fixture.ts';
import { liveApi, lostAnswer, type LiveApi } from './live-api.ts';

const projectId = '01920000-0000-7000-8000-000000000201';
const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');

describe('a live session on a folder', () => {
  let fixture: Fixture;
  let api: LiveApi;
  let folder: string;
  let live: LivePreview | null;
  beforeEach(async () => {
    fixture = await openFixture();
    api = liveApi(fixture);
    folder = mkdtempSync(join(tmpdir(), 'hivesync-live-'));
    write('index.js', 'import "./src/App";');
    write('src/App.js', 'export default 0;');
    live = null;
  });
  afterEach(async () => {
    fixture.answer = (_asked, response) => sendError(response, 410, 'GONE');
    await live?.close().catch(() => undefined);
    await fixture.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const write = (path: string, content: string | Buffer = path): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  };
  const open = async (more: Partial<LiveBuildOptions> = {}): Promise<Follower> => {
    live = await fixture.client().previews.live(folder, { projectId, platform: 'ios', ...more });
    return follow(live);
  };
  /** Until the session holds what the folder holds. */
  const holds = async (path: string, content: string | Buffer | null): Promise<void> =>
    await until(`${path} to be sent`, () => (api.files.get(path) ?? null) === (content === null ? null : sha256(content)));

  it('builds, opens the session, and gives the phone its link', async () => {
    await open();
    expect(live?.phone).to.deep.include({ qrText: 'exp+hivesync://open', token: 'live-token', expiresInSeconds: 14_400 });
    expect(api.previews.requests).to.have.length(1);
    await until('the stream', () => api.streams.length === 1);
    expect(api.credentials, 'its token is the right to the stream').to.deep.equal([]);
    expect(api.pushes, 'nothing has changed').to.deep.equal([]);
  });

  describe('watches', () => {
    it('files that are written, added and removed, each sent once', async () => {
      const follower = await open();
      write('src/App.js', 'export default 1;');
      await holds('src/App.js', 'export default 1;');
      write('src/New.js', 'new');
      await holds('src/New.js', 'new');
      unlinkSync(join(folder, 'src/New.js'));
      await holds('src/New.js', null);
      expect(api.pushes.map(({ changes }) => changes.map(({ path }) => path))).to.deep.equal([['src/App.js'], ['src/New.js'], ['src/New.js']]);
      expect(api.pushes.map((push) => push.base_revision)).to.deep.equal([0, 1, 2]);
      expect(follower.of('pushed').map(({ written, removed }) => [written, removed])).to.deep.equal([[['src/App.js'], []], [['src/New.js'], []], [[], ['src/New.js']]]);
    });

    it('folders that come with files in them, move, go, and come again by the same name', async () => {
      await open();
      write('src/a/b/c/deep.js', 'deep');
      await holds('src/a/b/c/deep.js', 'deep');
      write('src/a/b/c/deep.js', 'deeper');
      await holds('src/a/b/c/deep.js', 'deeper');
      renameSync(join(folder, 'src/a'), join(folder, 'src/moved'));
      await holds('src/moved/b/c/deep.js', 'deeper');
      await holds('src/a/b/c/deep.js', null);
      write('src/moved/b/c/deep.js', 'deepest');
      await holds('src/moved/b/c/deep.js', 'deepest');
      rmSync(join(folder, 'src/moved'), { recursive: true });
      write('src/moved/b/c/other.js', 'other');
      await holds('src/moved/b/c/other.js', 'other');
      write('src/moved/b/c/other.js', 'another');
      await holds('src/moved/b/c/other.js', 'another');
    });

    it('a save that writes beside the file and renames, as editors do', async () => {
      await open();
      for (let edit = 1; edit <= 3; edit += 1) {
        write('src/.App.js.swp', 'half');
        write('src/App.js~', `export default ${edit};`);
        renameSync(join(folder, 'src/App.js~'), join(folder, 'src/App.js'));
        await holds('src/App.js', `export default ${edit};`);
      }
      expect(api.files.has('src/App.js~')).to.equal(false);
    });

    it('an edit that leaves size and time as they were', async () => {
      await open();
      const past = new Date(Date.now() - 60_000);
      write('src/App.js', 'export default 1;');
      utimesSync(join(folder, 'src/App.js'), past, past);
      await holds('src/App.js', 'export default 1;');
      write('src/App.js', 'export default 2;');
      utimesSync(join(folder, 'src/App.js'), past, past);
      await holds('src/App.js', 'export default 2;');
    });

    it('nothing that is no part of a build, nor what it is told to leave out', async () => {
      mkdirSync(join(folder, 'node_modules/a'), { recursive: true });
      mkdirSync(join(folder, 'docs'), { recursive: true });
      await open({ ignore: (path) => path === 'docs' });
      for (const path of ['node_modules/a/x.js', '.git/index', '.env', 'ios/x.h', 'babel.config.js', 'docs/a.md']) write(path);
      symlinkSync('/etc/hostname', join(folder, 'host'));
      write('src/App.js', 'the end');
      await holds('src/App.js', 'the end');
      expect(api.pushes.flatMap(({ changes }) => changes.map(({ path }) => path))).to.deep.equal(['src/App.js']);
    });

    it('a folder that is gone for a while', async () => {
      const follower = await open();
      renameSync(folder, `${folder}-away`);
      expect((await follower.one('refused')).error).to.include({ code: 'BAD_SOURCES' });
      renameSync(`${folder}-away`, folder);
      write('src/App.js', 'back again');
      await holds('src/App.js', 'back again');
      write('src/App.js', 'and watched');
      await holds('src/App.js', 'and watched');
      expect(follower.of('refused'), 'told once').to.have.length(1);
    });

    it('by looking from time to time, where the system tells nothing', async () => {
      await open({ pollMs: 20 });
      write('src/a/New.js', 'seen');
      await holds('src/a/New.js', 'seen');
    });
  });

  it('is watched by the system itself where that watches what lies below', async () => {
    const { FolderWatcher } = await import('#sdk/previews/folder-watcher.ts');
    const watcher = new FolderWatcher(folder, { isRecursive: true });
    try {
      expect([watcher.follow(['', 'src']), watcher.follow(['', 'src'])]).to.deep.equal([true, false]);
      write('src/App.js', 'below');
      await watcher.next();
      const next = watcher.next();
      write('src/App.js', 'again');
      await next;
    } finally {
      watcher.close();
    }
  });

  describe('sends', () => {
    it('a burst of saves as one change', async () => {
      await open();
      for (let edit = 1; edit <= 200; edit += 1) {
        write('src/App.js', `export default ${edit};`);
        write(`src/many/${edit}.js`, String(edit));
      }
      await holds('src/App.js', 'export default 200;');
      await holds('src/many/200.js', '200');
      expect(api.pushes.length).to.be.at.most(3);
    });

    it('who saves without a pause all the same', async () => {
      await open();
      let edit = 0;
      const saving = setInterval(() => { edit += 1; write('src/App.js', `export default ${edit};`); }, 10);
      try {
        await until('some of it to be sent', () => api.pushes.length >= 2, 15_000);
      } finally {
        clearInterval(saving);
      }
      await holds('src/App.js', `export default ${edit};`);
    });

    it('what changes while it sends, with the next change', async () => {
      await open();
      api.refusals.push(async (asked, response) => {
        write('src/App.js', 'second');
        write('src/Other.js', 'other');
        await fixture.answer(asked, response);
      });
      write('src/App.js', 'first');
      await holds('src/App.js', 'second');
      await holds('src/Other.js', 'other');
    });

    it('by its hash what the project has, and the content where it does not have it after all', async () => {
      const follower = await open();
      write('src/Copy.js', 'export default 0;');
      await holds('src/Copy.js', 'export default 0;');
      expect(api.pushes[0]?.changes).to.deep.equal([{ path: 'src/Copy.js', sha256: sha256('export default 0;'), size: 17 }]);
      api.previews.blobs.delete(sha256('export default 0;'));
      write('src/Third.js', 'export default 0;');
      await holds('src/Third.js', 'export default 0;');
      expect(follower.of('waiting')[0]?.error).to.include({ code: 'CONFLICT' });
      expect(api.pushes[1]?.changes).to.deep.equal([{ path: 'src/Third.js', content_base64: Buffer.from('export default 0;').toString('base64') }]);
    });

    it('what is too large for a change by an upload, whose build is cancelled', async () => {
      await open();
      const large = randomBytes(6_000_001);
      write('assets/large.bin', large);
      await holds('assets/large.bin', large);
      expect(api.pushes).to.have.length(1);
      expect(api.pushes[0]?.changes).to.deep.equal([{ path: 'assets/large.bin', sha256: sha256(large), size: large.length }]);
      expect(api.previews.blobs.get(sha256(large))?.equals(large)).to.equal(true);
      expect(api.previews.requests.at(-1)?.files.map(({ path }) => path)).to.deep.equal(['index.js', 'assets/large.bin']);
      expect(fixture.asked.some(({ target }) => target.endsWith('/cancel'))).to.equal(true);
    });

    it('more changes than one push may hold in several', async () => {
      const follower = await open();
      for (let index = 0; index < 1_200; index += 1) write(`src/many/${index}.js`, String(index));
      await until('all of them', () => api.files.size === 1_202, 15_000);
      expect(Math.max(...api.pushes.map(({ changes }) => changes.length))).to.equal(500);
      expect(follower.of('refused')).to.deep.equal([]);
    });

    it('all of the folder where it begins with a job', async () => {
      live = await fixture.client().previews.live(folder, { jobId: '01920000-0000-7000-8000-000000000601' });
      await holds('src/App.js', 'export default 0;');
      await holds('index.js', readFileSync(join(folder, 'index.js')));
      expect(api.previews.requests).to.deep.equal([]);
    });
  });

  describe('bears', () => {
    it('an answer that was lost: nothing is done twice', async () => {
      const follower = await open();
      api.refusals.push(lostAnswer(fixture, api), (_asked, response) => { response.destroy(); });
      write('src/App.js', 'once');
      await follower.one('pushed');
      expect(api.pushes).to.have.length(1);
      expect(new Set(api.keys).size).to.equal(1);
    });

    it('limits: it waits as long as it is told, and goes on by itself', async () => {
      const follower = await open();
      for (let count = 0; count < 5; count += 1) api.refusals.push((_asked, response) => sendError(response, 429, 'RATE_LIMITED', { 'retry-after': '7' }));
      write('src/App.js', 'limited');
      await holds('src/App.js', 'limited');
      expect(follower.of('waiting')[0]).to.include({ of: 'push', retryInMs: 7_000 });
      expect(follower.of('waiting')[0]?.error).to.include({ code: 'RATE_LIMITED', status: 429 });
    });

    it('a conflict: the folder wins, all of it', async () => {
      const follower = await open();
      api.revision = 4;
      api.files.set('src/App.js', sha256('theirs'));
      write('src/Ours.js', 'ours');
      await holds('src/Ours.js', 'ours');
      await holds('src/App.js', 'export default 0;');
      expect(follower.of('waiting')[0]?.error).to.include({ code: 'CONFLICT' });
      expect(api.pushes[0]?.base_revision).to.equal(4);
      expect(live?.revision).to.equal(5);
    });

    for (const [status, code] of [[402, 'QUOTA_EXCEEDED'], [400, 'VALIDATION_ERROR'], [413, 'PAYLOAD_TOO_LARGE']] as const) {
      it(`a folder that is not taken (${status}): it says so, and tries again when it changes`, async () => {
        const follower = await open();
        api.refusals.push((_asked, response) => sendError(response, status, code));
        write('src/App.js', 'too much');
        expect((await follower.one('refused')).error).to.include({ code, status });
        write('src/Other.js', 'less');
        await holds('src/Other.js', 'less');
        await holds('src/App.js', 'too much');
      });
    }

    it('a stream that breaks off: it comes back with the last event’s id', async () => {
      const follower = await open();
      await until('the stream', () => api.streams.length === 1);
      api.tell('0.1', 'revision', { revision: 0, status: 'ready' });
      await follower.one('revision');
      api.cut();
      await until('another stream', () => api.streams.length === 2);
      expect(api.streams).to.deep.equal([null, '0.1']);
      api.tell('1.1', 'revision', { revision: 1, status: 'failed', error: { message: 'no' } });
      api.tell('1.2', 'source_map', { revision: 1 });
      expect((await follower.one('revision', ({ revision }) => revision.revision === 1)).revision).to.deep.include({ status: 'failed', error: { message: 'no' } });
      await follower.one('source_map');
      expect(follower.of('waiting')[0]).to.include({ of: 'events' });
    });
  });

  describe('ends', () => {
    it('with close, once, and watches nothing any more', async () => {
      const follower = await open();
      await Promise.all([live?.close(), live?.close()]);
      await follower.ended;
      expect(api.ended).to.equal(1);
      expect(follower.updates).to.deep.equal([{ kind: 'ended', session: null }]);
      write('src/App.js', 'later');
      await open();
      write('src/App.js', 'seen by the next one');
      await holds('src/App.js', 'seen by the next one');
      expect(api.pushes).to.have.length(1);
    });

    it('with the signal', async () => {
      const controller = new AbortController();
      await open({ signal: controller.signal });
      controller.abort();
      await live?.ended;
      await until('the end to be told', () => api.ended === 1);
    });

    it('before it began, where the signal came first', async () => {
      const controller = new AbortController();
      const opening = fixture.client().previews.live(folder, { projectId, signal: controller.signal, onProgress: ({ stage }) => { if (stage === 'bundling') controller.abort(); } });
      expect(await failureOf(opening)).to.include({ code: 'ABORTED' });
      expect(fixture.asked.some(({ method, target }) => method === 'POST' && target.endsWith('/live-sessions'))).to.equal(false);
    });

    it('where the server ended it: by its event, or by what a push is answered', async () => {
      const follower = await open();
      await until('the stream', () => api.streams.length === 1);
      api.tell('0.2', 'ended', { id: 'x', status: 'ended' });
      expect((await follower.one('ended')).session).to.include({ status: 'ended' });
      await follower.ended;
      await live?.ended;

      const other = await open();
      api.refusals.push((_asked, response) => sendError(response, 410, 'GONE'));
      write('src/App.js', 'too late');
      expect(await other.one('ended')).to.deep.equal({ kind: 'ended', session: null });
      await live?.close();
      expect(api.ended, 'there is nothing to end').to.equal(0);
    });

    it('with the error, where it may not be changed any more', async () => {
      const follower = await open();
      api.refusals.push((_asked, response) => sendError(response, 403, 'FORBIDDEN'));
      write('src/App.js', 'no more');
      expect(await failureOf(follower.ended)).to.include({ code: 'FORBIDDEN' });
      expect(await failureOf(live?.ended ?? Promise.resolve())).to.include({ code: 'FORBIDDEN' });
    });

    it('with what the caller’s own function throws', async () => {
      const follower = await open({ onUpdate: () => { throw new Error('of the caller'); } });
      write('src/App.js', 'x');
      expect((await failureOf(follower.ended)).message).to.include('of the caller');
    });
  });
});
