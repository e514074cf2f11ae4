/** An entity tag as a header writes it. */
export interface EntityTag {
  readonly value: string;
  readonly isWeak: boolean;
}

const one = /^\s*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*$/;

/** One entity tag; null where the header holds none, or several. */
export function parseEntityTag(header: string): EntityTag | null {
  const match = one.exec(header);
  return match === null ? null : { value: match[2] ?? '', isWeak: match[1] !== undefined };
}

export const quoteEntityTag = (value: string): string => `"${value}"`;

/** Whether an If-None-Match names this version: any of its tags, weak or strong, or `*` (RFC 9110, 13.1.2). */
export function noneMatchHolds(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  return header.split(',').some((part) => parseEntityTag(part)?.value === etag);
}
