import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { PreviewSharingService } from './sharing-service.ts';

type Operations = 'sharePreview' | 'listPreviewShares' | 'revokePreviewShare';

export const previewSharingHandlers = (sharing: PreviewSharingService): Pick<Handlers, Operations> => ({
  sharePreview: async ({ path, body }, call) => {
    const share = await sharing.share(call, path.job_id, body);
    return { status: 201, body: share, headers: { Location: `/api/v1/preview/shares/${share.id}` } };
  },
  listPreviewShares: async ({ path, query }, call) => ({ status: 200, body: await sharing.list(call, path.job_id, query) }),
  revokePreviewShare: async ({ path }, call) => {
    await sharing.revoke(call, path.share_id);
    return { status: 204 };
  },
});
