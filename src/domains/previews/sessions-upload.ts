import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { PreviewSession } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import type { Logger } from '#platform/log.ts';
import { type ObjectStorage, StorageError, type StoredObject } from '#platform/storage/storage.ts';
import { audit } from '../audit/audit.ts';
import type { TierService } from '../tiers/service.ts';
import { sessionPrefix } from './keys.ts';
import { keepBundleSql, logBundleSql } from './sessions-queries.ts';
import { previewCaller } from './preview-caller.ts';
import type { PreviewSessionService, SessionRow } from './sessions-service.ts';

/** No bundle is larger, whatever the tier: the contract bounds the body by as much. */
const bundleBytes = 64 * 1024 * 1024;

export interface UploadDependencies {
  readonly db: Database;
  readonly storage: ObjectStorage;
  readonly tiers: TierService;
  readonly sessions: PreviewSessionService;
  readonly log: Logger;
}

/** Takes the one bundle of a session, straight from the wire to storage. */
export class PreviewUploadService {
  readonly #on: UploadDependencies;

  constructor(dependencies: UploadDependencies) {
    this.#on = dependencies;
  }

  /**
   * Stores the body while its size is counted, and makes it the session's in one transaction: once. The same bytes again
   * are answered like the first, others CONFLICT. What is refused or broken off leaves nothing.
   */
  async upload(call: Call, body: Readable | null): Promise<PreviewSession> {
    if (previewCaller(call).purpose !== 'upload') throw new ServiceError('FORBIDDEN', 'This token views, and nothing else. Upload with the upload token.');
    const session = await this.#on.sessions.read(call);
    if (body === null) throw empty();
    const allowed = Math.min(bundleBytes, (await this.#on.tiers.limitsOf(session.tier)).preview_source_bytes ?? bundleBytes);
    if (session.object_key !== null) {
      await requireSame(session, body);
      return this.#on.sessions.present(session);
    }
    const key = `${sessionPrefix(session.project_id, session.id)}${newId()}/bundle.js`;
    const stored = await this.#store(key, body, allowed, call.signal);
    const isKept = stored.sizeBytes > 0 && await this.#keep(call, session, key, stored);
    if (!isKept) await this.#discard(key);
    if (stored.sizeBytes === 0) throw empty();
    const now = await this.#on.sessions.read(call);
    // Another upload was the first.
    if (now.bundle_sha256 !== stored.sha256) throw taken();
    return this.#on.sessions.present(now);
  }

  async #store(key: string, body: Readable, maxBytes: number, signal: AbortSignal): Promise<StoredObject> {
    try {
      return await this.#on.storage.put(key, body, { contentType: 'application/javascript', maxBytes, signal });
    } catch (error) {
      // The body's own end: over the operation's bound, too slow, or the client gone.
      if (body.errored !== null && !(body.errored instanceof StorageError)) throw body.errored;
      if (error instanceof StorageError && error.kind === 'too_large') {
        throw new ServiceError('PAYLOAD_TOO_LARGE', `Your tier takes bundles of at most ${maxBytes} bytes.`, { details: { max_bytes: maxBytes } });
      }
      throw new ServiceError('STORAGE_ERROR', 'Object storage did not take the bundle. Try again.', { cause: error });
    }
  }

  async #keep(call: Call, session: SessionRow, key: string, stored: StoredObject): Promise<boolean> {
    try {
      return await transact(this.#on.db, null, async (trx) => {
        const [kept] = await this.#on.db.namedIn<{ id: string }>(trx, 'previews.keep_bundle', keepBundleSql, [session.id, key, stored.sizeBytes, stored.sha256]);
        if (kept === undefined) return false;
        await this.#on.db.namedIn(trx, 'previews.log_bundle', logBundleSql, [session.id, key, stored.sizeBytes]);
        await audit(trx, call, {
          event_type: 'preview_session.uploaded', entity_type: 'preview_session', entity_id: session.id, project_id: session.project_id,
          user_id: session.user_id, data: { size: stored.sizeBytes, sha256: stored.sha256 },
        });
        return true;
      });
    } catch (error) {
      await this.#discard(key);
      throw error;
    }
  }

  /** The clean-up of ended sessions finds what is left here. */
  async #discard(key: string): Promise<void> {
    try {
      await this.#on.storage.delete(key);
    } catch (error) {
      this.#on.log.warn('previews.upload_left', 'An upload that was not taken is left for the clean-up', { error });
    }
  }
}

/** Reads a second upload only to compare it: nothing of it is kept. */
async function requireSame({ bundle_size: size, bundle_sha256: sha256 }: SessionRow, body: Readable): Promise<void> {
  const hash = createHash('sha256');
  let read = 0;
  for await (const chunk of body) {
    read += (chunk as Buffer).length;
    if (read > (size ?? 0)) throw taken();
    hash.update(chunk as Buffer);
  }
  if (hash.digest('hex') !== sha256) throw taken();
}

const taken = (): ServiceError => new ServiceError('CONFLICT', 'This session has its bundle already, and it is another one. Open a new session.');
const empty = (): ServiceError => new ServiceError('VALIDATION_ERROR', 'There is no bundle in the body.', {
  details: [{ pointer: '#/body', message: 'must not be empty', rule: 'required' }],
});
