import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { ProjectService } from './service.ts';
import type { ProjectTemplateService } from './templates-service.ts';

type Operations =
  | 'listProjects' | 'createProject' | 'getProject' | 'updateProject' | 'deleteProject'
  | 'getProjectSettings' | 'updateProjectSettings' | 'listProjectTemplates';

export const projectHandlers = (projects: ProjectService, templates: ProjectTemplateService): Pick<Handlers, Operations> => ({
  listProjectTemplates: async ({ query }, call) => ({ status: 200, body: await templates.list(call, query) }),
  listProjects: async ({ query }, call) => ({ status: 200, body: await projects.list(call, query) }),
  createProject: async ({ body }, call) => {
    const project = await projects.create(call, body);
    return { status: 201, body: project, headers: { Location: `/api/v1/projects/${project.id}` } };
  },
  getProject: async ({ path }, call) => {
    const { entity, etag } = await projects.get(call, path.project_id);
    return { status: 200, body: entity, etag };
  },
  updateProject: async ({ path, body }, call) => {
    const { entity, etag } = await projects.update(call, path.project_id, body);
    return { status: 200, body: entity, etag };
  },
  deleteProject: async ({ path }, call) => {
    await projects.remove(call, path.project_id);
    return { status: 204 };
  },
  getProjectSettings: async ({ path }, call) => {
    const { entity, etag } = await projects.getSettings(call, path.project_id);
    return { status: 200, body: entity, etag };
  },
  updateProjectSettings: async ({ path, body }, call) => {
    const { entity, etag } = await projects.updateSettings(call, path.project_id, body);
    return { status: 200, body: entity, etag };
  },
});
