/** Which files a live bundle refers to, and which of them the worker has not had yet. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { assetFiles } from './assets.ts';
import type { MetroAsset } from './metro.ts';
import type { LiveAssetName, Platform } from './protocol.ts';

type Send = (type: string, header: Record<string, unknown>, body: Uint8Array) => void;

export class LiveAssets {
  readonly #platform: Platform;
  readonly #send: Send;
  /** `<path> <sha256>` of what needs no sending. */
  readonly #known: Set<string>;

  constructor(platform: Platform, known: readonly LiveAssetName[], send: Send) {
    this.#platform = platform;
    this.#send = send;
    this.#known = new Set(known.map(([path, sha256]) => `${path} ${sha256}`));
  }

  /** Sends what is new of these, then the list of all. Two scales may map to one name on Android: the first is it. */
  tell(assets: readonly MetroAsset[]): void {
    const names = new Map<string, string>();
    for (const { asset, file, path, scale } of assetFiles(assets, this.#platform)) {
      if (names.has(path)) continue;
      const bytes = readFileSync(file);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      names.set(path, sha256);
      const name = `${path} ${sha256}`;
      if (this.#known.has(name)) continue;
      this.#known.add(name);
      this.#send('asset', { path, hash: asset.hash, name: asset.name, extension: asset.type, scale }, bytes);
    }
    this.#send('assets', {}, Buffer.from(JSON.stringify([...names])));
  }
}
