import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { PreviewJobService } from './jobs.ts';
import type { PreviewService } from './service.ts';
import type { PreviewStream } from './stream.ts';

type Operations =
  | 'listPreviewSdks' | 'requestPreview' | 'listMissingBlobs' | 'startPreviewJob' | 'buildPreview' | 'listPreviewJobs' | 'getPreviewJob'
  | 'cancelPreviewJob' | 'deletePreviewJob' | 'getPreviewLogs' | 'streamPreviewJob' | 'listPreviewArtifacts' | 'createPreviewToken';

const jobAt = (id: string): { Location: string } => ({ Location: `/api/v1/preview/jobs/${id}` });

export const previewHandlers = (previews: PreviewService, jobs: PreviewJobService, stream: PreviewStream): Pick<Handlers, Operations> => ({
  listPreviewSdks: async ({ query }, call) => ({ status: 200, body: await previews.sdks(call, query) }),
  requestPreview: async ({ body }, call) => {
    const requested = await previews.request(call, body);
    return { status: 202, body: requested, headers: jobAt(requested.job.id) };
  },
  listMissingBlobs: async ({ path, query }, call) => ({ status: 200, body: await previews.missing(call, path.job_id, query) }),
  startPreviewJob: async ({ path }, call) => ({ status: 202, body: await previews.start(call, path.job_id), headers: jobAt(path.job_id) }),
  buildPreview: async ({ body }, call) => ({ status: 200, body: await previews.build(call, body) }),
  listPreviewJobs: async ({ query }, call) => ({ status: 200, body: await jobs.list(call, query) }),
  getPreviewJob: async ({ path }, call) => {
    const { entity, etag } = await jobs.get(call, path.job_id);
    return { status: 200, body: entity, etag };
  },
  cancelPreviewJob: async ({ path }, call) => ({ status: 200, body: await jobs.cancel(call, path.job_id) }),
  deletePreviewJob: async ({ path }, call) => {
    await jobs.remove(call, path.job_id);
    return { status: 204 };
  },
  getPreviewLogs: async ({ path, query }, call) => ({ status: 200, body: await jobs.logs(call, path.job_id, query) }),
  streamPreviewJob: async ({ path, headers }, call) => ({ status: 200, events: await stream.open(call, path.job_id, headers['last-event-id']) }),
  listPreviewArtifacts: async ({ path, query }, call) => ({ status: 200, body: await jobs.artifacts(call, path.job_id, query) }),
  createPreviewToken: async ({ path }, call) => {
    const token = await jobs.createToken(call, path.job_id);
    return { status: 201, body: token, headers: { Location: token.view_url } };
  },
});
