import { Readable } from 'node:stream';
import type { Handlers } from '#generated/server/handlers.gen.ts';
import { withFailurePage } from '#platform/failure-pages.ts';
import { writePage } from './view-html.ts';
import { refusalPage } from './view-pages.ts';
import type { PreviewViewService } from './view-service.ts';

export const previewViewHandlers = (views: PreviewViewService): Pick<Handlers, 'viewPreview' | 'streamPreviewView'> => ({
  viewPreview: withFailurePage(async ({ path }, call) => {
    const { html, headers } = writePage(await views.page(call, path.token));
    return { status: 200, headers, stream: Readable.from([Buffer.from(html)]) };
  }, (error) => writePage(refusalPage(error))),
  streamPreviewView: async (_request, call) => ({ status: 200, events: await views.events(call) }),
});
