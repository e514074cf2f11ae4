import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { AttachmentService } from './attachments-service.ts';
import type { DependencyService } from './dependencies-service.ts';
import type { LabelService } from './labels-service.ts';
import type { TaskService } from './service.ts';

type Operations =
  | 'listTasks' | 'createTask' | 'getTask' | 'updateTask' | 'deleteTask'
  | 'listLabels' | 'createLabel' | 'updateLabel' | 'deleteLabel' | 'attachLabel' | 'detachLabel'
  | 'listTaskDependencies' | 'addTaskDependency' | 'removeTaskDependency'
  | 'listAttachments' | 'createAttachment' | 'completeAttachment' | 'downloadAttachment' | 'deleteAttachment';

export interface TaskServices {
  readonly tasks: TaskService;
  readonly labels: LabelService;
  readonly dependencies: DependencyService;
  readonly attachments: AttachmentService;
}

export const taskHandlers = ({ tasks, labels, dependencies, attachments }: TaskServices): Pick<Handlers, Operations> => ({
  listTasks: async ({ path, query }, call) => ({ status: 200, body: await tasks.list(call, path.project_id, query) }),
  createTask: async ({ path, body }, call) => {
    const { entity, etag } = await tasks.create(call, path.project_id, body);
    return { status: 201, body: entity, etag, headers: { Location: `/api/v1/tasks/${entity.id}` } };
  },
  getTask: async ({ path }, call) => {
    const { entity, etag } = await tasks.get(call, path.task_id);
    return { status: 200, body: entity, etag };
  },
  updateTask: async ({ path, body }, call) => {
    const { entity, etag } = await tasks.update(call, path.task_id, body);
    return { status: 200, body: entity, etag };
  },
  deleteTask: async ({ path }, call) => {
    await tasks.remove(call, path.task_id);
    return { status: 204 };
  },

  listLabels: async ({ path, query }, call) => ({ status: 200, body: await labels.list(call, path.project_id, query) }),
  createLabel: async ({ path, body }, call) => {
    const { entity, etag } = await labels.create(call, path.project_id, body);
    return { status: 201, body: entity, etag, headers: { Location: `/api/v1/labels/${entity.id}` } };
  },
  updateLabel: async ({ path, body }, call) => {
    const { entity, etag } = await labels.update(call, path.label_id, body);
    return { status: 200, body: entity, etag };
  },
  deleteLabel: async ({ path }, call) => {
    await labels.remove(call, path.label_id);
    return { status: 204 };
  },
  attachLabel: async ({ path }, call) => {
    await labels.attach(call, path.task_id, path.label_id);
    return { status: 204 };
  },
  detachLabel: async ({ path }, call) => {
    await labels.detach(call, path.task_id, path.label_id);
    return { status: 204 };
  },

  listTaskDependencies: async ({ path, query }, call) => ({ status: 200, body: await dependencies.list(call, path.task_id, query) }),
  addTaskDependency: async ({ path }, call) => {
    await dependencies.add(call, path.task_id, path.depends_on_task_id);
    return { status: 204 };
  },
  removeTaskDependency: async ({ path }, call) => {
    await dependencies.remove(call, path.task_id, path.depends_on_task_id);
    return { status: 204 };
  },

  listAttachments: async ({ path, query }, call) => ({ status: 200, body: await attachments.list(call, path.task_id, query) }),
  createAttachment: async ({ path, body }, call) => {
    const attachment = await attachments.create(call, path.task_id, body);
    return { status: 201, body: attachment, headers: { Location: `/api/v1/attachments/${attachment.id}` } };
  },
  completeAttachment: async ({ path }, call) => ({ status: 200, body: await attachments.complete(call, path.attachment_id) }),
  downloadAttachment: async ({ path }, call) => ({ status: 200, body: await attachments.download(call, path.attachment_id) }),
  deleteAttachment: async ({ path }, call) => {
    await attachments.remove(call, path.attachment_id);
    return { status: 204 };
  },
});
