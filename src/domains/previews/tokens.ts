import type { Knex } from 'knex';
import type { PreviewToken } from '#generated/sdk/types.gen.ts';
import type { Database } from '#platform/database.ts';
import { newId } from '#platform/ids.ts';
import type { PreviewTokens } from '#platform/tokens/preview-tokens.ts';
import { isForExpoGo } from './sdks.ts';

/** A token made on request, and the URLs beside it. */
export const viewSeconds = 600;

const logTokenSql = `
  insert into preview_sessions (id, project_id, job_id, user_id, token_hash, purpose, expires_at, share_id)
  values ($1, $2, $3, $4, decode($5, 'hex'), 'view', to_timestamp($6::double precision / 1000), $7)`;

interface TokenJob { readonly id: string; readonly project_id: string; readonly requested_by: string }
export interface IssuedToken { readonly token: string; readonly expires_in: number }

/** What opens an address in a development build of ours: the payload of QR codes. */
export const openedBy = (url: string): string => `exp+hivesync://expo-development-client/?url=${encodeURIComponent(url)}`;

/** The same for a set whose client is Expo Go: its scheme stands for http, with an s for https. */
export const openedWith = (url: string, sdkVersion: string): string => (isForExpoGo(sdkVersion) ? url.replace(/^http/, 'exp') : openedBy(url));

/** Signs view tokens of jobs and logs each by its hash: the token itself is kept nowhere. */
export class PreviewTokenDesk {
  readonly #db: Database;
  readonly #tokens: PreviewTokens;
  readonly #baseUrl: string;

  constructor(db: Database, tokens: PreviewTokens, baseUrl: string) {
    this.#db = db;
    this.#tokens = tokens;
    this.#baseUrl = baseUrl;
  }

  async issue(job: TokenJob, userId: string, seconds: number): Promise<IssuedToken> {
    const { token, values } = this.#sign(job, userId, seconds);
    await this.#db.named('previews.log_token', logTokenSql, values);
    return { token, expires_in: seconds };
  }

  /** The same in the transaction of what the token is for; with a share, it ends with that. */
  async issueIn(trx: Knex.Transaction, job: TokenJob, userId: string, seconds: number, shareId: string | null = null): Promise<IssuedToken> {
    const { token, values } = this.#sign(job, userId, seconds, shareId);
    await this.#db.namedIn(trx, 'previews.log_token', logTokenSql, values);
    return { token, expires_in: seconds };
  }

  #sign(job: TokenJob, userId: string, seconds: number, shareId: string | null = null): { token: string; values: (string | number | null)[] } {
    const signed = this.#tokens.sign({ purpose: 'view', ownerId: job.requested_by, projectId: job.project_id, jobId: job.id, sessionId: null, shareId }, seconds);
    return { token: signed.token, values: [newId(), job.project_id, job.id, userId, signed.tokenHash, signed.expiresAtMs, shareId] };
  }

  /** The addresses that are made of a token. */
  addresses(token: string, platform: string, sdkVersion: string): Pick<PreviewToken, 'view_url' | 'manifest_url' | 'deep_link'> {
    const manifestUrl = `${this.#baseUrl}/api/v1/preview/manifest?token=${token}`;
    return {
      view_url: `${this.#baseUrl}/api/v1/preview/view/${token}`,
      manifest_url: manifestUrl,
      deep_link: platform === 'web' ? null : openedWith(manifestUrl, sdkVersion),
    };
  }
}
