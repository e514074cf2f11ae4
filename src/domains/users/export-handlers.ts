import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { DataExportService } from './export-service.ts';

export const exportHandlers = (exports: DataExportService): Pick<Handlers, 'requestDataExport' | 'getDataExport'> => ({
  requestDataExport: async (_request, call) => {
    const requested = await exports.request(call);
    return { status: 202, body: requested, headers: { Location: `/api/v1/users/me/exports/${requested.id}` } };
  },
  getDataExport: async ({ path }, call) => ({ status: 200, body: await exports.get(call, path.export_id) }),
});
