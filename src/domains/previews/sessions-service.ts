import type { PreviewPlatform, PreviewSession, PreviewSessionCreate, PreviewSessionCreated } from '#generated/sdk/types.gen.ts';
import type { Call, Tier } from '#platform/call.ts';
import { type Database, transact } from '#platform/database.ts';
import { notFound, ServiceError } from '#platform/errors.ts';
import { newId } from '#platform/ids.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';
import type { PreviewPurpose, PreviewTokens } from '#platform/tokens/preview-tokens.ts';
import { audit } from '../audit/audit.ts';
import { allowByCredential, requireRoleOn, requireSelf } from '../policy.ts';
import type { TierService } from '../tiers/service.ts';
import { devServerFault } from './dev-server-url.ts';
import { viewedLiveSession } from './live-access.ts';
import { previewCaller } from './preview-caller.ts';
import { insertSessionSql, logSessionTokenSql, openSessionsSql, sessionSql } from './sessions-queries.ts';
import { storageFaults } from './storage-faults.ts';
import { viewSeconds } from './tokens.ts';

const sessionSeconds = 3_600;
const openAtOnce = 50;

/** A session as it is read by one of its tokens. */
export interface SessionRow {
  readonly id: string;
  readonly project_id: string;
  readonly user_id: string;
  readonly kind: 'bundle' | 'dev_server';
  readonly target_platform: PreviewPlatform;
  readonly dev_server_url: string | null;
  readonly object_key: string | null;
  readonly bundle_size: number | null;
  readonly bundle_sha256: string | null;
  readonly created_at: string;
  readonly expires_at: string;
  readonly is_over: boolean;
  readonly project_name: string;
  readonly is_project_gone: boolean;
  readonly tier: Tier;
  readonly is_owners: boolean;
}

export interface SessionDependencies {
  readonly db: Database;
  readonly storage: ObjectStorage;
  readonly tokens: PreviewTokens;
  readonly tiers: TierService;
  /** Whether sessions of development servers are to be had. */
  readonly allowsDevServers: boolean;
}

/** Previews of what a client builds or serves itself: the backend keeps the bytes or the address, and looks into neither. */
export class PreviewSessionService {
  readonly #on: SessionDependencies;

  constructor(dependencies: SessionDependencies) {
    this.#on = dependencies;
  }

  /** Five statements beside the policy's; six with a token to upload by. */
  async create(call: Call, body: PreviewSessionCreate): Promise<PreviewSessionCreated> {
    const { db, tiers } = this.#on;
    const { projectId } = await requireRoleOn(db, call, 'project', body.project_id);
    const userId = requireSelf(call);
    const devServerUrl = body.kind === 'dev_server' ? this.#devServer(body.dev_server_url) : null;
    return transact(db, call, async (trx) => {
      await tiers.lockAccount(trx, userId);
      const [use] = await db.namedIn<{ open: number }>(trx, 'previews.open_sessions', openSessionsSql, [userId]);
      if ((use?.open ?? 0) >= openAtOnce) throw tooMany(use?.open ?? openAtOnce);
      const id = newId();
      const sign = (purpose: PreviewPurpose): ReturnType<PreviewTokens['sign']> =>
        this.#on.tokens.sign({ purpose, ownerId: userId, projectId, jobId: null, sessionId: id, shareId: null }, sessionSeconds);
      const view = sign('view');
      const [times] = await db.namedIn<{ created_at: string; expires_at: string }>(trx, 'previews.insert_session', insertSessionSql, [
        id, projectId, userId, body.kind, body.target_platform, devServerUrl, view.expiresAtMs,
      ]);
      if (times === undefined) throw new Error('preview_client_sessions answered no row for an insert');
      const upload = body.kind === 'bundle' ? sign('upload') : null;
      for (const [purpose, signed] of [['view', view], ['upload', upload]] as const) {
        if (signed !== null) await db.namedIn(trx, 'previews.log_session_token', logSessionTokenSql, [newId(), projectId, id, userId, signed.tokenHash, purpose, signed.expiresAtMs]);
      }
      await audit(trx, call, {
        event_type: 'preview_session.created', entity_type: 'preview_session', entity_id: id, project_id: projectId,
        data: { kind: body.kind, target_platform: body.target_platform },
      });
      const session: PreviewSession = {
        id, project_id: projectId, user_id: userId, kind: body.kind, status: body.kind === 'bundle' ? 'awaiting_bundle' : 'ready',
        target_platform: body.target_platform, dev_server_url: devServerUrl, bundle_url: null, bundle_size: null, bundle_sha256: null, ...times,
      };
      return { session, token: view.token, upload_token: upload?.token ?? null, expires_in: sessionSeconds };
    });
  }

  /** What a view or upload token of it may see. */
  async get(call: Call): Promise<PreviewSession> {
    return this.present(await this.read(call));
  }

  /** The session of the token that asks. NOT_FOUND for a token of something else or a project that is gone, GONE when it is over. One statement, and one more where it is not there. */
  async read(call: Call): Promise<SessionRow> {
    const row = await this.find(call);
    if (row !== null) return row;
    await viewedLiveSession(this.#on.db, call);
    throw notFound();
  }

  /** The same for whoever shows live sessions too: null for a token that is not of a client's own session, or of a forgotten one. */
  async find(call: Call): Promise<SessionRow | null> {
    const caller = previewCaller(call);
    // A token is the right to what it names.
    allowByCredential(call);
    if (caller.sessionId === null) throw notFound();
    const [row] = await this.#on.db.named<SessionRow>('previews.session', sessionSql, [caller.sessionId, caller.tokenHash]);
    if (row?.is_project_gone === true) throw notFound();
    if (row?.is_over === true) throw new ServiceError('GONE', 'This session is over. Open a new one.');
    return row ?? null;
  }

  async present(row: SessionRow): Promise<PreviewSession> {
    const { object_key: key } = row;
    return {
      id: row.id, project_id: row.project_id, user_id: row.user_id, kind: row.kind,
      status: row.kind === 'dev_server' || key !== null ? 'ready' : 'awaiting_bundle',
      target_platform: row.target_platform, dev_server_url: row.is_owners ? row.dev_server_url : null,
      bundle_url: key === null ? null : await storageFaults(() => this.#on.storage.presignGet(key, { expiresSeconds: viewSeconds })),
      bundle_size: row.bundle_size, bundle_sha256: row.bundle_sha256, created_at: row.created_at, expires_at: row.expires_at,
    };
  }

  #devServer(url: string): string {
    if (!this.#on.allowsDevServers) throw new ServiceError('FORBIDDEN', 'This deployment shows no development servers. Upload a bundle, or have it built.');
    const fault = devServerFault(url);
    if (fault === null) return url;
    throw new ServiceError('VALIDATION_ERROR', 'This is not the address of a development server of yours.', {
      details: [{ pointer: '#/body/dev_server_url', message: fault, rule: 'dev_server_url' }],
    });
  }
}

const tooMany = (used: number): ServiceError => new ServiceError('QUOTA_EXCEEDED', `At most ${openAtOnce} sessions are open at once. They end after an hour.`, {
  details: { limit: 'preview_sessions', allowed: openAtOnce, used, tier: null, upgrade_to: null },
});
