import { expect } from 'chai';
import type { NotificationChannelsMap, PreferencesUpdate } from '#generated/sdk/types.gen.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';

describe('preferences', () => {
  const backend = useBackend();
  const person = (): Promise<Person> => backend.current.person();
  const get = (who: Person) => backend.current.run('getPreferences', who);
  const update = (who: Person, body: PreferencesUpdate, ifMatch?: string | null) =>
    backend.current.run('updatePreferences', who, { body }, ifMatch == null ? {} : { ifMatch });
  const faultOf = async (call: Promise<unknown>): Promise<unknown> => {
    const { code, details } = await refusalOf(call);
    const [fault] = details as { pointer: string; rule: string }[];
    return [code, fault?.pointer, fault?.rule];
  };

  it('are empty at first, with what is shipped for every type of notification', async () => {
    const { data } = await get(await person());
    expect(data.preferences).to.deep.equal({});
    expect(Object.keys(data.notifications)).to.have.length(22);
    expect(data.notifications).to.deep.include({
      'task.assigned': { in_app: true, email: true }, 'comment.created': { in_app: true, email: false }, 'account.suspicious_sign_in': { in_app: true, email: true },
    });
  });

  it('merge key by key at the top level: what is absent stays, null removes, and nothing is merged below', async () => {
    const ada = await person();
    await update(ada, { preferences: { theme: 'dark', editor: { size: 14, tabs: true }, sidebar: [1, 'x', null] } });
    const { data } = await update(ada, { preferences: { theme: null, editor: { size: 16 }, 'a.b c/~"': { none: null } } });
    expect(data.preferences).to.deep.equal({ editor: { size: 16 }, sidebar: [1, 'x', null], 'a.b c/~"': { none: null } });
    expect((await get(ada)).data.preferences).to.deep.equal(data.preferences);
    expect((await update(ada, { preferences: { never: null } })).data.preferences).to.deep.equal(data.preferences);
  });

  it('set the channels of a type, and null puts it back to what is shipped', async () => {
    const ada = await person();
    const shipped = (await get(ada)).data.notifications;
    const mine: NotificationChannelsMap = { 'task.assigned': { in_app: false, email: false }, 'preview.failed': { in_app: true, email: true } };
    expect((await update(ada, { notifications: mine })).data.notifications).to.deep.equal({ ...shipped, ...mine });
    const back = await update(ada, { notifications: { 'task.assigned': null, 'preview.failed': { in_app: false, email: true } } });
    expect(back.data.notifications).to.deep.equal({ ...shipped, 'preview.failed': { in_app: false, email: true } });
    expect((await get(ada)).data).to.deep.equal(back.data);
    expect((await get(await person())).data.notifications, 'somebody else\'s are their own').to.deep.equal(shipped);
  });

  it('stop at a hundred keys and at 32 KiB, counted after the merge', async () => {
    const ada = await person();
    const keys = (count: number, from = 0) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${from + at}`, at]));
    await update(ada, { preferences: keys(100) });
    expect(await faultOf(update(ada, { preferences: keys(1, 100) }))).to.deep.equal(['VALIDATION_ERROR', '#/body/preferences', 'maxProperties']);
    expect((await update(ada, { preferences: { k0: null, k100: 1 } })).data.preferences).to.have.property('k100');
    const ben = await person();
    await update(ben, { preferences: { one: 'x'.repeat(20_000) } });
    expect(await faultOf(update(ben, { preferences: { two: 'x'.repeat(20_000) } }))).to.deep.equal(['VALIDATION_ERROR', '#/body/preferences', 'maxBytes']);
    // Bytes, not characters: 11,000 of three each are beyond it.
    expect(await faultOf(update(ben, { preferences: { one: null, two: '蜂'.repeat(11_000) } }))).to.deep.equal(['VALIDATION_ERROR', '#/body/preferences', 'maxBytes']);
    // {"two":"…"} of exactly 32 KiB.
    const full = 'x'.repeat(32 * 1024 - '{"two":""}'.length);
    expect((await update(ben, { preferences: { one: null, two: full } })).data.preferences).to.deep.equal({ two: full });
    expect(await faultOf(update(ben, { preferences: { two: `${full}x` } }))).to.deep.equal(['VALIDATION_ERROR', '#/body/preferences', 'maxBytes']);
  });

  it('refuse a type that is none, and channels that are not whole, with a pointer', async () => {
    const { http } = backend.current;
    const { headers } = await person();
    for (const [notifications, pointer] of [
      [{ 'task.exploded': { in_app: true, email: true } }, '#/body/notifications'], [{ 'task.assigned': { in_app: true } }, '#/body/notifications/task.assigned'],
    ] as const) {
      const { status, error } = await http('PATCH', '/users/me/preferences', { headers, json: { notifications } });
      expect(status).to.equal(400);
      expect((error?.details as { pointer: string }[]).some((fault) => fault.pointer.startsWith(pointer)), JSON.stringify(error)).to.equal(true);
    }
  });

  it('have a version of their own, which moves with every change and with nothing else', async () => {
    const { run } = backend.current;
    const ada = await person();
    const [first, me] = [await get(ada), await run('getMe', ada)];
    expect((await update(ada, { preferences: { never: null } })).etag, 'nothing changed').to.equal(first.etag);
    await run('updateMe', ada, { body: { display_name: 'Ada' } });
    expect((await get(ada)).etag, 'the profile is something else').to.equal(first.etag);
    const second = await update(ada, { preferences: { theme: 'dark' } }, first.etag);
    const third = await update(ada, { notifications: { 'task.assigned': { in_app: true, email: false } } }, second.etag);
    const fourth = await update(ada, { notifications: { 'task.assigned': null } }, third.etag);
    expect(new Set([first, second, third, fourth].map(({ etag }) => etag)).size).to.equal(4);
    expect(Date.parse(fourth.data.updated_at)).to.be.greaterThan(Date.parse(third.data.updated_at));
    expect((await run('updateMe', ada, { body: { searchable: false } }, { ifMatch: (await run('getMe', ada)).etag ?? '' })).etag).not.to.equal(me.etag);
    for (const old of [first.etag, third.etag, 'nonsense']) expect(await codeOf(update(ada, { preferences: { theme: 'light' } }, old))).to.equal('PRECONDITION_FAILED');
  });

  it('lose no key when several are set at once, and let one of many changes of one version through', async () => {
    const ada = await person();
    await Promise.all(Array.from({ length: 10 }, (_, at) => update(ada, { preferences: { [`k${at}`]: at } })));
    const { data, etag } = await get(ada);
    expect(Object.keys(data.preferences)).to.have.length(10);
    const race = await Promise.allSettled(Array.from({ length: 8 }, (_, at) => update(ada, { preferences: { last: at } }, etag)));
    expect(race.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
  });

  it('are read again only where they changed', async () => {
    const { http } = backend.current;
    const { headers } = await person();
    const path = '/users/me/preferences';
    const etag = (await http('GET', path, { headers })).headers.get('etag') ?? '';
    expect((await http('GET', path, { headers: { ...headers, 'if-none-match': etag } })).status).to.equal(304);
    await http('PATCH', path, { headers, json: { preferences: { theme: 'dark' } } });
    expect((await http('GET', path, { headers: { ...headers, 'if-none-match': etag } })).status).to.equal(200);
  });

  it('tell the audit trail which keys were set and which channels became what, and none of the values kept', async () => {
    const { sql } = backend.current;
    const ada = await person();
    await update(ada, { preferences: { diary: 'what nobody else should read', old: null }, notifications: { 'task.assigned': { in_app: true, email: false } } });
    expect(await sql('select event_type, data from audit_logs where user_id = ?', [ada.userId])).to.deep.equal([{
      event_type: 'user.preferences_updated',
      data: {
        preferences: ['diary', 'old'],
        notifications: { 'task.assigned': { from: { in_app: true, email: true }, to: { in_app: true, email: false } } },
      },
    }]);
  });

  it('cost two statements to read and six to change, however many types are set', async () => {
    const ada = await person();
    const { notifications } = (await get(ada)).data;
    const off = Object.fromEntries(Object.keys(notifications).map((type) => [type, { in_app: false, email: false }]));
    expect(await countStatements(() => get(ada))).to.equal(2);
    expect(await countStatements(() => update(ada, { notifications: off }))).to.equal(5);
    expect(await countStatements(() => update(ada, { preferences: { a: 1 }, notifications: { ...off, 'task.assigned': null } }))).to.equal(6);
    expect(await countStatements(() => update(ada, { preferences: { a: 2 } }))).to.equal(4);
  });
});
