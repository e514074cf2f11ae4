import { randomUUID } from 'node:crypto';
import type { Recipe } from '../requests.ts';

const text = (): { readonly body: string } => ({ body: `The tiles flicker here: ${randomUUID()}` });

const ofProject = (json?: () => unknown): Recipe => ({
  async ask(world, scene) {
    const id = await world.project(scene);
    return { path: `/projects/${id}/comments`, target: id, ...(json === undefined ? {} : { json: json(), other: { json: json() } }) };
  },
});

/** A comment that the project's owner wrote, who need not be able to any more; with a star of that person's where the request takes it away. */
const ofComment = (below: string, more: { readonly json?: () => unknown; readonly isStarred?: true } = {}): Recipe => ({
  async ask(world, scene) {
    const [id, projectId] = [randomUUID(), await world.project(scene)];
    await world.sql("insert into comments (id, project_id, entity_type, entity_id, author_id, body) values ($1, $2, 'project', $2, $3, $4)", [id, projectId, scene.owner.id, text().body]);
    if (more.isStarred) await world.sql('insert into comment_stars (comment_id, user_id) values ($1, $2)', [id, scene.owner.id]);
    return { path: `/comments/${id}${below}`, target: id, ...(more.json === undefined ? {} : { json: more.json() }) };
  },
});

export const commentRequests: Readonly<Record<string, Recipe>> = {
  listComments: ofProject(),
  createComment: ofProject(() => ({ entity_type: 'project', ...text() })),
  getComment: ofComment(''),
  updateComment: ofComment('', { json: text }),
  deleteComment: ofComment(''),
  starComment: ofComment('/star'),
  unstarComment: ofComment('/star', { isStarred: true }),
};
