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

/** The token of a new preview or session of somebody's, as the operation takes it. */
export async function previewTokenOf(operationId: string, system: System, { hive, tokens: { user } }: Person, projectId: string, makeJob: () => Promise<string>): Promise<string> {
  if (operationId !== 'getPreviewSession' && operationId !== 'uploadPreviewBundle') return (await hive.api.createPreviewToken({ path: { job_id: await makeJob() } })).token;
  // Fifty are open at once; earlier ones are of requests that were answered.
  await system.sql("update preview_client_sessions set expires_at = now() where user_id = $1 and created_at < now() - interval '2 seconds'", [user.id]);
  const { token, upload_token: uploadToken } = await hive.api.createPreviewSession({ body: { kind: 'bundle', project_id: projectId, target_platform: 'ios' } });
  return operationId === 'getPreviewSession' ? token : uploadToken ?? token;
}

/** A share of a preview with somebody new. */
export async function shareOf(system: System, who: Person, jobId: string): Promise<string> {
  const other = await system.person();
  return (await who.hive.api.sharePreview({ path: { job_id: jobId }, body: { user_id: other.tokens.user.id } })).id;
}
