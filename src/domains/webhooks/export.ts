import type { Database } from '#platform/database.ts';
import { batchSize, type ExportSection, rowsById } from '../personal-data.ts';

const endpointsSql = `
  select id, project_id, url, event_types, is_active, disabled_reason, disabled_at, failing_since, created_at, updated_at
    from webhook_endpoints where created_by = $1 and deleted_at is null and id > $2 order by id limit ${batchSize}`;

/** The webhooks that the account made, without their secrets. What was sent to them is their project's. */
export const webhookSection = (db: Database): ExportSection => ({
  name: 'webhooks',
  rows: (userId) => rowsById(db, 'export.webhooks', endpointsSql, userId),
});
