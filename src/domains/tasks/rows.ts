import { createHash } from 'node:crypto';
import type { Task } from '#generated/sdk/types.gen.ts';
import { ServiceError } from '#platform/errors.ts';

/** A task as it is read, with its version beside what the contract shows. */
export interface TaskRow extends Task { readonly row_version: number }

/** What of it stands in its own row. */
export type StoredTask = Omit<TaskRow, 'labels' | 'is_blocked'>;

/** An entity with its strong validator. */
export interface Versioned<T> { readonly entity: T; readonly etag: string }

/** The row's version, and a digest of what is shown with it and stands in other rows: labels by name and color, and whether it is blocked. */
export function taskEtag({ row_version: version, labels, is_blocked: isBlocked }: TaskRow): string {
  const around = JSON.stringify([labels.map(({ id, name, color }) => [id, name, color]), isBlocked]);
  return `${version}-${createHash('sha256').update(around).digest('base64url').slice(0, 8)}`;
}

export const versionedTask = (entity: TaskRow): Versioned<TaskRow> => ({ entity, etag: taskEtag(entity) });

/**
 * Refuses a change under an If-Match that names another version. A task is judged by its row alone, which a label put on
 * or taken off moves too; that a label was renamed, or a task it waits for finished, is no change that could be lost.
 */
export function requireVersion(ifMatch: string | null, version: number): void {
  if (ifMatch === null || ifMatch.split('-', 1)[0] === String(version)) return;
  throw new ServiceError('PRECONDITION_FAILED', 'Somebody changed this since you read it. Read it again.');
}
