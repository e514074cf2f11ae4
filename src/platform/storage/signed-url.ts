/**
 * Signed URLs of the file storage: an HMAC over everything that an upload or a download may vary, so that a URL is
 * good for one method, one key, one content, until one time.
 *
 *     <base>/<key>?expires=<seconds>[&name=][&type=][&length=][&sha256=][&encoding=]&signature=<hex>
 */
import { timingSafeEqual, type KeyObject } from 'node:crypto';
import type { Clock } from '#platform/clock.ts';
import { hmacSha256 } from '#platform/crypto.ts';
import { checkContent, checkExpiry, checkKey, encodeKey } from './object-key.ts';
import { StorageError, type PresignedPut, type PresignGetOptions, type PresignPutOptions } from './storage.ts';

/** What a good signature grants. */
export type Grant =
  | { readonly method: 'GET'; readonly key: string; readonly contentType: string | null; readonly downloadName: string | null }
  | {
    readonly method: 'PUT';
    readonly key: string;
    readonly sizeBytes: number;
    readonly sha256: string | null;
    readonly contentType: string;
    readonly contentEncoding: string | null;
  };

const fields = ['expires', 'name', 'type', 'length', 'sha256', 'encoding'] as const;
type Field = (typeof fields)[number];
type Fields = Partial<Record<Field, string>>;

export class UrlSigner {
  readonly #key: KeyObject;
  readonly #baseUrl: string;
  readonly #clock: Clock;

  /** @param key derived for this purpose alone, so that a URL's signature is of no use anywhere else */
  constructor(baseUrl: string, key: KeyObject, clock: Clock) {
    this.#key = key;
    this.#baseUrl = baseUrl.replace(/\/+$/, '');
    this.#clock = clock;
  }

  presignGet(key: string, options: PresignGetOptions): string {
    checkKey(key);
    checkContent(options.contentType === undefined ? {} : { contentType: options.contentType });
    return this.#url('GET', key, {
      expires: this.#expires(options.expiresSeconds),
      ...(options.downloadName === undefined ? {} : { name: options.downloadName.toWellFormed() }),
      ...(options.contentType === undefined ? {} : { type: options.contentType }),
    });
  }

  presignPut(key: string, options: PresignPutOptions): PresignedPut {
    checkKey(key);
    checkContent(options);
    const encoding = options.contentEncoding;
    return {
      url: this.#url('PUT', key, {
        expires: this.#expires(options.expiresSeconds),
        length: String(options.sizeBytes),
        type: options.contentType,
        ...(options.sha256 === undefined ? {} : { sha256: options.sha256 }),
        ...(encoding === undefined ? {} : { encoding }),
      }),
      headers: { 'content-type': options.contentType, ...(encoding === undefined ? {} : { 'content-encoding': encoding }) },
    };
  }

  /**
   * The grant of a URL, or null: unknown, tampered with and expired are not told apart.
   * @param target path and query below the mount, as they came: `/<key>?…`
   */
  verify(method: 'GET' | 'PUT', target: string): Grant | null {
    const parsed = parseTarget(target);
    if (parsed === null) return null;
    const { key, values, signature } = parsed;
    const expected = this.#sign(method, key, values);
    if (!timingSafeEqual(expected, signature)) return null;
    // Only after the signature: what follows was written by us.
    if (Number(values.expires) * 1000 <= this.#clock.now()) return null;
    if (method === 'GET') {
      return { method, key, contentType: values.type ?? null, downloadName: values.name ?? null };
    }
    if (values.type === undefined || values.length === undefined) return null;
    return {
      method,
      key,
      sizeBytes: Number(values.length),
      sha256: values.sha256 ?? null,
      contentType: values.type,
      contentEncoding: values.encoding ?? null,
    };
  }

  #expires(expiresSeconds: number): string {
    checkExpiry(expiresSeconds);
    return String(Math.floor(this.#clock.now() / 1000) + expiresSeconds);
  }

  #url(method: 'GET' | 'PUT', key: string, values: Fields): string {
    const query = new URLSearchParams(values);
    query.set('signature', this.#sign(method, key, values).toString('hex'));
    return `${this.#baseUrl}/${encodeKey(key)}?${query.toString()}`;
  }

  #sign(method: 'GET' | 'PUT', key: string, values: Fields): Buffer {
    // JSON of an array is unambiguous: no value can run into its neighbour, and absent differs from empty.
    const text = JSON.stringify([method, key, ...fields.map((field) => values[field] ?? null)]);
    return hmacSha256(this.#key, text);
  }
}

function parseTarget(target: string): { key: string; values: Fields; signature: Buffer } | null {
  const mark = target.indexOf('?');
  if (mark < 1) return null;
  const query = new URLSearchParams(target.slice(mark + 1));
  const values: Fields = {};
  for (const [name, value] of query) {
    const field = fields.find((known) => known === name);
    if (field !== undefined) {
      if (values[field] !== undefined) return null;
      values[field] = value;
    } else if (name !== 'signature') return null;
  }
  const signatures = query.getAll('signature');
  if (signatures.length !== 1 || !/^[0-9a-f]{64}$/.test(signatures[0] ?? '')) return null;
  try {
    const key = checkKey(decodeURIComponent(target.slice(1, mark)));
    return { key, values, signature: Buffer.from(signatures[0] ?? '', 'hex') };
  } catch (error) {
    if (error instanceof URIError || error instanceof StorageError) return null;
    throw error;
  }
}
