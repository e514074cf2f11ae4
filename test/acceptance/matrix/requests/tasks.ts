import { randomUUID } from 'node:crypto';
import type { Asked, Recipe } from '../requests.ts';
import { sha256, type Scene, type World } from '../world.ts';

const link = { name: 'Route.gpx', external_url: 'https://example.com/route.gpx' } as const;
const bytes = 'What is attached.';

interface Made { readonly id: string }
interface Uploading extends Made { readonly upload: { readonly upload_url: string; readonly headers: Record<string, string> } | null }

const make = async (world: World, path: string, json: unknown): Promise<string> => (await world.data<Made>('POST', path, { as: world.maker, json })).id;
const taskIn = (world: World, projectId: string): Promise<string> => make(world, `/projects/${projectId}/tasks`, { title: 'Draw the map offline' });
const labelIn = (world: World, projectId: string): Promise<string> => make(world, `/projects/${projectId}/labels`, { name: `map ${randomUUID().slice(0, 8)}`, color: '#0a7f5a' });

/** A request about one thing that the maker put into a new project of the scene. */
const about = (make: (world: World, projectId: string) => Promise<Asked>): Recipe => ({
  ask: async (world: World, scene: Scene) => make(world, await world.project(scene)),
});
const ofProject = (below: string, json?: unknown, other?: unknown): Recipe => about((_world, id) => Promise.resolve({
  path: `/projects/${id}${below}`, target: id, ...(json === undefined ? {} : { json }), ...(other === undefined ? {} : { other: { json: other } }),
}));
const ofTask = (below: string, json?: () => unknown): Recipe => about(async (world, projectId) => {
  const id = await taskIn(world, projectId);
  return { path: `/tasks/${id}${below}`, target: id, ...(json === undefined ? {} : { json: json(), other: { json: json() } }) };
});
const ofLabel = (json?: () => unknown): Recipe => about(async (world, projectId) => {
  const id = await labelIn(world, projectId);
  return { path: `/labels/${id}`, target: id, ...(json === undefined ? {} : { json: json() }) };
});

/** A task and a label; attached already where the request takes it off. */
const ofBoth = (isAttached: boolean): Recipe => about(async (world, projectId) => {
  const [task, label] = [await taskIn(world, projectId), await labelIn(world, projectId)];
  const path = `/tasks/${task}/labels/${label}`;
  if (isAttached) await world.data('PUT', path, { as: world.maker });
  return { path, target: task };
});
/** Two tasks; the one depends on the other already where the request lets go of it. */
const ofTwo = (isDepending: boolean): Recipe => about(async (world, projectId) => {
  const [task, other] = [await taskIn(world, projectId), await taskIn(world, projectId)];
  const path = `/tasks/${task}/dependencies/${other}`;
  if (isDepending) await world.data('PUT', path, { as: world.maker });
  return { path, target: task };
});

const ofLink = (below: string): Recipe => about(async (world, projectId) => {
  const id = await make(world, `/tasks/${await taskIn(world, projectId)}/attachments`, link);
  return { path: `/attachments/${id}${below}`, target: id };
});
/** An upload whose bytes have come. */
const ofUpload = (below: string): Recipe => about(async (world, projectId) => {
  const json = { name: 'notes.txt', upload: { content_type: 'text/plain', size: bytes.length, sha256: sha256(bytes) } };
  const { id, upload } = await world.data<Uploading>('POST', `/tasks/${await taskIn(world, projectId)}/attachments`, { as: world.maker, json });
  const put = await fetch(upload?.upload_url ?? '', { method: 'PUT', headers: upload?.headers ?? {}, body: bytes });
  if (!put.ok) throw new Error(`An upload was answered with ${put.status}.`);
  return { path: `/attachments/${id}${below}`, target: id };
});

export const taskRequests: Readonly<Record<string, Recipe>> = {
  listTasks: ofProject('/tasks'),
  createTask: ofProject('/tasks', { title: 'Draw the map offline' }, { title: 'Draw it online' }),
  getTask: ofTask(''),
  updateTask: ofTask('', () => ({ title: `Draw ${randomUUID()}` })),
  deleteTask: ofTask(''),
  listLabels: ofProject('/labels'),
  createLabel: ofProject('/labels', { name: 'map', color: '#0a7f5a' }, { name: 'bug', color: '#0a7f5a' }),
  updateLabel: ofLabel(() => ({ name: `label ${randomUUID().slice(0, 8)}` })),
  deleteLabel: ofLabel(),
  attachLabel: ofBoth(false),
  detachLabel: ofBoth(true),
  listTaskDependencies: ofTask('/dependencies'),
  addTaskDependency: ofTwo(false),
  removeTaskDependency: ofTwo(true),
  listAttachments: ofTask('/attachments'),
  createAttachment: ofTask('/attachments', () => ({ ...link, name: `${randomUUID()}.gpx` })),
  completeAttachment: ofUpload('/complete'),
  downloadAttachment: ofLink('/download'),
  deleteAttachment: ofLink(''),
};
