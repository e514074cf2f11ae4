/** Preview jobs driven from both ends: a person who asks for them, a worker that makes them. */
import { createHash } from 'node:crypto';
import { pack } from 'tar-stream';
import type { ClaimedJob, JobResultReport, PreviewSource } from '#generated/sdk/types.gen.ts';
import type { Caller, WorkerCaller } from '#platform/call.ts';
import type { Backend, DataOf, Ran } from './backend.ts';

export interface Source extends PreviewSource { readonly content: Buffer }

export function sourceOf(path: string, text: string | Buffer): Source {
  const content = Buffer.from(text);
  return { path, content, size: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}

export const described = (sources: readonly Source[]): PreviewSource[] => sources.map(({ path, sha256, size }) => ({ path, sha256, size }));

/** Asks for a preview of these sources. */
export function request(
  backend: Backend, who: Caller, projectId: string, sources: readonly Source[], more: Record<string, unknown> = {},
): Promise<Ran<'requestPreview'>> {
  return backend.run('requestPreview', who, { body: { project_id: projectId, entry_file: 'index.js', files: described(sources), ...more } });
}

/** Uploads what the answer says is missing, one by one. */
export async function uploadMissing(requested: DataOf<'requestPreview'>, sources: readonly Source[]): Promise<void> {
  for (const { sha256, upload_url, headers } of requested.missing) {
    const source = sources.find((one) => one.sha256 === sha256);
    if (source === undefined) throw new Error('The backend misses what nobody named.');
    const status = await put(upload_url, headers, source.content);
    if (status !== 200) throw new Error(`An upload was answered with ${status}.`);
  }
}

export async function put(url: string, headers: Readonly<Record<string, string>>, content: Buffer): Promise<number> {
  const answer = await fetch(url, { method: 'PUT', headers, body: new Uint8Array(content), signal: AbortSignal.timeout(10_000) });
  await answer.arrayBuffer();
  return answer.status;
}

/** One tar, each entry named by a hash. */
export async function tarOf(entries: readonly { sha256: string; content: Buffer }[]): Promise<Buffer> {
  const tar = pack();
  for (const { sha256, content } of entries) tar.entry({ name: sha256, size: content.length }, content);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A job on its queue: asked for, uploaded, started. */
export async function queuedJob(backend: Backend, who: Caller, projectId: string, text = 'export default 1;'): Promise<string> {
  const sources = [sourceOf('index.js', text)];
  const { data } = await request(backend, who, projectId, sources);
  if (data.missing.length === 0) return data.job.id;
  await uploadMissing(data, sources);
  await backend.run('startPreviewJob', who, { path: { job_id: data.job.id } });
  return data.job.id;
}

export const epochOf = async (backend: Backend, jobId: string): Promise<number> =>
  (await backend.sql<{ epoch: number }>('select epoch from preview_jobs where id = ?', [jobId]))[0]?.epoch ?? -1;

export async function claim(backend: Backend, worker: WorkerCaller, jobId: string): Promise<ClaimedJob> {
  const { data } = await backend.run('claimJob', worker, { path: { job_id: jobId }, body: { epoch: await epochOf(backend, jobId) } });
  return data;
}

const bundle = Buffer.from('console.log("a bundle");');

/** Uploads a bundle under the lease and says what to report. */
export async function uploadBundle(backend: Backend, worker: WorkerCaller, claimed: ClaimedJob, content = bundle): Promise<JobResultReport> {
  const sha256 = createHash('sha256').update(content).digest('hex');
  const { data } = await backend.run('createJobUploads', worker, {
    path: { job_id: claimed.job_id },
    body: {
      lease_token: claimed.lease_token,
      objects: [{ path: 'bundle.js', size: content.length, sha256, content_type: 'application/javascript', content_encoding: 'identity' }],
    },
  });
  const [upload] = data.uploads;
  if (upload?.upload_url == null) throw new Error('There is nowhere to upload to.');
  const status = await put(upload.upload_url, upload.headers, content);
  if (status !== 200) throw new Error(`An upload was answered with ${status}.`);
  return {
    job_id: claimed.job_id, status: 'SUCCESS', lease_token: claimed.lease_token,
    artifacts: [{ kind: 'bundle', path: 'bundle.js', object_key: upload.object_key, size: content.length, sha256, encoding: 'identity' }],
    result: { kind: 'preview', bundle_bytes: content.length, timings: { fetching_ms: 1, bundling_ms: 2, packaging_ms: 3, uploading_ms: 4 } },
  };
}

/** Claims, uploads, reports: a job made from beginning to end. */
export async function make(backend: Backend, worker: WorkerCaller, jobId: string): Promise<void> {
  const claimed = await claim(backend, worker, jobId);
  const report = await uploadBundle(backend, worker, claimed);
  const { data } = await backend.run('reportJobResult', worker, { body: report });
  if (!data.accepted) throw new Error(`The result was not taken: ${data.reason ?? ''}`);
}

export const failureReport = (claimed: ClaimedJob, more: Partial<NonNullable<JobResultReport['failure']>> = {}): JobResultReport => ({
  job_id: claimed.job_id, status: 'FAIL', lease_token: claimed.lease_token, error: 'It broke.',
  failure: { kind: 'build_error', message: 'Unexpected token', retryable: false, file: 'index.js', line: 3, column: 7, ...more },
});
