import { randomFillSync } from 'node:crypto';

/**
 * UUIDv7 (RFC 9562): 48 bits of milliseconds, then a 12-bit counter (the RFC's method 1: a random start with its top
 * bit clear in each new millisecond, counted up within it), then 62 random bits. Ids of one process therefore sort in
 * the order they were made, also when the clock steps back: the last millisecond is kept until the clock passes it.
 */

const poolBytes = 4096;
const pool = Buffer.allocUnsafe(poolBytes);
let poolUsed = poolBytes;

let lastMs = 0;
let counter = 0;

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const hexOf = (byte: number | undefined): string => hex[(byte ?? 0) & 0xff] ?? '00';

/** A new UUIDv7 in lower case. About 0.3 µs: random bytes are drawn 4 KiB at a time. */
export function newId(nowMs: number = Date.now()): string {
  if (poolUsed + 10 > poolBytes) {
    randomFillSync(pool);
    poolUsed = 0;
  }
  const at = poolUsed;
  poolUsed += 10;
  if (nowMs > lastMs) {
    lastMs = nowMs;
    counter = pool.readUInt16BE(at) & 0x7ff;
  } else if (counter < 0xfff) {
    counter += 1;
  } else {
    // 4096 ids in one millisecond: borrow the next one, as the RFC allows.
    lastMs += 1;
    counter = pool.readUInt16BE(at) & 0x7ff;
  }
  const high = Math.floor(lastMs / 0x1_0000);
  const low = lastMs & 0xffff;
  return (
    `${hexOf(high >>> 24)}${hexOf(high >>> 16)}${hexOf(high >>> 8)}${hexOf(high)}-${hexOf(low >>> 8)}${hexOf(low)}-`
    + `${hexOf(0x70 | (counter >>> 8))}${hexOf(counter)}-`
    + `${hexOf(0x80 | ((pool[at + 2] ?? 0) & 0x3f))}${hexOf(pool[at + 3])}-`
    + `${hexOf(pool[at + 4])}${hexOf(pool[at + 5])}${hexOf(pool[at + 6])}${hexOf(pool[at + 7])}${hexOf(pool[at + 8])}${hexOf(pool[at + 9])}`
  );
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether a text is a UUID in the only form we write: lower case, with hyphens. */
export const isId = (text: string): boolean => uuid.test(text);

/** The millisecond a UUIDv7 was made in. */
export const idTimeMs = (id: string): number => parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
