/** The client: every operation, lists, event streams, jobs and preview builds behind one set of credentials. */
import { createClient, createConfig, type Client } from '#generated/sdk/client/index.ts';
import type { PreviewJob } from '#generated/sdk/types.gen.ts';
import { HiveSyncError } from './errors.ts';
import { parseEvents, type ApiEvent } from './events.ts';
import { waitForJob, type JobSource, type WaitOptions } from './jobs.ts';
import { bindOperations, type CallOptions, type Operations } from './operations.ts';
import { paginate } from './paginate.ts';
import { buildPreview, type BuildOptions, type BuiltPreview } from './previews/build.ts';
import type { LiveOptions } from './previews/live-options.ts';
import type { LivePreview } from './previews/live.ts';
import type { GivenFile } from './previews/sources.ts';
import { createTransport, pause } from './transport.ts';

export interface HiveSyncOptions {
  /** The server, e.g. `https://hivesync.example.com`; `/api/v1` is added when it has no path. */
  readonly baseUrl: string;
  /** A person's token, or where to get the one that holds now. */
  readonly accessToken?: string | (() => string | Promise<string>);
  /** An API key (`hsk_…`), in place of a token. */
  readonly apiKey?: string;
  /** Called when the API refuses the access token; answers a new one, or null. Calls that wait for it share one run. */
  readonly refreshAccessToken?: () => Promise<string | null>;
  readonly fetch?: typeof fetch;
  /** Of one call over all its attempts; default 30,000. */
  readonly timeoutMs?: number;
  /** Repeats of what may be repeated; default 3. */
  readonly maxRetries?: number;
  /** How attempts wait for one another; tests hand in their own. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface StreamInput {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  /** Goes on after this event. */
  readonly lastEventId?: string;
  readonly signal?: AbortSignal;
}

const defaultTimeoutMs = 30_000;
const defaultMaxRetries = 3;

function apiRoot(baseUrl: string): string {
  const url = new URL(baseUrl);
  return `${url.origin}${url.pathname === '/' ? '/api/v1' : url.pathname.replace(/\/+$/, '')}`;
}

export class HiveSync {
  /** Every operation of the API by its id: `api.createTask({path, body})` answers the task. */
  readonly api: Operations;
  readonly previews: {
    /** Builds a folder (Node) or files, and waits. @throws PreviewBuildError with file, line and code frame */
    build(sources: string | readonly GivenFile[], options: BuildOptions): Promise<BuiltPreview>;
    /**
     * Builds a folder (Node), opens a live session on it, and brings the phone each edit as it is saved, until it is closed.
     * @throws PreviewBuildError when the folder does not build; HiveSyncError QUOTA_EXCEEDED when too many are open
     */
    live(folder: string, options: LiveOptions): Promise<LivePreview>;
    /** Waits for a preview job that exists. */
    wait(jobId: string, options?: WaitOptions<PreviewJob>): Promise<PreviewJob>;
  };
  readonly jobs: {
    /** Waits for a job of any kind. */
    readonly wait: typeof waitForJob;
  };
  /** Walks a list: `for await (const project of hive.paginate(hive.api.listProjects, {}))`. */
  readonly paginate = paginate;

  readonly #options: HiveSyncOptions;
  readonly #root: string;
  readonly #fetch: typeof fetch;
  readonly #shared: Client;
  #refreshedToken: string | null = null;
  #refreshing: Promise<string | null> | null = null;

  constructor(options: HiveSyncOptions) {
    if (options.accessToken !== undefined && options.apiKey !== undefined) {
      throw new HiveSyncError('BAD_OPTIONS', 'Give an access token or an API key, not both.');
    }
    this.#options = options;
    this.#root = apiRoot(options.baseUrl);
    // Browsers refuse a fetch that is called off their window.
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.#shared = this.#client(options.timeoutMs ?? defaultTimeoutMs);
    this.api = bindOperations((call: CallOptions) => (call.timeoutMs === undefined ? this.#shared : this.#client(call.timeoutMs)));
    const upload = { fetch: this.#fetch, maxRetries: options.maxRetries ?? defaultMaxRetries, ...(options.pause === undefined ? {} : { pause: options.pause }) };
    const jobSource = (jobId: string): JobSource<PreviewJob> => ({
      get: async (signal) => await this.api.getPreviewJob({ path: { job_id: jobId } }, { signal }),
      events: (signal) => this.events('/preview/jobs/{job_id}/events', { path: { job_id: jobId }, signal }),
    });
    const parts = { api: this.api, upload, jobSource };
    this.previews = {
      build: async (sources, build) => await buildPreview(parts, sources, build),
      live: async (folder, live) => {
        const { openLive } = await import('./previews/live.ts');
        return await openLive({ ...parts, stream: (url, input) => this.#stream(url, input, {}) }, folder, live);
      },
      wait: async (jobId, wait) => await waitForJob(jobSource(jobId), wait),
    };
    this.jobs = { wait: waitForJob };
  }

  /**
   * An event stream of the API, until it ends. It does not come back by itself: begin again with the last id.
   * @param url as in the contract, e.g. `/notifications/stream`
   */
  async *events(url: string, input: StreamInput = {}): AsyncGenerator<ApiEvent> {
    const token = await this.#token();
    const { apiKey } = this.#options;
    yield* this.#stream(url, input, token !== undefined ? { authorization: `Bearer ${token}` } : apiKey === undefined ? {} : { 'x-api-key': apiKey });
  }

  async *#stream(url: string, input: StreamInput, credentials: Readonly<Record<string, string>>): AsyncGenerator<ApiEvent> {
    const target = this.#shared.buildUrl({ url, path: { ...input.path }, query: { ...input.query } });
    const headers = new Headers({ ...credentials, accept: 'text/event-stream', ...(input.lastEventId === undefined ? {} : { 'last-event-id': input.lastEventId }) });
    const response = await this.#transport(this.#options.timeoutMs ?? defaultTimeoutMs)(
      new Request(target, { headers, ...(input.signal === undefined ? {} : { signal: input.signal }) }),
    );
    if (!/^text\/event-stream\b/i.test(response.headers.get('content-type') ?? '')) {
      throw new HiveSyncError('BAD_ANSWER', 'The answer is no event stream.', { status: response.status });
    }
    yield* parseEvents(response, input.signal);
  }

  async #token(): Promise<string | undefined> {
    const { accessToken } = this.#options;
    if (this.#refreshedToken !== null) return this.#refreshedToken;
    return typeof accessToken === 'function' ? await accessToken() : accessToken;
  }

  async #refresh(): Promise<string | null> {
    const { refreshAccessToken } = this.#options;
    if (refreshAccessToken === undefined) return null;
    this.#refreshing ??= refreshAccessToken().finally(() => {
      this.#refreshing = null;
    });
    const token = await this.#refreshing;
    // Where the token comes from a function, that function knows the new one.
    if (typeof this.#options.accessToken !== 'function') this.#refreshedToken = token;
    return token;
  }

  #transport(timeoutMs: number): (input: Request) => Promise<Response> {
    return createTransport({
      fetch: this.#fetch,
      timeoutMs,
      maxRetries: this.#options.maxRetries ?? defaultMaxRetries,
      refresh: this.#options.refreshAccessToken === undefined ? null : async () => await this.#refresh(),
      pause: this.#options.pause ?? pause,
    });
  }

  #client(timeoutMs: number): Client {
    const transport = this.#transport(timeoutMs);
    return createClient(createConfig({
      baseUrl: this.#root,
      // The generated client calls it with a Request, always.
      fetch: async (input) => await transport(input instanceof Request ? input : new Request(input)),
      auth: async ({ scheme, name }) => (scheme === 'bearer' ? await this.#token() : name === 'X-Api-Key' ? this.#options.apiKey : undefined),
    }));
  }
}
