/** The files a live session's bundles refer to beyond what its preview holds: each content is kept once, and stored once. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobArtifact, LiveResultAsset } from '#generated/sdk/types.gen.ts';
import type { LiveAsset } from './live-build.ts';
import type { PackagedObject } from './packaging.ts';

export class LiveAssetStore {
  readonly #dir: string;
  /** `<path> <sha256>` of what the preview holds. */
  readonly #held: ReadonlySet<string>;
  readonly #sizes = new Map<string, number>();
  readonly #keys = new Map<string, string>();

  /** @param workDir the attempt's own folder */
  constructor(workDir: string, held: readonly LiveAsset[]) {
    this.#dir = join(workDir, 'live-assets');
    this.#held = new Set(held.map(nameOf));
  }

  /** Takes contents, by SHA-256: a process tells each once. */
  async take(contents: ReadonlyMap<string, Buffer>): Promise<void> {
    if (contents.size > 0) await mkdir(this.#dir, { recursive: true });
    for (const [sha256, bytes] of contents) {
      if (this.#sizes.has(sha256)) continue;
      await writeFile(join(this.#dir, sha256), bytes);
      this.#sizes.set(sha256, bytes.length);
    }
  }

  /** Why these cannot be stored, in words; null where they can. */
  refusal(needed: readonly LiveAsset[], most: { readonly files: number; readonly bytes: number }): string | null {
    const beyond = this.#beyond(needed);
    if (beyond.length > most.files) return `${beyond.length} files came since the preview that this session began with; ${most.files} are allowed. Request a new preview.`;
    const bytes = beyond.reduce((sum, { sha256 }) => sum + this.#sizeOf(sha256), 0);
    return bytes > most.bytes ? `The files that came since the preview have ${bytes} bytes; ${most.bytes} are allowed.` : null;
  }

  /** What of these is to be uploaded. Named by content: a file that moves is not stored again. */
  unstored(needed: readonly LiveAsset[]): PackagedObject[] {
    const fresh = new Set(this.#beyond(needed).map(({ sha256 }) => sha256).filter((sha256) => !this.#keys.has(sha256)));
    return [...fresh].map((sha256) => ({
      kind: 'asset', path: `assets/${sha256}`, encoding: 'identity', contentType: 'application/octet-stream', sha256, sizeBytes: this.#sizeOf(sha256), file: join(this.#dir, sha256),
    }));
  }

  note(stored: readonly JobArtifact[]): void {
    for (const { sha256, object_key: key } of stored) this.#keys.set(sha256, key);
  }

  /** These as a result names them, all stored by now. */
  named(needed: readonly LiveAsset[]): LiveResultAsset[] {
    return this.#beyond(needed).map(({ path, sha256 }) => {
      const key = this.#keys.get(sha256);
      if (key === undefined) throw new Error('an asset that was not stored');
      return { path, object_key: key, size: this.#sizeOf(sha256), sha256 };
    });
  }

  #beyond(needed: readonly LiveAsset[]): readonly LiveAsset[] {
    return needed.filter((asset) => !this.#held.has(nameOf(asset)));
  }

  #sizeOf(sha256: string): number {
    const size = this.#sizes.get(sha256);
    if (size === undefined) throw new Error('a build names an asset that it never sent');
    return size;
  }
}

const nameOf = ({ path, sha256 }: LiveAsset): string => `${path} ${sha256}`;
