import { expect } from 'chai';
import type { JobLogLine, PreviewJob, PreviewLogLine } from '#generated/sdk/types.gen.ts';
import { PreviewStream } from '#domains/previews/stream.ts';
import type { StreamEvent } from '#http/route.ts';
import { JobWatch } from '#jobs/watch.ts';
import type { Call, WorkerCaller } from '#platform/call.ts';
import { newId } from '#platform/ids.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { claim, failureReport, queuedJob, uploadBundle } from '../../support/preview-jobs.ts';
import { codeOf } from '../../support/refusals.ts';
import { until } from '../../support/until.ts';

describe('the event stream of a preview job', () => {
  const backend = useBackend();
  let ada: Person;
  let projectId: string;
  let jobId: string;
  let worker: WorkerCaller;
  before(async () => { worker = await backend.current.worker(); });
  beforeEach(async () => {
    ada = await backend.current.person();
    projectId = await backend.current.project(ada);
    jobId = await queuedJob(backend.current, ada, projectId);
  });

  const lines = (...messages: string[]): JobLogLine[] => messages.map((message) => ({ at: '2026-03-02T09:00:00.000Z', level: 'info', message }));
  const say = (leaseToken: string, offset: number, ...messages: string[]) => backend.current.run('reportJobProgress', worker, {
    path: { job_id: jobId }, body: { lease_token: leaseToken, stage: 'bundling', progress: 40, log_offset: offset, log: lines(...messages) },
  });
  /** What an event says, in a word. */
  const wordOf = ({ event, data }: StreamEvent): string =>
    (event === 'job' ? `${(data as PreviewJob).status}${(data as PreviewJob).stage === null ? '' : ` ${(data as PreviewJob).stage ?? ''}`}` : `${(data as PreviewLogLine).seq} ${(data as PreviewLogLine).message}`);

  interface Follower { readonly seen: StreamEvent[]; readonly words: () => string[]; readonly ended: Promise<void>; readonly stop: () => void }
  const follow = async (lastEventId?: string): Promise<Follower> => {
    const controller = new AbortController();
    const { events } = await backend.current.run('streamPreviewJob', ada, {
      path: { job_id: jobId }, headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
    }, { signal: controller.signal });
    const seen: StreamEvent[] = [];
    const ended = (async () => { for await (const event of events) seen.push(event); })();
    return { seen, ended, words: () => seen.map(wordOf), stop: () => controller.abort() };
  };

  it('begins with the job as it is, tells each change and each line once, in order, and ends with the job', async () => {
    const follower = await follow();
    await until('the first look', () => follower.words().length === 1);
    const claimed = await claim(backend.current, worker, jobId);
    await until('the claim', () => follower.words().includes('running fetching'));
    await say(claimed.lease_token, 0, 'a', 'b');
    await until('two lines', () => follower.words().includes('2 b'));
    await say(claimed.lease_token, 2, 'c');
    const report = await uploadBundle(backend.current, worker, claimed);
    await backend.current.run('reportJobResult', worker, { body: report });
    await follower.ended;
    const words = follower.words();
    expect(words.filter((word) => /^\d/.test(word))).to.deep.equal(['1 a', '2 b', '3 c']);
    expect(words[0]).to.equal('queued');
    expect(words.at(-1)).to.equal('succeeded');
    expect(words.indexOf('running fetching')).to.be.lessThan(words.indexOf('1 a'));
    expect(words.indexOf('2 b')).to.be.lessThan(words.indexOf('running bundling'));
    expect(new Set(follower.seen.map(({ id }) => id)).size).to.equal(follower.seen.length);
  });

  it('goes on after the event that was seen last: no line twice, none lost', async () => {
    const claimed = await claim(backend.current, worker, jobId);
    await say(claimed.lease_token, 0, 'a', 'b', 'c');
    const first = await follow();
    await until('three lines and the job', () => first.words().length === 4);
    first.stop();
    await first.ended;
    const afterSecond = first.seen.find((event) => wordOf(event) === '2 b')?.id;
    await say(claimed.lease_token, 3, 'd');
    const second = await follow(afterSecond);
    await until('the rest', () => second.words().length === 3);
    second.stop();
    await second.ended;
    expect(second.words()).to.deep.equal(['3 c', '4 d', 'running bundling']);
    // Everything seen: nothing is told again until something changes.
    const third = await follow(second.seen.at(-1)?.id);
    await backend.current.run('reportJobResult', worker, { body: failureReport(claimed) });
    await third.ended;
    expect(third.words()).to.deep.equal(['failed']);
  });

  it('tells the log of a second attempt from its beginning, and nothing of the first one\'s again', async () => {
    const first = await claim(backend.current, worker, jobId);
    const follower = await follow();
    await say(first.lease_token, 0, 'old 1', 'old 2', 'old 3');
    await until('the first attempt\'s log', () => follower.words().includes('3 old 3'));
    await backend.current.run('reportJobResult', worker, { body: failureReport(first, { kind: 'crashed', retryable: true }) });
    await backend.current.sql('update preview_jobs set run_after = now() where id = ?', [jobId]);
    const second = await claim(backend.current, worker, jobId);
    await say(second.lease_token, 0, 'new 1');
    await until('the second attempt\'s log', () => follower.words().includes('1 new 1'));
    await say(second.lease_token, 1, 'new 2');
    await backend.current.run('reportJobResult', worker, { body: failureReport(second) });
    await follower.ended;
    expect(follower.words().filter((word) => /^\d/.test(word))).to.deep.equal(['1 old 1', '2 old 2', '3 old 3', '1 new 1', '2 new 2']);
  });

  it('begins anew for an id that it never gave', async () => {
    for (const id of ['nonsense', '1', '1.2', '999999999999999999.1.1']) {
      const follower = await follow(id);
      await until('the job', () => follower.words().length === 1);
      follower.stop();
      await follower.ended;
      expect(follower.words()).to.deep.equal(['queued']);
    }
  });

  it('ends when the job is deleted, and is not opened by strangers', async () => {
    const follower = await follow();
    await until('the first look', () => follower.words().length === 1);
    await backend.current.run('deletePreviewJob', ada, { path: { job_id: jobId } });
    await follower.ended;
    expect(follower.words()).to.deep.equal(['queued']);
    const other = await queuedJob(backend.current, ada, projectId, 'another');
    expect(await codeOf(backend.current.run('streamPreviewJob', await backend.current.person(), { path: { job_id: other } }))).to.equal('NOT_FOUND');
  });

  it('ends for who loses the project meanwhile', async () => {
    const { database, redis, subscriber, log, sql } = backend.current;
    const ben = await backend.current.person();
    await sql("insert into project_members (id, project_id, user_id, role, status) values (?, ?, ?, 'Member', 'active')", [newId(), projectId, ben.userId]);
    const stream = new PreviewStream(database.db, new JobWatch(redis.redis, subscriber, log), 0);
    const call: Call = {
      requestId: newId(), operationId: 'streamPreviewJob', caller: ben, ip: '127.0.0.1', userAgent: 'tests', roles: 'project:member',
      policy: { allowed: false }, signal: AbortSignal.timeout(10_000), ifMatch: null, idempotency: null,
    };
    const words: string[] = [];
    const ended = (async () => { for await (const event of await stream.open(call, jobId, undefined)) words.push(wordOf(event)); })();
    await until('the first look', () => words.length === 1);
    await sql('delete from project_members where user_id = ?', [ben.userId]);
    await ended;
    await claim(backend.current, worker, jobId);
    expect(words).to.deep.equal(['queued']);
    expect(call.signal.aborted).to.equal(false);
  });

  it('tells a change also when Redis told nobody', async () => {
    const follower = await follow();
    await until('the first look', () => follower.words().length === 1);
    await backend.current.sql("update preview_jobs set progress = 7, device_type = 'phone' where id = ?", [jobId]);
    await until('the change', () => follower.words().length === 2);
    follower.stop();
    await follower.ended;
  });

  it('goes over the wire as server-sent events, and is resumed there by Last-Event-ID', async () => {
    const { url } = backend.current;
    const claimed = await claim(backend.current, worker, jobId);
    await say(claimed.lease_token, 0, 'a');
    const open = (more: Record<string, string> = {}): Promise<Response> =>
      fetch(`${url}/api/v1/preview/jobs/${jobId}/events`, { headers: { ...ada.headers, ...more }, signal: AbortSignal.timeout(10_000) });
    const stream = await open();
    expect([stream.status, stream.headers.get('content-type')]).to.deep.equal([200, 'text/event-stream; charset=utf-8']);
    await backend.current.run('reportJobResult', worker, { body: failureReport(claimed) });
    const frames = (await stream.text()).split('\n\n').filter((frame) => frame.startsWith('id: '));
    const [firstId] = /(?<=^id: ).+/.exec(frames[0] ?? '') ?? [];
    expect(frames[0]).to.contain('event: log');
    expect(frames.at(-1)).to.contain('"status":"failed"');
    const rest = (await (await open({ 'last-event-id': firstId ?? '' })).text()).split('\n\n').filter((frame) => frame.startsWith('id: '));
    expect(rest).to.have.length(1);
    expect(rest[0]).to.contain('event: job');
  });
});
