/** Shares and sessions of previews for the property tests: stand-ins to draw with, and the real things, each made anew. */
import type { Person, System } from '../system.ts';

const standIns = { share: '00000000-0000-4000-8000-00000000b002', live: '00000000-0000-4000-8000-00000000b003' } as const;

/** What a request may name, by the field it stands in. */
export const existingPreviews = { share_id: standIns.share, live_id: standIns.live } as const;

/** The real things for the stand-ins that a request holds. */
export async function previewThings(
  system: System, request: string, who: Person, tokenStandIn: string, makeJob: (state: 'queued' | 'succeeded') => Promise<string>,
): Promise<Map<string, string>> {
  const real = new Map<string, string>();
  if (request.includes(standIns.share)) real.set(standIns.share, await shareOf(system, who, await makeJob('queued')));
  if (request.includes(standIns.live)) {
    // Some are open at once; all but the latest are of requests that were answered.
    await system.sql(`update live_sessions set status = 'cancelled', completed_at = now() where id in (
      select id from live_sessions where requested_by = $1 and status = 'queued' order by created_at desc offset 3)`, [who.tokens.user.id]);
    const live = await who.hive.api.createLiveSession({ body: { job_id: await makeJob('succeeded') } });
    real.set(standIns.live, live.live_session.id).set(tokenStandIn, live.token);
  }
  return real;
}

/** The token of a new preview or session of somebody's, as the operation takes it. */
export async function previewTokenOf(operationId: string, system: System, { hive, tokens: { user } }: Person, projectId: string, makeJob: () => Promise<string>): Promise<string> {
  if (operationId !== 'getPreviewSession' && operationId !== 'uploadPreviewBundle') return (await hive.api.createPreviewToken({ path: { job_id: await makeJob() } })).token;
  // Fifty are open at once, and on a fast machine that many are made within a second; all but the latest are of requests that were answered.
  await system.sql(`update preview_client_sessions set expires_at = now() where id in (
    select id from preview_client_sessions where user_id = $1 and expires_at > now() order by created_at desc offset 20)`, [user.id]);
  const { token, upload_token: uploadToken } = await hive.api.createPreviewSession({ body: { kind: 'bundle', project_id: projectId, target_platform: 'ios' } });
  return operationId === 'getPreviewSession' ? token : uploadToken ?? token;
}

/** A share of a preview with somebody new. */
export async function shareOf(system: System, who: Person, jobId: string): Promise<string> {
  const other = await system.person();
  return (await who.hive.api.sharePreview({ path: { job_id: jobId }, body: { user_id: other.tokens.user.id } })).id;
}
