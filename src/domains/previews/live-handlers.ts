import type { Handlers } from '#generated/server/handlers.gen.ts';
import type { LiveSessionService } from './live-service.ts';
import type { LiveStream } from './live-stream.ts';

type Operations = 'createLiveSession' | 'pushLiveChanges' | 'streamLiveSession' | 'endLiveSession';

const sessionAt = (id: string): string => `/api/v1/preview/live-sessions/${id}`;

export const liveSessionHandlers = (sessions: LiveSessionService, stream: LiveStream): Pick<Handlers, Operations> => ({
  createLiveSession: async ({ body }, call) => {
    const created = await sessions.create(call, body);
    return { status: 201, body: created, headers: { Location: sessionAt(created.live_session.id) } };
  },
  pushLiveChanges: async ({ path, body }, call) => ({ status: 202, body: await sessions.push(call, path.live_id, body), headers: { Location: `${sessionAt(path.live_id)}/events` } }),
  streamLiveSession: async ({ path, headers }, call) => ({ status: 200, events: await stream.open(call, path.live_id, headers['last-event-id']) }),
  endLiveSession: async ({ path }, call) => {
    await sessions.end(call, path.live_id);
    return { status: 204 };
  },
});
