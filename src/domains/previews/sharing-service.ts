import type { PreviewShare, PreviewShareCreate, PreviewSharePage } from '#generated/sdk/types.gen.ts';
import { emit } from '#jobs/outbox.ts';
import type { Call } from '#platform/call.ts';
import { type Database, sqlState, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import type { Logger } from '#platform/log.ts';
import { type PageQuery, pageOf, readCursor } from '#platform/paging.ts';
import type { Redis } from '#platform/redis.ts';
import { markRevoked } from '#platform/revocations.ts';
import { audit } from '../audit/audit.ts';
import { requireRoleOn, requireSelf, requireVerified } from '../policy.ts';
import { countSharesSql, endLapsedSql, holdJobSql, personSql, shareByIdSql, sharesSql } from './sharing-queries.ts';
import { viewSeconds } from './tokens.ts';

const sharesOfOne = 100;

interface ShareRow extends Omit<PreviewShare, 'user'> {
  readonly user_id: string;
  readonly username: string;
  readonly display_name: string | null;
  readonly avatar_url: string | null;
}
interface HeldJob { readonly status: string; readonly is_expired: boolean | null }

/** A preview shown to single people who need not be members: each share is theirs alone, and ends when it is revoked. */
export class PreviewSharingService {
  readonly #db: Database;
  readonly #redis: Redis;
  readonly #log: Logger;

  constructor(db: Database, redis: Redis, log: Logger) {
    this.#db = db;
    this.#redis = redis;
    this.#log = log;
  }

  /** NOT_FOUND for a person who is not there, CONFLICT for one it is shared with, QUOTA_EXCEEDED beyond a hundred, also when they are raced for. */
  async share(call: Call, jobId: string, body: PreviewShareCreate): Promise<PreviewShare> {
    const { projectId } = await requireRoleOn(this.#db, call, 'preview_job', jobId);
    const userId = requireVerified(call);
    const expiresAt = body.expires_at ?? null;
    if (expiresAt !== null && Date.parse(expiresAt) <= Date.now()) throw wrongField('expires_at', 'must be in the future', 'future');
    const personId = body.user_id.toLowerCase();
    if (personId === userId) throw wrongField('user_id', 'must be somebody else', 'other_person');
    return transact(this.#db, call, async (trx) => {
      const [job] = await this.#db.namedIn<HeldJob>(trx, 'previews.hold_job', holdJobSql, [jobId]);
      if (job === undefined) throw notFound();
      refuseEnded(job);
      const [person] = await this.#db.namedIn<{ id: string }>(trx, 'previews.person_to_share_with', personSql, [personId]);
      if (person === undefined) throw notFound();
      await this.#db.namedIn(trx, 'previews.end_lapsed_shares', endLapsedSql, [jobId, person.id]);
      const [counted] = await this.#db.namedIn<{ total: number }>(trx, 'previews.count_shares', countSharesSql, [jobId]);
      if ((counted?.total ?? 0) >= sharesOfOne) throw tooMany(counted?.total ?? sharesOfOne);
      const id = newId();
      await once(() => trx('preview_shares').insert({
        id, project_id: projectId, job_id: jobId, shared_by: userId, user_id: person.id, note: body.note ?? null, expires_at: expiresAt,
      }));
      const [row] = await this.#db.namedIn<ShareRow>(trx, 'previews.share_by_id', shareByIdSql, [id]);
      if (row === undefined) throw new Error('A share that was just made is not there.');
      await audit(trx, call, {
        event_type: 'preview.shared', entity_type: 'preview_share', entity_id: id, project_id: projectId,
        data: { job_id: row.job_id, user_id: person.id, expires_at: row.expires_at },
      });
      await emit(trx, {
        type: 'preview.shared', entityId: id, projectId, userId,
        data: { job_id: row.job_id, share_id: id, shared_by: userId, user_id: person.id, user_ids: [person.id], note: row.note },
      });
      return present(row);
    });
  }

  /** Those that stand. Two statements beside the policy's under an offset, one under a cursor. */
  async list(call: Call, jobId: string, query: PageQuery): Promise<PreviewSharePage> {
    await requireRoleOn(this.#db, call, 'preview_job', jobId);
    const filters = { shares_of: jobId.toLowerCase() };
    const after = readCursor(query, filters);
    const rows = await this.#db.named<ShareRow>('previews.shares', sharesSql, [
      jobId, after?.at ?? null, after?.id ?? null, query.limit + 1, after === null ? (query.offset ?? 0) : 0,
    ]);
    const [counted] = after === null ? await this.#db.named<{ total: number }>('previews.count_shares', countSharesSql, [jobId]) : [];
    return pageOf(rows.map(present), query, filters, counted?.total ?? null, (share) => ({ at: share.created_at, id: share.id }));
  }

  /**
   * Ends it. Every token that rests on it is refused by what PostgreSQL says at its next use, on any replica; streams open
   * by one end at once where Redis can be told, else when they look again.
   */
  async revoke(call: Call, shareId: string): Promise<void> {
    const access = await requireRoleOn(this.#db, call, 'preview_share', shareId);
    const userId = requireSelf(call);
    await transact(this.#db, null, async (trx) => {
      const share = await trx('preview_shares').where({ id: shareId }).whereNull('revoked_at').forUpdate().first<{ id: string; job_id: string; shared_by: string; user_id: string }>('*');
      if (share === undefined) throw notFound();
      if (access.role !== 'owner' && share.shared_by !== userId) throw new ServiceError('FORBIDDEN', 'Only who shared this preview or a project owner may revoke it.');
      await trx('preview_shares').where({ id: share.id }).update({ revoked_at: trx.fn.now() });
      await audit(trx, call, {
        event_type: 'preview.share_revoked', entity_type: 'preview_share', entity_id: share.id, project_id: access.projectId,
        data: { job_id: share.job_id, user_id: share.user_id, shared_by: share.shared_by },
      });
    });
    await this.#told(shareId.toLowerCase());
  }

  async #told(shareId: string): Promise<void> {
    try {
      await markRevoked(this.#redis, [shareId], viewSeconds);
    } catch (error) {
      this.#log.warn('previews.revocation_late', 'Open streams hear of a revoked share when they look again', { error });
    }
  }
}

/** Inserts, where two at once may try the same; the second is told that it is there. */
async function once(insert: () => PromiseLike<unknown>): Promise<void> {
  try {
    await insert();
  } catch (error) {
    if (sqlState(error) !== '23505') throw error;
    throw new ServiceError('CONFLICT', 'This preview is shared with that person already.', { details: { field: 'user_id' } });
  }
}

function refuseEnded({ status, is_expired: isExpired }: HeldJob): void {
  if (isExpired === true) throw new ServiceError('GONE', 'The artifacts of this preview have expired. Build it again.');
  if (status !== 'queued' && status !== 'running' && status !== 'succeeded') {
    throw new ServiceError('CONFLICT', 'This build has ended without a preview: there is nothing to share.', { details: { status } });
  }
}

const tooMany = (used: number): ServiceError => new ServiceError('QUOTA_EXCEEDED', `A preview is shared with ${sharesOfOne} people at most. Revoke one first.`, {
  details: { limit: 'preview_shares', allowed: sharesOfOne, used, tier: null, upgrade_to: null },
});

const wrongField = (field: string, message: string, rule: string): ServiceError =>
  new ServiceError('VALIDATION_ERROR', 'This preview cannot be shared like this.', { details: [{ pointer: `#/body/${field}`, message, rule }] });

const present = ({ user_id, username, display_name, avatar_url, ...share }: ShareRow): PreviewShare =>
  ({ ...share, user: { id: user_id, username, display_name, avatar_url } });
