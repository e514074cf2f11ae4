import { builtJob, buildWhatComes, liveSession, previewOf, queuedJob, source, uploadedJob, viewToken, waitingJob } from '../previews.ts';
import type { Recipe } from '../requests.ts';
import type { Scene, World } from '../world.ts';

/** A request about one preview job of a new project. */
const about = (below: string, make: (world: World, projectId: string) => Promise<string>): Recipe => ({
  ask: async (world: World, scene: Scene) => {
    const projectId = await world.project(scene);
    const id = await make(world, projectId);
    return { path: `/preview/jobs/${id}${below}`, target: id };
  },
});

/** The same of a job like it: what another use of one key would be about. */
const aboutOneOfTwo = (below: string, make: (world: World, projectId: string) => Promise<string>): Recipe => ({
  ask: async (world, scene) => {
    const [asked, other] = [await about(below, make).ask(world, scene), await about(below, make).ask(world, scene)];
    return { ...asked, other: { path: other.path } };
  },
});

interface Opened { readonly token: string; readonly upload_token: string | null }

/** A session of the maker's, or of whoever is said to open it. */
const session = async (world: World, scene: Scene): Promise<Opened> => world.data<Opened>('POST', '/preview/sessions', {
  as: world.maker, json: { kind: 'bundle', project_id: await world.project(scene), target_platform: 'ios' },
});

const inline = (text: string): Record<string, unknown> => ({ path: source.path, content_base64: Buffer.from(text).toString('base64') });

export const previewRequests: Readonly<Record<string, Recipe>> = {
  listPreviewSdks: { ask: () => Promise.resolve({ path: '/preview/sdks' }) },
  requestPreview: {
    ask: async (world, scene) => {
      const id = await world.project(scene);
      return { path: '/preview/request', json: previewOf(id), target: id, other: { json: { ...previewOf(id), target_platform: 'android' } } };
    },
  },
  buildPreview: {
    ask: async (world, scene) => {
      const id = await world.project(scene);
      const json = { ...previewOf(id), files: [inline('export default 2;')] };
      return {
        path: '/preview/build', json, target: id, other: { json: { ...json, target_platform: 'android' } },
        meanwhile: (signal) => buildWhatComes(world, id, signal),
      };
    },
  },
  listPreviewJobs: { ask: () => Promise.resolve({ path: '/preview/jobs' }) },
  getPreviewJob: about('', waitingJob),
  listMissingBlobs: about('/missing', waitingJob),
  startPreviewJob: aboutOneOfTwo('/start', uploadedJob),
  cancelPreviewJob: about('/cancel', queuedJob),
  deletePreviewJob: about('', queuedJob),
  getPreviewLogs: about('/logs', waitingJob),
  streamPreviewJob: about('/events', queuedJob),
  listPreviewArtifacts: about('/artifacts', waitingJob),
  createPreviewToken: aboutOneOfTwo('/tokens', waitingJob),
  sharePreview: {
    ask: async (world, scene) => {
      const { path, target } = await about('/shares', waitingJob).ask(world, scene);
      return { path, json: { user_id: world.visitor.id, note: 'Look.' }, ...(target === undefined ? {} : { target }), other: { json: { user_id: world.visitor.id, note: 'Look again.' } } };
    },
  },
  createLiveSession: {
    ask: async (world, scene) => {
      const projectId = await world.project(scene);
      const [jobId, otherId] = [await builtJob(world, projectId), await builtJob(world, projectId)];
      return { path: '/preview/live-sessions', json: { job_id: jobId }, target: jobId, other: { json: { job_id: otherId } } };
    },
  },
  pushLiveChanges: {
    ask: async (world, scene) => {
      const { live_session: { id } } = await liveSession(world, await world.project(scene), scene.owner.id);
      const json = { base_revision: 0, changes: [inline('export default 3;')] };
      return { path: `/preview/live-sessions/${id}/changes`, json, target: id, other: { json: { base_revision: 0, changes: [inline('export default 4;')] } } };
    },
  },
  streamLiveSession: {
    ask: async (world, scene) => {
      const { live_session: { id }, token } = await liveSession(world, await world.project(scene), scene.owner.id);
      return { path: `/preview/live-sessions/${id}/events?token=${token}` };
    },
  },
  endLiveSession: {
    ask: async (world, scene) => {
      const { live_session: { id } } = await liveSession(world, await world.project(scene), scene.owner.id);
      return { path: `/preview/live-sessions/${id}`, target: id };
    },
  },
  listPreviewShares: about('/shares', waitingJob),
  createPreviewSession: {
    ask: async (world, scene) => {
      const id = await world.project(scene);
      const json = { kind: 'bundle', project_id: id, target_platform: 'ios' };
      return { path: '/preview/sessions', json, target: id, other: { json: { ...json, target_platform: 'android' } } };
    },
  },
  getPreviewSession: { ask: async (world, scene) => ({ path: `/preview/sessions/${(await session(world, scene)).token}` }) },
  uploadPreviewBundle: {
    ask: async (world, scene) => ({
      path: `/preview/sessions/${(await session(world, scene)).upload_token ?? ''}/bundle`, raw: { type: 'application/javascript', text: 'export default 3;' },
    }),
  },
  getPreviewManifest: {
    ask: async (world, scene) => {
      const jobId = await builtJob(world, await world.project(scene));
      const { token } = await world.data<{ token: string }>('POST', `/preview/jobs/${jobId}/tokens`, { as: world.maker });
      return { path: `/preview/manifest?token=${token}` };
    },
  },
  viewPreview: { ask: async (world, scene) => ({ path: `/preview/view/${await viewToken(world, await world.project(scene))}` }) },
  streamPreviewView: { ask: async (world, scene) => ({ path: `/preview/view/${await viewToken(world, await world.project(scene))}/events` }) },
  revokePreviewShare: {
    ask: async (world, scene) => {
      const jobId = await waitingJob(world, await world.project(scene));
      const { id } = await world.data<{ id: string }>('POST', `/preview/jobs/${jobId}/shares`, { as: world.maker, json: { user_id: world.visitor.id } });
      return { path: `/preview/shares/${id}`, target: id };
    },
  },
};
