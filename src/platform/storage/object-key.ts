/** The grammar of object keys and of the options that travel with them. What is outside never reaches a backend. */
import { StorageError } from './storage.ts';

/** S3's own bound on a key. */
const maxKeyBytes = 1024;
/** A file name may have 255 bytes on the usual file systems; fileStorage adds a suffix of 4. */
const maxSegmentBytes = 250;
/** C0, DEL, C1, line and paragraph separators. */
const controlCharacters = /[\p{Cc}\u2028\u2029]/u;
const sha256Hex = /^[0-9a-f]{64}$/;
const mediaType = /^[a-z0-9!#$&^_.+-]{1,127}\/[a-z0-9!#$&^_.+-]{1,127}(?:; ?[a-z0-9-]{1,40}=[a-zA-Z0-9"'()+_,./:?-]{1,100}){0,4}$/i;
const encodings: ReadonlySet<string> = new Set(['gzip', 'br', 'zstd', 'deflate']);

const bad = (what: string): never => {
  throw new StorageError('bad_key', what);
};

function checkSegments(segments: readonly string[]): void {
  for (const segment of segments) {
    if (segment === '' || segment === '.' || segment === '..') bad('a key has an empty, "." or ".." segment');
    if (Buffer.byteLength(segment) > maxSegmentBytes) bad(`a segment of a key is longer than ${maxSegmentBytes} bytes`);
  }
}

function checkText(text: string): void {
  if (Buffer.byteLength(text) > maxKeyBytes) bad(`a key is longer than ${maxKeyBytes} bytes`);
  if (!text.isWellFormed()) bad('a key is not well-formed Unicode');
  if (controlCharacters.test(text)) bad('a key has a control character');
  if (text.includes('\\')) bad('a key has a backslash');
}

/** Segments of 1–250 bytes divided by single slashes, 1,024 bytes in all; no `.`, `..`, backslash or control character. */
export function checkKey(key: string): string {
  checkText(key);
  checkSegments(key.split('/'));
  return key;
}

/** The empty prefix, or the beginning of a key (its last segment may be cut short or empty). */
export function checkPrefix(prefix: string): string {
  checkText(prefix);
  const segments = prefix.split('/');
  checkSegments(segments.slice(0, -1));
  if (segments.at(-1) === '..') bad('a prefix ends in ".."');
  return prefix;
}

/** A prefix that names a whole folder: what may be deleted by prefix. */
export function checkFolder(prefix: string): string {
  if (!prefix.endsWith('/')) bad('only a prefix that ends in "/" can be deleted');
  return checkPrefix(prefix);
}

export function checkContent(options: {
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly sizeBytes?: number;
  readonly sha256?: string;
  readonly maxBytes?: number;
}): void {
  if (options.contentType !== undefined && (options.contentType.length > 200 || !mediaType.test(options.contentType))) bad('the content type is not a media type');
  if (options.contentEncoding !== undefined && !encodings.has(options.contentEncoding)) bad('the content encoding is not known');
  if (options.sha256 !== undefined && !sha256Hex.test(options.sha256)) bad('the checksum is not 64 lower-case hex digits');
  for (const size of [options.sizeBytes, options.maxBytes]) {
    if (size !== undefined && !(Number.isSafeInteger(size) && size >= 0)) bad('a size is not a whole number of bytes');
  }
}

export function checkExpiry(expiresSeconds: number): void {
  if (!Number.isInteger(expiresSeconds) || expiresSeconds < 1 || expiresSeconds > 604_800) bad('a URL lives 1 second to 7 days');
}

export function checkLimit(limit: number): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) bad('a page has 1 to 1000 objects');
  return limit;
}

/** What of a file name fits a signed URL, encoded twice; of a longer one the extension stays. */
const nameLength = 150;
function shortened(name: string): string {
  if (name.length <= nameLength) return name.toWellFormed();
  const extension = /\.[^.]{1,15}$/.exec(name)?.[0] ?? '';
  return `${name.slice(0, nameLength - extension.length)}${extension}`.toWellFormed();
}

/** A file name for `Content-Disposition`, by RFC 6266 with the RFC 8187 form for what is not ASCII. */
export function attachment(name: string): string {
  const short = shortened(name);
  const plain = short.replaceAll(/[^\w.()@ +-]/g, '_');
  const encoded = encodeURIComponent(short).replaceAll(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

/** A key as the path of a URL: every segment encoded as AWS does it, slashes kept. */
export const encodeKey = (key: string): string =>
  key.split('/').map((segment) => encodeURIComponent(segment).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)).join('/');
