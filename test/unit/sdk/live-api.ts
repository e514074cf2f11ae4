/** The operations of live sessions as the contract states them, for the SDK's own tests; builds and uploads are those of preview-api.ts. */
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { sendData, sendError, type Answer, type Fixture } from './fixture.ts';
import { previewApi, type PreviewApi } from './preview-api.ts';

interface Change { readonly path: string; readonly content_base64?: string; readonly sha256?: string; readonly size?: number; readonly removed?: boolean }
export interface Pushed { readonly base_revision: number; readonly changes: readonly Change[] }

export interface LiveApi {
  readonly previews: PreviewApi;
  /** What was accepted, in order. */
  readonly pushes: Pushed[];
  /** Idempotency keys of all pushes, refused ones with them. */
  readonly keys: string[];
  /** What the session holds of files, by the pushes. */
  readonly files: Map<string, string>;
  /** `Last-Event-ID` of each stream that was opened. */
  readonly streams: (string | null)[];
  /** Whether a stream was asked for with credentials. */
  readonly credentials: string[];
  ended: number;
  revision: number;
  /** In place of taking the next pushes, one after the other. */
  readonly refusals: Answer[];
  /** Sends an event to who follows. */
  tell(id: string, event: string, data: unknown): void;
  /** Breaks off the streams, and answers new ones by this. */
  cut(): void;
}

const liveId = '01920000-0000-7000-8000-000000000701';
const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

export function liveApi(fixture: Fixture): LiveApi {
  const previews = previewApi(fixture);
  const streams = new Set<ServerResponse>();
  const replays = new Map<string, object>();
  const api: LiveApi = {
    previews, pushes: [], keys: [], files: new Map(), streams: [], credentials: [], ended: 0, revision: 0, refusals: [],
    tell: (id, event, data) => { for (const stream of streams) stream.write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`); },
    cut: () => { for (const stream of streams) stream.destroy(); streams.clear(); },
  };
  const session = (): object => ({ id: liveId, job_id: 'job', status: 'live', revision: api.revision, target_platform: 'ios' });
  const take = (pushed: Pushed): void => {
    for (const { path, content_base64: content, sha256: hash, removed } of pushed.changes) {
      if (removed === true) api.files.delete(path);
      else if (content !== undefined) {
        const bytes = Buffer.from(content, 'base64');
        previews.blobs.set(sha256(bytes), bytes);
        api.files.set(path, sha256(bytes));
      } else if (hash !== undefined) api.files.set(path, hash);
    }
    api.revision += 1;
    api.pushes.push(pushed);
  };
  fixture.answer = async (asked, response) => {
    const path = asked.target.split('?')[0]?.replace('/api/v1', '') ?? '';
    const at = '/preview/live-sessions';
    if (!path.startsWith(at)) {
      if (asked.method === 'GET' && path.endsWith('000000000601')) sendData(response, { id: '01920000-0000-7000-8000-000000000601', status: 'succeeded', project_id: 'p', entry_file: 'index.js' });
      else if (path.endsWith('/cancel')) sendData(response, { id: 'job', status: 'cancelled' });
      else await previews.answer(asked, response);
      return;
    }
    if (asked.method === 'POST' && path === at) {
      for (const file of previews.requests.at(-1)?.files ?? []) api.files.set(file.path, file.sha256);
      const place = `${fixture.baseUrl}/api/v1/preview`;
      sendData(response, {
        live_session: session(), token: 'live-token', expires_in: 14_400, events_url: `${place}/live-sessions/${liveId}/events?token=live-token`,
        view_url: `${place}/view/live-token`, manifest_url: `${place}/manifest?token=live-token`, deep_link: 'exp+hivesync://open',
      }, 201);
    } else if (asked.method === 'DELETE') {
      api.ended += 1;
      response.writeHead(204).end();
    } else if (path.endsWith('/events')) {
      api.streams.push(asked.headers['last-event-id'] as string | undefined ?? null);
      for (const name of ['authorization', 'x-api-key']) if (asked.headers[name] !== undefined) api.credentials.push(name);
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': here\n\n');
      streams.add(response);
    } else {
      const key = String(asked.headers['idempotency-key']);
      api.keys.push(key);
      const refusal = api.refusals.shift();
      const pushed = JSON.parse(asked.body.toString()) as Pushed;
      const missing = pushed.changes.flatMap(({ sha256: hash }) => (hash !== undefined && !previews.blobs.has(hash) ? [hash] : []));
      const replay = replays.get(key);
      if (refusal !== undefined) await refusal(asked, response);
      else if (replay !== undefined) sendData(response, replay, 202);
      else if (pushed.base_revision !== api.revision) sendError(response, 409, 'CONFLICT', {}, { revision: api.revision });
      else if (missing.length > 0) sendError(response, 409, 'CONFLICT', {}, { missing_count: missing.length, missing });
      else {
        take(pushed);
        replays.set(key, { live_id: liveId, revision: api.revision, status: 'building' });
        sendData(response, replays.get(key), 202);
      }
    }
  };
  return api;
}

/** Takes a push, and loses the answer. */
export const lostAnswer = (fixture: Fixture, api: LiveApi): Answer => async (asked, response) => {
  const pretended = { writeHead: () => pretended, end: () => undefined } as unknown as ServerResponse;
  api.keys.pop();
  await fixture.answer(asked, pretended);
  response.destroy();
};
