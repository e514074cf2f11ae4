/** The secrets that deliveries are signed with: made here, shown once, stored sealed. */
import { randomBytes } from 'node:crypto';
import type { Sealed, Vault } from '#platform/crypto.ts';

/** As Standard Webhooks writes them: 24 to 64 bytes. */
const secretBytes = 32;

/** `whsec_` and the base64 of 32 random bytes. */
export const newSecret = (): string => `whsec_${randomBytes(secretBytes).toString('base64')}`;

/** The former secret of an endpoint is sealed for the same place, so that a rotation moves it as it is. */
export const secretContext = (webhookId: string): string => `webhook_endpoints.secret:${webhookId}`;

/** The text with its prefix, sealed for its endpoint alone. */
export const sealSecret = (vault: Vault, secret: string, webhookId: string): Sealed => vault.seal(secret, secretContext(webhookId));
