/** Asking for a preview: from a list of sources to a job on its queue. */
import type { Knex } from 'knex';
import type {
  MissingBlobPage, PreviewBuildInput, PreviewBuilt, PreviewJob, PreviewRequested, PreviewRequestInput, PreviewSdkPage, PreviewSource,
} from '#generated/sdk/types.gen.ts';
import { send } from '#jobs/leases.ts';
import type { JobWatch } from '#jobs/watch.ts';
import type { Call } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import type { Logger } from '#platform/log.ts';
import { type PageQuery, pageOfAll } from '#platform/paging.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';
import { audit } from '../audit/audit.ts';
import { requireRoleOn, requireSelf } from '../policy.ts';
import type { ProjectService } from '../projects/service.ts';
import type { TierService } from '../tiers/service.ts';
import { type PreviewUse, previewUse, takePlace, takeRequest } from './allowance.ts';
import { type Intake, takeIn } from './intake.ts';
import { decodeInline } from './inline.ts';
import { bundleKeySql, countMissingSql, holdProjectSql, insertFilesSql, jobByIdSql } from './queries.ts';
import { findByKey, type RequestKey, requestKeyOf, takeKey } from './request-keys.ts';
import { presentJob, type PreviewRow } from './rows.ts';
import { describeSdks, requireHeld } from './sdks.ts';
import type { Blob, PreviewSources } from './sources.ts';
import { storageFaults } from './storage-faults.ts';
import { type PreviewTokenDesk, viewSeconds } from './tokens.ts';

/** How many upload targets the answer to a request holds; `listMissingBlobs` pages the rest. */
const firstMissing = 1_000;
/** A token of a request outlives the build by this much. */
const afterBuildSeconds = 600;

interface PreviewDependencies {
  readonly db: Database;
  readonly storage: ObjectStorage;
  readonly sources: PreviewSources;
  readonly tokens: PreviewTokenDesk;
  readonly projects: ProjectService;
  readonly tiers: TierService;
  readonly watch: JobWatch;
  readonly log: Logger;
  /** The longest buildPreview waits. */
  readonly maxWaitMs: number;
}

interface NewJob {
  readonly userId: string;
  readonly tier: PreviewJob['tier'];
  readonly id: string;
  readonly projectId: string;
  readonly intake: Intake;
  readonly missingCount: number;
  readonly key: RequestKey | null;
}

export class PreviewService {
  readonly #on: PreviewDependencies;

  constructor(dependencies: PreviewDependencies) {
    this.#on = dependencies;
  }

  async sdks(call: Call, query: PageQuery): Promise<PreviewSdkPage> {
    requireSelf(call);
    return pageOfAll(await describeSdks(this.#on.db), query);
  }

  /**
   * Takes the list of sources and answers what the project lacks; with nothing missing the build is on its queue when
   * this returns. Six statements and one for the token, whatever the number of files.
   */
  async request(call: Call, body: PreviewRequestInput): Promise<PreviewRequested> {
    const { userId, intake } = await this.#intake(call, body, 'files' in body ? body.files : null);
    const missing = await this.#on.sources.lacking(body.project_id, intake.files);
    const job = newId();
    // Everything that calls storage comes before the transaction: presigning is local, yet no lock should wait for it.
    const targets = await this.#on.sources.presign(body.project_id, job, missing.slice(0, firstMissing));
    const pack = missing.length === 0 ? null : await this.#on.sources.presignPack(body.project_id, job, missing);
    return transact(this.#on.db, call, async (trx) => {
      await this.#holdProject(trx, body.project_id);
      const tier = await this.#on.tiers.lockAccount(trx, userId);
      const row = await this.#insert(trx, call, { userId, tier, id: job, projectId: body.project_id, intake, missingCount: missing.length, key: null });
      const seconds = Math.ceil(row.max_build_ms / 1000) + afterBuildSeconds;
      return { job: presentJob(row), ...(await this.#on.tokens.issueIn(trx, row, userId, seconds)), missing: targets, pack };
    });
  }

  /** What an account has used of its tier's limits on previews; for other domains, after they asked the policy. */
  use(userId: string): Promise<PreviewUse> {
    return previewUse(this.#on.db, userId);
  }

  /** What a waiting job still lacks, with fresh upload URLs. */
  async missing(call: Call, jobId: string, query: PageQuery): Promise<MissingBlobPage> {
    const access = await requireRoleOn(this.#on.db, call, 'preview_job', jobId);
    const after = query.cursor ?? '';
    const page = { limit: query.limit + 1, offset: query.offset ?? 0, after: isHash(after) ? after : '' };
    if (query.cursor !== undefined && page.after === '') {
      throw new ServiceError('VALIDATION_ERROR', 'This cursor belongs to another list.', {
        details: [{ pointer: '#/query/cursor', message: 'is not a cursor of this list', rule: 'cursor' }],
      });
    }
    const blobs = await this.#on.sources.missing(jobId, access.projectId, page);
    const items = await this.#on.sources.presign(access.projectId, jobId, blobs.slice(0, query.limit));
    const walked = query.cursor !== undefined;
    const total = walked ? null : await this.#countMissing(jobId, access.projectId);
    return {
      items,
      page: {
        limit: query.limit,
        offset: walked ? null : page.offset,
        total: total !== null && total > 10_000 ? null : total,
        next_cursor: blobs.length > query.limit ? (items.at(-1)?.sha256 ?? null) : null,
      },
    };
  }

  /** Verifies what was uploaded, and enqueues the build when nothing is missing. A started job is answered as it is. */
  async start(call: Call, jobId: string): Promise<PreviewJob> {
    const access = await requireRoleOn(this.#on.db, call, 'preview_job', jobId);
    const before = await this.#read(jobId);
    if (before.queued_at !== null) return transact(this.#on.db, call, async () => presentJob(before));
    if (before.status !== 'queued') throw new ServiceError('GONE', 'This preview was given up before its sources came. Request it anew.');
    const { missing, rejected } = await storageFaults(() => this.#on.sources.receive(access.projectId, jobId));
    if (missing.length > 0) {
      await this.#noteMissing(jobId, missing.length);
      throw new ServiceError('CONFLICT', `${missing.length} of the contents are missing. Upload them and start again.`, {
        details: { missing_count: missing.length, missing: hashesOf(missing, 100), rejected: rejected.slice(0, 100) },
      });
    }
    const started = await transact(this.#on.db, call, async (trx) => presentJob(await this.#enqueue(trx, call, before)));
    // What is left is only what was uploaded twice or not wanted; the blob sweep would find it as well.
    this.#on.sources.sweepStaging(access.projectId, jobId).catch((error: unknown) => {
      this.#on.log.warn('preview.staging', 'left for the sweep', { job_id: jobId, error: error instanceof Error ? error.message : String(error) });
    });
    return started;
  }

  /**
   * Upload, build and wait in one call. A repeat under the same Idempotency-Key waits for the job of the first; a build
   * that takes longer goes on under the id that PREVIEW_TIMEOUT tells.
   */
  async build(call: Call, body: PreviewBuildInput): Promise<PreviewBuilt> {
    const userId = requireSelf(call);
    await requireRoleOn(this.#on.db, call, 'project', body.project_id);
    const key = requestKeyOf(call, body);
    const known = key === null ? null : await findByKey(this.#on.db, userId, key);
    const job = known ?? await this.#buildNew(call, body, key);
    const ended = await this.#wait(call, job.id);
    if (ended.status !== 'succeeded') throw buildFailure(ended);
    const [bundle] = await this.#on.db.named<{ object_key: string }>('previews.bundle_key', bundleKeySql, [job.id]);
    if (bundle === undefined) throw new ServiceError('GONE', 'The artifacts of this preview are gone.');
    const { token, expires_in } = await this.#on.tokens.issue(job, userId, viewSeconds);
    const url = await storageFaults(() => this.#on.storage.presignGet(bundle.object_key, { expiresSeconds: viewSeconds }));
    return { url, token, expires_in, job_id: job.id };
  }

  async #buildNew(call: Call, body: PreviewBuildInput, key: RequestKey | null): Promise<PreviewRow> {
    const inline = 'files' in body ? decodeInline(body.files) : null;
    const { userId, intake } = await this.#intake(call, body, inline?.files ?? null);
    const contents = inline?.contents ?? [];
    const brought = new Set(contents.map((one) => one.sha256));
    const lacking = await this.#on.sources.lacking(body.project_id, intake.files);
    const missing = lacking.filter((blob) => !brought.has(blob.sha256));
    if (missing.length > 0) {
      throw new ServiceError('CONFLICT', `${missing.length} of the contents are not stored. Upload them by requestPreview.`, {
        details: { missing_count: missing.length, missing: hashesOf(missing, 1_000) },
      });
    }
    const wanted = new Set(lacking.map((blob) => blob.sha256));
    const fresh = contents.filter((one) => wanted.has(one.sha256));
    if (fresh.length > 0) {
      const meanwhile = await this.#mayStore(userId, key);
      if (meanwhile !== null) return meanwhile;
      await storageFaults(() => this.#on.sources.store(body.project_id, fresh));
    }
    return transact(this.#on.db, null, async (trx) => {
      await this.#holdProject(trx, body.project_id);
      // Under the account's lock: of two that bring the same key at the same moment the second finds the job of the first.
      const tier = await this.#on.tiers.lockAccount(trx, userId);
      const first = key === null ? null : await takeKey(this.#on.db, trx, userId, key);
      return first ?? this.#insert(trx, call, { userId, tier, id: newId(), projectId: body.project_id, intake, missingCount: 0, key });
    });
  }

  /**
   * Refuses what would be refused below as well, before anything is stored for it: else a caller beyond its number fills
   * the storage with builds that never come to be. Answers the job that another request with the key made meanwhile.
   */
  async #mayStore(userId: string, key: RequestKey | null): Promise<PreviewRow | null> {
    const { db, tiers } = this.#on;
    try {
      await transact(db, null, async (trx) => {
        await takeRequest(db, tiers, trx, userId, await tiers.lockAccount(trx, userId));
        await takePlace(db, tiers, trx, userId);
      });
      return null;
    } catch (error) {
      const first = key === null || !(error instanceof ServiceError) ? null : await findByKey(db, userId, key);
      if (first === null) throw error;
      return first;
    }
  }

  /**
   * Keeps the project from being deleted until the commit, so that its deletion ends this build too; NOT_FOUND where it was
   * deleted meanwhile. Before the account's lock.
   */
  async #holdProject(trx: Knex.Transaction, projectId: string): Promise<void> {
    const held = await this.#on.db.namedIn(trx, 'previews.hold_project', holdProjectSql, [projectId]);
    if (held.length === 0) throw notFound();
  }

  async #intake(call: Call, body: PreviewRequestInput | PreviewBuildInput, files: readonly PreviewSource[] | null): Promise<{ userId: string; intake: Intake }> {
    await requireRoleOn(this.#on.db, call, 'project', body.project_id);
    const userId = requireSelf(call);
    // No mirror has been synced: repositories come with their own operations.
    if (files === null) throw notFound();
    const tier = tierOf(call);
    const [settings, limits, upgradeTo] = await Promise.all([
      this.#on.projects.settingsOf(body.project_id), this.#on.tiers.limitsOf(tier), this.#on.tiers.upgrades(tier),
    ]);
    const intake = takeIn(body, files, settings.preview, { limits, tier, upgradeTo });
    await requireHeld(this.#on.db, intake.sdk_version);
    return { userId, intake };
  }

  /** Writes the job and its files; with nothing missing it goes to its queue in the same transaction. */
  async #insert(trx: Knex.Transaction, call: Call, { userId, tier, id, projectId, intake, missingCount, key }: NewJob): Promise<PreviewRow> {
    await takeRequest(this.#on.db, this.#on.tiers, trx, userId, tier);
    const limits = await this.#on.tiers.limitsOf(tier);
    const [row] = await trx('preview_jobs').insert({
      id,
      project_id: projectId,
      requested_by: userId,
      tier,
      sdk_version: intake.sdk_version,
      target_platform: intake.target_platform,
      device_type: intake.device_type,
      entry_file: intake.entry_file,
      environment: intake.environment,
      env: JSON.stringify(intake.env),
      dev: intake.dev,
      file_count: intake.files.length,
      missing_count: missingCount,
      source_bytes: intake.sourceBytes,
      max_build_ms: (limits.preview_build_minutes ?? 15) * 60_000,
      // A Metro build gains nothing by a GPU: every tier's previews go to the cpu class, by the tier's priority.
      queue_class: 'cpu',
      queue_priority: limits.queue_priority,
      request_key_hash: key?.keyHash ?? null,
      request_body_hash: key?.bodyHash ?? null,
    }).returning<PreviewRow[]>('*');
    if (row === undefined) throw new Error('preview_jobs answered no row for an insert');
    await this.#on.db.namedIn(trx, 'previews.insert_files', insertFilesSql, [
      id, intake.files.map((file) => file.path), intake.files.map((file) => file.sha256), intake.files.map((file) => file.size),
    ]);
    await audit(trx, call, {
      event_type: 'preview.requested', entity_type: 'preview_job', entity_id: id, project_id: projectId,
      data: { target_platform: row.target_platform, sdk_version: row.sdk_version, file_count: row.file_count },
    });
    return missingCount === 0 ? this.#enqueue(trx, call, row) : row;
  }

  async #enqueue(trx: Knex.Transaction, call: Call, job: PreviewRow): Promise<PreviewRow> {
    // First the account's lock, as everywhere, then the row: two starts at once come one after the other.
    await this.#on.tiers.lockAccount(trx, job.requested_by);
    const now = await this.#readIn(trx, job.id);
    if (now.queued_at !== null || now.status !== 'queued') return now;
    await takePlace(this.#on.db, this.#on.tiers, trx, job.requested_by);
    const [row] = await trx('preview_jobs')
      .where({ id: job.id, status: 'queued' }).whereNull('queued_at')
      .update({ queued_at: trx.fn.now(), run_after: trx.fn.now(), missing_count: 0 })
      .returning<PreviewRow[]>('*');
    // Cancelled in between.
    if (row === undefined) return this.#readIn(trx, job.id);
    await send(trx, row);
    await audit(trx, call, { event_type: 'preview.started', entity_type: 'preview_job', entity_id: row.id, project_id: row.project_id });
    return row;
  }

  async #wait(call: Call, jobId: string): Promise<PreviewRow> {
    const timeout = AbortSignal.timeout(this.#on.maxWaitMs);
    for await (const _ of this.#on.watch.follow(jobId, AbortSignal.any([timeout, call.signal]))) {
      const row = await this.#read(jobId);
      if (row.completed_at !== null) return row;
    }
    throw new ServiceError('PREVIEW_TIMEOUT', 'The build takes longer than this request may wait. Follow the job.', { details: { job_id: jobId } });
  }

  async #read(jobId: string): Promise<PreviewRow> {
    const [row] = await this.#on.db.named<PreviewRow>('previews.job_by_id', jobByIdSql, [jobId]);
    if (row === undefined) throw notFound();
    return row;
  }

  async #readIn(trx: Knex.Transaction, jobId: string): Promise<PreviewRow> {
    const [row] = await this.#on.db.namedIn<PreviewRow>(trx, 'previews.job_by_id', jobByIdSql, [jobId]);
    if (row === undefined) throw notFound();
    return row;
  }

  async #countMissing(jobId: string, projectId: string): Promise<number> {
    const [row] = await this.#on.db.named<{ total: number }>('previews.count_missing', countMissingSql, [jobId, projectId]);
    return row?.total ?? 0;
  }

  async #noteMissing(jobId: string, count: number): Promise<void> {
    await this.#on.db.knex('preview_jobs').where({ id: jobId }).whereNull('queued_at').update({ missing_count: count });
  }
}

const isHash = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);
const hashesOf = (blobs: readonly Blob[], most: number): string[] => blobs.slice(0, most).map((blob) => blob.sha256);
const tierOf = (call: Call): PreviewJob['tier'] => (call.caller.kind === 'user' || call.caller.kind === 'api_key' ? call.caller.tier : 'free');

function buildFailure(job: PreviewRow): ServiceError {
  if (job.status === 'cancelled') return new ServiceError('CONFLICT', 'The build was cancelled.', { details: { job_id: job.id } });
  const failure = job.failure;
  if (job.error_code === 'STORAGE_ERROR') return new ServiceError('STORAGE_ERROR', failure?.message ?? 'Object storage did not answer.', { details: { job_id: job.id } });
  return new ServiceError('PREVIEW_BUILD_FAILED', failure?.message ?? 'The build failed.', { details: { ...failure, job_id: job.id } });
}
