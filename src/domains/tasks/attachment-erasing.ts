/** The end of attachments: their rows at once, what storage holds of them soon after, by a job. */
import type { Knex } from 'knex';
import type { Sweep } from '#jobs/scheduled.ts';
import { addSystemJob, type SystemJobKind } from '#jobs/system-jobs.ts';
import { mapBounded } from '#platform/concurrency.ts';
import { type Database, transact } from '#platform/database.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';
import { deleteAttachmentSql, deleteAttachmentsOfTaskSql, deleteForgottenSql } from './attachments-queries.ts';
import { arrivalOf } from './keys.ts';

/** What was deleted of an attachment: links have no key. */
interface Gone { readonly object_key: string | null; readonly is_writable: boolean }

const kindName = 'attachments.erase';
/** Objects of one job: a hundred attachments, each with what arrived for it. */
const keysAtOnce = 200;
const deletesAtOnce = 16;
/** After this the URL of an upload that began now writes no more. */
const urlMs = 65 * 60_000;
const forgottenAtOnce = 500;
/** About two days of a store that is away: nothing else would ever delete these objects but the end of their project. */
const maxAttempts = 50;

export class AttachmentErasing {
  readonly #db: Database;
  readonly #storage: ObjectStorage;

  constructor(db: Database, storage: ObjectStorage) {
    this.#db = db;
    this.#storage = storage;
  }

  /** Deletes one; undefined where it is gone already. */
  async remove(trx: Knex.Transaction, attachmentId: string): Promise<{ name: string } | undefined> {
    const [gone] = await this.#db.namedIn<Gone & { name: string }>(trx, 'attachments.delete', deleteAttachmentSql, [attachmentId]);
    if (gone !== undefined) await this.#erase(trx, [gone]);
    return gone;
  }

  /** Deletes all of a task. */
  async removeOf(trx: Knex.Transaction, taskId: string): Promise<void> {
    await this.#erase(trx, await this.#db.namedIn<Gone>(trx, 'attachments.delete_of_task', deleteAttachmentsOfTaskSql, [taskId]));
  }

  /**
   * Throws away what still arrives for a completed upload, once its URL writes no more. It is the same content: nothing
   * else is let through.
   */
  async eraseArrivals(trx: Knex.Transaction, key: string): Promise<void> {
    await addSystemJob(trx, { kind: kindName, payload: { keys: [key] }, delayMs: urlMs, maxAttempts });
  }

  /** The job that deletes objects, whether they are there or not. */
  get kind(): SystemJobKind {
    return {
      kind: kindName, timeoutMs: 5 * 60_000,
      run: async ({ keys }, { signal }) => {
        const all = Array.isArray(keys) ? keys.filter((key): key is string => typeof key === 'string') : [];
        await mapBounded(all, deletesAtOnce, async (key) => {
          signal.throwIfAborted();
          await this.#storage.delete(key);
        });
      },
    };
  }

  /** Uploads that nobody completed within a day. */
  get sweep(): Sweep {
    return { name: 'attachment_uploads', everySeconds: 1_800, run: (signal) => this.#sweep(signal) };
  }

  async #sweep(signal: AbortSignal): Promise<number> {
    for (let swept = 0; ;) {
      if (signal.aborted) return swept;
      const gone = await transact(this.#db, null, async (trx) => {
        const rows = await this.#db.namedIn<Gone>(trx, 'attachments.delete_forgotten', deleteForgottenSql, [forgottenAtOnce]);
        await this.#erase(trx, rows);
        return rows.length;
      });
      swept += gone;
      if (gone < forgottenAtOnce) return swept;
    }
  }

  /**
   * Asks for the deletion of what is stored. Where something may be stored yet it is asked for twice, now and when that
   * is over: what arrives meanwhile, or is being moved at this moment, would stay for ever.
   */
  async #erase(trx: Knex.Transaction, gone: readonly Gone[]): Promise<void> {
    await this.#ask(trx, gone, 0);
    await this.#ask(trx, gone.filter((one) => one.is_writable), urlMs);
  }

  async #ask(trx: Knex.Transaction, gone: readonly Gone[], delayMs: number): Promise<void> {
    const keys = gone.flatMap(({ object_key: key }) => (key === null ? [] : [key, arrivalOf(key)]));
    for (let start = 0; start < keys.length; start += keysAtOnce) {
      await addSystemJob(trx, { kind: kindName, payload: { keys: keys.slice(start, start + keysAtOnce) }, delayMs, maxAttempts });
    }
  }
}
