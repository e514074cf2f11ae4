/** Versions of a project, and what became of it for the audit. Pure. */
import { createHash } from 'node:crypto';
import type { Project } from '#generated/sdk/types.gen.ts';

/** What is told of a change in old and new values; of descriptions and metadata only that they changed: they may be long, and are the clients' own. */
export interface ChangedRow {
  readonly row_version: number;
  readonly name: string;
  readonly archived_at: string | null;
  readonly deleted_at: string | null;
}
const toldFields = ['name', 'archived_at'] as const;

/** The row's version, and a digest of what differs from caller to caller (role, favourite, tags). */
export function etagOf(version: number, project: Project): string {
  const own = JSON.stringify([project.role, project.is_favorite, project.tags]);
  return `${version}-${createHash('sha256').update(own).digest('base64url').slice(0, 8)}`;
}

/** A change is judged by the row alone: somebody's new favourite is no lost update. -1 matches no row. */
export function versionOf(etag: string): number {
  const version = Number(etag.split('-', 1)[0]);
  return Number.isSafeInteger(version) ? version : -1;
}

/** Old and new values for the audit, of those fields that were written. */
export function valuesOf(written: readonly string[], before: ChangedRow | undefined, after: ChangedRow): Record<string, unknown> {
  const told = toldFields.filter((field) => written.includes(field));
  const valuesIn = (row: ChangedRow | undefined): Record<string, unknown> => Object.fromEntries(told.map((field) => [field, row?.[field] ?? null]));
  return told.length === 0 ? {} : { from: valuesIn(before), to: valuesIn(after) };
}
