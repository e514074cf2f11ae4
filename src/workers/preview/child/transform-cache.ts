/**
 * Transform caches as packs: one file that holds an index and the values behind it. A pack is read and replaced as a
 * whole, so it can cross the wall as one frame, is never half written, and holds only what the last build used.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

/** A metro-cache store: `get` answers null for what it has not. */
export type CacheStore = {
  name: string;
  get(key: Buffer): unknown;
  set(key: Buffer, value: unknown): void;
  clear(): void;
};

type Index = Map<string, [offset: number, length: number]>;

const magic = 'HSP1';

export const encodePack = (entries: Iterable<[key: string, value: Buffer]>): Buffer => {
  const index: [string, number, number][] = [];
  const values: Buffer[] = [];
  let offset = 0;
  for (const [key, value] of entries) {
    index.push([key, offset, value.length]);
    values.push(value);
    offset += value.length;
  }
  const json = Buffer.from(JSON.stringify(index));
  const head = Buffer.alloc(8);
  head.write(magic, 0, 'latin1');
  head.writeUInt32BE(json.length, 4);
  return Buffer.concat([head, json, ...values]);
};

const parseIndex = (json: Buffer, base: number, size: number): Index => {
  const index: Index = new Map();
  const rows: unknown = JSON.parse(json.toString('utf8'));
  if (!Array.isArray(rows)) return index;
  for (const row of rows as unknown[]) {
    if (!Array.isArray(row)) continue;
    const [key, offset, length] = row as unknown[];
    if (typeof key !== 'string' || typeof offset !== 'number' || typeof length !== 'number') continue;
    if (offset < 0 || length < 0 || base + offset + length > size) continue;
    index.set(key, [base + offset, length]);
  }
  return index;
};

/** A pack in memory, or on disk behind a descriptor; what is damaged reads as empty. */
export class Pack {
  readonly index: Index;
  readonly #read: (offset: number, length: number) => Buffer;

  constructor(index: Index, read: (offset: number, length: number) => Buffer) {
    this.index = index;
    this.#read = read;
  }

  static ofBytes(bytes: Buffer): Pack {
    try {
      if (bytes.length >= 8 && bytes.toString('latin1', 0, 4) === magic) {
        const base = 8 + bytes.readUInt32BE(4);
        return new Pack(parseIndex(bytes.subarray(8, base), base, bytes.length), (offset, length) => bytes.subarray(offset, offset + length));
      }
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    return new Pack(new Map(), () => Buffer.alloc(0));
  }

  static ofFile(path: string, sizeBytes: number): Pack {
    const descriptor = openSync(path, 'r');
    const read = (offset: number, length: number): Buffer => {
      const bytes = Buffer.allocUnsafe(length);
      for (let at = 0; at < length; ) {
        const count = readSync(descriptor, bytes, at, length - at, offset + at);
        if (count === 0) throw new Error('the transform cache ends early');
        at += count;
      }
      return bytes;
    };
    const head = read(0, 8);
    if (head.toString('latin1', 0, 4) !== magic) {
      closeSync(descriptor);
      throw new Error('the transform cache is damaged');
    }
    const base = 8 + head.readUInt32BE(4);
    return new Pack(parseIndex(read(8, base - 8), base, sizeBytes), read);
  }

  get(key: string): Buffer | null {
    const place = this.index.get(key);
    return place === undefined ? null : this.#read(place[0], place[1]);
  }
}

/** The SDK's transforms: read only, the same for every tenant, since no project file can have such a key (it holds the path). */
export class SdkStore implements CacheStore {
  readonly name = 'sdk';
  readonly #packs: () => Pack[];
  /** Parsed once a process; a warm process has met most of them before its job arrives. */
  readonly #parsed = new Map<string, unknown>();
  hits = 0;

  constructor(packs: () => Pack[]) {
    this.#packs = packs;
  }

  get(key: Buffer): unknown {
    const name = key.toString('hex');
    const known = this.#parsed.get(name);
    if (known !== undefined) {
      this.hits += 1;
      return known;
    }
    for (const pack of this.#packs()) {
      const bytes = pack.get(name);
      if (bytes === null) continue;
      const value: unknown = JSON.parse(bytes.toString('utf8'));
      this.#parsed.set(name, value);
      this.hits += 1;
      return value;
    }
    return null;
  }

  set(): void {
    // Made once when the set is installed, never by a build.
  }

  clear(): void {
    // Nothing to clear: a build cannot change it.
  }
}

const isAsset = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null || !('output' in value) || !Array.isArray(value.output)) return false;
  const first: unknown = value.output[0];
  return typeof first === 'object' && first !== null && 'type' in first && first.type === 'js/module/asset';
};

/**
 * One project's transforms, or the ones being primed. Keys are folded with a salt (the inlined environment), because
 * Metro's key does not know of it. Under Metro's keys assets are left out: their result depends on sibling files (the scales) that
 * the key does not cover. They come under keys of their own (known-transforms.ts), and are not counted.
 */
export class RecordingStore implements CacheStore {
  readonly name = 'project';
  readonly #previous: Pack;
  readonly #salt: string;
  readonly #used = new Map<string, Buffer>();
  hits = 0;
  added = 0;
  #assetsAdded = 0;

  constructor(previous: Pack, salt: string) {
    this.#previous = previous;
    this.#salt = salt;
  }

  #key(key: Buffer): string {
    return this.#salt === '' ? key.toString('hex') : createHash('sha256').update(this.#salt).update(key).digest('hex');
  }

  get(key: Buffer): unknown {
    const value = this.#take(key);
    if (value !== null) this.hits += 1;
    return value;
  }

  asset(key: Buffer): unknown {
    return this.#take(key);
  }

  #take(key: Buffer): unknown {
    const name = this.#key(key);
    const bytes = this.#used.get(name) ?? this.#previous.get(name);
    if (bytes === null) return null;
    try {
      const value: unknown = JSON.parse(bytes.toString('utf8'));
      this.#used.set(name, bytes);
      return value;
    } catch (error) {
      if (error instanceof SyntaxError) return null;
      throw error;
    }
  }

  set(key: Buffer, value: unknown): void {
    if (isAsset(value)) return;
    this.#used.set(this.#key(key), Buffer.from(JSON.stringify(value)));
    this.added += 1;
  }

  keepAsset(key: Buffer, value: unknown): void {
    this.#used.set(this.#key(key), Buffer.from(JSON.stringify(value)));
    this.#assetsAdded += 1;
  }

  /** Whether the next pack holds what the one before did not. */
  get hasNew(): boolean {
    return this.added + this.#assetsAdded > 0;
  }

  clear(): void {
    this.#used.clear();
  }

  /** The next pack: what this build used, so that a project's cache is as large as the project and no larger. */
  encode(): Buffer {
    return encodePack(this.#used);
  }
}
