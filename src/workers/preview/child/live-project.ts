/** The files of a live session inside the sandbox: put in place as they change, and what that means for the build that follows. */
import { mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { forgetAssetFolders } from './asset-folders.ts';
import { addProjectFiles, removeProjectFile, type MetroServer } from './metro.ts';

/** A module's own text; anything else (an image and its scales, JSON that another resolution may prefer) is looked at anew. */
const moduleName = /\.(?:[cm]?[jt]s|[jt]sx|json)$/u;

export class LiveProject {
  readonly #server: MetroServer;
  readonly #src: string;
  readonly #paths = new Set<string>();

  constructor(server: MetroServer, src: string) {
    this.#server = server;
    this.#src = src;
  }

  /**
   * Writes and removes.
   *
   * @returns the modules whose text alone has changed, where nothing else did; null where imports may lead elsewhere now.
   */
  async change(written: ReadonlyMap<string, Buffer>, removed: readonly string[]): Promise<string[] | null> {
    forgetAssetFolders();
    const isText = removed.length === 0 && [...written.keys()].every((path) => this.#paths.has(path) && moduleName.test(path));
    for (const path of removed) {
      if (!this.#paths.delete(path)) continue;
      rmSync(this.#placeOf(path));
      this.#prune(dirname(path));
      await removeProjectFile(this.#server, path);
    }
    for (const [path, bytes] of written) {
      const place = this.#placeOf(path);
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, bytes);
      this.#paths.add(path);
    }
    await addProjectFiles(this.#server, this.#src, written);
    return isText ? [...written.keys()] : null;
  }

  /** A folder that is empty now may become a file. */
  #prune(folder: string): void {
    for (let at = folder; at !== '.'; at = dirname(at)) {
      try {
        rmdirSync(join(this.#src, at));
      } catch {
        return;
      }
    }
  }

  #placeOf(path: string): string {
    const place = join(this.#src, path);
    if (!place.startsWith(`${this.#src}/`)) throw new Error('a source outside the project');
    return place;
  }
}
