import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { CommentDeletionService } from './deletion-service.ts';
import type { CommentService } from './service.ts';
import type { CommentStarService } from './stars-service.ts';

type Operations = 'listComments' | 'createComment' | 'getComment' | 'updateComment' | 'deleteComment' | 'starComment' | 'unstarComment';

export interface CommentServices {
  readonly comments: CommentService;
  readonly deletion: CommentDeletionService;
  readonly stars: CommentStarService;
}

export const commentHandlers = ({ comments, deletion, stars }: CommentServices): Pick<Handlers, Operations> => ({
  listComments: async ({ path, query }, call) => ({ status: 200, body: await comments.list(call, path.project_id, query) }),
  createComment: async ({ path, body }, call) => {
    const { entity, etag } = await comments.create(call, path.project_id, body);
    return { status: 201, body: entity, etag, headers: { Location: `/api/v1/comments/${entity.id}` } };
  },
  getComment: async ({ path }, call) => {
    const { entity, etag } = await comments.get(call, path.comment_id);
    return { status: 200, body: entity, etag };
  },
  updateComment: async ({ path, body }, call) => {
    const { entity, etag } = await comments.update(call, path.comment_id, body);
    return { status: 200, body: entity, etag };
  },
  deleteComment: async ({ path }, call) => {
    await deletion.remove(call, path.comment_id);
    return { status: 204 };
  },
  starComment: async ({ path }, call) => {
    await stars.star(call, path.comment_id);
    return { status: 204 };
  },
  unstarComment: async ({ path }, call) => {
    await stars.unstar(call, path.comment_id);
    return { status: 204 };
  },
});
