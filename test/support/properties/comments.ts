/** Comments for the property tests: stand-ins to draw with, and the real things, each made anew. */
import type { Person, System } from '../system.ts';

const standIns = { comment: '00000000-0000-4000-8000-00000000c001', parent: '00000000-0000-4000-8000-00000000c002' } as const;

/** What a request may name, by the field it stands in. */
export const existingComments = { comment_id: standIns.comment, parent_id: standIns.parent } as const;

let made = 0;

/** The real things for the stand-ins that a request holds, in one project of a person. */
export async function commentsFor(request: string, system: System, who: Person, projectId: string): Promise<Map<string, string>> {
  const real = new Map<string, string>();
  for (const standIn of Object.values(standIns)) {
    if (request.includes(standIn)) real.set(standIn, await commentIdIn(system, who, projectId));
  }
  return real;
}

/** A new comment; every third has a reply, and of those every other is a tombstone. */
export async function commentIdIn(system: System, { tokens: { user } }: Person, projectId: string): Promise<string> {
  made += 1;
  const [hasReply, isDeleted] = [made % 3 === 0, made % 6 === 0];
  const [comment] = await system.sql(`
    with root as (
      insert into comments (id, project_id, entity_type, entity_id, author_id, body, deleted_at)
      select gen_random_uuid(), $1, 'project', $1, case when not $3 then $2::uuid end, case when not $3 then 'Made for one request.' end, case when $3 then now() end returning id
    ), reply as (
      insert into comments (id, project_id, parent_id, depth, entity_type, entity_id, author_id, body)
      select gen_random_uuid(), $1, id, 1, 'project', $1, $2, 'A reply.' from root where $4
    )
    select id from root`, [projectId, user.id, isDeleted, hasReply]);
  return String(comment?.['id']);
}
