import type { Call, PreviewCaller } from '#platform/call.ts';
import { ServiceError } from '#platform/errors.ts';

/** Who asks with a preview token, and what it is for. */
export function previewCaller({ caller }: Call): PreviewCaller {
  if (caller.kind !== 'preview') throw new ServiceError('AUTH_INVALID', 'This takes a preview token.');
  return caller;
}
