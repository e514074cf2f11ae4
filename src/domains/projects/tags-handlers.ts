import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { ActivityService } from './activity-service.ts';
import type { FavoriteService } from './favorites-service.ts';
import type { ProjectTagService } from './tags-service.ts';

type Operations =
  | 'listProjectTags' | 'createProjectTag' | 'updateProjectTag' | 'deleteProjectTag'
  | 'favoriteProject' | 'unfavoriteProject' | 'listProjectActivity';

interface Dependencies {
  readonly tags: ProjectTagService;
  readonly favorites: FavoriteService;
  readonly activity: ActivityService;
}

/** What hangs on a project: its tags, the caller's mark on it, and what happened in it. */
export const projectTagHandlers = ({ tags, favorites, activity }: Dependencies): Pick<Handlers, Operations> => ({
  listProjectTags: async ({ path, query }, call) => ({ status: 200, body: await tags.list(call, path.project_id, query) }),
  createProjectTag: async ({ path, body }, call) => {
    const { entity, etag } = await tags.create(call, path.project_id, body);
    return { status: 201, body: entity, etag, headers: { Location: `/api/v1/projects/${entity.project_id}/tags/${entity.id}` } };
  },
  updateProjectTag: async ({ path, body }, call) => {
    const { entity, etag } = await tags.update(call, path.project_id, path.tag_id, body);
    return { status: 200, body: entity, etag };
  },
  deleteProjectTag: async ({ path }, call) => {
    await tags.remove(call, path.project_id, path.tag_id);
    return { status: 204 };
  },
  favoriteProject: async ({ path }, call) => {
    await favorites.mark(call, path.project_id);
    return { status: 204 };
  },
  unfavoriteProject: async ({ path }, call) => {
    await favorites.unmark(call, path.project_id);
    return { status: 204 };
  },
  listProjectActivity: async ({ path, query }, call) => ({ status: 200, body: await activity.list(call, path.project_id, query) }),
});
