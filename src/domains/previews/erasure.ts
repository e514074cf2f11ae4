import { type Database, transact } from '#platform/database.ts';
import { type ErasureStage, eraseRows, untilNoneIsLeft } from '../personal-data.ts';
import type { ProjectErasureStage } from '../project-data.ts';
import type { PreviewEndingService } from './ending-service.ts';

const jobsOfProject = 'job_id in (select id from preview_jobs where project_id = $1)';

/** Three statements each, in one transaction. */
const buildsAtOnce = 100;

/** What is erased of a project, in the order its references allow. */
const ofProject = [
  ['preview_sessions', 'project_id = $1'],
  ['preview_shares', 'project_id = $1'],
  ['preview_client_sessions', 'project_id = $1'],
  ['live_sessions', 'project_id = $1'],
  ['preview_artifacts', jobsOfProject],
  ['preview_job_logs', jobsOfProject],
  ['preview_job_files', jobsOfProject],
  ['preview_jobs', 'project_id = $1'],
  ['source_blobs', 'project_id = $1'],
] as const;

/** Builds that are not over, waiting for sources included: nobody may have them any more. Whoever watches or builds is told. */
export const projectBuilds = (db: Database, endings: PreviewEndingService): ProjectErasureStage => ({
  name: 'builds',
  run: (projectId, signal) => untilNoneIsLeft(signal, async () => {
    const ended = await transact(db, null, (trx) => endings.cancelIn(trx, [projectId], null, buildsAtOnce));
    endings.told(ended);
    return ended.length;
  }),
});

/** The previews of a project, whoever asked for them, and its sources. */
export const projectPreviews = (db: Database): ProjectErasureStage => ({
  name: 'previews',
  async run(projectId, signal) {
    let erased = 0;
    for (const [table, condition] of ofProject) erased += await eraseRows(db, table, condition, projectId, signal);
    return erased;
  },
});

/** Previews shared with the account, and those it shared: what it wrote to somebody goes with it. */
export const previewShares = (db: Database): ErasureStage => ({
  name: 'preview_shares',
  run: (userId, signal) => eraseRows(db, 'preview_shares', '(user_id = $1 or shared_by = $1)', userId, signal),
});

/** The log of the view tokens that the account was given. */
export const previewTokens = (db: Database): ErasureStage => ({
  name: 'preview_tokens',
  run: (userId, signal) => eraseRows(db, 'preview_sessions', 'user_id = $1', userId, signal),
});
