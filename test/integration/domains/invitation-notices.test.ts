import { expect } from 'chai';
import { invitationRows } from '#domains/invitations/erasure.ts';
import { invitationSection } from '#domains/invitations/export.ts';
import { newId } from '#platform/ids.ts';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { joinTeam, teamOf } from '../../support/belonging.ts';
import { tracesOf } from '../../support/traces.ts';
import { until } from '../../support/until.ts';

const addressOf = (who: Person): string => `${who.username}@example.com`;

describe('what people are told of invitations and transfers', () => {
  const backend = useBackend({ EMAIL_VERIFICATION: 'required' });
  const person = (): Promise<Person> => backend.current.person();

  /** Every event so far, told as the relay tells them, twice. */
  const tell = async (): Promise<void> => {
    const { sql, services } = backend.current;
    const rows = await sql<{ topic: string; payload: Parameters<NonNullable<ReturnType<typeof services.consumers.get>>>[0] }>("select topic, payload from outbox where kind = 'event' order by id");
    for (let times = 0; times < 2; times += 1) {
      for (const { topic, payload } of rows) await services.consumers.get(topic)?.(payload);
    }
  };
  const told = async (who: Person): Promise<{ type: string; payload: Record<string, unknown>; project_id: string | null }[]> => {
    await tell();
    return backend.current.sql('select type, payload, project_id from notifications where user_id = ? order by id', [who.userId]);
  };
  const subjects = async (who: Person): Promise<string[]> => (await backend.current.mails(addressOf(who))).map(({ subject }) => subject);
  const invite = async (by: Person, teamId: string, whom: { email: string } | { username: string }): Promise<DataOf<'createInvitation'>> =>
    (await backend.current.run('createInvitation', by, { body: { target_type: 'team', target_id: teamId, role: 'member', ...whom } })).data;

  it('who is named hears of it, once, and by mail; the inviter hears of the answer', async () => {
    const [ada, ben] = [await person(), await person()];
    const teamId = await teamOf(backend.current, ada);
    const made = await invite(ada, teamId, { username: ben.username });
    const shown = { invitation_id: made.id, target_type: 'team', target_id: teamId, target_name: 'Pollen', role: 'member' };
    expect(await told(ben)).to.deep.equal([{ type: 'invitation.received', project_id: null, payload: { ...shown, actor_id: ada.userId, by_mail: false } }]);
    expect(await subjects(ben)).to.deep.equal(['You are invited to Pollen on HiveSync']);
    await backend.current.run('acceptInvitation', ben, { path: { invitation_id: made.id } });
    expect(await told(ada)).to.deep.equal([{ type: 'invitation.accepted', project_id: null, payload: { ...shown, actor_id: ben.userId } }]);
    expect(await told(ben)).to.have.length(1);
  });

  it('an address is told where it has an account that confirmed it, and gets no second mail beside the one with the link', async () => {
    const [ada, ben, cleo] = [await person(), await person(), await person()];
    await backend.current.sql('update users set email_verified_at = null where id = ?', [cleo.userId]);
    const teamId = await teamOf(backend.current, ada);
    for (const who of [ben, cleo]) await invite(ada, teamId, { email: addressOf(who).toUpperCase() });
    expect((await told(ben)).map(({ type }) => type)).to.deep.equal(['invitation.received']);
    expect(await told(cleo)).to.deep.equal([]);
    expect(await backend.current.mails(addressOf(ben).toUpperCase())).to.have.length(1);
    expect(await subjects(ben)).to.deep.equal([]);
  });

  it('nobody hears of what was taken back before the word went out', async () => {
    const [ada, ben] = [await person(), await person()];
    const made = await invite(ada, await teamOf(backend.current, ada), { username: ben.username });
    await backend.current.run('revokeInvitation', ada, { path: { invitation_id: made.id } });
    expect(await told(ben)).to.deep.equal([]);
  });

  it('a transfer is told to who had the project, who asked and who has it, but not to who did it', async () => {
    const { run, project } = backend.current;
    const [ada, ben, cleo] = [await person(), await person(), await person()];
    const teamId = await teamOf(backend.current, ada);
    await joinTeam(backend.current, teamId, ada, ben);
    const projectId = await project(ben, { team_id: teamId });
    const typesOf = async (who: Person): Promise<string[]> => (await told(who)).map(({ type, payload }) => `${type} ${String(payload['role'] ?? payload['name'])}`);
    const { data } = await run('transferProject', ada, { path: { project_id: projectId }, body: { user_id: cleo.userId } });
    expect(await typesOf(cleo)).to.deep.equal(['invitation.received owner']);
    expect(await subjects(cleo)).to.deep.equal(['You are asked to take over Field Notes on HiveSync']);
    await run('acceptInvitation', cleo, { path: { invitation_id: data.invitation_id ?? '' } });
    expect(await typesOf(cleo)).to.deep.equal(['invitation.received owner']);
    for (const who of [ada, ben]) expect((await typesOf(who)).filter((one) => one.startsWith('project'))).to.deep.equal(['project.transferred Field Notes']);
    expect((await told(ada)).at(-1)).to.deep.equal({
      type: 'project.transferred', project_id: projectId, payload: { project_id: projectId, name: 'Field Notes', from_user_id: ben.userId, to_user_id: cleo.userId, to_team_id: null },
    });
    // Back and forth and back again is told each time.
    for (const [by, to] of [[cleo, ada], [ada, cleo]] as const) {
      const { data: next } = await run('transferProject', by, { path: { project_id: projectId }, body: { user_id: to.userId } });
      await run('acceptInvitation', to, { path: { invitation_id: next.invitation_id ?? '' } });
    }
    expect((await typesOf(cleo)).filter((one) => one.startsWith('project'))).to.have.length(1);
    expect((await typesOf(ada)).filter((one) => one.startsWith('project'))).to.have.length(2);
  });

  it('hears of it by the relay itself', async () => {
    const [ada, ben] = [await person(), await person()];
    await invite(ada, await teamOf(backend.current, ada), { username: ben.username });
    const relay = backend.current.relay();
    relay.start();
    try {
      await until('the notification', async () => (await backend.current.sql('select 1 as one from notifications where user_id = ?', [ben.userId])).length === 1);
    } finally {
      await relay.stop();
    }
  });
});

describe('the invitations of an account', () => {
  const backend = useBackend({ EMAIL_VERIFICATION: 'required' });
  const person = (): Promise<Person> => backend.current.person();
  const invite = async (by: Person, teamId: string, whom: { email: string } | { username: string }): Promise<string> =>
    (await backend.current.run('createInvitation', by, { body: { target_type: 'team', target_id: teamId, role: 'member', ...whom } })).data.id;

  it('go with it: those to it and to its address; those it sent stay without its name', async () => {
    const { sql, database: { db } } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const [adas, bens] = [await teamOf(backend.current, ada), await teamOf(backend.current, ben)];
    const to = [await invite(ada, adas, { username: ben.username }), await invite(ada, await teamOf(backend.current, ada), { email: addressOf(ben).toUpperCase() })];
    const other = await invite(ada, adas, { email: `other${newId().slice(-8)}@example.com` });
    const sent = await invite(ben, bens, { email: `sent${newId().slice(-8)}@example.com` });
    const stage = invitationRows(db);
    expect(await stage.run(ben.userId, new AbortController().signal)).to.equal(3);
    expect(await stage.run(ben.userId, new AbortController().signal), 'again').to.equal(0);
    expect(await sql('select id, invited_by from invitations where id = any(?) order by id', [[...to, other, sent]]))
      .to.deep.equal([{ id: other, invited_by: ada.userId }, { id: sent, invited_by: null }].sort((a, b) => (a.id < b.id ? -1 : 1)));
    expect((await tracesOf(backend.current, [addressOf(ben)])).filter((trace) => trace.startsWith('invitations'))).to.deep.equal([]);
    const { data } = await backend.current.run('listTeamInvitations', ben, { path: { team_id: bens } });
    expect(data.items[0]?.invited_by).to.equal(null);
  });

  it('are taken along, without the addresses of others', async () => {
    const [ada, ben] = [await person(), await person()];
    const [adas, bens] = [await teamOf(backend.current, ada), await teamOf(backend.current, ben)];
    const others = `others${newId().slice(-8)}@example.com`;
    const ids = [await invite(ada, adas, { email: addressOf(ben) }), await invite(ben, bens, { email: others })];
    await invite(ada, adas, { email: others });
    const rows: object[] = [];
    for await (const row of invitationSection(backend.current.database.db).rows(ben.userId)) rows.push(row);
    expect(rows.map((row) => { const { id, direction, target_name: name, email } = row as Record<string, unknown>; return [id, direction, name, email]; }))
      .to.deep.equal([[ids[0], 'received', 'Pollen', addressOf(ben)], [ids[1], 'sent', 'Pollen', null]]);
  });
});
