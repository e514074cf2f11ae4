/** Looking at preview jobs, ending them, and getting at what they made. */
import type {
  ContentCoding, PreviewArtifactKind, PreviewArtifactPage, PreviewJob, PreviewJobPage, PreviewLogLine, PreviewLogPage, PreviewToken,
} from '#generated/sdk/types.gen.ts';
import type { JobKind } from '#jobs/kinds.ts';
import { cancel } from '#jobs/leases.ts';
import { emit } from '#jobs/outbox.ts';
import type { Call } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { type PageQuery, pageOf, positionalPage, readCursor, readPosition } from '#platform/paging.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';
import { audit } from '../audit/audit.ts';
import type { CommentDeletionService } from '../comments/deletion-service.ts';
import type { PreviewEndingService } from './ending-service.ts';
import { type ProjectAccess, requireRoleOn, requireSelf } from '../policy.ts';
import { artifactsSql, countArtifactsSql, countJobs, jobByIdSql, type JobFilters, listJobs, logLinesSql } from './queries.ts';
import { presentJob, type PreviewRow } from './rows.ts';
import { requireViewOf } from './sharing-access.ts';
import { storageFaults } from './storage-faults.ts';
import { type PreviewTokenDesk, viewSeconds } from './tokens.ts';

interface ArtifactRow {
  readonly kind: PreviewArtifactKind;
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  readonly encoding: ContentCoding;
  readonly object_key: string;
}

export interface PreviewJobDependencies {
  readonly db: Database;
  readonly storage: ObjectStorage;
  readonly tokens: PreviewTokenDesk;
  readonly kind: JobKind;
  readonly comments: Pick<CommentDeletionService, 'removeOf'>;
  readonly endings: Pick<PreviewEndingService, 'cancelLiveOf' | 'told'>;
}

export class PreviewJobService {
  readonly #db: Database;
  readonly #storage: ObjectStorage;
  readonly #tokens: PreviewTokenDesk;
  readonly #kind: JobKind;
  readonly #comments: PreviewJobDependencies['comments'];
  readonly #endings: PreviewJobDependencies['endings'];

  constructor({ db, storage, tokens, kind, comments, endings }: PreviewJobDependencies) {
    this.#db = db;
    this.#storage = storage;
    this.#tokens = tokens;
    this.#kind = kind;
    this.#comments = comments;
    this.#endings = endings;
  }

  /** Jobs of every project the caller sees, newest first. Two statements under an offset, one under a cursor. */
  async list(call: Call, query: PageQuery & JobFilters): Promise<PreviewJobPage> {
    const userId = requireSelf(call);
    const only = call.caller.kind === 'api_key' ? call.caller.projectIds : null;
    const filters = { project_id: query.project_id, status: query.status, target_platform: query.target_platform, mine: query.mine };
    const after = readCursor(query, filters);
    const page = { limit: query.limit, offset: after === null ? (query.offset ?? 0) : 0, after };
    const rows: PreviewRow[] = await listJobs(this.#db.knex, userId, only, filters, page);
    const total = after === null ? await this.#count(userId, only, filters) : null;
    return pageOf(rows.map(presentJob), query, filters, total, (row) => ({ at: row.created_at, id: row.id }));
  }

  async get(call: Call, jobId: string): Promise<{ entity: PreviewJob; etag: string }> {
    await requireRoleOn(this.#db, call, 'preview_job', jobId);
    const row = await this.#read(jobId);
    return { entity: presentJob(row), etag: String(row.row_version) };
  }

  /** Ends the job at once; its worker loses the lease and is told so at its next word. By who asked for it or an owner. */
  async cancel(call: Call, jobId: string): Promise<PreviewJob> {
    const access = await requireRoleOn(this.#db, call, 'preview_job', jobId);
    const before = await this.#read(jobId);
    this.#requireSay(call, access, before);
    if (before.status === 'cancelled') return presentJob(before);
    const cancelled = await transact(this.#db, call, async (trx) => {
      const row = await cancel(trx, this.#kind, jobId, call);
      if (row === null) throw new ServiceError('CONFLICT', 'This build has ended already.', { details: { status: before.status } });
      return presentJob(row as PreviewRow);
    });
    this.#kind.changed(jobId, 'ended');
    return cancelled;
  }

  /** Hides it at once, cancelled first if it still runs, and takes its comments and live sessions along; its objects are erased in stages. */
  async remove(call: Call, jobId: string): Promise<void> {
    const access = await requireRoleOn(this.#db, call, 'preview_job', jobId);
    this.#requireSay(call, access, await this.#read(jobId));
    let ended: string[] = [];
    await transact(this.#db, call, async (trx) => {
      if (call.ifMatch !== null) {
        const current = await trx('preview_jobs').where({ id: jobId, row_version: Number(call.ifMatch) || -1 }).forUpdate().first('id');
        if (current === undefined) throw new ServiceError('PRECONDITION_FAILED', 'This job has changed since you read it. Read it again.');
      }
      await cancel(trx, this.#kind, jobId, call);
      await trx('preview_jobs').where({ id: jobId }).whereNull('deleted_at').update({ deleted_at: trx.fn.now() });
      // From here on none begins with it: whoever opens one holds the row.
      ended = await this.#endings.cancelLiveOf(trx, jobId, call);
      await this.#comments.removeOf(trx, 'preview', jobId);
      await audit(trx, call, { event_type: 'preview.deleted', entity_type: 'preview_job', entity_id: jobId, project_id: access.projectId });
      await emit(trx, { type: 'preview.deleted', entityId: jobId, projectId: access.projectId, userId: requireSelf(call), data: { job_id: jobId } });
    });
    this.#kind.changed(jobId, 'ended');
    this.#endings.told(ended);
  }

  /** The lines of the last attempt, by seq; GONE once they went with the artifacts. */
  async logs(call: Call, jobId: string, query: PageQuery): Promise<PreviewLogPage> {
    await requireRoleOn(this.#db, call, 'preview_job', jobId);
    const job = await this.#read(jobId);
    this.#requireStanding(job);
    const start = readPosition(query);
    const lines = await this.#db.named<PreviewLogLine>('previews.log_lines', logLinesSql, [jobId, 0, query.limit + 1, start]);
    const total = query.cursor === undefined ? job.log_lines : null;
    return positionalPage(lines, query, start, total);
  }

  /** What the build made, each with a URL good for ten minutes. */
  async artifacts(
    call: Call, jobId: string, query: PageQuery & { kind?: PreviewArtifactKind | undefined; encoding?: ContentCoding | undefined },
  ): Promise<PreviewArtifactPage> {
    await requireRoleOn(this.#db, call, 'preview_job', jobId);
    this.#requireStanding(await this.#read(jobId));
    const start = readPosition(query);
    const filters = [jobId, query.kind ?? null, query.encoding ?? null] as const;
    const rows = await this.#db.named<ArtifactRow>('previews.artifacts', artifactsSql, [...filters, query.limit + 1, start]);
    const [count] = query.cursor === undefined ? await this.#db.named<{ total: number }>('previews.count_artifacts', countArtifactsSql, filters) : [];
    const { items, page } = positionalPage(rows, query, start, count?.total ?? null);
    const artifacts = await storageFaults(() => Promise.all(items.map(async ({ object_key, ...artifact }) => ({
      ...artifact, url: await this.#storage.presignGet(object_key, { expiresSeconds: viewSeconds }),
    }))));
    return { items: artifacts, page };
  }

  /** A fresh view token with the addresses made of it: a member's is for the preview, another person's rests on the share. */
  async createToken(call: Call, jobId: string): Promise<PreviewToken> {
    const share = await requireViewOf(this.#db, call, jobId);
    const job = await this.#read(jobId);
    this.#requireStanding(job);
    const seconds = Math.max(1, Math.min(viewSeconds, Math.floor(share?.secondsLeft ?? viewSeconds)));
    return transact(this.#db, call, async (trx) => {
      const issued = await this.#tokens.issueIn(trx, job, requireSelf(call), seconds, share?.id ?? null);
      return { ...issued, ...this.#tokens.addresses(issued.token, job.target_platform, job.sdk_version) };
    });
  }

  async #read(jobId: string): Promise<PreviewRow> {
    const [row] = await this.#db.named<PreviewRow>('previews.job_by_id', jobByIdSql, [jobId]);
    if (row === undefined) throw notFound();
    return row;
  }

  #requireSay(call: Call, access: ProjectAccess, job: PreviewRow): void {
    if (access.role === 'owner' || job.requested_by === requireSelf(call)) return;
    throw new ServiceError('FORBIDDEN', 'Only who asked for this preview or a project owner may end it.');
  }

  #requireStanding(job: PreviewRow): void {
    const isOver = job.artifacts_expire_at !== null && Date.parse(job.artifacts_expire_at) <= Date.now();
    // A build that made nothing is taken out of reach as long after its end as its artifacts would have been.
    if (!isOver && job.unlinked_at === null) return;
    throw new ServiceError('GONE', 'The artifacts of this preview have expired. Build it again.');
  }

  async #count(userId: string, only: readonly string[] | null, filters: JobFilters): Promise<number> {
    const [row] = (await countJobs(this.#db.knex, userId, only, filters)) as { total: string }[];
    return Number(row?.total ?? 0);
  }
}
