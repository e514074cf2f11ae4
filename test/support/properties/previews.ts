/** Shares and sessions of previews for the property tests: stand-ins to draw with, and the real things, each made anew. */
import type { Person, System } from '../system.ts';

const standIns = { share: '00000000-0000-4000-8000-00000000b002' } as const;

/** What a request may name, by the field it stands in. */
export const existingPreviews = { share_id: standIns.share } as const;

/** The real things for the stand-ins that a request holds. */
export async function previewThings(system: System, request: string, who: Person, makeJob: () => Promise<string>): Promise<Map<string, string>> {
  const real = new Map<string, string>();
  if (request.includes(standIns.share)) real.set(standIns.share, await shareOf(system, who, await makeJob()));
  return real;
}

/** A share of a preview with somebody new. */
export async function shareOf(system: System, who: Person, jobId: string): Promise<string> {
  const other = await system.person();
  return (await who.hive.api.sharePreview({ path: { job_id: jobId }, body: { user_id: other.tokens.user.id } })).id;
}
