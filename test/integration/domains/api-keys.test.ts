import { expect } from 'chai';
import type { ApiKeyScope, ApiKeyUpdate } from '#generated/sdk/types.gen.ts';
import { hashApiKey, isApiKeyFormed } from '#platform/tokens/api-keys.ts';
import { newId } from '#platform/ids.ts';
import { type DataOf, type Person, type Reply, useBackend } from '../../support/backend.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';

describe('API keys', () => {
  const backend = useBackend();
  const person = (tier: Person['tier'] = 'premium'): Promise<Person> => backend.current.person(tier);
  const inFuture = (ms = 3_600_000): string => new Date(backend.current.clock.now() + ms).toISOString();

  type Created = DataOf<'createApiKey'>;
  interface Terms { readonly scopes?: readonly ApiKeyScope[]; readonly project_ids?: readonly string[]; readonly expires_at?: string | null }
  const make = async (who: Person, { scopes = ['account:read', 'projects:read'], ...more }: Terms = {}): Promise<Created> => {
    const { project_ids: projectIds, ...rest } = more;
    const body = { name: 'CI', scopes: [...scopes], ...rest, ...(projectIds === undefined ? {} : { project_ids: [...projectIds] }) };
    return (await backend.current.run('createApiKey', who, { body })).data;
  };
  const by = ({ key }: Created): Record<string, string> => ({ 'x-api-key': key });
  const outcome = ({ status, error }: Reply): string => `${status} ${error?.code ?? 'ok'}`;
  const get = async (path: string, made: Created): Promise<Reply> => backend.current.http('GET', path, { headers: by(made) });
  const me = async (made: Created): Promise<string> => outcome(await get('/users/me', made));

  describe('being made', () => {
    it('show their secret this once, and only its hash, beginning and end are kept', async () => {
      const { sql, run } = backend.current;
      const ada = await person();
      const { api_key: made, key } = await make(ada, { expires_at: inFuture() });
      expect(isApiKeyFormed(key)).to.equal(true);
      expect(made).to.include({ name: 'CI', prefix: key.slice(0, 8), last_four: key.slice(-4), project_ids: null, last_used_at: null });
      const [row] = await sql<{ hashed_key: Buffer }>('select * from api_keys where id = ?', [made.id]);
      expect(row?.hashed_key.equals(hashApiKey(key))).to.equal(true);
      const middle = key.slice(8, -4);
      for (const table of ['api_keys', 'audit_logs', 'outbox']) expect(JSON.stringify(await sql(`select * from ${table}`)), table).not.to.contain(middle);
      expect(JSON.stringify((await run('listApiKeys', ada)).data)).not.to.contain(middle);
      expect(await sql('select event_type, data from audit_logs where entity_id = ?', [made.id])).to.deep.equal([{
        event_type: 'api_key.created', data: { name: 'CI', scopes: made.scopes, project_ids: null, expires_at: made.expires_at },
      }]);
    });

    it('open what their scopes name from the next request on', async () => {
      const made = await make(await person());
      expect(await me(made)).to.equal('200 ok');
      expect(outcome(await get('/projects', made))).to.equal('200 ok');
      expect(outcome(await get('/preview/jobs', made))).to.equal('403 FORBIDDEN');
    });

    it('are answered byte for byte again under one Idempotency-Key, with place and version, and made once', async () => {
      const { http, sql, logLines } = backend.current;
      const ada = await person();
      const path = '/api-keys';
      const ask = () => http('POST', path, { json: { name: 'CI', scopes: ['account:read'] }, headers: { ...ada.headers, 'idempotency-key': 'the-one-intention' } });
      const first = await ask();
      const again = await ask();
      expect([first.status, again.status, again.headers.get('idempotency-replayed')]).to.deep.equal([201, 201, 'true']);
      expect(again.text).to.equal(first.text);
      const { id } = first.data['api_key'] as { id: string };
      for (const { headers } of [first, again]) {
        expect([headers.get('location'), headers.get('etag')]).to.deep.equal([`/api/v1/api-keys/${id}`, first.headers.get('etag')]);
        expect(headers.get('cache-control')).to.contain('no-store');
      }
      expect(first.headers.get('etag')).to.match(/^"[0-9a-z]+-0"$/);
      expect(await sql('select id from api_keys where user_id = ?', [ada.userId])).to.have.length(1);
      expect(logLines.filter((line) => line.includes('sealed_otherwise'))).to.deep.equal([]);
    });

    it('take a confirmed address', async () => {
      const { run } = backend.current;
      const ada = { ...await person(), isVerified: false };
      const refusal = await refusalOf(run('createApiKey', ada, { body: { name: 'CI', scopes: ['account:read'] } }));
      expect([refusal.code, refusal.details]).to.deep.equal(['FORBIDDEN', { reason: 'email_not_verified' }]);
    });

    it('end in the future, or are refused with a pointer', async () => {
      const { run } = backend.current;
      const ada = await person();
      for (const at of [inFuture(-1), '1999-01-01T00:00:00Z', inFuture(0)]) {
        const refusal = await refusalOf(make(ada, { expires_at: at }));
        expect([refusal.code, refusal.details], at).to.deep.equal(['VALIDATION_ERROR', [{ pointer: '#/body/expires_at', message: 'must be in the future', rule: 'future' }]]);
      }
      expect((await make(ada, { expires_at: null })).api_key.expires_at).to.equal(null);
      expect((await run('listApiKeys', ada)).data.items).to.have.length(1);
    });

    it('are for projects that the caller sees, all of them', async () => {
      const { project, database: { db } } = backend.current;
      const [ada, ben] = [await person(), await person()];
      const [mine, his, shared] = [await project(ada), await project(ben), await project(ben)];
      await db.knex('project_members').insert({ id: newId(), project_id: shared, user_id: ada.userId, role: 'Member' });
      expect((await make(ada, { project_ids: [mine, shared] })).api_key.project_ids).to.deep.equal([mine, shared]);
      expect((await make(ada, { project_ids: [mine.toUpperCase(), mine] })).api_key.project_ids).to.deep.equal([mine]);
      for (const ids of [[his], [mine, his], [newId()]]) expect(await codeOf(make(ada, { project_ids: ids }))).to.equal('NOT_FOUND');
    });

    it('stop at the tier\'s number: of twenty at once with one place left exactly one is made', async () => {
      const ada = await person('free');
      await make(ada);
      const race = await Promise.allSettled(Array.from({ length: 20 }, () => make(ada)));
      expect(race.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      const codes = new Set(race.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : [])));
      expect([...codes]).to.deep.equal(['QUOTA_EXCEEDED']);
      const refusal = await refusalOf(make(ada));
      expect(refusal.details).to.deep.equal({ limit: 'api_keys', allowed: 2, used: 2, tier: 'free', upgrade_to: 'pro' });
    });

    it('count while they are neither revoked, expired nor being replaced', async () => {
      const { run, clock } = backend.current;
      const ada = await person('free');
      const [first, second] = [await make(ada), await make(ada, { expires_at: inFuture(60_000) })];
      await run('rotateApiKey', ada, { path: { key_id: first.api_key.id }, body: { overlap_seconds: 3600 } });
      expect(await codeOf(make(ada)), 'the replaced one counts no more, the new one does').to.equal('QUOTA_EXCEEDED');
      clock.advance(60_000);
      const third = await make(ada);
      expect(await codeOf(make(ada))).to.equal('QUOTA_EXCEEDED');
      await run('revokeApiKey', ada, { path: { key_id: third.api_key.id } });
      await make(ada);
      const { data } = await run('listApiKeys', ada);
      expect(data.items.map(({ id }) => id), 'an expired one is listed').to.include(second.api_key.id).and.not.include(third.api_key.id);
    });
  });

  describe('being listed', () => {
    it('are the caller\'s alone, newest first, also where one moment made several', async () => {
      const { run, sql } = backend.current;
      const [ada, ben] = [await person(), await person()];
      const ids: string[] = [];
      for (let count = 0; count < 5; count += 1) ids.push((await make(ada)).api_key.id);
      await make(ben);
      await sql("update api_keys set created_at = '2026-03-02T09:00:00Z' where user_id = ?", [ada.userId]);
      const newestFirst = [...ids].sort().reverse();
      const { data } = await run('listApiKeys', ada);
      expect(data.items.map(({ id }) => id)).to.deep.equal(newestFirst);
      expect(data.page).to.deep.equal({ limit: 50, offset: 0, total: 5, next_cursor: null });
      const walked: string[] = [];
      for (let cursor: string | null = null, first = true; first || cursor !== null; first = false) {
        const query: { limit: number; cursor?: string } = { limit: 2, ...(cursor === null ? {} : { cursor }) };
        const { data: { items, page } } = await run('listApiKeys', ada, { query });
        walked.push(...items.map(({ id }) => id));
        cursor = page.next_cursor;
      }
      expect(walked).to.deep.equal(newestFirst);
      expect((await run('listApiKeys', ada, { query: { offset: 4 } })).data.items.map(({ id }) => id)).to.deep.equal(newestFirst.slice(4));
      expect(await codeOf(run('listApiKeys', ada, { query: { cursor: 'bm9uZQ' } }))).to.equal('VALIDATION_ERROR');
    });
  });

  describe('being changed', () => {
    it('merge: what is absent stays, null lifts, and audit tells old and new', async () => {
      const { run, project, sql } = backend.current;
      const ada = await person();
      const id = await project(ada);
      const { api_key: made } = await make(ada, { project_ids: [id], expires_at: inFuture() });
      const path = { key_id: made.id };
      const renamed = await run('updateApiKey', ada, { path, body: { name: 'Nightly' } });
      expect(renamed.data).to.deep.equal({ ...made, name: 'Nightly', updated_at: renamed.data.updated_at });
      expect(Date.parse(renamed.data.updated_at)).to.be.greaterThan(Date.parse(made.updated_at));
      const lifted = await run('updateApiKey', ada, { path, body: { project_ids: null, expires_at: null, scopes: ['tasks:read'] } });
      expect(lifted.data).to.deep.include({ name: 'Nightly', project_ids: null, expires_at: null, scopes: ['tasks:read'] });
      const trail = await sql<{ data: unknown }>("select data from audit_logs where entity_id = ? and event_type = 'api_key.updated' order by id", [made.id]);
      expect(trail.map(({ data }) => data)).to.deep.equal([
        { changes: { name: { from: 'CI', to: 'Nightly' } } },
        { changes: {
          scopes: { from: made.scopes, to: ['tasks:read'] }, project_ids: { from: [id], to: null }, expires_at: { from: made.expires_at, to: null },
        } },
      ]);
    });

    it('are refused under a version that is no more; exactly one of many changes of one version goes through', async () => {
      const { run } = backend.current;
      const ada = await person();
      const path = { key_id: (await make(ada)).api_key.id };
      const { etag } = await run('updateApiKey', ada, { path, body: { name: 'one' } });
      const race = await Promise.allSettled(Array.from({ length: 8 }, (_, at) => run('updateApiKey', ada, { path, body: { name: `n${at}` } }, { ifMatch: etag ?? '' })));
      expect(race.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      for (const ifMatch of [etag ?? '', 'nonsense', '0', '']) {
        expect(await codeOf(run('updateApiKey', ada, { path, body: { name: 'late' } }, { ifMatch })), ifMatch).to.equal('PRECONDITION_FAILED');
      }
    });

    it('are not kept from it by being used meanwhile, though what is shown of them has another tag', async () => {
      const { run, sql } = backend.current;
      const ada = await person();
      const path = { key_id: (await make(ada)).api_key.id };
      const before = await run('updateApiKey', ada, { path, body: { name: 'one' } });
      await sql('update api_keys set last_used_at = now() where id = ?', [path.key_id]);
      const after = await run('updateApiKey', ada, { path, body: { name: 'two' } }, { ifMatch: before.etag ?? '' });
      expect(after.data.last_used_at).to.be.a('string');
      expect(after.etag).not.to.match(/-0$/);
    });

    it('take effect at the next request: scopes, projects and end', async () => {
      const { run, project } = backend.current;
      const ada = await person();
      const [one, other] = [await project(ada, { name: 'one' }), await project(ada, { name: 'other' })];
      const made = await make(ada);
      const change = (body: ApiKeyUpdate) => run('updateApiKey', ada, { path: { key_id: made.api_key.id }, body });
      const names = async (): Promise<string[]> => ((await get('/projects', made)).data['items'] as { name: string }[]).map(({ name }) => name);
      expect(await names()).to.deep.equal(['other', 'one']);
      await change({ project_ids: [one] });
      expect(await names()).to.deep.equal(['one']);
      expect(outcome(await get(`/projects/${other}`, made))).to.equal('404 NOT_FOUND');
      await change({ project_ids: null });
      expect(outcome(await get(`/projects/${other}`, made))).to.equal('200 ok');
      await change({ scopes: ['projects:read'] });
      expect(await me(made)).to.equal('403 FORBIDDEN');
      await change({ scopes: ['account:read'], expires_at: inFuture(60_000) });
      expect(await me(made)).to.equal('200 ok');
      backend.current.clock.advance(60_000);
      expect(await me(made)).to.equal('401 AUTH_EXPIRED');
    });

    it('are not brought back once they count for no limit: neither an expired key nor one that is being replaced', async () => {
      const { run, clock } = backend.current;
      const ada = await person('free');
      const [short, old] = [await make(ada, { expires_at: inFuture(60_000) }), await make(ada)];
      await run('rotateApiKey', ada, { path: { key_id: old.api_key.id }, body: { overlap_seconds: 3600 } });
      const replaced = { key_id: old.api_key.id };
      for (const at of [null, inFuture(7_200_000)]) {
        const refusal = await refusalOf(run('updateApiKey', ada, { path: replaced, body: { expires_at: at } }));
        expect([refusal.code, refusal.details]).to.deep.equal(['FORBIDDEN', { field: 'expires_at' }]);
      }
      await run('updateApiKey', ada, { path: replaced, body: { expires_at: inFuture(60_000), name: 'ends sooner' } });
      clock.advance(60_000);
      const expired = { key_id: short.api_key.id };
      for (const at of [null, inFuture()]) expect(await codeOf(run('updateApiKey', ada, { path: expired, body: { expires_at: at } }))).to.equal('FORBIDDEN');
      expect((await run('updateApiKey', ada, { path: expired, body: { name: 'what it was' } })).data.name).to.equal('what it was');
      expect(await me(short)).to.equal('401 AUTH_EXPIRED');
    });

    it('take only projects that the caller sees, and an end in the future', async () => {
      const { run, project } = backend.current;
      const [ada, ben] = [await person(), await person()];
      const path = { key_id: (await make(ada)).api_key.id };
      expect(await codeOf(run('updateApiKey', ada, { path, body: { project_ids: [await project(ben)] } }))).to.equal('NOT_FOUND');
      expect(await codeOf(run('updateApiKey', ada, { path, body: { expires_at: inFuture(-1000) } }))).to.equal('VALIDATION_ERROR');
    });
  });

  describe('being revoked', () => {
    it('are refused from the next request on, gone from the list, and tell it in audit and by an event', async () => {
      const { run, sql } = backend.current;
      const ada = await person();
      const made = await make(ada);
      expect(await me(made)).to.equal('200 ok');
      expect((await run('revokeApiKey', ada, { path: { key_id: made.api_key.id } })).status).to.equal(204);
      expect(await me(made)).to.equal('401 AUTH_INVALID');
      expect((await run('listApiKeys', ada)).data.items).to.deep.equal([]);
      const path = { key_id: made.api_key.id };
      expect(await codeOf(run('revokeApiKey', ada, { path }))).to.equal('NOT_FOUND');
      expect(await codeOf(run('updateApiKey', ada, { path, body: { name: 'x' } }))).to.equal('NOT_FOUND');
      expect(await codeOf(run('rotateApiKey', ada, { path, body: { overlap_seconds: 0 } }))).to.equal('NOT_FOUND');
      expect(await sql("select topic from outbox where payload ->> 'entityId' = ?", [path.key_id])).to.deep.equal([{ topic: 'api_key.revoked' }]);
      expect(await sql('select event_type from audit_logs where entity_id = ? order by id', [path.key_id]))
        .to.deep.equal([{ event_type: 'api_key.created' }, { event_type: 'api_key.revoked' }]);
    });

    it('stay refused right after Redis was wiped, and while it is away', async () => {
      const { run, redis: { redis } } = backend.current;
      const ada = await person();
      const [made, stays] = [await make(ada), await make(ada)];
      expect([await me(made), await me(stays)]).to.deep.equal(['200 ok', '200 ok']);
      await run('revokeApiKey', ada, { path: { key_id: made.api_key.id } });
      await redis.flushdb();
      expect([await me(made), await me(stays)]).to.deep.equal(['401 AUTH_INVALID', '200 ok']);
      redis.disconnect();
      try {
        expect([await me(made), await me(stays)]).to.deep.equal(['401 AUTH_INVALID', '200 ok']);
      } finally {
        await redis.connect();
      }
    });

    it('are marked for the streams that are open, by the outbox too', async () => {
      const { run, redis: { redis }, services, sql } = backend.current;
      const ada = await person();
      const { api_key: { id } } = await make(ada);
      await run('revokeApiKey', ada, { path: { key_id: id } });
      expect(await redis.exists(`revoked:${id}`)).to.equal(1);
      await redis.del(`revoked:${id}`);
      const [row] = await sql<{ payload: { entityId: string; type: string; data: Record<string, unknown> } }>("select payload from outbox where payload ->> 'entityId' = ?", [id]);
      if (row === undefined) throw new Error('There is no event.');
      await services.consumers.get('api_key.revoked')?.(row.payload);
      expect(await redis.exists(`revoked:${id}`)).to.equal(1);
    });
  });

  describe('being replaced', () => {
    const rotate = (who: Person, made: Created, overlap = 3600) =>
      backend.current.run('rotateApiKey', who, { path: { key_id: made.api_key.id }, body: { overlap_seconds: overlap } });

    it('hand name, scopes, projects and end on, and work beside the new one for as long as the caller says', async () => {
      const { project, clock, sql } = backend.current;
      const ada = await person();
      const old = await make(ada, { project_ids: [await project(ada)], expires_at: inFuture(86_400_000) });
      const { status, data } = await rotate(ada, old);
      expect(status).to.equal(201);
      const { name, scopes, project_ids: projectIds, expires_at: expiresAt } = old.api_key;
      expect(data.api_key).to.deep.include({ name, scopes, project_ids: projectIds, expires_at: expiresAt, last_used_at: null });
      expect(data.key).not.to.equal(old.key);
      expect([await me(old), await me(data)]).to.deep.equal(['200 ok', '200 ok']);
      clock.advance(3_600_000);
      expect([await me(old), await me(data)]).to.deep.equal(['401 AUTH_EXPIRED', '200 ok']);
      expect(await sql("select data from audit_logs where entity_id = ? and event_type = 'api_key.rotated'", [old.api_key.id]))
        .to.deep.equal([{ data: { replaced_by: data.api_key.id, overlap_seconds: 3600 } }]);
    });

    it('never live longer for it, and end at once without an overlap', async () => {
      const { sql } = backend.current;
      const ada = await person();
      const short = await make(ada, { expires_at: inFuture(60_000) });
      await rotate(ada, short, 604_800);
      const [row] = await sql<{ expires_at: string }>('select expires_at from api_keys where id = ?', [short.api_key.id]);
      expect(row?.expires_at).to.equal(short.api_key.expires_at);
      const old = await make(ada);
      const { data } = await rotate(ada, old, 0);
      expect([await me(old), await me(data)]).to.deep.equal(['401 AUTH_INVALID', '200 ok']);
      expect(await sql("select topic from outbox where payload ->> 'entityId' = ?", [old.api_key.id])).to.deep.equal([{ topic: 'api_key.revoked' }]);
    });

    it('are replaced by exactly one of fifty at once', async () => {
      const { sql } = backend.current;
      const ada = await person();
      const old = await make(ada);
      const race = await Promise.allSettled(Array.from({ length: 50 }, () => rotate(ada, old)));
      expect(race.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      const codes = new Set(race.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : [])));
      expect([...codes]).to.deep.equal(['CONFLICT']);
      expect(await sql('select count(*) as keys from api_keys where user_id = ?', [ada.userId])).to.deep.equal([{ keys: 2 }]);
    });

    it('are refused when they have expired, and without a confirmed address', async () => {
      const ada = await person();
      const short = await make(ada, { expires_at: inFuture(60_000) });
      expect((await refusalOf(rotate({ ...ada, isVerified: false }, short))).details).to.deep.equal({ reason: 'email_not_verified' });
      backend.current.clock.advance(60_000);
      expect(await codeOf(rotate(ada, short))).to.equal('CONFLICT');
    });
  });

  it('are nobody else\'s to change, revoke or replace', async () => {
    const { run } = backend.current;
    const [ada, eve] = [await person(), await person()];
    const made = await make(ada);
    const path = { key_id: made.api_key.id };
    const tried: Promise<unknown>[] = [
      run('updateApiKey', eve, { path, body: { name: 'hers' } }), run('revokeApiKey', eve, { path }), run('rotateApiKey', eve, { path, body: { overlap_seconds: 0 } }),
    ];
    expect(await Promise.all(tried.map(codeOf))).to.deep.equal(['NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND']);
    expect(await me(made)).to.equal('200 ok');
  });

  it('cost a fixed number of statements', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const ids = [await project(ada), await project(ada), await project(ada)];
    const made = await make(ada);
    const path = { key_id: made.api_key.id };
    await backend.current.services.tiers.limitsOf('premium');
    const body = { name: 'CI', scopes: ['account:read' as const] };
    expect(await countStatements(() => run('listApiKeys', ada))).to.equal(2);
    // The lock, the count, the row, audit; with projects one more for all of them.
    expect(await countStatements(() => run('createApiKey', ada, { body }))).to.equal(4);
    expect(await countStatements(() => run('createApiKey', ada, { body: { ...body, project_ids: ids } }))).to.equal(5);
    expect(await countStatements(() => run('updateApiKey', ada, { path, body: { name: 'x' } }))).to.equal(3);
    expect(await countStatements(() => run('rotateApiKey', ada, { path, body: { overlap_seconds: 60 } }))).to.equal(5);
    expect(await countStatements(() => run('revokeApiKey', ada, { path }))).to.equal(3);
  });
});
