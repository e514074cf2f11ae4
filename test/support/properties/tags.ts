import type { System } from '../system.ts';

/** Stands for a tag of the project that a request names; the real one is made anew for each request. */
export const tagStandIn = '00000000-0000-4000-8000-00000000e101';

let made = 0;

/** The id of a new tag in a project. Earlier ones go: a project holds fifty. */
export async function tagIdIn(system: System, projectId: string): Promise<string> {
  made += 1;
  await system.sql('delete from project_tags where project_id = $1', [projectId]);
  const [tag] = await system.sql('insert into project_tags (id, project_id, name, color) values (gen_random_uuid(), $1, $2, $3) returning id', [projectId, `tag ${made}`, '#0a7f5a']);
  return String(tag?.['id']);
}
