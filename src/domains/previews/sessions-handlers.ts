import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { PreviewSessionService } from './sessions-service.ts';
import type { PreviewUploadService } from './sessions-upload.ts';

type Operations = 'createPreviewSession' | 'getPreviewSession' | 'uploadPreviewBundle';

const sessionAt = (token: string): { Location: string } => ({ Location: `/api/v1/preview/sessions/${token}` });

export const previewSessionHandlers = (sessions: PreviewSessionService, uploads: PreviewUploadService): Pick<Handlers, Operations> => ({
  createPreviewSession: async ({ body }, call) => {
    const created = await sessions.create(call, body);
    return { status: 201, body: created, headers: sessionAt(created.token) };
  },
  getPreviewSession: async (_request, call) => ({ status: 200, body: await sessions.get(call) }),
  uploadPreviewBundle: async ({ path, stream }, call) => ({ status: 201, body: await uploads.upload(call, stream), headers: sessionAt(path.token) }),
});
