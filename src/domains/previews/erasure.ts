import type { Database } from '#platform/database.ts';
import { type ErasureStage, eraseRows } from '../personal-data.ts';
import { projectsToErase } from '../projects/erasure-service.ts';

const jobsOfProject = 'job_id in (select id from preview_jobs where project_id = $1)';

/** What is erased of a project, in the order its references allow. */
const ofProject = [
  ['preview_sessions', 'project_id = $1'],
  ['preview_artifacts', jobsOfProject],
  ['preview_job_logs', jobsOfProject],
  ['preview_job_files', jobsOfProject],
  ['preview_jobs', 'project_id = $1'],
  ['source_blobs', 'project_id = $1'],
] as const;

/** The previews of the account's projects, whoever asked for them. Those it asked for in other people's projects are theirs. */
export const previewRows = (db: Database): ErasureStage => ({
  name: 'previews',
  async run(userId, signal) {
    let erased = 0;
    for await (const projectId of projectsToErase(db, userId)) {
      for (const [table, condition] of ofProject) erased += await eraseRows(db, table, condition, projectId, signal);
    }
    return erased;
  },
});

/** The log of the view tokens that the account was given. */
export const previewTokens = (db: Database): ErasureStage => ({
  name: 'preview_tokens',
  run: (userId, signal) => eraseRows(db, 'preview_sessions', 'user_id = $1', userId, signal),
});
