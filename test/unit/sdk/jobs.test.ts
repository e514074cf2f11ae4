import { expect } from 'chai';
import { HiveSyncError, waitForJob, type AnyJob, type ApiEvent, type JobSource } from '#sdk/index.ts';
import { failureOf } from './fixture.ts';

const job = (status: AnyJob['status'], progress = 0): AnyJob => ({ id: 'j1', status, progress });
const told = (data: AnyJob): ApiEvent => ({ id: null, event: 'job', data });
const broken = new HiveSyncError('CONNECTION_FAILED', 'gone');

/** A source that plays its streams and answers one after the other. */
function play(streams: readonly (readonly (ApiEvent | Error)[])[], answers: readonly (AnyJob | Error)[]): JobSource<AnyJob> & { streamed: number; got: number } {
  const source = {
    streamed: 0,
    got: 0,
    async *events(): AsyncGenerator<ApiEvent> {
      const stream = streams[source.streamed] ?? [broken];
      source.streamed += 1;
      for (const event of stream) {
        if (event instanceof Error) throw event;
        yield event;
      }
    },
    async get(): Promise<AnyJob> {
      const answer = answers[Math.min(source.got, answers.length - 1)] ?? job('running');
      source.got += 1;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  return source;
}

const pauses: number[] = [];
const pause = async (ms: number): Promise<void> => void pauses.push(ms);

describe('waiting for a job', () => {
  beforeEach(() => void pauses.splice(0));

  it('follows the stream to the end, without asking', async () => {
    const source = play([[told(job('queued')), { id: '1', event: 'log', data: { message: 'x' } }, told(job('running', 40)), told(job('succeeded', 100))]], []);
    const [updates, others]: [AnyJob[], ApiEvent[]] = [[], []];
    const over = await waitForJob(source, { pause, onUpdate: (now) => updates.push(now), onEvent: (event) => others.push(event) });
    expect(over).to.deep.equal(job('succeeded', 100));
    expect(updates.map((now) => now.progress)).to.deep.equal([0, 40, 100]);
    expect(others.map((event) => event.event)).to.deep.equal(['log']);
    expect(source.got).to.equal(0);
  });
  for (const status of ['failed', 'cancelled', 'timed_out'] as const) {
    it(`answers a job that ended as ${status}`, async () => {
      expect((await waitForJob(play([[told(job(status))]], []), { pause })).status).to.equal(status);
    });
  }
  it('comes back to a stream that broke off', async () => {
    const source = play([[told(job('running', 10)), broken], [told(job('running', 50)), told(job('succeeded'))]], [job('running', 20)]);
    expect((await waitForJob(source, { pause })).status).to.equal('succeeded');
    expect([source.streamed, source.got]).to.deep.equal([2, 1]);
  });
  it('comes back to a stream that ended before the job did', async () => {
    const source = play([[told(job('running'))], [told(job('succeeded'))]], [job('running')]);
    expect((await waitForJob(source, { pause })).status).to.equal('succeeded');
  });
  it('asks where no stream can be had, ever less often, and tries the stream no more', async () => {
    const source = play([], [job('queued'), job('running'), job('running'), job('running'), job('running'), job('succeeded')]);
    expect((await waitForJob(source, { pause })).status).to.equal('succeeded');
    expect(source.streamed).to.equal(3);
    expect(pauses).to.deep.equal([1000, 2000, 4000, 5000, 5000]);
  });
  it('ends with what is refused for good', async () => {
    const refused = new HiveSyncError('NOT_FOUND', 'gone', { status: 404 });
    expect(await failureOf(waitForJob(play([[refused]], []), { pause }))).to.equal(refused);
    expect(await failureOf(waitForJob(play([], [refused]), { pause }))).to.equal(refused);
  });
  it('ends at its deadline, and when it is broken off', async () => {
    const never: JobSource<AnyJob> = {
      get: async (signal) => await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      async *events() { /* ends at once */ },
    };
    expect(await failureOf(waitForJob(never, { timeoutMs: 30 }))).to.include({ code: 'DEADLINE_EXCEEDED' });
    const controller = new AbortController();
    const waiting = failureOf(waitForJob(never, { signal: controller.signal }));
    controller.abort();
    expect(await waiting).to.include({ code: 'ABORTED' });
  });
});
