import { expect } from 'chai';
import { Secret } from '#config/environment.ts';
import { newId } from '#platform/ids.ts';
import { BackendRefusal, BackendUnreachable, WorkerBackend } from '#workers/backend.ts';
import { startTcpSwitch } from '../../support/tcp-switch.ts';
import { FixtureBackend, sharedSecret } from './fixture-backend.ts';

const registration = {
  name: 'builder-1', type: 'cpu', concurrency: 2, version: '0.1.0',
  capabilities: { kinds: ['preview'], sdk_versions: [], sandbox: 'bubblewrap', local_model: false },
} as const;
const body = { ...registration, capabilities: { ...registration.capabilities, kinds: ['preview' as const], sdk_versions: [] } };

const caught = async (work: Promise<unknown>): Promise<unknown> => work.then(() => null, (error: unknown) => error);

describe('the signed client of the backend', () => {
  let fixture: FixtureBackend;
  let backend: WorkerBackend;
  beforeEach(async () => {
    fixture = new FixtureBackend();
    await fixture.listen();
    backend = new WorkerBackend({ baseUrl: fixture.baseUrl, name: 'builder-1', sharedSecret });
  });
  afterEach(async () => {
    await fixture.close();
  });

  it('signs a registration with the shared secret and everything after with the node\'s own key', async () => {
    await backend.register(body);
    expect(await backend.claim(newId(), 0)).to.equal(null);
    expect(fixture.registrations).to.deep.equal([body]);
    expect(fixture.unsigned).to.deep.equal([]);
  });

  it('never sends the same signature twice, however fast equal requests follow each other', async () => {
    await backend.register(body);
    const jobId = newId();
    await Promise.all(Array.from({ length: 20 }, () => backend.progress(jobId, { lease_token: 'hsl_one', stage: 'fetching', progress: 0, done: null, total: null })));
    expect(fixture.progress).to.have.length(20);
    expect(fixture.unsigned).to.deep.equal([]);
  });

  it('repeats a claim whose answer was lost as the same claim, and makes each claim one of its own', async () => {
    await backend.register(body);
    const { job_id: jobId } = fixture.addJob({ kind: 'refactor' } as never);
    const answer = fixture.answerClaim;
    let lost = 0;
    fixture.answerClaim = (asked, id) => ((lost += 1) <= 2 ? 'cut' : answer(asked, id));
    expect(await backend.claim(jobId, 0, { retryForMs: 5_000 })).to.have.property('job_id', jobId);
    await backend.claim(jobId, 0);
    const [first, ...others] = fixture.claimKeys;
    expect(first).to.match(/^[\w-]{32,64}$/u);
    expect(others.slice(0, 2)).to.deep.equal([first, first]);
    expect(others[2]).not.to.equal(first);
  });

  it('finds one half-open connection, not one after the other: the try after it opens a new one', async () => {
    const network = await startTcpSwitch(Number(new URL(fixture.baseUrl).port));
    const beyond = new WorkerBackend({ baseUrl: `http://127.0.0.1:${network.port}`, name: 'builder-1', sharedSecret });
    try {
      await beyond.register(body);
      const report = (): Promise<unknown> => beyond.progress(newId(), { lease_token: 'hsl_one', stage: 'fetching', progress: 0, done: null, total: null }, { timeoutMs: 300 });
      await Promise.all(Array.from({ length: 8 }, report));
      expect(network.forget()).to.be.greaterThan(4);
      expect(await caught(report())).to.be.instanceOf(BackendUnreachable);
      expect(await caught(report())).to.equal(null);
    } finally {
      await network.off();
    }
  });

  it('is refused with another secret, and does not try again', async () => {
    const stranger = new WorkerBackend({ baseUrl: fixture.baseUrl, name: 'builder-1', sharedSecret: new Secret('another secret that is just as long as it has to be') });
    const error = await caught(stranger.register(body, { retryForMs: 5_000 }));
    expect(error).to.be.instanceOf(BackendRefusal).with.property('status', 401);
    expect(fixture.unsigned).to.have.length(1);
  });

  it('works with a clock that is hours off, by the time the backend\'s answers tell', async () => {
    fixture.clockOffsetMs = 3 * 60 * 60_000;
    await backend.register(body);
    expect(await backend.claim(newId(), 0)).to.equal(null);
    expect(Math.abs(backend.now() - fixture.now())).to.be.below(2_000);
    expect(fixture.unsigned).to.deep.equal([]);
  });

  it('repeats what got no answer, a 5xx or a 429, and nothing else', async () => {
    await backend.register(body);
    const answers = ['cut', { status: 503, code: 'SERVICE_UNAVAILABLE' }, { status: 429, code: 'RATE_LIMITED', headers: { 'retry-after': '0' } }] as const;
    let asked = 0;
    fixture.answerClaim = () => answers[asked++] ?? { status: 409, code: 'CONFLICT' };
    expect(await backend.claim(newId(), 0, { retryForMs: 10_000 })).to.equal(null);
    expect(asked).to.equal(4);
    fixture.answerClaim = () => { asked += 1; return { status: 403, code: 'FORBIDDEN' }; };
    expect(await caught(backend.claim(newId(), 0, { retryForMs: 10_000 }))).to.be.instanceOf(BackendRefusal);
    expect(asked).to.equal(5);
  });

  it('gives up when the time for tries is over, and says so without the body of any request', async () => {
    await backend.register(body);
    fixture.answerReport = () => ({ status: 500, code: 'INTERNAL_ERROR' });
    const error = await caught(backend.report({ job_id: newId(), status: 'FAIL', lease_token: 'hsl_secretsecretsecretsecret' }, { retryForMs: 300 }));
    expect(error).to.be.instanceOf(BackendUnreachable);
    expect(fixture.reports.length).to.be.greaterThan(1);
    expect(String(error)).not.to.contain('hsl_');
  });

  it('ends a call that is being repeated as soon as it is told to', async () => {
    await backend.register(body);
    const { promise, resolve } = Promise.withResolvers<void>();
    const silent = new FixtureBackend();
    await silent.listen();
    try {
      silent.answerRegistration = () => { resolve(); return 'cut'; };
      const hanging = new WorkerBackend({ baseUrl: silent.baseUrl, name: 'builder-2', sharedSecret });
      const stop = new AbortController();
      const call = caught(hanging.register({ ...body, name: 'builder-2' }, { retryForMs: Infinity, signal: stop.signal }));
      await promise;
      stop.abort(new Error('stopped'));
      expect(await call).to.be.instanceOf(Error).with.property('message', 'stopped');
    } finally {
      await silent.close();
    }
  });
});
