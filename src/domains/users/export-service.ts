/** Copies of everything an account holds, made by a job and kept for a week. */
import type { Knex } from 'knex';
import type { DataExport } from '#generated/sdk/types.gen.ts';
import { emit } from '#jobs/outbox.ts';
import type { Sweep } from '#jobs/scheduled.ts';
import { addSystemJob, GivenUp, type SystemJobKind } from '#jobs/system-jobs.ts';
import type { Call } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import { type ObjectStorage, StorageError } from '#platform/storage/storage.ts';
import { audit } from '../audit/audit.ts';
import { type ErasureStage, eraseRows, type ExportFiles, type ExportSection, untilNoneIsLeft } from '../personal-data.ts';
import { requireRecentSignIn, requireSelf } from '../policy.ts';
import { type ArchiveBounds, ExportArchive, usualBounds } from './export-archive.ts';
import {
  beginExportSql, cancelExportSql, dropExportSql, endExportSql, expiredExportsSql, type ExportRow, exportSql, failExportSql, forgetArchiveSql,
  loseExportsSql, newExportSql, oldExportsSql, openExportSql,
} from './export-queries.ts';

export interface ExportDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly storage: ObjectStorage;
  readonly sections: readonly ExportSection[];
  readonly files: readonly ExportFiles[];
  readonly bounds?: ArchiveBounds;
}

const kindName = 'accounts.export';
/** What storage gives one body from its first byte to its last. */
const timeoutMs = 15 * 60_000;
/** Below what an S3 store takes in one request. */
const maxArchiveBytes = 4 * 1024 ** 3;
const linkSeconds = 600;

const archivesOf = (userId: string): string => `exports/${userId}/`;
/** Each try has a key of its own: one that was taken for lost must not change what a later one stored. */
const archivesOfExport = (userId: string, exportId: string): string => `${archivesOf(userId)}${exportId}/`;

export class DataExportService {
  readonly #on: ExportDependencies;

  constructor(dependencies: ExportDependencies) {
    this.#on = dependencies;
  }

  /** Asks for one; CONFLICT names the one that is under way. */
  async request(call: Call): Promise<DataExport> {
    const userId = requireRecentSignIn(call, this.#on.clock.now());
    return transact(this.#on.db, call, async (trx) => {
      const row = await this.#begin(trx, userId);
      await addSystemJob(trx, { kind: kindName, payload: { export_id: row.id }, maxAttempts: 5 });
      await audit(trx, call, { event_type: 'user.export_requested', entity_type: 'data_export', entity_id: row.id });
      return present(row, null);
    });
  }

  /** How far it is; GONE once its archive has expired. */
  async get(call: Call, exportId: string): Promise<DataExport> {
    const userId = requireSelf(call);
    const [row] = await this.#on.db.named<ExportRow>('exports.get', exportSql, [exportId, userId]);
    if (row === undefined) throw notFound();
    if (row.status !== 'succeeded') return present(row, null);
    if (row.object_key === null || row.expires_at === null || Date.parse(row.expires_at) <= this.#on.clock.now()) {
      throw new ServiceError('GONE', 'This export has expired. Ask for a new one.');
    }
    try {
      const url = await this.#on.storage.presignGet(row.object_key, { expiresSeconds: linkSeconds, downloadName: `hivesync-${row.created_at.slice(0, 10)}.zip` });
      return present(row, url);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      throw new ServiceError('SERVICE_UNAVAILABLE', 'Object storage did not answer. Try again.', { cause: error, retryAfterSeconds: 5 });
    }
  }

  get kind(): SystemJobKind {
    return {
      kind: kindName,
      timeoutMs,
      run: ({ export_id: exportId }, { signal }) => this.#make(String(exportId), signal),
      givenUp: async (trx, { export_id: exportId }) => {
        await this.#on.db.namedIn(trx, 'exports.fail', failExportSql, [String(exportId)]);
      },
    };
  }

  /** Archives whose week is over, rows of a month ago, and exports whose job was lost. */
  get sweep(): Sweep {
    return { name: 'data_exports', everySeconds: 3_600, run: (signal) => this.#sweep(signal) };
  }

  get erasure(): ErasureStage {
    return {
      name: 'data_exports',
      run: async (userId, signal) => {
        const objects = await untilNoneIsLeft(signal, async () => (await this.#on.storage.deletePrefix(archivesOf(userId), { maxObjects: 1_000 })).deleted);
        return objects + await eraseRows(this.#on.db, 'data_exports', 'user_id = $1', userId, signal);
      },
    };
  }

  async #begin(trx: Knex.Transaction, userId: string): Promise<ExportRow> {
    // One that was in the way may have ended by the time it is looked at.
    for (;;) {
      const [row] = await this.#on.db.namedIn<ExportRow>(trx, 'exports.new', newExportSql, [newId(), userId]);
      if (row !== undefined) return row;
      const [open] = await this.#on.db.namedIn<{ id: string }>(trx, 'exports.open', openExportSql, [userId]);
      if (open !== undefined) throw new ServiceError('CONFLICT', 'An export is under way. Wait until it is ready.', { details: { export_id: open.id } });
    }
  }

  async #make(exportId: string, signal: AbortSignal): Promise<void> {
    const { db, clock, storage, sections, files, bounds = usualBounds } = this.#on;
    const [begun] = await db.named<{ user_id: string; attempt: number; is_deleted: boolean }>('exports.begin', beginExportSql, [exportId]);
    if (begun === undefined) return;
    const { user_id: userId, attempt } = begun;
    if (begun.is_deleted) {
      await db.named('exports.cancel', cancelExportSql, [exportId]);
      return;
    }
    const place = archivesOfExport(userId, exportId);
    // What a try before left when it was cut off.
    await storage.deletePrefix(place);
    const key = `${place}${attempt}.zip`;
    const stored = await this.#store(key, new ExportArchive(new Date(clock.now()), bounds), (archive, until) => archive.write(userId, sections, files, until), signal);
    const isOurs = await transact(db, null, async (trx) => {
      const ended = await db.namedIn(trx, 'exports.end', endExportSql, [exportId, attempt, key, stored.sizeBytes, stored.sha256]);
      if (ended.length === 0) return false;
      await audit(trx, null, { event_type: 'user.export_made', entity_type: 'data_export', entity_id: exportId, data: { user_id: userId, size: stored.sizeBytes } });
      await emit(trx, { type: 'account.export_ready', entityId: exportId, userId, data: { export_id: exportId } });
      return true;
    });
    if (!isOurs) await storage.delete(key);
  }

  /** Writes and stores side by side; whichever fails ends the other. */
  async #store(
    key: string, archive: ExportArchive, write: (archive: ExportArchive, until: AbortSignal) => Promise<void>, signal: AbortSignal,
  ): Promise<{ sizeBytes: number; sha256: string }> {
    const stopping = new AbortController();
    let first: { readonly error: unknown } | null = null;
    const failed = (error: unknown): void => {
      first ??= { error };
      stopping.abort(error);
    };
    const storing = this.#on.storage.put(key, archive.stream, { contentType: 'application/zip', maxBytes: maxArchiveBytes, signal });
    const writing = write(archive, AbortSignal.any([signal, stopping.signal]));
    storing.catch(failed);
    writing.catch(failed);
    const [stored] = await Promise.allSettled([storing, writing]);
    const failure = first as { readonly error: unknown } | null;
    if (failure === null && stored.status === 'fulfilled') return stored.value;
    if (stored.status === 'fulfilled') await this.#on.storage.delete(key);
    if (failure?.error instanceof StorageError && failure.error.kind === 'too_large') throw new GivenUp('The archive is larger than one object may be.', { cause: failure.error });
    throw failure?.error;
  }

  async #sweep(signal: AbortSignal): Promise<number> {
    const { db, storage } = this.#on;
    let swept = 0;
    for (let isMore = true; isMore && !signal.aborted;) {
      const expired = await db.named<{ id: string; user_id: string }>('exports.expired', expiredExportsSql, []);
      for (const { id, user_id: userId } of expired) {
        if (signal.aborted) return swept;
        await storage.deletePrefix(archivesOfExport(userId, id));
        await db.named('exports.forget_archive', forgetArchiveSql, [id]);
        swept += 1;
      }
      isMore = expired.length > 0;
    }
    for (const { id, user_id: userId } of await db.named<{ id: string; user_id: string }>('exports.old', oldExportsSql, [])) {
      // A try that was cut off at its very end may have left something.
      await storage.deletePrefix(archivesOfExport(userId, id));
      await db.named('exports.drop', dropExportSql, [id]);
      swept += 1;
    }
    return swept + (await db.named('exports.lose', loseExportsSql, [])).length;
  }
}

function present(row: ExportRow, url: string | null): DataExport {
  return {
    id: row.id, status: row.status, size: row.size, sha256: row.sha256, download_url: url,
    created_at: row.created_at, completed_at: row.completed_at, expires_at: row.expires_at,
  };
}
