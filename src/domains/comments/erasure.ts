import type { Database } from '#platform/database.ts';
import { type ErasureStage, eraseRows } from '../personal-data.ts';
import type { ProjectErasureStage } from '../project-data.ts';

/** Those without replies, which uncovers the next: a comment is never deleted before its replies. */
const leaves = 'project_id = $1 and not exists (select 1 from comments reply where reply.parent_id = comments.id)';

/** A project's comments with their stars and mentions, in short steps; before its tasks and previews, which they are on. Answers how many rows went. */
export const eraseCommentsOf = (db: Database, projectId: string, signal: AbortSignal): Promise<number> => eraseRows(db, 'comments', leaves, projectId, signal);

/** A stage of a project's erasure. */
export const projectComments = (db: Database): ProjectErasureStage => ({
  name: 'comments',
  run: (projectId, signal) => eraseCommentsOf(db, projectId, signal),
});

/**
 * The stars that the account gave, and that others mentioned it. What it wrote in other people's projects is theirs and
 * stays, by an account that has no name any more; so does its name in what others wrote, which is their text.
 */
export const commentTraces = (db: Database): ErasureStage => ({
  name: 'comments',
  async run(userId, signal) {
    let erased = 0;
    for (const table of ['comment_stars', 'comment_mentions']) erased += await eraseRows(db, table, 'user_id = $1', userId, signal);
    return erased;
  },
});
