/** Preview jobs in the state a request needs, asked for by the maker and worked on by the node. */
import { basePath, sha256, type World } from './world.ts';

interface Requested {
  readonly job: { readonly id: string };
  readonly missing: readonly { readonly upload_url: string; readonly headers: Record<string, string> }[];
}
interface Upload { readonly upload_url: string; readonly object_key: string; readonly headers: Record<string, string> }

const text = 'export default 1;';
export const source = { path: 'index.js', sha256: sha256(text), size: text.length } as const;
export const previewOf = (projectId: string): Record<string, unknown> =>
  ({ project_id: projectId, target_platform: 'ios', entry_file: source.path, files: [source] });

async function put(url: string, headers: Record<string, string>): Promise<void> {
  const answer = await fetch(url, { method: 'PUT', headers, body: text });
  if (!answer.ok) throw new Error(`An upload was answered with ${answer.status}.`);
}

/** A job that waits for its sources. */
export async function waitingJob(world: World, projectId: string): Promise<string> {
  return (await world.data<Requested>('POST', '/preview/request', { as: world.maker, json: previewOf(projectId) })).job.id;
}

/** A job that waits for nothing but to be started. */
export async function uploadedJob(world: World, projectId: string): Promise<string> {
  const { job, missing } = await world.data<Requested>('POST', '/preview/request', { as: world.maker, json: previewOf(projectId) });
  for (const { upload_url, headers } of missing) await put(upload_url, headers);
  return job.id;
}

export async function queuedJob(world: World, projectId: string): Promise<string> {
  const jobId = await uploadedJob(world, projectId);
  await world.data('POST', `/preview/jobs/${jobId}/start`, { as: world.maker });
  return jobId;
}

export const epochOf = async (world: World, jobId: string): Promise<number> =>
  Number((await world.sql<{ epoch: number }>('select epoch from preview_jobs where id = $1', [jobId]))[0]?.epoch);

/** A job that the node holds, and its lease. */
export async function runningJob(world: World, projectId: string): Promise<{ jobId: string; lease: string }> {
  const jobId = await queuedJob(world, projectId);
  return { jobId, lease: await claim(world, jobId) };
}

async function claim(world: World, jobId: string): Promise<string> {
  return (await world.asNode<{ lease_token: string }>(`/workers/jobs/${jobId}/claim`, { epoch: await epochOf(world, jobId) })).lease_token;
}

/** The report that ends a job well, once what passes for a bundle is uploaded. */
export async function success(world: World, jobId: string, lease: string): Promise<Record<string, unknown>> {
  const object = { ...source, content_type: 'application/javascript', content_encoding: 'identity' };
  const { uploads: [upload] } = await world.asNode<{ uploads: Upload[] }>(`/workers/jobs/${jobId}/uploads`, { lease_token: lease, objects: [object] });
  if (upload === undefined) throw new Error('There is nowhere to upload to.');
  await put(upload.upload_url, upload.headers);
  return {
    job_id: jobId, status: 'SUCCESS', lease_token: lease,
    artifacts: [{ ...source, kind: 'bundle', object_key: upload.object_key, encoding: 'identity' }],
    result: { kind: 'preview', bundle_bytes: source.size, timings: { fetching_ms: 1, bundling_ms: 2, packaging_ms: 3, uploading_ms: 4 } },
  };
}

/** Builds what is asked for in this project, as a worker would, until told to stop. */
export async function buildWhatComes(world: World, projectId: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const jobs = await world.sql<{ id: string }>("select id from preview_jobs where project_id = $1 and status = 'queued' and queued_at is not null", [projectId]);
    for (const { id } of jobs) await world.asNode('/workers/callback', await success(world, id, await claim(world, id)));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A preview that was built. */
export async function builtJob(world: World, projectId: string): Promise<string> {
  const { jobId, lease } = await runningJob(world, projectId);
  await world.asNode('/workers/callback', await success(world, jobId, lease));
  return jobId;
}

/** A token by which anybody may look at the preview. */
export async function viewToken(world: World, projectId: string): Promise<string> {
  const jobId = await waitingJob(world, projectId);
  return (await world.data<{ token: string }>('POST', `/preview/jobs/${jobId}/tokens`, { as: world.maker })).token;
}

interface Live { readonly live_session: { readonly id: string }; readonly token: string }

/** A live session of this person's, who need not be able to open one any more. */
export async function liveSession(world: World, projectId: string, ownerId: string): Promise<Live> {
  const live = await world.data<Live>('POST', '/preview/live-sessions', { as: world.maker, json: { job_id: await builtJob(world, projectId) } });
  await world.sql('update live_sessions set requested_by = $2 where id = $1', [live.live_session.id, ownerId]);
  return live;
}

export { basePath };
