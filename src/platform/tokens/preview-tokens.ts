import type { Secret } from '#config/environment.ts';
import type { PreviewCaller } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import { sha256Hex } from '#platform/crypto.ts';
import { isId, newId } from '#platform/ids.ts';
import { createSigner, TokenError, type Signer } from './signer.ts';

export type PreviewPurpose = PreviewCaller['purpose'];

/** What a preview token stands for. It is stateless: only its hash is kept, in the log of its use. */
export interface PreviewGrant {
  readonly purpose: PreviewPurpose;
  /** Whose preview it is: while that account is suspended, nobody views it. */
  readonly ownerId: string;
  readonly projectId: string;
  /** A token is for a job or for a session, never both. */
  readonly jobId: string | null;
  readonly sessionId: string | null;
  /** The share it was made for; revoking the share ends it. */
  readonly shareId: string | null;
}

export interface PreviewTokens {
  /** A signed token, when it ends (milliseconds since 1970), and the SHA-256 (hex) it is logged by. */
  sign(grant: PreviewGrant, lifetimeSeconds: number): { readonly token: string; readonly tokenHash: string; readonly expiresAtMs: number };
  /** Throws TokenError. Whether the preview still stands is the service's to ask. */
  verify(token: string): { readonly caller: PreviewCaller; readonly ownerId: string; readonly expiresAtMs: number };
}

export interface PreviewTokenOptions {
  readonly secret: Secret;
  readonly previousSecret: Secret | null;
  readonly issuer: string;
  readonly clock: Clock;
}

const maxTokenLength = 2048;

/** View and upload tokens have keys and types of their own: one cannot be presented as the other. */
export function createPreviewTokens(options: PreviewTokenOptions): PreviewTokens {
  const shared = { ...options, audience: 'hivesync-preview' };
  const signers: Readonly<Record<PreviewPurpose, Signer>> = {
    view: createSigner({ ...shared, purpose: 'preview view', type: 'pv+jwt' }),
    upload: createSigner({ ...shared, purpose: 'preview upload', type: 'pu+jwt' }),
  };

  return {
    sign(grant, lifetimeSeconds) {
      const subject = grant.jobId ?? grant.sessionId;
      if (subject === null) throw new Error('A preview token is for a job or a session.');
      const token = signers[grant.purpose].sign({
        subject,
        id: newId(),
        lifetimeSeconds,
        claims: { own: grant.ownerId, pid: grant.projectId, kind: grant.jobId === null ? 'session' : 'job', share: grant.shareId },
      });
      const expiresAtMs = (Math.floor(options.clock.now() / 1000) + lifetimeSeconds) * 1000;
      return { token, tokenHash: sha256Hex(token), expiresAtMs };
    },
    verify(token) {
      if (token.length > maxTokenLength) throw new TokenError('invalid', 'Longer than any token of ours.');
      const purpose: PreviewPurpose = signers.upload.recognises(token) ? 'upload' : 'view';
      const { sub, own, pid, kind, share, exp } = signers[purpose].verify(token);
      if (typeof own !== 'string' || !isId(own) || typeof pid !== 'string' || (kind !== 'job' && kind !== 'session') || !(share === null || typeof share === 'string')) {
        throw new TokenError('invalid', 'A claim of preview tokens is missing.');
      }
      const caller: PreviewCaller = {
        kind: 'preview', purpose, projectId: pid,
        jobId: kind === 'job' ? sub : null, sessionId: kind === 'session' ? sub : null,
        shareId: share, tokenHash: sha256Hex(token),
      };
      return { caller, ownerId: own, expiresAtMs: exp * 1000 };
    },
  };
}
