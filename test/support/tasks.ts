/** Tasks, labels and edges as tests need them made: by the operations, as people make them. */
import type { Backend, DataOf, Person } from './backend.ts';

export type Task = DataOf<'getTask'>;
type TaskBody = Parameters<Backend['services']['handlers']['createTask']>[0]['body'];

export async function taskIn(backend: Backend, who: Person, projectId: string, body: Partial<TaskBody> = {}): Promise<Task> {
  return (await backend.run('createTask', who, { path: { project_id: projectId }, body: { title: 'Draw the map', ...body } as TaskBody })).data;
}

export async function labelIn(backend: Backend, who: Person, projectId: string, name: string, color = '#0a7f5a'): Promise<string> {
  return (await backend.run('createLabel', who, { path: { project_id: projectId }, body: { name, color } })).data.id;
}

export const depend = (backend: Backend, who: Person, taskId: string, on: string): Promise<unknown> =>
  backend.run('addTaskDependency', who, { path: { task_id: taskId, depends_on_task_id: on } });

export const setStatus = async (backend: Backend, who: Person, taskId: string, status: Task['status']): Promise<Task> =>
  (await backend.run('updateTask', who, { path: { task_id: taskId }, body: { status } })).data;

/** The page's titles, in its order. */
export async function titlesOf(backend: Backend, who: Person, projectId: string, query: Record<string, unknown> = {}): Promise<string[]> {
  const { data } = await backend.run('listTasks', who, { path: { project_id: projectId }, query });
  return data.items.map(({ title }) => title);
}

/** The titles of every page of `limit`, walked by cursor to the end. */
export async function walk(backend: Backend, who: Person, projectId: string, query: Record<string, unknown>): Promise<string[]> {
  const walked: string[] = [];
  let cursor: string | null = null;
  do {
    const { data }: { data: DataOf<'listTasks'> } = await backend.run('listTasks', who, {
      path: { project_id: projectId }, query: { ...query, ...(cursor === null ? {} : { cursor }) },
    });
    walked.push(...data.items.map(({ title }) => title));
    cursor = data.page.next_cursor;
  } while (cursor !== null);
  return walked;
}
