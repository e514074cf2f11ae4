/** The labels and tasks that a new project starts with. */
import type { Knex } from 'knex';
import type { TemplateLabel, TemplateTask } from '#generated/sdk/types.gen.ts';
import type { Database } from '#platform/database.ts';
import { newId } from '#platform/ids.ts';

const insertLabelsSql = `
  insert into task_labels (id, project_id, name, color)
  select id, $1, name, color from unnest($2::uuid[], $3::text[], $4::text[]) as l(id, name, color)`;

const insertTasksSql = `
  insert into tasks (id, project_id, title, description, created_by)
  select id, $1, title, description, $2 from jsonb_to_recordset($3::jsonb) as t(id uuid, title text, description text)`;

const insertLinksSql = `
  insert into task_label_links (task_id, label_id) select task_id, label_id from unnest($1::uuid[], $2::uuid[]) as k(task_id, label_id)`;

export interface Start {
  readonly labels: readonly TemplateLabel[];
  readonly tasks: readonly TemplateTask[];
}

export class StartingService {
  readonly #db: Pick<Database, 'namedIn'>;

  constructor(db: Pick<Database, 'namedIn'>) {
    this.#db = db;
  }

  /**
   * Fills a project that was made in this transaction, by whom. Three statements at most. No event for each task: nobody
   * has one of them to do, and whoever made the project is the only one there.
   */
  async fill(trx: Knex.Transaction, projectId: string, userId: string, { labels, tasks }: Start): Promise<void> {
    const ids = new Map(labels.map(({ name }) => [name, newId()]));
    if (ids.size > 0) {
      const colors = new Map(labels.map(({ name, color }) => [name, color]));
      await this.#db.namedIn(trx, 'labels.start', insertLabelsSql, [projectId, [...ids.values()], [...ids.keys()], [...colors.values()]]);
    }
    if (tasks.length === 0) return;
    // The newest is listed first: the first one of the template has the highest id.
    const made = tasks.map(() => newId()).sort().reverse().map((id, at) => ({ id, ...tasks[at] as TemplateTask }));
    await this.#db.namedIn(trx, 'tasks.start', insertTasksSql, [projectId, userId, JSON.stringify(made)]);
    const links = made.flatMap(({ id, labels: names }) => [...new Set(names)].flatMap((name) => {
      const labelId = ids.get(name);
      return labelId === undefined ? [] : [{ task: id, label: labelId }];
    }));
    if (links.length > 0) await this.#db.namedIn(trx, 'labels.link_start', insertLinksSql, [links.map(({ task }) => task), links.map(({ label }) => label)]);
  }
}
