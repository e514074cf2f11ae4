import type { PreviewJob } from '#generated/sdk/types.gen.ts';
import type { JobWatch } from '#jobs/watch.ts';
import type { Call } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { defaultSdkVersion } from '#platform/sdk-sets.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';
import { bundleKeySql } from './queries.ts';
import { newestReady, type ViewedLiveSession, viewedLiveSession } from './live-access.ts';
import { previewCaller } from './preview-caller.ts';
import type { PreviewSessionService } from './sessions-service.ts';
import { storageFaults } from './storage-faults.ts';
import { isForExpoGo } from './sdks.ts';
import { openedBy, openedWith, type PreviewTokenDesk, viewSeconds } from './tokens.ts';
import { lookAgain, type ViewedJob, viewedJob } from './view-access.ts';
import type { Page } from './view-html.ts';
import { livePage, liveStartingPage, liveWebPage } from './live-pages.ts';
import { awaitingPage, buildingPage, clientBundlePage, devServerPage, endedPage, type OnPhone, readyPage, webPage } from './view-pages.ts';

/** Four looks a second at most, however fast the build reports. */
const pauseMs = 250;

export interface ViewDependencies {
  readonly db: Database;
  readonly storage: ObjectStorage;
  readonly sessions: PreviewSessionService;
  readonly tokens: PreviewTokenDesk;
  readonly watch: JobWatch;
}

/** The page to send to anybody, and how a build is followed from it. */
export class PreviewViewService {
  readonly #on: ViewDependencies;

  constructor(dependencies: ViewDependencies) {
    this.#on = dependencies;
  }

  /** One statement; two for a web build or a share. The token is the one of the call. */
  async page(call: Call, token: string): Promise<Page> {
    if (previewCaller(call).sessionId !== null) return this.#ofSession(call, token);
    const job = await viewedJob(this.#on.db, call);
    switch (job.status) {
      case 'queued':
      case 'running':
        return buildingPage(job);
      case 'succeeded':
        return job.target_platform === 'web' ? webPage(job, await this.#bundleUrl(job)) : readyPage(job, this.#onPhone(token, job.sdk_version));
      default:
        return endedPage(job);
    }
  }

  /** How far the build is: at once, whenever it changes, and at its end, which ends the stream. A share that is revoked ends it too. */
  async events(call: Call): Promise<AsyncIterable<ViewEvent>> {
    const job = await viewedJob(this.#on.db, call);
    return this.#follow(call, job.id);
  }

  async *#follow(call: Call, jobId: string): AsyncGenerator<ViewEvent> {
    let said = '';
    for await (const _ of this.#on.watch.follow(jobId, call.signal, pauseMs)) {
      const job = await lookAgain(this.#on.db, call);
      if (job === null) return;
      const data = statusOf(job);
      if (JSON.stringify(data) !== said) {
        said = JSON.stringify(data);
        yield { id: String(job.row_version), event: 'status', data };
      }
      if (job.completed_at !== null) return;
    }
  }

  async #ofSession(call: Call, token: string): Promise<Page> {
    if (previewCaller(call).purpose !== 'view') throw new ServiceError('AUTH_INVALID', 'This token uploads. The page takes the one that views.');
    const session = await this.#on.sessions.find(call);
    if (session === null) return this.#ofLive(await viewedLiveSession(this.#on.db, call), token);
    const view = { projectName: session.project_name, platform: session.target_platform, bundleBytes: session.bundle_size };
    if (session.kind === 'dev_server') return devServerPage(view, session.is_owners && session.dev_server_url !== null ? openedBy(session.dev_server_url) : null);
    return session.object_key === null ? awaitingPage(view) : clientBundlePage(view, this.#onPhone(token, defaultSdkVersion()));
  }

  async #ofLive(session: ViewedLiveSession, token: string): Promise<Page> {
    const revision = await newestReady(this.#on.db, session.id);
    if (revision === null || revision.object_key === null) return liveStartingPage(session);
    if (session.target_platform !== 'web') return livePage(session, this.#onPhone(token, session.sdk_version));
    const { object_key: key } = revision;
    return liveWebPage(session, revision.revision, await storageFaults(() => this.#on.storage.presignGet(key, { expiresSeconds: viewSeconds })));
  }

  #onPhone(token: string, sdkVersion: string): OnPhone {
    const { manifest_url: manifestUrl } = this.#on.tokens.addresses(token, 'ios', sdkVersion);
    return { manifestUrl, deepLink: openedWith(manifestUrl, sdkVersion), client: isForExpoGo(sdkVersion) ? 'Expo Go' : 'your development build' };
  }

  async #bundleUrl(job: ViewedJob): Promise<string> {
    const [bundle] = await this.#on.db.named<{ object_key: string }>('previews.bundle_key', bundleKeySql, [job.id]);
    if (bundle === undefined) throw new ServiceError('GONE', 'The artifacts of this preview are gone.');
    return storageFaults(() => this.#on.storage.presignGet(bundle.object_key, { expiresSeconds: viewSeconds }));
  }
}

/** How far a build is, for whoever has a link to it. */
type ViewedStatus = Pick<PreviewJob, 'status' | 'awaiting_upload' | 'stage' | 'progress'>;

export interface ViewEvent {
  readonly id: string;
  readonly event: 'status';
  readonly data: ViewedStatus;
}

const statusOf = (job: ViewedJob): ViewedStatus => ({
  status: job.status, awaiting_upload: job.status === 'queued' && job.queued_at === null, stage: job.stage as ViewedStatus['stage'], progress: job.progress,
});
