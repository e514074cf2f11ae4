import type { Knex } from 'knex';
import type { ProjectSettingsUpdate, ProjectTemplate, ProjectTemplatePage } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { countBound, type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import { requireSelf } from '../policy.ts';
import { readSettings } from './settings.ts';
import { countTemplatesSql, listTemplatesSql, takeTemplateSql } from './templates-queries.ts';

/** Settings as they are stored: what a template leaves out is the default. */
export interface StoredTemplate extends Omit<ProjectTemplate, 'settings'> { readonly settings: ProjectSettingsUpdate }
interface ListedTemplate extends StoredTemplate { readonly position: number }

const isKey = (text: string): boolean => /^-?\d{1,9}$/.test(text);

/** What new projects may start with. */
export class ProjectTemplateService {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** In the operators' order. Two statements under an offset, one under a cursor. */
  async list(call: Call, query: PageQuery): Promise<ProjectTemplatePage> {
    requireSelf(call);
    const filters = { templates: true };
    const after = readCursor(query, filters, isKey);
    const rows = await this.#db.named<ListedTemplate>('projects.templates', listTemplatesSql, [
      after === null ? null : Number(after.at), after?.id ?? null, query.limit + 1, after === null ? (query.offset ?? 0) : 0,
    ]);
    const [counted] = after === null ? await this.#db.named<{ total: number }>('projects.count_templates', countTemplatesSql, []) : [];
    const total = counted === undefined ? null : Math.min(counted.total, countBound + 1);
    const { items, page } = pageOf(rows, query, filters, total, ({ position, id }) => ({ at: String(position), id }));
    return { items: items.map(({ position: _position, settings, ...shown }) => ({ ...shown, settings: readSettings(settings) })), page };
  }

  /** The template that a new project asks for, kept until the commit; VALIDATION_ERROR where there is none to be had. */
  async take(trx: Knex.Transaction, templateId: string): Promise<StoredTemplate> {
    const [template] = await this.#db.namedIn<StoredTemplate>(trx, 'projects.take_template', takeTemplateSql, [templateId]);
    if (template !== undefined) return template;
    throw new ServiceError('VALIDATION_ERROR', 'There is no such template. listProjectTemplates names those that there are.', {
      details: [{ pointer: '#/body/template_id', message: 'is not a template', rule: 'template' }],
    });
  }
}
