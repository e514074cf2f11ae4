/** What happens in a live session, and how it is handed to whoever follows it. */
import type { LiveRevision, LiveSession } from '#generated/sdk/types.gen.ts';
import type { HiveSyncError } from '../errors.ts';

export type LiveUpdate =
  /** A revision as the session's stream tells of it: `building`, then `ready` (with `bundle_url`), `failed` (with `error`: file, line, code frame) or `superseded`. */
  | { readonly kind: 'revision'; readonly revision: LiveRevision }
  /** A ready revision again, now with its source map. */
  | { readonly kind: 'source_map'; readonly revision: LiveRevision }
  /** What changed in the folder was sent, and became this revision. */
  | { readonly kind: 'pushed'; readonly revision: number; readonly written: readonly string[]; readonly removed: readonly string[] }
  /** The folder as it is now is not taken: too large for the tier, without its entry file, or not to be read. The next change is tried anew. */
  | { readonly kind: 'refused'; readonly error: HiveSyncError }
  /** A limit, a conflict or a lost connection: tried again by itself. */
  | { readonly kind: 'waiting'; readonly of: 'push' | 'events'; readonly error: HiveSyncError; readonly retryInMs: number }
  /** The session is over: by `close`, after ten minutes without a change, or with its preview, project or account. Null where it was not told. */
  | { readonly kind: 'ended'; readonly session: LiveSession | null };

/** Somebody who does not read holds no more than the newest of them. */
const mostUnread = 1_000;

interface Reader { readonly unread: LiveUpdate[]; wake: () => void }

/** Updates for any number of readers, each of whom has all of them from when they began. */
export class LiveUpdates {
  readonly #readers = new Set<Reader>();
  readonly #onUpdate: ((update: LiveUpdate) => void) | undefined;
  #newest: LiveUpdate | null = null;
  #end: { readonly error: Error | null } | null = null;

  constructor(onUpdate?: (update: LiveUpdate) => void) {
    this.#onUpdate = onUpdate;
  }

  tell(update: LiveUpdate): void {
    if (this.#end !== null) return;
    if (update.kind === 'revision') this.#newest = update;
    for (const { unread, wake } of this.#readers) {
      unread.push(update);
      if (unread.length > mostUnread) unread.shift();
      wake();
    }
    this.#onUpdate?.(update);
  }

  /** Readers come to their end once they have read what was told; with the error, where there is one. */
  end(error: Error | null): void {
    this.#end ??= { error };
    for (const { wake } of this.#readers) wake();
  }

  /** Begins with the newest revision, where one was told of. */
  async *read(): AsyncGenerator<LiveUpdate, void, undefined> {
    const reader: Reader = { unread: this.#newest === null ? [] : [this.#newest], wake: () => undefined };
    this.#readers.add(reader);
    try {
      for (;;) {
        for (let update = reader.unread.shift(); update !== undefined; update = reader.unread.shift()) yield update;
        if (this.#end !== null) {
          if (this.#end.error !== null) throw this.#end.error;
          return;
        }
        await new Promise<void>((resolve) => { reader.wake = resolve; });
      }
    } finally {
      this.#readers.delete(reader);
    }
  }
}
