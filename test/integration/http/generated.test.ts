import { expect } from 'chai';
import { createApp } from '../../../src/app.ts';
import type { Handlers } from '#generated/server/handlers.gen.ts';
import { createServer, drain, listen } from '#http/server.ts';
import type { Disagreement } from '#http/referee/referee.ts';
import { newId } from '#platform/ids.ts';
import { createLogger } from '#platform/log.ts';
import { createAccessTokens } from '#platform/tokens/access-tokens.ts';
import { createPreviewTokens } from '#platform/tokens/preview-tokens.ts';
import { useDatabase } from '../../support/database.ts';
import { useRedis } from '../../support/redis.ts';
import { SettableCredentials } from './fixture/app.ts';

describe('http: the generated contract', () => {
  const database = useDatabase();
  const redis = useRedis();

  it('drives the pipeline: requests judged, answers serialised, the referee agreeing', async () => {
    const { env, db } = database.current;
    const clock = { now: () => Date.now() };
    const keys = { secret: env.jwtSecret, previousSecret: null, issuer: env.baseUrl, clock };
    const tokens = createAccessTokens(keys);
    const credentials = new SettableCredentials();
    const userId = newId();
    const sessionId = newId();
    credentials.accounts.set(userId, { userId, tier: 'free', isSuspended: false, isDeleted: false, isVerified: true });
    credentials.sessions.set(sessionId, { userId, isRevoked: false });
    const disagreements: Disagreement[] = [];
    const id = newId();
    const at = '2026-03-02T09:00:00.000Z';
    const project = {
      id, owner_id: userId, team_id: null, name: 'Field Notes', description: null, metadata: {}, is_favorite: false, role: 'owner' as const,
      tags: [], archived_at: null, created_at: at, updated_at: at,
    };
    const handlers: Partial<Handlers> = {
    getHealth: () => Promise.resolve({ status: 200, body: { status: 'ok', version: '0.1.0', time: at } }),
    listProjects: ({ query }, call) => {
      call.policy.allowed = true;
      return Promise.resolve({ status: 200, body: { items: [project], page: { limit: query.limit, offset: 0, total: 1, next_cursor: null } } });
    },
    createProject: ({ body }, call) => {
      call.policy.allowed = true;
      return Promise.resolve({ status: 201, body: { ...project, name: body.name }, headers: { Location: `/api/v1/projects/${id}` } });
    },
    getProject: (_request, call) => {
      Object.assign(call.policy, { allowed: true, onResource: true });
      return Promise.resolve({ status: 200, body: project, etag: 'v1' });
    },
    };
    const app = await createApp({
      handlers: [handlers],
      deps: {
        env: { ...env, contractReferee: true }, db, redis: redis.current.redis, subscriber: null, log: createLogger({ level: 'silent', sinks: [] }),
        tokens, previewTokens: createPreviewTokens(keys), credentials, workerKeys: () => Promise.resolve(null),
        limitsFor: () => [{ name: 'api', quota: 100, windowSeconds: 60, per: 'account' }], streamCap: () => null,
        onDisagreement: (disagreement) => void disagreements.push(disagreement),
      },
    });
    const server = createServer(app);
    const url = `http://127.0.0.1:${await listen(server, 0, '127.0.0.1')}`;
    const { token } = tokens.sign({ userId, sessionId, tier: 'free', authenticatedAtMs: clock.now() });
    const call = async (method: string, path: string, json?: unknown): Promise<string> => {
      const reply = await fetch(`${url}${path}`, {
        method, headers: { authorization: `Bearer ${token}`, ...(json === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      });
      const { error } = (await reply.json()) as { error: { code: string; details: { pointer: string }[] | null } | null };
      return [reply.status, error?.code, ...(error?.details ?? []).map(({ pointer }) => pointer)].filter((part) => part !== undefined).join(' ');
    };
    try {
      expect(await call('GET', '/health')).to.equal('200');
      expect(await call('GET', '/api/v1/projects?limit=5&favorite=true')).to.equal('200');
      expect(await call('GET', '/api/v1/projects?limit=500&colour=red')).to.equal('400 VALIDATION_ERROR #/query/colour #/query/limit');
      expect(await call('POST', '/api/v1/projects', { name: 'A' })).to.equal('201');
      expect(await call('POST', '/api/v1/projects', { name: '', extra: 1, metadata: { deep: 'a\u0000b' } })).to.match(/^400 VALIDATION_ERROR .*#\/body\/extra/);
      expect(await call('POST', '/api/v1/projects', { name: 'A', metadata: { deep: 'a\u0000b' } })).to.equal('400 VALIDATION_ERROR #/body/metadata/deep');
      expect(await call('GET', `/api/v1/projects/${id}`)).to.equal('200');
      expect(await call('GET', '/api/v1/projects/nothing')).to.match(/^400 VALIDATION_ERROR #\/path\/project_id/);
      // In the contract, and without a handler here: not mounted.
      expect(await call('DELETE', `/api/v1/projects/${id}`)).to.equal('405 METHOD_NOT_ALLOWED');
      expect(await call('GET', '/api/v1/users/me')).to.equal('404 NOT_FOUND');
      expect(disagreements).to.deep.equal([]);
    } finally {
      await drain(server, 2_000);
    }
  });
});
