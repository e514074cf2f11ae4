import { expect } from 'chai';
import { failureOf } from '../support/failures.ts';
import { useSystem } from '../support/system.ts';

describe('profile, preferences, usage and people over the wire', () => {
  const system = useSystem();

  it('changes the profile, and tells a second writer of the first', async () => {
    const { hive, tokens } = await system.current.person();
    const changed = await hive.api.updateMe({ body: { display_name: 'Ada Park', avatar_url: 'https://images.example.com/ada.png' } });
    expect(changed).to.include({ display_name: 'Ada Park', avatar_url: 'https://images.example.com/ada.png', username: tokens.user.username });
    expect(await hive.api.getMe({})).to.deep.equal(changed);
    const url = `${system.current.baseUrl}/api/v1/users/me`;
    const authorization = `Bearer ${tokens.access_token}`;
    const etag = (await fetch(url, { headers: { authorization } })).headers.get('etag') ?? '';
    expect((await fetch(url, { headers: { authorization, 'if-none-match': etag } })).status).to.equal(304);
    const write = (name: string): Promise<Response> => fetch(url, {
      method: 'PATCH', headers: { authorization, 'content-type': 'application/json', 'if-match': etag }, body: JSON.stringify({ display_name: name }),
    });
    const statuses = (await Promise.all([write('One'), write('Two')])).map(({ status }) => status);
    expect(statuses.sort()).to.deep.equal([200, 412]);
    const failure = await failureOf(hive.api.updateMe({ body: { avatar_url: 'http://images.example.com/ada.png' } }));
    expect([failure.code, failure.details]).to.deep.equal(['VALIDATION_ERROR', [{ pointer: '#/body/avatar_url', message: 'must be an https address', rule: 'https' }]]);
  });

  it('keeps preferences, and the channels of each type of notification', async () => {
    const { hive } = await system.current.person();
    const shipped = await hive.api.getPreferences({});
    expect(shipped.preferences).to.deep.equal({});
    const set = await hive.api.updatePreferences({ body: {
      preferences: { theme: 'dark', 'editor.font_size': 14 }, notifications: { 'task.assigned': { in_app: true, email: false } },
    } });
    expect(set.preferences).to.deep.equal({ theme: 'dark', 'editor.font_size': 14 });
    expect(set.notifications).to.deep.equal({ ...shipped.notifications, 'task.assigned': { in_app: true, email: false } });
    const back = await hive.api.updatePreferences({ body: { preferences: { theme: null }, notifications: { 'task.assigned': null } } });
    expect([back.preferences, back.notifications]).to.deep.equal([{ 'editor.font_size': 14 }, shipped.notifications]);
    expect(await hive.api.getPreferences({})).to.deep.equal(back);
  });

  it('tells what is used of each limit, by token and by key', async () => {
    const { hive } = await system.current.person('free');
    await hive.api.createProject({ body: { name: 'Field Notes' } });
    const { key } = await hive.api.createApiKey({ body: { name: 'CI', scopes: ['account:read'] } });
    for (const client of [hive, system.current.anonymous({ apiKey: key })]) {
      const { tier, items } = await client.api.getUsage({});
      expect([tier, items.length]).to.deep.equal(['free', 23]);
      const of = (name: string): unknown => { const item = items.find((one) => one.name === name); return [item?.used, item?.limit, item?.resets_at]; };
      expect([of('projects'), of('api_keys'), of('streams_at_once'), of('live_sessions_at_once')]).to.deep.equal([[1, 5, null], [1, 2, null], [0, 2, null], [0, 1, null]]);
      const requests = items.find(({ name }) => name === 'api_requests_per_minute');
      expect(requests?.used).to.be.within(3, 10);
    }
  });

  it('finds people by name and whole address, without giving an address away', async () => {
    const ada = await system.current.person();
    const ben = await system.current.person();
    await ben.hive.api.updateMe({ body: { display_name: 'Benedetta Ximenes' } });
    const search = async (q: string): Promise<string[]> => (await ada.hive.api.searchUsers({ query: { q } })).items.map(({ id }) => id);
    for (const q of ['ximen', 'BENEDETTA', ben.tokens.user.username, ben.tokens.user.email]) expect(await search(q), q).to.deep.equal([ben.tokens.user.id]);
    for (const q of [ada.tokens.user.username, '@example.com', 'ximen%']) expect(await search(q), q).to.deep.equal([]);
    const { items } = await ada.hive.api.searchUsers({ query: { q: 'ximenes' } });
    expect(items).to.deep.equal([{ id: ben.tokens.user.id, username: ben.tokens.user.username, display_name: 'Benedetta Ximenes', avatar_url: null }]);
    await ben.hive.api.updateMe({ body: { searchable: false } });
    expect(await search('ximen')).to.deep.equal([]);
    expect(await failureOf(ada.hive.api.searchUsers({ query: { q: 'xi' } }))).to.include({ code: 'VALIDATION_ERROR', status: 400 });
  });
});
