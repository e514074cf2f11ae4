/** Writes what a build process sends into the output folder. The process names nothing here that is not checked. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256Hex } from '#platform/crypto.ts';
import { checkSourcePath } from '#platform/source-paths.ts';
import { plainText } from './build-frames.ts';
import type { AssetHeader } from './child/protocol.ts';

export type OutputKind = 'bundle' | 'source_map' | 'asset' | 'metadata' | 'log';

export type OutputFile = {
  kind: OutputKind;
  /** Relative to the output folder. */
  path: string;
  sizeBytes: number;
  /** Hex. */
  sha256: string;
  /** Assets only: how the bundle knows it. */
  asset?: { hash: string; name: string; extension: string; scale: number };
};

const isPlain = (text: string, pattern: RegExp): boolean => text.length <= 255 && pattern.test(text);

/**
 * Below `assets/`, and nowhere else. SDK packages lie below `node_modules`, which the rule for sources refuses by name. Lengths
 * are counted in NFC, and a path is written as it comes.
 */
export const isAssetPath = (path: string): boolean =>
  path.startsWith('assets/') && path.normalize('NFC') === path && checkSourcePath(path.replaceAll('node_modules/', 'modules/')) === null;

/** The header of an asset as the build process sent it, or null where it is not what our own builder sends. */
export const readAssetHeader = (header: Record<string, unknown>): AssetHeader | null => {
  const { path, hash, name, extension, scale } = header;
  if (typeof path !== 'string' || typeof hash !== 'string' || typeof name !== 'string' || typeof extension !== 'string') return null;
  if (typeof scale !== 'number' || !Number.isFinite(scale) || scale < 0) return null;
  if (!isAssetPath(path)) return null;
  if (!isPlain(hash, /^[0-9a-f]{32}$/u) || !isPlain(extension, /^[A-Za-z0-9]+$/u)) return null;
  return { type: 'asset', path, hash, name: plainText(name.slice(0, 255)), extension, scale };
};

/** `assets` and `assets/a` for `assets/a/b.png`. */
const foldersAbove = (path: string): string[] => {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
};

/**
 * Up to this size a file is written at once and in place: 0.06 ms each (measured). By the thread pool, which compresses the bundle
 * then, an app's dozens of small assets took 40 ms.
 */
const smallBytes = 64 * 1024;
/** Of the others. */
const writersAtOnce = 8;

export class BuildOutput {
  readonly #outDir: string;
  readonly #onFile: (file: OutputFile, bytes: Uint8Array) => void;
  readonly #writes: Promise<OutputFile>[] = [];
  #files: readonly OutputFile[] = [];
  readonly #taken = new Set<string>();
  readonly #folders = new Set<string>();
  readonly #made = new Set<string>();
  readonly #large: Promise<OutputFile>[] = [];

  /** @param onFile told of each file when it comes: it is not on disk yet */
  constructor(outDir: string, onFile: (file: OutputFile, bytes: Uint8Array) => void = () => undefined) {
    this.#outDir = outDir;
    this.#onFile = onFile;
  }

  /** In the order they were added; whole after `settled`. */
  get files(): readonly OutputFile[] {
    return this.#files;
  }

  /** How many files were taken. */
  get count(): number {
    return this.#taken.size;
  }

  has(path: string): boolean {
    return this.#taken.has(path);
  }

  /** Queues one file; a second of the same path is dropped (two scales may map to one name on Android), and one that is a folder, or in one that is a file. */
  add(kind: OutputKind, path: string, bytes: Uint8Array, asset?: OutputFile['asset']): void {
    const above = foldersAbove(path);
    if (this.#taken.has(path) || this.#folders.has(path) || above.some((folder) => this.#taken.has(folder))) return;
    this.#taken.add(path);
    for (const folder of above) this.#folders.add(folder);
    const sha256 = sha256Hex(bytes);
    const file = { kind, path, sizeBytes: bytes.byteLength, sha256, ...(asset === undefined ? {} : { asset }) };
    this.#onFile(file, bytes);
    const before = this.#large.at(-writersAtOnce);
    const write = (async (): Promise<OutputFile> => {
      if (bytes.byteLength <= smallBytes) {
        this.#write(path, bytes);
        return file;
      }
      await before;
      const target = join(this.#outDir, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, bytes, { flag: 'wx', mode: 0o644 });
      return file;
    })();
    // Told by `settled`; unhandled otherwise while the build still runs.
    write.catch(() => undefined);
    if (bytes.byteLength > smallBytes) this.#large.push(write);
    this.#writes.push(write);
  }

  #write(path: string, bytes: Uint8Array): void {
    const target = join(this.#outDir, path);
    const folder = dirname(target);
    if (!this.#made.has(folder)) mkdirSync(folder, { recursive: true });
    this.#made.add(folder);
    writeFileSync(target, bytes, { flag: 'wx', mode: 0o644 });
  }

  /** Resolves when everything that was added is on disk. */
  async settled(): Promise<void> {
    this.#files = await Promise.all(this.#writes);
  }
}
