/** Comments as tests need them made: by the operations, as people make them. */
import type { Caller } from '#platform/call.ts';
import type { Backend, DataOf } from './backend.ts';

export type Comment = DataOf<'getComment'>;
type CommentBody = Parameters<Backend['services']['handlers']['createComment']>[0]['body'];

/** On the project, where `more` says nothing else. */
export async function commentIn(backend: Backend, who: Caller, projectId: string, more: Partial<CommentBody> = {}): Promise<Comment> {
  const body = { body: 'The tiles flicker here.', ...(more.parent_id === undefined ? { entity_type: 'project' } : {}), ...more } as CommentBody;
  return (await backend.run('createComment', who, { path: { project_id: projectId }, body })).data;
}

export const replyTo = (backend: Backend, who: Caller, parent: Pick<Comment, 'id' | 'project_id'>, text = 'I see it too.'): Promise<Comment> =>
  commentIn(backend, who, parent.project_id, { parent_id: parent.id, body: text });

export const deleteComment = (backend: Backend, who: Caller, { id }: Pick<Comment, 'id'>): Promise<unknown> =>
  backend.run('deleteComment', who, { path: { comment_id: id } });

export const readComment = async (backend: Backend, who: Caller, { id }: Pick<Comment, 'id'>): Promise<Comment> =>
  (await backend.run('getComment', who, { path: { comment_id: id } })).data;

/** The page's bodies, in its order; a tombstone is null. */
export async function bodiesOf(backend: Backend, who: Caller, projectId: string, query: Record<string, unknown> = {}): Promise<(string | null)[]> {
  const { data } = await backend.run('listComments', who, { path: { project_id: projectId }, query });
  return data.items.map(({ body }) => body);
}

/** The bodies of every page, walked by cursor to the end. */
export async function walkComments(backend: Backend, who: Caller, projectId: string, query: Record<string, unknown>): Promise<(string | null)[]> {
  const walked: (string | null)[] = [];
  let cursor: string | null = null;
  do {
    const { data }: { data: DataOf<'listComments'> } = await backend.run('listComments', who, {
      path: { project_id: projectId }, query: { ...query, ...(cursor === null ? {} : { cursor }) },
    });
    walked.push(...data.items.map(({ body }) => body));
    cursor = data.page.next_cursor;
  } while (cursor !== null);
  return walked;
}
