import type { PreviewTokens } from '#platform/tokens/preview-tokens.ts';
import type { Exchange, Step } from '../exchange.ts';
import { parseQuery } from '../validation/query.ts';
import type { Identities } from './identities.ts';
import { ofToken, signInFirst } from './refusals.ts';
import { requireViewable, shareRevoked } from './standing.ts';

/**
 * A preview token, where the operation has it: its path, the `token` of its query (a phone's client sends no header of
 * ours), or X-Preview-Token. Whether the preview still stands is the service's first question.
 */
export function authenticatePreview(tokens: PreviewTokens, identities: Identities): Step {
  return async (exchange) => {
    const token = tokenOf(exchange);
    if (token === undefined) throw signInFirst('No preview token.');
    let verified;
    try {
      verified = tokens.verify(token);
    } catch (error) {
      throw ofToken(error);
    }
    requireViewable(await identities.account(verified.ownerId));
    exchange.caller = verified.caller;
    exchange.credential = {
      account: { id: verified.ownerId, requireStanding: requireViewable },
      revocationId: verified.caller.shareId,
      expiresAtMs: verified.expiresAtMs,
      refusal: shareRevoked,
      // Its service reads the share at each use, Redis or not.
      isRevokedInStore: () => Promise.resolve(false),
    };
  };
}

function tokenOf({ req }: Exchange): string | undefined {
  const inPath = req.params['token'];
  if (typeof inPath === 'string') return inPath;
  const inHeader = req.headers['x-preview-token'];
  if (typeof inHeader === 'string') return inHeader;
  const inQuery = parseQuery(req.originalUrl)['token'];
  return typeof inQuery === 'string' ? inQuery : undefined;
}
