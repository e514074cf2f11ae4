import { expect } from 'chai';
import type { HiveSync } from '#sdk/index.ts';
import { failureOf } from '../support/failures.ts';
import { until, useSystem, type Person } from '../support/system.ts';

const scopes = ['account:read', 'projects:read', 'previews:read', 'previews:write'] as const;

describe('API keys over the wire', () => {
  const system = useSystem({ apis: 2 });
  const by = (api: number, apiKey: string): HiveSync => system.current.anonymous({ baseUrl: system.current.urlOf(api), apiKey, maxRetries: 0 });
  const make = (who: Person, more: { project_ids?: string[]; expires_at?: string } = {}) =>
    who.hive.api.createApiKey({ body: { name: 'CI of Field Notes', scopes: [...scopes], ...more } });
  const namesSeen = async (api: number, key: string): Promise<string[]> => (await by(api, key).api.listProjects({})).items.map(({ name }) => name);
  const isRefused = async (api: number, key: string, code: string): Promise<void> => {
    expect(await failureOf(by(api, key).api.getMe({})), `by API ${api}`).to.include({ code, status: code === 'FORBIDDEN' ? 403 : 401 });
  };

  it('open what they are for, in every replica, and are listed without their secret', async () => {
    const ada = await system.current.person();
    const { api_key: made, key } = await make(ada);
    expect(key.startsWith(made.prefix)).to.equal(true);
    for (const api of [0, 1]) expect((await by(api, key).api.getMe({})).id).to.equal(ada.tokens.user.id);
    const { items } = await ada.hive.api.listApiKeys({});
    expect(items.map(({ id }) => id)).to.deep.equal([made.id]);
    expect(JSON.stringify(items)).not.to.contain(key.slice(8, -4));
    const tried = await fetch(`${system.current.baseUrl}/api/v1/api-keys`, { headers: { 'x-api-key': key } });
    expect(tried.status, 'keys are a person\'s to look after').to.equal(403);
    const lacking = await failureOf(by(0, key).api.createProject({ body: { name: 'x' } }));
    expect([lacking.code, lacking.details]).to.deep.equal(['FORBIDDEN', { scope: 'projects:write' }]);
  });

  it('may do something else from the next request on, whichever replica it comes to and whatever became of Redis', async () => {
    const ada = await system.current.person();
    const inside = await ada.hive.api.createProject({ body: { name: 'inside' } });
    await ada.hive.api.createProject({ body: { name: 'outside' } });
    const { api_key: { id }, key } = await make(ada);
    const path = { key_id: id };
    for (let round = 0; round < 5; round += 1) {
      for (const api of [0, 1]) expect(await namesSeen(api, key)).to.deep.equal(['outside', 'inside']);
      await ada.hive.api.updateApiKey({ path, body: { project_ids: [inside.id] } });
      if (round % 2 === 0) await system.current.redis.flushdb();
      for (const api of [1, 0]) expect(await namesSeen(api, key), `round ${round}`).to.deep.equal(['inside']);
      await ada.hive.api.updateApiKey({ path, body: { project_ids: null, scopes: ['projects:read'] } });
      for (const api of [1, 0]) await isRefused(api, key, 'FORBIDDEN');
      await ada.hive.api.updateApiKey({ path, body: { scopes: [...scopes] } });
      for (const api of [1, 0]) await by(api, key).api.getMe({});
    }
  });

  it('are refused from the next request on once they are revoked, in every replica, also right after Redis was emptied', async () => {
    const ada = await system.current.person();
    for (const empty of [false, true]) {
      const { api_key: { id }, key } = await make(ada);
      for (const api of [0, 1]) await by(api, key).api.getMe({});
      await ada.hive.api.revokeApiKey({ path: { key_id: id } });
      if (empty) await system.current.redis.flushdb();
      for (const api of [1, 0]) await isRefused(api, key, 'AUTH_INVALID');
    }
    expect((await ada.hive.api.listApiKeys({})).items).to.deep.equal([]);
  });

  it('end their open streams when they are revoked', async () => {
    const ada = await system.current.person();
    const project = await ada.hive.api.createProject({ body: { name: 'Field Notes' } });
    const source = { path: 'index.js', sha256: 'a'.repeat(64), size: 1 };
    const { job } = await ada.hive.api.requestPreview({ body: { project_id: project.id, target_platform: 'ios', entry_file: 'index.js', files: [source] } });
    const { api_key: { id }, key } = await make(ada);
    const answer = await fetch(`${system.current.urlOf(1)}/api/v1/preview/jobs/${job.id}/events`, { headers: { 'x-api-key': key } });
    expect(answer.status).to.equal(200);
    let text = '';
    let hasEnded = false;
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of answer.body ?? []) text += decoder.decode(chunk as Uint8Array, { stream: true });
      hasEnded = true;
    })();
    await until('the first event', () => text.includes('event: job'));
    expect(hasEnded).to.equal(false);
    await ada.hive.api.revokeApiKey({ path: { key_id: id } });
    await until('the stream to end', () => hasEnded, 18_000);
    await reading;
  });

  it('are replaced by new ones, both working for the overlap; without one the old ends at once', async () => {
    const ada = await system.current.person();
    const old = await make(ada);
    const fresh = await ada.hive.api.rotateApiKey({ path: { key_id: old.api_key.id }, body: { overlap_seconds: 3600 } });
    for (const key of [old.key, fresh.key]) for (const api of [0, 1]) await by(api, key).api.getMe({});
    expect(await failureOf(ada.hive.api.rotateApiKey({ path: { key_id: old.api_key.id }, body: { overlap_seconds: 0 } }))).to.include({ code: 'CONFLICT', status: 409 });
    const last = await ada.hive.api.rotateApiKey({ path: { key_id: fresh.api_key.id }, body: { overlap_seconds: 0 } });
    for (const api of [1, 0]) await isRefused(api, fresh.key, 'AUTH_INVALID');
    for (const key of [old.key, last.key]) await by(1, key).api.getMe({});
  });

  it('end by themselves', async () => {
    const ada = await system.current.person();
    const endsAt = Date.now() + 1_500;
    const { key } = await make(ada, { expires_at: new Date(endsAt).toISOString() });
    for (const api of [0, 1]) await by(api, key).api.getMe({});
    await until('its time', () => Date.now() > endsAt);
    for (const api of [0, 1]) await isRefused(api, key, 'AUTH_EXPIRED');
  });

  it('stop at the tier\'s number, one of many that ask at both replicas getting the last place', async () => {
    const ada = await system.current.person('free');
    await make(ada);
    const tries = await Promise.allSettled(Array.from({ length: 20 }, (_, at) =>
      system.current.anonymous({ baseUrl: system.current.urlOf(at % 2), accessToken: ada.tokens.access_token, maxRetries: 0 })
        .api.createApiKey({ body: { name: `n${at}`, scopes: ['account:read'] } })));
    expect(tries.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    const failure = await failureOf(make(ada));
    expect(failure).to.include({ code: 'QUOTA_EXCEEDED', status: 402 });
    expect(failure.details).to.deep.equal({ limit: 'api_keys', allowed: 2, used: 2, tier: 'free', upgrade_to: 'pro' });
  });
});
