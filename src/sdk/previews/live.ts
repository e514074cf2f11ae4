/** A live session: one edit after the other on the phone. Node alone. */
import type { LiveRevision, LiveSession, LiveSessionCreated, PreviewJob } from '#generated/sdk/types.gen.ts';
import { HiveSyncError } from '../errors.ts';
import type { ApiEvent } from '../events.ts';
import { backOffMs, pause } from '../transport.ts';
import { buildFiles, type BuildParts } from './build.ts';
import { differenceOf, firstPush, type Push, pushOf, storeContents } from './live-changes.ts';
import { type Files, LiveFolder } from './live-folder.ts';
import { type Following, type LiveOptions, type LivePhone, phoneOf } from './live-options.ts';
import { type LiveUpdate, LiveUpdates } from './live-updates.ts';
import { checkBounds, type HashedFile } from './sources.ts';

export interface LiveParts extends BuildParts {
  /** An event stream without credentials: the token is its right. */
  stream(url: string, input: { readonly path: Readonly<Record<string, string>>; readonly query: Readonly<Record<string, string>>; readonly lastEventId?: string; readonly signal: AbortSignal }): AsyncIterable<ApiEvent>;
}

/** An answer that says the session may not be followed or changed, and will not be. */
const isFinal = ({ status, code }: HiveSyncError): boolean => [401, 403, 404].includes(status) || code === 'BAD_OPTIONS';
/** The folder is what is wrong: it is tried again when it changes. */
const isOfFolder = ({ status, code }: HiveSyncError): boolean => [400, 402, 413, 422].includes(status) || code === 'BAD_SOURCES' || code === 'UPLOAD_REFUSED';
/** No answer, or one that another try may change. */
const isPassing = ({ status }: HiveSyncError): boolean => status === 0 || status === 408 || status === 429 || status >= 500;
const endTimeoutMs = 10_000;
/** An allowance of the day is asked for again as often. */
const longestWaitMs = 60_000;

const detailOf = (error: HiveSyncError, name: string): unknown => (typeof error.details === 'object' && error.details !== null ? (error.details as Record<string, unknown>)[name] : undefined);
const asError = (cause: unknown): HiveSyncError => (cause instanceof HiveSyncError ? cause : new HiveSyncError('BAD_STATE', cause instanceof Error ? cause.message : String(cause), { cause }));

/**
 * Opens a live session on a folder and follows it until it is closed.
 * @throws PreviewBuildError when the folder does not build; HiveSyncError QUOTA_EXCEEDED when as many are open as the tier
 *   allows, and for everything else
 */
export async function openLive(parts: LiveParts, folder: string, options: LiveOptions): Promise<LivePreview> {
  const local = new LiveFolder(folder, { ignore: options.ignore, pollMs: options.pollMs });
  try {
    // From here on what changes is seen, also while the build goes on.
    const files = await local.files();
    checkBounds([...files.values()]);
    const call = options.signal === undefined ? {} : { signal: options.signal };
    const job = options.jobId === undefined ? (await buildFiles(parts, [...files.values()], options)).job : await parts.api.getPreviewJob({ path: { job_id: options.jobId } }, call);
    options.signal?.throwIfAborted();
    // Not broken off halfway: a session that nobody knows of would stay open.
    const created = await parts.api.createLiveSession({ body: { job_id: job.id } });
    const live = new LivePreview(parts, { local, job, created, stored: files, has: options.jobId === undefined ? files : new Map() }, options);
    if (options.signal?.aborted !== true) return live;
    await live.close();
    throw new HiveSyncError('ABORTED', 'The live session was broken off.');
  } catch (error) {
    local.close();
    if (options.signal?.aborted === true && !(error instanceof HiveSyncError)) throw new HiveSyncError('ABORTED', 'The live session was broken off.', { cause: error });
    throw error;
  }
}

interface Begun {
  readonly local: LiveFolder;
  readonly job: PreviewJob;
  readonly created: LiveSessionCreated;
  /** Files whose contents the project has. */
  readonly stored: Files;
  /** What the session has. */
  readonly has: Files;
}

/** `for await (const update of live)` follows it; leaving the loop does not end it, `close` does. */
export class LivePreview implements AsyncIterable<LiveUpdate> {
  /** As it was opened. */
  readonly session: LiveSession;
  readonly phone: LivePhone;
  /** Settles when the session is over, for whatever reason; rejects where it cannot be followed any more. */
  readonly ended: Promise<void>;

  readonly #parts: LiveParts;
  readonly #local: LiveFolder;
  readonly #job: PreviewJob;
  readonly #updates: LiveUpdates;
  readonly #over = new AbortController();
  readonly #has: Map<string, string>;
  readonly #stored: Set<string>;
  readonly #token: string;
  #revision: number;
  #refused: string | null = null;
  #closing: Promise<void> | null = null;

  /** Made by `hive.previews.live`. */
  constructor(parts: LiveParts, { local, job, created, stored, has }: Begun, options: Following) {
    this.#parts = parts;
    this.#local = local;
    this.#job = job;
    this.#has = new Map([...has].map(([path, { sha256 }]) => [path, sha256]));
    this.#stored = new Set([...stored.values()].map(({ sha256 }) => sha256));
    this.session = created.live_session;
    this.#token = created.token;
    this.#revision = created.live_session.revision;
    this.phone = phoneOf(created);
    this.#updates = new LiveUpdates(options.onUpdate);
    const stop = (): void => { this.close().catch(() => undefined); };
    options.signal?.addEventListener('abort', stop, { once: true });
    this.ended = Promise.all([this.#follow(), this.#push()]).then(
      () => this.#updates.end(null),
      (cause: unknown) => {
        this.#stop();
        const error = asError(cause);
        this.#updates.end(error);
        throw error;
      },
    ).finally(() => options.signal?.removeEventListener('abort', stop));
    // Whoever reads the updates is told too.
    this.ended.catch(() => undefined);
    local.touch();
  }

  /** The newest revision that was accepted. */
  get revision(): number {
    return this.#revision;
  }

  [Symbol.asyncIterator](): AsyncGenerator<LiveUpdate, void, undefined> {
    return this.#updates.read();
  }

  /** Ends the session, here and on the server; where that cannot be told, the server ends it ten minutes after the last change. */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const isOver = this.#over.signal.aborted;
    this.#end(null);
    await this.ended.catch(() => undefined);
    if (!isOver) await this.#parts.api.endLiveSession({ path: { live_id: this.session.id } }, { timeoutMs: endTimeoutMs });
  }

  #stop(): void {
    this.#over.abort();
    this.#local.close();
  }

  #end(session: LiveSession | null): void {
    if (this.#over.signal.aborted) return;
    this.#updates.tell({ kind: 'ended', session });
    this.#stop();
  }

  /** Follows the stream of the session, and comes back to it with the last id for as long as the session goes on. */
  async #follow(): Promise<void> {
    const { signal } = this.#over;
    let lastEventId: string | undefined;
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        const stream = this.#parts.stream('/preview/live-sessions/{live_id}/events', {
          path: { live_id: this.session.id }, query: { token: this.#token }, signal, ...(lastEventId === undefined ? {} : { lastEventId }),
        });
        for await (const { id, event, data } of stream) {
          failures = 1;
          lastEventId = id ?? lastEventId;
          if (event === 'ended') this.#end(data as LiveSession);
          else if (event === 'revision' || event === 'source_map') this.#updates.tell({ kind: event, revision: data as LiveRevision });
        }
        await this.#wait(backOffMs(failures));
      } catch (cause) {
        if (signal.aborted) return;
        const error = asError(cause);
        if (error.status === 410) this.#end(null);
        else if (!(cause instanceof HiveSyncError) || isFinal(error)) throw cause;
        else await this.#waitFor('events', error, failures);
      }
    }
  }

  /** Brings the session what changes in the folder, one push after the other. */
  async #push(): Promise<void> {
    const { signal } = this.#over;
    for (let conflicts = 1; ;) {
      await this.#local.next();
      if (signal.aborted) return;
      try {
        await this.#bring(await this.#local.files());
        conflicts = 1;
        this.#refused = null;
      } catch (cause) {
        if (signal.aborted) return;
        const error = asError(cause);
        if (error.status === 410) this.#end(null);
        else if (isOfFolder(error)) this.#refuse(error);
        else if (!(cause instanceof HiveSyncError) || isFinal(error)) throw cause;
        else {
          this.#resolve(error);
          this.#local.touch();
          await this.#waitFor('push', error, conflicts);
          conflicts += 1;
        }
      }
    }
  }

  /** Told once, however often the same is tried. */
  #refuse(error: HiveSyncError): void {
    const reason = `${error.code} ${error.message}`;
    if (this.#refused !== reason) this.#updates.tell({ kind: 'refused', error });
    this.#refused = reason;
  }

  /** What a conflict tells: contents that are not stored after all, or that somebody else has changed the session. */
  #resolve(error: HiveSyncError): void {
    const missing = detailOf(error, 'missing');
    if (Array.isArray(missing)) for (const sha256 of missing) this.#stored.delete(String(sha256));
    const revision = detailOf(error, 'revision');
    if (typeof revision !== 'number') return;
    // What they did is not known: the folder is sent whole, mostly by hashes. A file of theirs that it lacks stays.
    this.#revision = revision;
    this.#has.clear();
  }

  async #bring(files: Files): Promise<void> {
    for (;;) {
      const difference = firstPush(differenceOf(this.#has, files));
      if (difference.written.length + difference.removed.length === 0) return;
      const push = await pushOf(difference, this.#stored, async (large) => await this.#store(files, large));
      if (push.isStale) this.#local.touch();
      if (push.changes.length === 0) return;
      await this.#send(push, difference.removed);
      // The next look says what there is now.
      if (push.isStale) return;
    }
  }

  async #store(files: Files, large: readonly HashedFile[]): Promise<void> {
    const entry = files.get(this.#job.entry_file);
    if (entry === undefined) throw new HiveSyncError('BAD_SOURCES', `The entry file ${this.#job.entry_file} is not in the folder.`);
    await storeContents(this.#parts, this.#job, entry, large, this.#over.signal);
    for (const { sha256 } of [entry, ...large]) this.#stored.add(sha256);
  }

  /** Until there is an answer: the key keeps what arrived without one from being done twice. */
  async #send({ changes, hashes }: Push, removed: readonly string[]): Promise<void> {
    const idempotencyKey = crypto.randomUUID();
    const input = { path: { live_id: this.session.id }, body: { base_revision: this.#revision, changes: [...changes] } };
    for (let failures = 1; ; failures += 1) {
      try {
        const { revision } = await this.#parts.api.pushLiveChanges(input, { idempotencyKey, signal: this.#over.signal });
        this.#revision = revision;
        for (const path of removed) this.#has.delete(path);
        for (const [path, sha256] of hashes) {
          this.#has.set(path, sha256);
          this.#stored.add(sha256);
        }
        this.#updates.tell({ kind: 'pushed', revision, written: [...hashes.keys()], removed });
        return;
      } catch (cause) {
        if (this.#over.signal.aborted || !(cause instanceof HiveSyncError) || !isPassing(cause)) throw cause;
        await this.#waitFor('push', cause, failures);
      }
    }
  }

  async #waitFor(of: 'push' | 'events', error: HiveSyncError, failures: number): Promise<void> {
    const retryInMs = error.retryAfterSeconds === null ? backOffMs(failures) : Math.min(error.retryAfterSeconds * 1000, longestWaitMs);
    this.#updates.tell({ kind: 'waiting', of, error, retryInMs });
    await this.#wait(retryInMs);
  }

  async #wait(ms: number): Promise<void> {
    await (this.#parts.upload.pause ?? pause)(ms, this.#over.signal).catch(() => undefined);
  }
}
