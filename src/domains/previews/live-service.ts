/** Live sessions: a build of a preview that stays warm, and is given edits. */
import type { Knex } from 'knex';
import type { InlineSource, LiveChanges, LiveRevision, LiveSessionCreate, LiveSessionCreated, PreviewSource } from '#generated/sdk/types.gen.ts';
import type { JobKind } from '#jobs/kinds.ts';
import { cancel, send } from '#jobs/leases.ts';
import type { Call, Tier } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import type { PreviewTokens } from '#platform/tokens/preview-tokens.ts';
import { audit } from '../audit/audit.ts';
import { requireRoleOn, requireSelf } from '../policy.ts';
import type { TierService } from '../tiers/service.ts';
import { decodeInline } from './inline.ts';
import { takeIn } from './intake.ts';
import { pendingBound } from './live-kind.ts';
import { copyFilesSql, filesSql, holdPreviewSql, insertRevisionSql, logTokenSql, openSessionsSql, pendingSql, sessionSql } from './live-queries.ts';
import { type Changes, type LiveRow, longestSeconds, noUrls, presentRevision, presentSession, type RevisionRow } from './live-rows.ts';
import { holdProjectSql, jobByIdEverSql, jobByIdSql } from './queries.ts';
import type { PreviewRow } from './rows.ts';
import type { PreviewSources } from './sources.ts';
import { storageFaults } from './storage-faults.ts';
import type { PreviewTokenDesk } from './tokens.ts';

const idleSeconds = 600;

export interface LiveDependencies {
  readonly db: Database;
  readonly sources: PreviewSources;
  readonly tokens: PreviewTokens;
  readonly desk: Pick<PreviewTokenDesk, 'addresses'>;
  readonly tiers: TierService;
  readonly kind: JobKind;
  readonly baseUrl: string;
}

export class LiveSessionService {
  readonly #on: LiveDependencies;

  constructor(dependencies: LiveDependencies) {
    this.#on = dependencies;
  }

  /** From a preview that succeeded; as many at once as the tier allows, beside the builds. */
  async create(call: Call, body: LiveSessionCreate): Promise<LiveSessionCreated> {
    const { db, tiers } = this.#on;
    const { projectId } = await requireRoleOn(db, call, 'preview_job', body.job_id);
    const userId = requireSelf(call);
    const [job] = await db.named<PreviewRow>('previews.job_by_id', jobByIdSql, [body.job_id]);
    if (job === undefined) throw notFound();
    if (job.status !== 'succeeded') throw new ServiceError('CONFLICT', 'A live session begins with a preview that has succeeded.', { details: { status: job.status } });
    if (job.artifacts_expire_at !== null && Date.parse(job.artifacts_expire_at) <= Date.now()) {
      throw new ServiceError('GONE', 'The artifacts of this preview have expired. Build it again.');
    }
    return transact(db, call, async (trx) => {
      // What is deleted at this moment ends the sessions it finds: neither the project nor the preview goes before the commit.
      if ((await db.namedIn(trx, 'previews.hold_project', holdProjectSql, [projectId])).length === 0) throw notFound();
      await tiers.requireRoom(trx, userId, 'live_sessions_at_once', async () => {
        const [row] = await db.namedIn<{ open: number }>(trx, 'live.open_sessions', openSessionsSql, [userId]);
        return row?.open ?? 0;
      });
      const tier = await tiers.lockAccount(trx, userId);
      if ((await db.namedIn(trx, 'live.hold_preview', holdPreviewSql, [job.id])).length === 0) throw notFound();
      const id = newId();
      await this.#insert(trx, { id, job, userId, tier });
      await audit(trx, call, { event_type: 'live_session.started', entity_type: 'live_session', entity_id: id, project_id: projectId, data: { job_id: job.id } });
      const token = await this.#token(trx, { id, projectId, jobId: job.id, userId });
      const session = await this.#lock(trx, id);
      return {
        live_session: presentSession(session), token, expires_in: longestSeconds,
        events_url: `${this.#on.baseUrl}/api/v1/preview/live-sessions/${id}/events?token=${token}`, ...this.#on.desk.addresses(token, job.target_platform, job.sdk_version),
      };
    });
  }

  /** Makes a new revision. What it says is stored is verified to be; what comes inline is stored. */
  async push(call: Call, liveId: string, body: LiveChanges): Promise<LiveRevision> {
    const { db, sources } = this.#on;
    const { projectId } = await requireRoleOn(db, call, 'live_session', liveId);
    const before = await this.#read(liveId);
    if (before.requested_by !== requireSelf(call)) throw new ServiceError('FORBIDDEN', 'Only who opened this session may change it.');
    requireOpen(before);
    const { written, removed, contents } = await this.#taken(call, before, body);
    const brought = new Set(contents.map(({ sha256 }) => sha256));
    const lacking = await sources.lacking(projectId, written);
    const missing = lacking.filter(({ sha256 }) => !brought.has(sha256));
    if (missing.length > 0) {
      throw new ServiceError('CONFLICT', `${missing.length} of the contents are not stored. Send them inline, or upload them by requestPreview.`, {
        details: { missing_count: missing.length, missing: missing.slice(0, 1_000).map(({ sha256 }) => sha256) },
      });
    }
    const wanted = new Set(lacking.map(({ sha256 }) => sha256));
    await storageFaults(() => sources.store(projectId, contents.filter(({ sha256 }) => wanted.has(sha256))));
    const revision = await transact(db, call, async (trx) => {
      const now = await this.#lock(trx, liveId);
      requireOpen(now);
      requireBase(now, body.base_revision);
      const waiting = await db.namedIn(trx, 'live.pending', pendingSql, [liveId, pendingBound]);
      if (waiting.length >= pendingBound) {
        throw new ServiceError('SERVICE_UNAVAILABLE', 'The builds of this session are too far behind. Send the next changes later.', { retryAfterSeconds: 5 });
      }
      const changes: Changes = { written, removed };
      const [row] = await db.namedIn<RevisionRow>(trx, 'live.insert_revision', insertRevisionSql, [liveId, now.revision + 1, JSON.stringify(changes)]);
      if (row === undefined) throw new Error('live_revisions answered no row for an insert');
      await trx('live_sessions').where({ id: liveId }).update({ revision: row.revision, changed_at: trx.fn.now() });
      return presentRevision(row, noUrls);
    });
    this.#on.kind.changed(liveId);
    return revision;
  }

  /** By its owner or a project owner. Ending an ended one is no error. */
  async end(call: Call, liveId: string): Promise<void> {
    const { db, kind } = this.#on;
    const access = await requireRoleOn(db, call, 'live_session', liveId);
    const row = await this.#read(liveId);
    if (access.role !== 'owner' && row.requested_by !== requireSelf(call)) throw new ServiceError('FORBIDDEN', 'Only who opened this session or a project owner may end it.');
    await transact(db, null, (trx) => cancel(trx, kind, liveId, call));
    kind.changed(liveId);
  }

  /** The changes by the rules of intake: judged with all the other files, as a whole. */
  async #taken(call: Call, session: LiveRow, body: LiveChanges): Promise<Changes & { contents: ReturnType<typeof decodeInline>['contents'] }> {
    const { db, tiers } = this.#on;
    requireBase(session, body.base_revision);
    const inline = decodeInline(body.changes.filter((change): change is PreviewSource | InlineSource => !('removed' in change)));
    const removed = body.changes.flatMap((change) => ('removed' in change ? [change.path.normalize('NFC')] : []));
    const [preview] = await db.named<PreviewRow>('previews.job_by_id_ever', jobByIdEverSql, [session.job_id]);
    if (preview === undefined) throw notFound();
    const files = await this.#files(session.id);
    for (const path of removed) files.delete(path);
    const named = new Set(removed);
    for (const [index, file] of inline.files.entries()) {
      const path = file.path.normalize('NFC');
      if (named.has(path)) throw twice(index);
      named.add(path);
      files.set(path, { path, sha256: file.sha256, size: file.size });
    }
    const tier = tierOf(call);
    const [limits, upgradeTo] = await Promise.all([tiers.limitsOf(tier), tiers.upgrades(tier)]);
    const settings = { sdk_version: preview.sdk_version, target_platform: preview.target_platform, entry_file: preview.entry_file, environment: preview.environment, dev: preview.dev };
    takeIn({}, [...files.values()], settings, { limits, tier, upgradeTo });
    const written = inline.files.map(({ path, sha256, size }) => ({ path: path.normalize('NFC'), sha256, size }));
    return { written, removed, contents: inline.contents };
  }

  /** The files as they are with everything that still waits to be built. */
  async #files(liveId: string): Promise<Map<string, Changes['written'][number]>> {
    const { db } = this.#on;
    const rows = await db.named<Changes['written'][number]>('live.files', filesSql, [liveId]);
    const files = new Map(rows.map((file) => [file.path, file]));
    for (const { changes } of await db.named<{ changes: Changes }>('live.pending', pendingSql, [liveId, pendingBound])) {
      for (const path of changes.removed) files.delete(path);
      for (const file of changes.written) files.set(file.path, file);
    }
    return files;
  }

  async #insert(trx: Knex.Transaction, { id, job, userId, tier }: { id: string; job: PreviewRow; userId: string; tier: Tier }): Promise<void> {
    const limits = await this.#on.tiers.limitsOf(tier);
    const [row] = await trx('live_sessions').insert({
      id, project_id: job.project_id, requested_by: userId, job_id: job.id, tier, max_build_ms: longestSeconds * 1000, idle_seconds: idleSeconds,
      queue_class: 'cpu', queue_priority: limits.queue_priority, queued_at: trx.fn.now(),
    }).returning<LiveRow[]>('*');
    if (row === undefined) throw new Error('live_sessions answered no row for an insert');
    await this.#on.db.namedIn(trx, 'live.copy_files', copyFilesSql, [id, job.id]);
    await this.#on.db.namedIn(trx, 'live.insert_revision', insertRevisionSql, [id, 0, null]);
    await send(trx, row);
  }

  async #token(trx: Knex.Transaction, { id, projectId, jobId, userId }: { id: string; projectId: string; jobId: string; userId: string }): Promise<string> {
    const signed = this.#on.tokens.sign({ purpose: 'view', ownerId: userId, projectId, jobId: null, sessionId: id, shareId: null }, longestSeconds);
    await this.#on.db.namedIn(trx, 'live.log_token', logTokenSql, [newId(), projectId, jobId, userId, signed.tokenHash, signed.expiresAtMs]);
    return signed.token;
  }

  async #read(liveId: string): Promise<LiveRow> {
    const [row] = await this.#on.db.named<LiveRow>('live.session', sessionSql, [liveId]);
    if (row === undefined) throw notFound();
    return row;
  }

  async #lock(trx: Knex.Transaction, liveId: string): Promise<LiveRow> {
    const [row] = await this.#on.db.namedIn<LiveRow>(trx, 'live.lock_session', `${sessionSql} for update of s`, [liveId]);
    if (row === undefined) throw notFound();
    return row;
  }
}

function requireOpen(session: LiveRow): void {
  if (session.completed_at !== null) throw new ServiceError('GONE', 'This session has ended. Open a new one.');
}

function requireBase(session: LiveRow, base: number): void {
  if (session.revision === base) return;
  throw new ServiceError('CONFLICT', 'These changes are made on a revision that is not the newest.', { details: { revision: session.revision } });
}

const twice = (index: number): ServiceError => new ServiceError('VALIDATION_ERROR', 'A path is changed twice.', {
  details: [{ pointer: `#/body/changes/${index}/path`, message: 'is named twice', rule: 'duplicate' }],
});

const tierOf = (call: Call): Tier => (call.caller.kind === 'user' || call.caller.kind === 'api_key' ? call.caller.tier : 'free');
