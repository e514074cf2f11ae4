import type { Database } from '#platform/database.ts';
import { eraseRows } from '../personal-data.ts';
import type { ProjectErasureStage } from '../project-data.ts';

/** What is erased of a project, in the order its references allow; links and dependencies go with their tasks. */
const ofProject = [
  ['task_attachments', 'task_id in (select id from tasks where project_id = $1)'],
  ['tasks', 'project_id = $1'],
  ['task_labels', 'project_id = $1'],
] as const;

/** A project's tasks with all that hangs on them, in short steps; what storage holds of them lies below the project. Answers how many rows went. */
export async function eraseTasksOf(db: Database, projectId: string, signal: AbortSignal): Promise<number> {
  let erased = 0;
  for (const [table, condition] of ofProject) erased += await eraseRows(db, table, condition, projectId, signal);
  return erased;
}

/** A stage of a project's erasure. */
export const projectTasks = (db: Database): ProjectErasureStage => ({
  name: 'tasks',
  run: (projectId, signal) => eraseTasksOf(db, projectId, signal),
});
