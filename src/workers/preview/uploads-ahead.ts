/** The large files of a build, sent from the moment they are there: what follows (assets, metadata, compressing) takes as long as they do. */
import type { JobArtifact, JobUpload, JobUploadSpec, PreviewJobInput } from '#generated/sdk/types.gen.ts';
import type { PackagedObject } from './packaging.ts';
import { uploadObjects } from './upload-artifacts.ts';

interface Sending {
  createUploads(objects: readonly JobUploadSpec[]): Promise<JobUpload[]>;
  readonly signal: AbortSignal;
  readonly limits: PreviewJobInput['limits'];
}

export interface SentAhead {
  readonly paths: ReadonlySet<string>;
  /** Rejects with what kept one from arriving. */
  readonly artifacts: Promise<readonly JobArtifact[]>;
}

export const nothingSent: SentAhead = { paths: new Set(), artifacts: Promise.resolve([]) };

/** Beyond it a file is sent from disk, when the build has ended. */
const inMemoryBytes = 16 * 1024 * 1024;

export class UploadsAhead {
  readonly #on: Sending;
  readonly #closed = new AbortController();
  #bundle: PackagedObject | null = null;
  #sent: readonly PackagedObject[] = [];
  #sending: Promise<readonly JobArtifact[]> = Promise.resolve([]);

  constructor(on: Sending) {
    this.#on = on;
  }

  /** Takes note of a file while its bytes are at hand. With the map the bundle leaves too; what is over a limit does not, and the build is told so later. */
  begin(object: PackagedObject, bytes: Uint8Array): void {
    const held = { ...object, bytes };
    if (object.kind === 'bundle') this.#bundle ??= held;
    if (object.kind !== 'source_map' || this.#bundle === null || this.#sent.length > 0) return;
    const [bundle, map] = [this.#bundle, held];
    this.#bundle = null;
    const { max_bundle_bytes: bundleBytes, max_artifact_bytes: artifactBytes } = this.#on.limits;
    if (bundle.sizeBytes > bundleBytes || bundle.sizeBytes + map.sizeBytes > Math.min(artifactBytes, inMemoryBytes)) return;
    this.#sent = [map, bundle];
    this.#sending = uploadObjects(this.#sent, { createUploads: this.#on.createUploads, signal: AbortSignal.any([this.#on.signal, this.#closed.signal]) });
    // Told by `take`; unhandled otherwise while the build still runs.
    this.#sending.catch(() => undefined);
  }

  /** What of `plain` is on its way, and what becomes of it. */
  take(plain: readonly PackagedObject[]): SentAhead {
    const isSame = (one: PackagedObject): boolean => plain.some(({ path, sha256 }) => path === one.path && sha256 === one.sha256);
    return this.#sent.every(isSame) ? { paths: new Set(this.#sent.map(({ path }) => path)), artifacts: this.#sending } : nothingSent;
  }

  /** Stops; resolves when nothing is sent any more. */
  async close(): Promise<void> {
    this.#closed.abort();
    await Promise.allSettled([this.#sending]);
  }
}
