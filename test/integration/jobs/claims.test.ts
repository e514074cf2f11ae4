import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import type { WorkerCaller } from '#platform/call.ts';
import { StorageError } from '#platform/storage/storage.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { epochOf, failureReport, queuedJob, request, sourceOf } from '../../support/preview-jobs.ts';
import { codeOf } from '../../support/refusals.ts';

describe('a claim whose answer was lost', () => {
  const backend = useBackend();
  let ada: Person;
  let worker: WorkerCaller;
  let jobId: string;
  let epoch: number;
  const key = (): string => randomBytes(24).toString('base64url');
  const claim = (claimKey: string | undefined, by = worker, of = epoch) =>
    backend.current.run('claimJob', by, { path: { job_id: jobId }, body: { epoch: of, ...(claimKey === undefined ? {} : { claim_key: claimKey }) } });
  const row = async () => (await backend.current.sql<{ attempt: number; ahead: number }>(
    'select attempt, extract(epoch from lease_expires_at - now())::float8 as ahead from preview_jobs where id = ?', [jobId]))[0];

  beforeEach(async () => {
    [ada, worker] = [await backend.current.person(), await backend.current.worker()];
    jobId = await queuedJob(backend.current, ada, await backend.current.project(ada));
    epoch = await epochOf(backend.current, jobId);
  });

  it('is answered under its key with the lease it got, which begins anew: one attempt, and its result counts', async () => {
    const claimKey = key();
    const { data: first } = await claim(claimKey);
    await backend.current.sql("update preview_jobs set lease_expires_at = now() + interval '1 second' where id = ?", [jobId]);
    const { data: again } = await claim(claimKey);
    expect(again).to.deep.include({ lease_token: first.lease_token, attempt: 1, epoch });
    expect(await row()).to.have.property('attempt', 1);
    expect((await row())?.ahead).to.be.above(15);
    const { data: receipt } = await backend.current.run('reportJobResult', worker, { body: failureReport(again) });
    expect(receipt.accepted).to.equal(true);
    expect(await codeOf(claim(claimKey)), 'once the job has ended').to.equal('CONFLICT');
  });

  it('is nobody else\'s: not under another key, nor without one, nor another node\'s, nor of a later message', async () => {
    const claimKey = key();
    const { data } = await claim(claimKey);
    expect(await codeOf(claim(key()))).to.equal('CONFLICT');
    expect(await codeOf(claim(undefined))).to.equal('CONFLICT');
    expect(await codeOf(claim(claimKey, await backend.current.worker()))).to.equal('CONFLICT');
    expect(await codeOf(claim(claimKey, worker, epoch + 1))).to.equal('CONFLICT');
    expect(data.lease_token).not.to.contain(claimKey);
  });

  it('keeps the lease of a later try where the first, given up meanwhile, finds that its input cannot be had', async () => {
    const project = await backend.current.project(ada);
    // More sources than fit stand in a document of their own, which storage has to take.
    const { data: { job } } = await request(backend.current, ada, project, Array.from({ length: 2_001 }, (_, index) => sourceOf(index === 0 ? 'index.js' : `g${index}.js`, 'export default 1;')));
    await backend.current.sql('update preview_jobs set queued_at = now(), run_after = now() where id = ?', [job.id]);
    [jobId, epoch] = [job.id, 0];
    const { storage } = backend.current;
    const put = storage.put.bind(storage);
    const [asked, hanging] = [Promise.withResolvers<void>(), Promise.withResolvers<never>()];
    storage.put = () => {
      storage.put = put;
      asked.resolve();
      return hanging.promise;
    };
    const claimKey = key();
    const first = codeOf(claim(claimKey));
    await asked.promise;
    const { data: second } = await claim(claimKey);
    hanging.reject(new StorageError('unavailable', 'away'));
    expect(await first).to.equal('SERVICE_UNAVAILABLE');
    expect(await epochOf(backend.current, jobId), 'it was not put back').to.equal(0);
    const { data: receipt } = await backend.current.run('reportJobResult', worker, { body: failureReport(second) });
    expect(receipt.accepted).to.equal(true);
  });

  it('is one claim however many of its tries come at once', async () => {
    const claimKey = key();
    const tries = await Promise.all(Array.from({ length: 10 }, () => claim(claimKey).then(({ data }) => data.lease_token, () => null)));
    expect(new Set(tries.filter((token) => token !== null)).size).to.equal(1);
    expect(await row()).to.have.property('attempt', 1);
  });
});
