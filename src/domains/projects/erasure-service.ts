/** How projects of a deleted account are erased. Their rows stay, emptied: the audit and other people's jobs point to them. */
import type { Database } from '#platform/database.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';
import { batchSize, type ErasureStage, eraseRows, firstId, inBatches, untilNoneIsLeft } from '../personal-data.ts';

/** Hidden with the account or before; or in no team, so that nobody else can have a say in it. */
const ownSql = `
  select id from projects
   where owner_id = $1 and (deleted_at is not null or team_id is null) and erased_at is null and id > $2 order by id limit ${batchSize}`;

const emptySql = `
  with batch as (
    select id from projects where owner_id = $1 and (deleted_at is not null or team_id is null) and erased_at is null order by id limit 100 for update
  )
  update projects p set name = 'Erased project', description = null, metadata = '{}', settings = '{}', team_id = null, archived_at = null,
         deleted_at = coalesce(deleted_at, now()), erased_at = now()
    from batch where p.id = batch.id returning p.id`;

/** Objects deleted in one call: some seconds on a slow store. */
const objectsAtOnce = 1_000;

/** The projects that go with an account, a batch at a time. */
export async function* projectsToErase(db: Pick<Database, 'named'>, userId: string): AsyncGenerator<string> {
  const rows = inBatches<{ id: string }>((last) => db.named<{ id: string }>('erasure.projects', ownSql, [userId, last?.id ?? firstId]));
  for await (const { id } of rows) yield id;
}

/** Everything that storage holds of the account's projects: sources, uploads, artifacts, and whatever else lies below them. */
export const projectObjects = (db: Database, storage: ObjectStorage): ErasureStage => ({
  name: 'project_objects',
  async run(userId, signal) {
    let erased = 0;
    for await (const id of projectsToErase(db, userId)) {
      erased += await untilNoneIsLeft(signal, async () => (await storage.deletePrefix(`projects/${id}/`, { maxObjects: objectsAtOnce })).deleted);
    }
    return erased;
  },
});

/** The projects themselves, after everything that belongs to them. */
export const projectRows = (db: Database): ErasureStage => ({
  name: 'projects',
  async run(userId, signal) {
    for await (const id of projectsToErase(db, userId)) {
      for (const table of ['project_tags', 'project_favorites', 'project_members', 'invitations']) await eraseRows(db, table, 'project_id = $1', id, signal);
    }
    return untilNoneIsLeft(signal, async () => (await db.named('erasure.empty_projects', emptySql, [userId])).length);
  },
});

/** What ties the account to other people's projects and teams. */
export const memberships = (db: Database): ErasureStage => ({
  name: 'memberships',
  async run(userId, signal) {
    let erased = 0;
    for (const table of ['project_favorites', 'project_members', 'team_members']) erased += await eraseRows(db, table, 'user_id = $1', userId, signal);
    return erased;
  },
});
