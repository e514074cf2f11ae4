/** Tasks and what hangs on them for the property tests: stand-ins to draw with, and the real things, each made anew. */
import { createHash } from 'node:crypto';
import type { Person, System } from '../system.ts';

const standIns = {
  task: '00000000-0000-4000-8000-00000000f001',
  dependsOn: '00000000-0000-4000-8000-00000000f002',
  label: '00000000-0000-4000-8000-00000000f003',
  attachment: '00000000-0000-4000-8000-00000000f004',
} as const;

/** What a request may name, by the field it stands in. */
export const existingTasks = {
  task_id: standIns.task, depends_on_task_id: standIns.dependsOn, label_id: standIns.label, attachment_id: standIns.attachment,
} as const;

const bytes = Buffer.from('What is attached.');
const upload = { content_type: 'text/plain', size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };

let made = 0;

/** All in one project of a person. */
export class TaskThings {
  readonly #system: System;

  constructor(system: System) {
    this.#system = system;
  }

  /** The real things for the stand-ins that a request holds. */
  async realFor(request: string, who: Person, projectId: string): Promise<Map<string, string>> {
    const makers: Readonly<Record<keyof typeof standIns, () => Promise<string>>> = {
      task: () => this.task(who, projectId),
      dependsOn: () => this.task(who, projectId),
      label: () => this.label(projectId),
      attachment: () => this.attachment(who, projectId),
    };
    const real = new Map<string, string>();
    for (const [name, standIn] of Object.entries(standIns)) {
      if (request.includes(standIn)) real.set(standIn, await makers[name as keyof typeof standIns]());
    }
    return real;
  }

  async task({ tokens: { user } }: Person, projectId: string): Promise<string> {
    const [task] = await this.#system.sql("insert into tasks (id, project_id, title, created_by) values (gen_random_uuid(), $1, 'Made for one request', $2) returning id", [projectId, user.id]);
    return String(task?.['id']);
  }

  /** A new label. Earlier ones go: a project holds five hundred. */
  async label(projectId: string): Promise<string> {
    made += 1;
    await this.#system.sql('delete from task_labels where project_id = $1', [projectId]);
    const [label] = await this.#system.sql('insert into task_labels (id, project_id, name, color) values (gen_random_uuid(), $1, $2, $3) returning id', [projectId, `label ${made}`, '#0a7f5a']);
    return String(label?.['id']);
  }

  /** A link, an upload that nobody sent, or one whose bytes have come. */
  async attachment(who: Person, projectId: string): Promise<string> {
    made += 1;
    const path = { task_id: await this.task(who, projectId) };
    if (made % 3 === 0) return (await who.hive.api.createAttachment({ path, body: { name: 'notes', external_url: 'https://example.com/notes' } })).id;
    const created = await who.hive.api.createAttachment({ path, body: { name: 'notes.txt', upload } });
    if (made % 3 === 1) await fetch(created.upload?.upload_url ?? '', { method: 'PUT', headers: created.upload?.headers ?? {}, body: bytes });
    return created.id;
  }
}
