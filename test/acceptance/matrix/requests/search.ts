import type { Recipe } from '../requests.ts';

export const searchRequests: Readonly<Record<string, Recipe>> = {
  search: {
    ask: async (world, scene) => {
      const id = await world.project(scene);
      return { path: `/search?q=field%20notes&project_id=${id}`, target: id };
    },
  },
};
