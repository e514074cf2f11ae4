/** Byte ranges, held against the length of what is there. */
import { StorageError, type ByteRange } from './storage.ts';

export interface ResolvedRange {
  readonly start: number;
  /** Inclusive; `start - 1` when there are no bytes. */
  readonly end: number;
  readonly sizeBytes: number;
}

/** @throws StorageError `bad_range` when it begins behind the end of the object */
export function resolveRange(range: ByteRange | undefined, totalBytes: number): ResolvedRange {
  if (range === undefined) return { start: 0, end: totalBytes - 1, sizeBytes: totalBytes };
  const end = Math.min(range.end ?? totalBytes - 1, totalBytes - 1);
  const sound = Number.isSafeInteger(range.start) && range.start >= 0 && Number.isSafeInteger(range.end ?? 0);
  if (!sound || range.start >= totalBytes || end < range.start) {
    throw new StorageError('bad_range', `an object of ${totalBytes} bytes has no such range`);
  }
  return { start: range.start, end, sizeBytes: end - range.start + 1 };
}

/**
 * One `Range` header by RFC 9110. Several ranges, other units and nonsense are ignored, as the RFC allows, and the
 * whole object is served.
 */
export function parseRange(header: string | undefined, totalBytes: number): ByteRange | null {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  if (match === null) return null;
  const [first, last] = [match[1] ?? '', match[2] ?? ''];
  if (first === '') {
    if (last === '') return null;
    // "The last n bytes"; none at all is a range that begins behind the end.
    const count = Number(last);
    return count === 0 ? { start: totalBytes } : { start: Math.max(0, totalBytes - count) };
  }
  if (last === '') return { start: Number(first) };
  return Number(last) < Number(first) ? null : { start: Number(first), end: Number(last) };
}
