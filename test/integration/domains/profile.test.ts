import { expect } from 'chai';
import { type Person, useBackend } from '../../support/backend.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';

describe('the profile', () => {
  const backend = useBackend();
  const person = (): Promise<Person> => backend.current.person();

  it('merges: what is absent stays, null clears, and the version moves with every change', async () => {
    const { run } = backend.current;
    const ada = await person();
    const before = await run('getMe', ada);
    const named = await run('updateMe', ada, { body: { display_name: 'Ada Park', avatar_url: 'https://images.example.com/ada.png' } });
    expect(named.data).to.deep.equal({ ...before.data, display_name: 'Ada Park', avatar_url: 'https://images.example.com/ada.png', updated_at: named.data.updated_at });
    expect(Date.parse(named.data.updated_at)).to.be.greaterThan(Date.parse(before.data.updated_at));
    expect(named.etag).not.to.equal(before.etag);
    const cleared = await run('updateMe', ada, { body: { avatar_url: null, searchable: false } });
    expect(cleared.data).to.include({ display_name: 'Ada Park', avatar_url: null, searchable: false });
    const read = await run('getMe', ada);
    expect([read.data, read.etag]).to.deep.equal([cleared.data, cleared.etag]);
  });

  it('keeps its version when a change changes nothing', async () => {
    const { run } = backend.current;
    const ada = await person();
    const { etag } = await run('updateMe', ada, { body: { display_name: 'Ada' } });
    expect((await run('updateMe', ada, { body: { display_name: 'Ada' } })).etag).to.equal(etag);
  });

  it('tells old and new in the audit trail, once for each change', async () => {
    const { run, sql } = backend.current;
    const ada = await person();
    await run('updateMe', ada, { body: { display_name: 'Ada' } });
    await run('updateMe', ada, { body: { display_name: 'Ada Park', searchable: false } });
    expect(await sql("select event_type, entity_id, data from audit_logs where user_id = ? order by id", [ada.userId])).to.deep.equal([
      { event_type: 'user.updated', entity_id: ada.userId, data: { changes: { display_name: { from: null, to: 'Ada' } } } },
      { event_type: 'user.updated', entity_id: ada.userId, data: { changes: { display_name: { from: 'Ada', to: 'Ada Park' }, searchable: { from: true, to: false } } } },
    ]);
  });

  it('is refused under the tag of a state that is no more, and lets exactly one of many changes of one state through', async () => {
    const { run, sql } = backend.current;
    const ada = await person();
    const { etag } = await run('getMe', ada);
    const race = await Promise.allSettled(Array.from({ length: 8 }, (_, at) => run('updateMe', ada, { body: { display_name: `n${at}` } }, { ifMatch: etag ?? '' })));
    expect(race.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    for (const ifMatch of [etag ?? '', 'nonsense', '']) expect(await codeOf(run('updateMe', ada, { body: { searchable: false } }, { ifMatch }))).to.equal('PRECONDITION_FAILED');
    // The account's own row is part of what was read.
    const read = await run('getMe', ada);
    await sql("update users set tier_override = 'pro' where id = ?", [ada.userId]);
    expect(await codeOf(run('updateMe', ada, { body: { searchable: false } }, { ifMatch: read.etag ?? '' }))).to.equal('PRECONDITION_FAILED');
    await run('updateMe', ada, { body: { searchable: false } }, { ifMatch: (await run('getMe', ada)).etag ?? '' });
  });

  it('is read again only where it changed', async () => {
    const { http } = backend.current;
    const ada = await person();
    const first = await http('GET', '/users/me', { headers: ada.headers });
    const etag = first.headers.get('etag') ?? '';
    expect((await http('GET', '/users/me', { headers: { ...ada.headers, 'if-none-match': etag } })).status).to.equal(304);
    const changed = await http('PATCH', '/users/me', { headers: { ...ada.headers, 'if-match': etag }, json: { display_name: 'Ada' } });
    expect([changed.status, changed.headers.get('etag') === etag]).to.deep.equal([200, false]);
    expect((await http('PATCH', '/users/me', { headers: { ...ada.headers, 'if-match': etag }, json: { display_name: 'Ben' } })).status).to.equal(412);
    expect((await http('GET', '/users/me', { headers: { ...ada.headers, 'if-none-match': etag } })).status).to.equal(200);
  });

  it('shows an avatar by an https address alone', async () => {
    const { run } = backend.current;
    const ada = await person();
    for (const url of ['http://images.example.com/ada.png', 'javascript:alert(1)', 'data:image/png;base64,AAAA', 'ftp://images.example.com/a', 'httpsx://a.example']) {
      const refusal = await refusalOf(run('updateMe', ada, { body: { avatar_url: url } }));
      expect([refusal.code, refusal.details], url).to.deep.equal(['VALIDATION_ERROR', [{ pointer: '#/body/avatar_url', message: 'must be an https address', rule: 'https' }]]);
    }
    expect((await run('updateMe', ada, { body: { avatar_url: 'HTTPS://Images.example.com/ada.png' } })).data.avatar_url).to.equal('HTTPS://Images.example.com/ada.png');
  });

  it('takes a name in any script, at most 80 characters, and neither an empty one nor a field that is not its own', async () => {
    const { http } = backend.current;
    const { headers } = await person();
    const put = async (json: unknown): Promise<number> => (await http('PATCH', '/users/me', { headers, json })).status;
    expect(await put({ display_name: '養蜂家 🐝'.padEnd(80, '🐝') })).to.equal(200);
    for (const wrong of [{ display_name: '' }, { display_name: 'x'.repeat(81) }, { username: 'other' }, { email: 'a@example.com' }, { tier: 'admin' }, {}]) {
      expect(await put(wrong), JSON.stringify(wrong)).to.equal(400);
    }
  });

  it('costs one statement to read and four to change', async () => {
    const { run } = backend.current;
    const ada = await person();
    expect(await countStatements(() => run('getMe', ada))).to.equal(1);
    expect(await countStatements(() => run('updateMe', ada, { body: { display_name: 'Ada' } }))).to.equal(4);
  });
});
