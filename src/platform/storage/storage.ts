/**
 * Object storage as the services see it: one small interface, two backends (`file-storage.ts`, `s3-storage.ts`) that one
 * test suite holds to the same promises.
 *
 * Every call has a deadline of its own. Every failure is a `StorageError`; services answer it as STORAGE_ERROR
 * (or NOT_FOUND, PAYLOAD_TOO_LARGE where the kind says so).
 */
import type { Readable } from 'node:stream';

/**
 * - `not_found`: there is no object under the key.
 * - `unavailable`: the store did not answer in time, refused, or broke off; trying again later is sound.
 * - `too_large`: the content is longer than `maxBytes` or than the size announced.
 * - `checksum_mismatch`: the content is not what the caller said it would be (hash, or shorter than announced).
 * - `bad_range`: the range begins behind the end of the object.
 * - `bad_key`: the key, prefix or an option is outside the grammar; nothing was sent anywhere.
 */
export type StorageErrorKind = 'not_found' | 'unavailable' | 'too_large' | 'checksum_mismatch' | 'bad_range' | 'bad_key';

/** The one error of this folder. `message` is for the log: it may name the key, never a URL, header or secret. */
export class StorageError extends Error {
  readonly kind: StorageErrorKind;
  constructor(kind: StorageErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StorageError';
    this.kind = kind;
  }
}

export interface PutOptions {
  readonly contentType: string;
  /** `gzip`, `br`: how the bytes given are encoded; they are stored and served as they are. */
  readonly contentEncoding?: string;
  /** The exact length; another one is `too_large` or `checksum_mismatch`, and nothing is stored. */
  readonly sizeBytes?: number;
  /** Lower-case hex; other content is `checksum_mismatch`, and nothing is stored. */
  readonly sha256?: string;
  /** Bound of what is read from the body, always. */
  readonly maxBytes: number;
  /** Breaks the transfer off (the client went away); nothing is stored. */
  readonly signal?: AbortSignal;
}

/** What a copy is to be, whatever its source was stored as. */
export interface CopyAs {
  readonly contentType: string;
  readonly contentEncoding?: string;
  readonly sizeBytes: number;
  /** Lower-case hex. The source is taken only if the store itself knows it to have this hash. Absent: the caller knows. */
  readonly sha256?: string;
}

export interface StoredObject {
  readonly sizeBytes: number;
  /** Of the bytes stored, lower-case hex. */
  readonly sha256: string;
  /** Unquoted; changes whenever the content does. */
  readonly etag: string;
}

export interface ObjectHead {
  readonly sizeBytes: number;
  readonly contentType: string;
  readonly contentEncoding: string | null;
  /** Unquoted. */
  readonly etag: string;
  /** As the store checked it when it took the content in; null where the store did not keep it. */
  readonly sha256: string | null;
  /** Milliseconds since the epoch. */
  readonly modifiedAtMs: number;
}

/** Bytes `start` to `end`, both inclusive, as in HTTP; without `end` to the end of the object. */
export interface ByteRange {
  readonly start: number;
  readonly end?: number;
}

export interface ObjectContent extends Omit<ObjectHead, 'sha256' | 'sizeBytes'> {
  /**
   * Fails with a `StorageError` when the store stalls or breaks off: it never ends short in silence. The caller reads
   * it to its end or destroys it.
   */
  readonly stream: Readable;
  /** How many bytes the stream brings: the range's length, or the object's. */
  readonly sizeBytes: number;
  /** Length of the whole object. */
  readonly totalBytes: number;
}

export interface ListedObject {
  readonly key: string;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

export interface ListPage {
  /** In the order of the keys' UTF-8 bytes. */
  readonly objects: readonly ListedObject[];
  /** Hand it back as `after` for the next page; null on the last one. */
  readonly next: string | null;
}

export interface PresignGetOptions {
  /** 1 to 604,800 (seven days, S3's own bound). */
  readonly expiresSeconds: number;
  /** Served as an attachment of this name. */
  readonly downloadName?: string;
  /** In place of the type it was stored with. */
  readonly contentType?: string;
}

export interface PresignPutOptions {
  readonly expiresSeconds: number;
  /** Signed: an upload of another length is refused. */
  readonly sizeBytes: number;
  /** Lower-case hex; signed: an upload of other content is refused. */
  readonly sha256?: string;
  /** Signed. */
  readonly contentType: string;
  /** Signed. */
  readonly contentEncoding?: string;
}

export interface PresignedPut {
  readonly url: string;
  /** What the client must send beside the body, exactly so. Content-Length every client sends by itself. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface ObjectStorage {
  /**
   * Stores an object, replacing what was there; it becomes visible whole or not at all. Streams are read to their end
   * or destroyed. May be repeated.
   */
  put(key: string, body: Buffer | Readable, options: PutOptions): Promise<StoredObject>;
  /** Errors: `not_found`, `bad_range`. */
  get(key: string, options?: { readonly range?: ByteRange; readonly signal?: AbortSignal }): Promise<ObjectContent>;
  /** Errors: `not_found`. */
  head(key: string): Promise<ObjectHead>;
  /**
   * Copies content and metadata, replacing what was at `to`. With `as`, what lies at `to` is what a `put` with that type
   * and encoding would have made. Errors: `not_found`; `checksum_mismatch` where the source is not what `as` says.
   */
  copy(from: string, to: string, as?: CopyAs): Promise<void>;
  /** Like `copy` and `delete`; repeated after it was done, it succeeds (`from` gone and `to` there). Errors: `not_found`. */
  move(from: string, to: string): Promise<void>;
  /** An object that is not there is no error. */
  delete(key: string): Promise<void>;
  /**
   * Deletes what begins with `prefix` (which ends in `/`), at most `maxObjects` (default 10,000) in one call; while
   * `done` is false, call again. May be repeated.
   */
  deletePrefix(prefix: string, options?: { readonly maxObjects?: number }): Promise<{ readonly deleted: number; readonly done: boolean }>;
  /** One page of at most `limit` (1–1000, default 1000) objects whose keys begin with `prefix` and sort after `after`. */
  list(prefix: string, options?: { readonly limit?: number; readonly after?: string }): Promise<ListPage>;
  /** A URL that reads this object, and only this, until it expires. Never log it. */
  presignGet(key: string, options: PresignGetOptions): Promise<string>;
  /** A URL that writes exactly this content under this key until it expires, any number of times. Never log it. */
  presignPut(key: string, options: PresignPutOptions): Promise<PresignedPut>;
  /** Writes, reads back and deletes a small object: `unavailable` when any step fails. Concurrent calls share one run. */
  check(): Promise<void>;
  /** Gives back connections; no call may follow. */
  close(): void;
}

/** Every object below a prefix, page by page: bounded memory however many there are. */
export async function* eachObject(storage: ObjectStorage, prefix: string): AsyncGenerator<ListedObject> {
  let after: string | undefined;
  for (;;) {
    const page = await storage.list(prefix, after === undefined ? {} : { after });
    yield* page.objects;
    if (page.next === null) return;
    after = page.next;
  }
}
