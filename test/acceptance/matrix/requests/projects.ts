import { randomUUID } from 'node:crypto';
import type { Recipe } from '../requests.ts';
import type { Scene, World } from '../world.ts';

/** A request about one project, made for it; its version is what getProject and getProjectSettings show of it. */
const about = (below: string, json?: unknown, other?: unknown): Recipe => ({
  ask: async (world: World, scene: Scene) => {
    const id = await world.project(scene);
    const path = `/projects/${id}${below}`;
    return { path, target: id, ...(json === undefined ? {} : { json }), ...(other === undefined ? {} : { other: { json: other } }) };
  },
});

/** Another person whom nothing has to do with anything here; nobody ever signs in as it. */
async function somebody(world: World): Promise<string> {
  const [id, username] = [randomUUID(), `s${randomUUID().slice(0, 8)}`];
  await world.sql("insert into users (id, email, username, password_hash) values ($1, $2, $3, 'none')", [id, `${username}@example.com`, username]);
  await world.sql('insert into user_profiles (user_id) values ($1)', [id]);
  return id;
}

/** A request about one tag of a project, both made for it. */
const aboutTag = (json?: unknown, other?: unknown): Recipe => ({
  ask: async (world: World, scene: Scene) => {
    const [id, tagId] = [await world.project(scene), randomUUID()];
    await world.sql("insert into project_tags (id, project_id, name, color) values ($1, $2, 'mobile', '#f2a900')", [tagId, id]);
    const path = `/projects/${id}/tags/${tagId}`;
    // Listed alone, and never changed before it is asked about.
    return { path, target: id, etag: '"1"', ...(json === undefined ? {} : { json }), ...(other === undefined ? {} : { other: { json: other } }) };
  },
});

export const projectRequests: Readonly<Record<string, Recipe>> = {
  listProjects: { ask: () => Promise.resolve({ path: '/projects' }) },
  listProjectTemplates: { ask: () => Promise.resolve({ path: '/project-templates' }) },
  createProject: { ask: () => Promise.resolve({ path: '/projects', json: { name: 'Field Notes' }, other: { json: { name: 'Other Notes' } } }) },
  getProject: about(''),
  updateProject: about('', { name: 'Renamed' }, { name: 'Renamed otherwise' }),
  deleteProject: about(''),
  getProjectSettings: about('/settings'),
  listProjectMembers: about('/members'),
  listProjectInvitations: about('/invitations'),
  addProjectMember: { ask: async (world, scene) => about('/members', { user_id: world.visitor.id }, { user_id: await somebody(world) }).ask(world, scene) },
  removeProjectMember: {
    ask: async (world, scene) => {
      const id = await world.project(scene);
      await world.sql("insert into project_members (id, project_id, user_id, role) values (gen_random_uuid(), $1, $2, 'Member')", [id, world.visitor.id]);
      return { path: `/projects/${id}/members/${world.visitor.id}`, target: id };
    },
  },
  transferProject: { ask: (world, scene) => about('/transfer', { user_id: world.visitor.id }, { user_id: world.maker.id }).ask(world, scene) },
  listProjectTags: about('/tags'),
  createProjectTag: about('/tags', { name: 'mobile', color: '#f2a900' }, { name: 'web', color: '#f2a900' }),
  updateProjectTag: aboutTag({ color: '#0a7f5a' }, { name: 'web' }),
  deleteProjectTag: aboutTag(),
  favoriteProject: about('/favorite'),
  unfavoriteProject: about('/favorite'),
  listProjectActivity: about('/activity'),
  updateProjectSettings: about('/settings', { ai: { style: 'thorough' } }, { ai: { enabled: false } }),
};
