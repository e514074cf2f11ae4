/** How projects are erased, and what ties an account to them. A project's row stays, emptied: the audit points to it. */
import type { Database } from '#platform/database.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';
import { batchSize, type ErasureStage, eraseRows, firstId, inBatches, untilNoneIsLeft } from '../personal-data.ts';
import type { ProjectErasureStage } from '../project-data.ts';

/** Hidden with the account or before; or in no team, so that nobody else can have a say in it. */
const ownSql = `
  select id from projects
   where owner_id = $1 and (deleted_at is not null or team_id is null) and erased_at is null and id > $2 order by id limit ${batchSize}`;

const emptySql = `
  update projects set name = 'Erased project', description = null, metadata = '{}', settings = '{}', team_id = null, archived_at = null,
         deleted_at = coalesce(deleted_at, now()), erased_at = now()
   where id = $1 and erased_at is null returning id`;

/** Objects deleted in one call: some seconds on a slow store. */
const objectsAtOnce = 1_000;

/** Everything that storage holds of a project: sources, uploads, artifacts, attachments, and whatever else lies below it. */
export const projectObjects = (storage: ObjectStorage): ProjectErasureStage => ({
  name: 'objects',
  run: (projectId, signal) =>
    untilNoneIsLeft(signal, async () => (await storage.deletePrefix(`projects/${projectId}/`, { maxObjects: objectsAtOnce })).deleted),
});

/** Who belongs to a project, and what they marked it with. */
export const projectMembers = (db: Database): ProjectErasureStage => ({
  name: 'members',
  async run(projectId, signal) {
    let erased = 0;
    for (const table of ['project_tags', 'project_favorites', 'project_members']) erased += await eraseRows(db, table, 'project_id = $1', projectId, signal);
    return erased;
  },
});

/** The project itself, after everything that belongs to it. */
export const projectRow = (db: Database): ProjectErasureStage => ({
  name: 'project',
  run: async (projectId) => (await db.named('erasure.empty_project', emptySql, [projectId])).length,
});

/** The projects that go with an account and are not erased yet, each by all its stages. */
export const projectsOf = (db: Database, stages: readonly ProjectErasureStage[]): ErasureStage => ({
  name: 'projects',
  async run(userId, signal) {
    let erased = 0;
    const rows = inBatches<{ id: string }>((last) => db.named<{ id: string }>('erasure.projects', ownSql, [userId, last?.id ?? firstId]));
    for await (const { id } of rows) {
      for (const stage of stages) erased += await stage.run(id, signal);
    }
    return erased;
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
