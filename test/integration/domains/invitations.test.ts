import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { type Backend, type DataOf, type Input, type Person, useBackend } from '../../support/backend.ts';
import { eventsOf, joinProject, joinTeam, membersOf, peopleOf, teamOf } from '../../support/belonging.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { statementsOf } from '../../support/statements.ts';

type Body = NonNullable<Input<'createInvitation'>['body']>;

const addressOf = (who: Person): string => `${who.username}@example.com`;
const tokenOf = async (backend: Backend, to: string): Promise<string> => {
  const link = (await backend.mails(to)).at(-1)?.action ?? '';
  const [, token] = /\/invitations#token=([\w-]{43})$/.exec(link) ?? [];
  if (token === undefined) throw new Error(`There is no invitation for ${to}: ${link}`);
  return token;
};
const fulfilled = (outcomes: readonly PromiseSettledResult<unknown>[]): number => outcomes.filter(({ status }) => status === 'fulfilled').length;
const cost = async (work: () => Promise<unknown>): Promise<number> => (await statementsOf(work)).length;

describe('invitations', () => {
  const backend = useBackend({ EMAIL_VERIFICATION: 'required' });
  const person = (tier: Person['tier'] = 'premium'): Promise<Person> => backend.current.person(tier);
  const team = (owner: Person): Promise<string> => teamOf(backend.current, owner);
  const invite = async (by: Person, body: Body): Promise<DataOf<'createInvitation'>> => (await backend.current.run('createInvitation', by, { body })).data;
  const intoTeam = (id: string, whom: { email: string } | { username: string }, role: 'admin' | 'member' = 'member'): Body => ({ target_type: 'team', target_id: id, role, ...whom });
  const intoProject = (id: string, whom: { email: string } | { username: string }): Body => ({ target_type: 'project', target_id: id, role: 'member', ...whom });
  const answer = (operation: 'acceptInvitation' | 'declineInvitation', who: Person, id: string): Promise<{ data: DataOf<'acceptInvitation'> }> =>
    backend.current.run(operation, who, { path: { invitation_id: id } });
  const byToken = (who: Person, token: string): Promise<{ data: DataOf<'acceptInvitation'> }> => backend.current.run('acceptInvitationByToken', who, { body: { token } });
  const statusOf = async (id: string): Promise<unknown> => (await backend.current.sql('select status from invitations where id = ?', [id]))[0]?.['status'];
  const unconfirm = async (who: Person): Promise<Person> => {
    await backend.current.sql('update users set email_verified_at = null where id = ?', [who.userId]);
    return { ...who, isVerified: false };
  };

  it('by username name the person, who is a member of status invited until the answer', async () => {
    const [ada, ben] = [await person(), await person()];
    const teamId = await team(ada);
    const made = await invite(ada, intoTeam(teamId, { username: ben.username.toUpperCase() }, 'admin'));
    expect(made).to.deep.include({ target_type: 'team', target_id: teamId, target_name: 'Pollen', role: 'admin', status: 'pending', email: null, responded_at: null });
    expect([made.invited_by?.id, made.invitee?.id]).to.deep.equal([ada.userId, ben.userId]);
    expect(Date.parse(made.expires_at) - Date.parse(made.created_at)).to.equal(7 * 86_400_000);
    expect(await membersOf(backend.current, teamId, ada)).to.deep.equal([`${ada.username} owner`, `${ben.username} admin invited`]);
    const { data } = await answer('acceptInvitation', ben, made.id);
    expect(data).to.include({ id: made.id, status: 'accepted' });
    expect(data.responded_at).to.be.a('string');
    expect(await membersOf(backend.current, teamId, ben)).to.deep.equal([`${ada.username} owner`, `${ben.username} admin`]);
    expect(await backend.current.mails(addressOf(ben)), 'a username tells nobody an address').to.deep.equal([]);
  });

  it('by address mail a link, tell nobody whether there is such an account, and wait for somebody to register', async () => {
    const [ada, ben] = [await person(), await person()];
    const teamId = await team(ada);
    const nobody = `nobody${newId().slice(-8)}@example.com`;
    const [known, unknown] = [await invite(ada, intoTeam(teamId, { email: addressOf(ben) })), await invite(ada, intoTeam(teamId, { email: nobody }))];
    const same = ({ id: _id, email: _email, created_at: _at, expires_at: _end, ...rest }: typeof known): unknown => rest;
    expect(same(known)).to.deep.equal(same(unknown));
    expect([known.invitee, known.email, unknown.invitee]).to.deep.equal([null, addressOf(ben), null]);
    expect(await membersOf(backend.current, teamId, ada)).to.deep.equal([`${ada.username} owner`]);
    const [mail, ...more] = await backend.current.mails(nobody);
    expect(more).to.deep.equal([]);
    expect(mail?.subject).to.equal(`${ada.username} invites you to Pollen on HiveSync`);
    expect(mail?.action).to.match(new RegExp(`^${backend.current.url}/invitations#token=[\\w-]{43}$`));
    const newcomer = await person();
    await backend.current.sql('update users set email = ? where id = ?', [nobody.toUpperCase(), newcomer.userId]);
    expect((await backend.current.run('listMyInvitations', newcomer)).data.items.map(({ id }) => id)).to.deep.equal([unknown.id]);
    const { data } = await answer('acceptInvitation', newcomer, unknown.id);
    expect([data.invitee?.id, data.email]).to.deep.equal([newcomer.userId, nobody]);
    expect(await membersOf(backend.current, teamId, newcomer)).to.deep.equal([`${ada.username} owner`, `${newcomer.username} member`]);
  });

  it('keep of the token nothing but a hash, in no job, event or audit', async () => {
    const { sql } = backend.current;
    const ada = await person();
    const to = `secret${newId().slice(-8)}@example.com`;
    const made = await invite(ada, intoTeam(await team(ada), { email: to }));
    const token = await tokenOf(backend.current, to);
    for (const table of ['invitations', 'system_jobs', 'outbox', 'audit_logs', 'idempotency_keys']) {
      const [row] = await sql(`select count(*) as found from ${table} t where t::text like ?`, [`%${token}%`]);
      expect(row, table).to.deep.equal({ found: 0 });
    }
    for (const table of ['outbox', 'audit_logs']) {
      expect(await sql(`select 1 as found from ${table} t where t::text like ?`, [`%${to}%`]), `${table} and the address`).to.deep.equal([]);
    }
    expect(await sql("select data from audit_logs where event_type = 'invitation.created' and entity_id = ?", [made.id])).to.deep.equal([
      { data: { type: 'team', id: made.target_id, role: 'member', user_id: null, email: 's…@example.com' } },
    ]);
  });

  it('are made by whoever may: Admins of a team, a project\'s owner, and with a confirmed address', async () => {
    const { project } = backend.current;
    const [ada, ben, cleo, dora] = [await person(), await person(), await person(), await person()];
    const teamId = await team(ada);
    await joinTeam(backend.current, teamId, ada, ben, 'admin');
    await joinTeam(backend.current, teamId, ada, cleo);
    const projectId = await project(cleo, { team_id: teamId });
    const x = (): { email: string } => ({ email: `x${newId().slice(-10)}@example.com` });
    await invite(ben, intoTeam(teamId, x(), 'admin'));
    await invite(ben, intoProject(projectId, x()));
    await invite(cleo, intoProject(projectId, x()));
    expect(await codeOf(invite(cleo, intoTeam(teamId, x())))).to.equal('FORBIDDEN');
    expect(await codeOf(invite(dora, intoTeam(teamId, x())))).to.equal('NOT_FOUND');
    expect((await refusalOf(invite({ ...ada, isVerified: false }, intoTeam(teamId, x())))).details).to.deep.equal({ reason: 'email_not_verified' });
    expect(await codeOf(invite(ada, intoTeam(teamId, { username: 'nobody-of-this-name' })))).to.equal('NOT_FOUND');
    const refusal = await refusalOf(invite(ada, { ...intoProject(projectId, x()), role: 'admin' } as Body));
    expect([refusal.code, refusal.details]).to.deep.equal(['VALIDATION_ERROR', [{ pointer: '#/body/role', message: 'must be member for a project', rule: 'role' }]]);
  });

  it('are not made twice: who is in it or asked already is a conflict; an address gives away only who accepted', async () => {
    const [ada, ben, cleo] = [await person(), await person(), await person()];
    const teamId = await team(ada);
    await joinTeam(backend.current, teamId, ada, ben);
    await invite(ada, intoTeam(teamId, { username: cleo.username }));
    const fieldOf = async (body: Body): Promise<unknown> => {
      const refusal = await refusalOf(invite(ada, body));
      return [refusal.code, refusal.details];
    };
    for (const who of [ada, ben, cleo]) expect(await fieldOf(intoTeam(teamId, { username: who.username }))).to.deep.equal(['CONFLICT', { field: 'username' }]);
    for (const who of [ada, ben]) expect(await fieldOf(intoTeam(teamId, { email: addressOf(who).toUpperCase() }))).to.deep.equal(['CONFLICT', { field: 'email' }]);
    // Cleo never agreed to anything: a guess at her address is answered as one at nobody's.
    await invite(ada, intoTeam(teamId, { email: addressOf(cleo) }));
    expect(await fieldOf(intoTeam(teamId, { email: addressOf(cleo).toUpperCase() }))).to.deep.equal(['CONFLICT', { field: 'email' }]);
    await unconfirm(ben);
    await invite(ada, intoTeam(teamId, { email: addressOf(ben) }));
  });

  it('of one address are made once however many ask at the same moment', async () => {
    const ada = await person();
    const teamId = await team(ada);
    const email = `race${newId().slice(-8)}@example.com`;
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => invite(ada, intoTeam(teamId, { email }))));
    expect(fulfilled(outcomes)).to.equal(1);
    expect(await backend.current.mails(email)).to.have.length(1);
  });

  it('fill nobody\'s mailbox: five in an hour to one address, from whomever', async () => {
    const email = `often${newId().slice(-8)}@example.com`;
    for (let count = 0; count < 5; count += 1) {
      const ada = await person();
      await invite(ada, intoTeam(await team(ada), { email }));
    }
    const eve = await person();
    const refusal = await refusalOf(invite(eve, intoTeam(await team(eve), { email: email.toUpperCase() })));
    expect([refusal.code, refusal.retryAfterSeconds]).to.deep.equal(['RATE_LIMITED', 3600]);
    expect(await backend.current.mails(email)).to.have.length(5);
  });

  it('are answered by the person they are to: by account, or by a confirmed address; nobody else finds them', async () => {
    const { run } = backend.current;
    const [ada, ben, cleo, dora] = [await person(), await person(), await person(), await person()];
    const teamId = await team(ada);
    await joinTeam(backend.current, teamId, ada, dora);
    const [named, mailed] = [await invite(ada, intoTeam(teamId, { username: ben.username })), await invite(ada, intoTeam(teamId, { email: addressOf(cleo) }))];
    const unsure = await unconfirm(cleo);
    for (const operation of ['acceptInvitation', 'declineInvitation'] as const) {
      const refusal = await refusalOf(answer(operation, unsure, mailed.id));
      expect([refusal.code, refusal.details]).to.deep.equal(['FORBIDDEN', { reason: 'email_not_verified' }]);
      for (const id of [named.id, mailed.id]) {
        expect(await codeOf(answer(operation, ada, id)), 'who may invite sees it').to.equal('FORBIDDEN');
        expect(await codeOf(answer(operation, dora, id)), 'a Member does not').to.equal('NOT_FOUND');
      }
      expect(await codeOf(answer(operation, ben, mailed.id))).to.equal('NOT_FOUND');
      expect(await codeOf(answer(operation, ben, newId()))).to.equal('NOT_FOUND');
    }
    expect((await run('listMyInvitations', unsure)).data.items, 'an address that is not confirmed').to.deep.equal([]);
    expect((await run('listMyInvitations', cleo)).data.items.map(({ id }) => id)).to.deep.equal([mailed.id]);
    const revoke = (who: Person, id: string): Promise<unknown> => run('revokeInvitation', who, { path: { invitation_id: id } });
    for (const [who, id] of [[ben, named.id], [cleo, mailed.id]] as const) expect(await codeOf(revoke(who, id))).to.equal('FORBIDDEN');
    expect(await codeOf(revoke(dora, named.id))).to.equal('NOT_FOUND');
    // Named, a person needs no confirmed address.
    await answer('acceptInvitation', await unconfirm(ben), named.id);
  });

  it('accepted again change nothing; declined ones conflict, revoked and expired ones are gone', async () => {
    const { run, sql } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const teamId = await team(ada);
    const again = async (id: string): Promise<string[]> =>
      Promise.all((['acceptInvitation', 'declineInvitation'] as const).map((operation) => answer(operation, ben, id).then(({ data }) => data.status, async (error: unknown) => codeOf(Promise.reject(error as Error)))));
    const accepted = await invite(ada, intoTeam(teamId, { username: ben.username }));
    const first = await answer('acceptInvitation', ben, accepted.id);
    expect((await answer('acceptInvitation', ben, accepted.id)).data).to.deep.equal(first.data);
    expect(await again(accepted.id)).to.deep.equal(['accepted', 'CONFLICT']);
    expect(await codeOf(run('revokeInvitation', ada, { path: { invitation_id: accepted.id } })), 'accepted').to.equal('CONFLICT');
    await run('removeTeamMember', ben, { path: { team_id: teamId, user_id: ben.userId } });
    const declined = await invite(ada, intoTeam(teamId, { username: ben.username }));
    await answer('declineInvitation', ben, declined.id);
    expect(await again(declined.id)).to.deep.equal(['CONFLICT', 'declined']);
    const revoked = await invite(ada, intoTeam(teamId, { username: ben.username }));
    for (let times = 0; times < 2; times += 1) expect((await run('revokeInvitation', ada, { path: { invitation_id: revoked.id } })).status).to.equal(204);
    expect(await again(revoked.id)).to.deep.equal(['GONE', 'GONE']);
    const expired = await invite(ada, intoTeam(teamId, { username: ben.username }));
    await sql("update invitations set expires_at = now() - interval '1 second' where id = ?", [expired.id]);
    expect(await again(expired.id)).to.deep.equal(['GONE', 'GONE']);
    expect(await membersOf(backend.current, teamId, ada)).to.deep.equal([`${ada.username} owner`]);
    const { data } = await run('listTeamInvitations', ada, { path: { team_id: teamId } });
    expect(data.items.map(({ status }) => status)).to.deep.equal(['expired', 'revoked', 'declined', 'accepted']);
    const audits = await sql<{ event_type: string }>("select event_type from audit_logs where entity_type = 'invitation' and data ->> 'id' = ? order by created_at, id", [teamId]);
    expect(audits.map((one) => one.event_type)).to.deep.equal([
      'invitation.created', 'invitation.accepted', 'invitation.created', 'invitation.declined', 'invitation.created', 'invitation.revoked', 'invitation.created',
    ]);
  });

  it('are listed newest first, by status where asked, to whoever may invite and to whom they are to', async () => {
    const { run, project } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const teamId = await team(ada);
    const projectId = await project(ada);
    const made = [
      await invite(ada, intoTeam(teamId, { username: ben.username })), await invite(ada, intoProject(projectId, { email: addressOf(ben) })),
      await invite(ada, intoProject(projectId, { username: ben.username })),
    ].map(({ id }) => id);
    await run('revokeInvitation', ada, { path: { invitation_id: made[1] ?? '' } });
    const mine = async (query: Record<string, unknown>): Promise<string[]> => (await run('listMyInvitations', ben, { query })).data.items.map(({ id }) => id);
    expect(await mine({})).to.deep.equal([...made].reverse());
    expect(await mine({ status: 'pending' })).to.deep.equal([made[2], made[0]]);
    expect(await mine({ status: 'revoked' })).to.deep.equal([made[1]]);
    expect((await run('listProjectInvitations', ada, { path: { project_id: projectId } })).data.items.map(({ id }) => id)).to.deep.equal([made[2], made[1]]);
    const { data } = await run('listMyInvitations', ben, { query: { limit: 2 } });
    expect(data.page.total).to.equal(3);
    expect(await mine({ limit: 2, cursor: data.page.next_cursor })).to.deep.equal([made[0]]);
    expect(await codeOf(run('listMyInvitations', ada, { query: { cursor: data.page.next_cursor ?? '' } })), 'a cursor of somebody else').to.equal('VALIDATION_ERROR');
    await joinTeam(backend.current, teamId, ada, await person());
    expect(await codeOf(run('listTeamInvitations', ben, { path: { team_id: teamId } }))).to.equal('NOT_FOUND');
  });

  it('end where the project was deleted, as the project does', async () => {
    const { run, project } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const projectId = await project(ada);
    const to = `late${newId().slice(-8)}@example.com`;
    const [named] = [await invite(ada, intoProject(projectId, { username: ben.username })), await invite(ada, intoProject(projectId, { email: to }))];
    const token = await tokenOf(backend.current, to);
    await run('deleteProject', ada, { path: { project_id: projectId } });
    expect(await codeOf(answer('acceptInvitation', ben, named.id))).to.equal('NOT_FOUND');
    expect(await codeOf(byToken(ben, token))).to.equal('NOT_FOUND');
    expect((await run('listMyInvitations', ben)).data.items).to.deep.equal([]);
  });

  describe('by the token of the mail', () => {
    const mailed = async (): Promise<{ ada: Person; teamId: string; token: string; made: DataOf<'createInvitation'>; to: string }> => {
      const ada = await person();
      const [teamId, to] = [await team(ada), `to${newId().slice(-10)}@example.com`];
      const made = await invite(ada, intoTeam(teamId, { email: to }, 'admin'));
      return { ada, teamId, made, to, token: await tokenOf(backend.current, to) };
    };

    it('are accepted by whoever reads the mail, whatever the account\'s address, confirmed or not', async () => {
      const { ada, teamId, token, made } = await mailed();
      const ben = await unconfirm(await person());
      const { data } = await byToken(ben, token);
      expect([data.id, data.status, data.invitee?.id]).to.deep.equal([made.id, 'accepted', ben.userId]);
      expect(await membersOf(backend.current, teamId, ada)).to.deep.equal([`${ada.username} owner`, `${ben.username} admin`]);
      expect((await byToken(ben, token)).data, 'again by the same person').to.deep.equal(data);
      expect(await codeOf(byToken(await person(), token)), 'by another').to.equal('CONFLICT');
    });

    it('are accepted once when fifty try at once', async function () {
      this.timeout(60_000);
      const { ada, teamId, token } = await mailed();
      const people = await Promise.all(Array.from({ length: 50 }, () => person()));
      const outcomes = await Promise.allSettled(people.map((who) => byToken(who, token)));
      expect(fulfilled(outcomes)).to.equal(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(await codeOf(Promise.reject(outcome.reason as Error))).to.equal('CONFLICT');
      }
      expect(await membersOf(backend.current, teamId, ada)).to.have.length(2);
      expect(await eventsOf(backend.current, ['invitation.accepted', 'member.added'], teamId)).to.have.length(2);
    });

    it('are void at once when revoked, declined or over, and unknown when made up', async () => {
      const { run, sql } = backend.current;
      const ben = await person();
      const [revoked, expired, declined] = [await mailed(), await mailed(), await mailed()];
      await run('revokeInvitation', revoked.ada, { path: { invitation_id: revoked.made.id } });
      expect(await codeOf(byToken(ben, revoked.token))).to.equal('GONE');
      await sql("update invitations set expires_at = now() - interval '1 second' where id = ?", [expired.made.id]);
      expect(await codeOf(byToken(ben, expired.token))).to.equal('GONE');
      await sql('update users set email = ? where id = ?', [declined.to, ben.userId]);
      await answer('declineInvitation', ben, declined.made.id);
      expect(await codeOf(byToken(ben, declined.token))).to.equal('CONFLICT');
      expect(await codeOf(byToken(ben, 'x'.repeat(43)))).to.equal('NOT_FOUND');
    });

    it('take from nobody what it has: an Owner stays one, an invited person gets the better of the two', async () => {
      const { ada, teamId, token } = await mailed();
      await byToken(ada, token);
      expect(await membersOf(backend.current, teamId, ada)).to.deep.equal([`${ada.username} owner`]);
      const other = await mailed();
      const ben = await person();
      const named = await invite(other.ada, intoTeam(other.teamId, { username: ben.username }));
      await byToken(ben, other.token);
      await answer('acceptInvitation', ben, named.id);
      expect(await membersOf(backend.current, other.teamId, ben)).to.deep.equal([`${other.ada.username} owner`, `${ben.username} admin`]);
    });

    it('are not mailed any more once they ended before the mail left', async () => {
      const { run, mails } = backend.current;
      const ada = await person();
      const to = `never${newId().slice(-8)}@example.com`;
      const made = await invite(ada, intoTeam(await team(ada), { email: to }));
      await run('revokeInvitation', ada, { path: { invitation_id: made.id } });
      expect(await mails(to)).to.deep.equal([]);
    });
  });

  it('carry no letters of the inviter\'s own: a name that would be a link, or bends the text, is left out', async () => {
    const ada = await person();
    await backend.current.sql("update user_profiles set display_name = 'Free money at www.evil.example' where user_id = ?", [ada.userId]);
    const to = `bait${newId().slice(-8)}@example.com`;
    await invite(ada, intoTeam(await teamOf(backend.current, ada, 'Click https://evil.example\u0007 now'), { email: to }));
    const [mail] = await backend.current.mails(to);
    expect(mail?.subject).to.equal(`${ada.username} invites you to a team on HiveSync`);
    expect(`${mail?.text ?? ''}${mail?.html ?? ''}`).not.to.match(/evil|money/);
  });

  it('declined tell the inviter, by the name the inviter gave', async () => {
    const { mails } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const teamId = await team(ada);
    await answer('declineInvitation', ben, (await invite(ada, intoTeam(teamId, { username: ben.username }))).id);
    await answer('declineInvitation', ben, (await invite(ada, intoTeam(teamId, { email: addressOf(ben) }))).id);
    const told = (await mails(addressOf(ada))).filter(({ subject }) => subject === 'Your invitation to Pollen was declined').map(({ text }) => text);
    expect(told).to.have.length(2);
    expect(told[0]).to.contain(`You asked ${ben.username} to join the team Pollen.`);
    expect(told[1]).to.contain(`You asked ${addressOf(ben)} to join the team Pollen.`);
    expect(told[1]?.replace(addressOf(ben), '')).not.to.contain(ben.username);
    expect((await eventsOf(backend.current, ['invitation.declined'], teamId)).map(({ data }) => [data['user_id'], data['actor_id']])).to.deep.equal(Array(2).fill([ada.userId, ben.userId]));
  });

  it('are swept when their time is over, with the members who were only invited; a year later they are forgotten', async () => {
    const { sql, services, runSystemJobs, project } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const [teamId, projectId] = [await team(ada), await project(ada)];
    const ids = [
      (await invite(ada, intoTeam(teamId, { username: ben.username }))).id, (await invite(ada, intoProject(projectId, { username: ben.username }))).id,
      (await invite(ada, intoTeam(teamId, { email: `swept${newId().slice(-8)}@example.com` }))).id,
    ];
    const open = (await invite(ada, intoProject(projectId, { email: `open${newId().slice(-8)}@example.com` }))).id;
    await joinProject(backend.current, await project(ada), ada, ben);
    await sql("update invitations set expires_at = now() - interval '1 second' where id = any(?)", [ids]);
    expect(services.schedules.map(({ name }) => name)).to.include('sweep.invitations');
    const sweep = async (): Promise<void> => {
      await sql("insert into system_jobs (id, kind) values (?, 'sweep.invitations')", [newId()]);
      expect((await runSystemJobs()).filter(({ outcome }) => outcome !== 'succeeded')).to.deep.equal([]);
    };
    await sweep();
    expect(await Promise.all([...ids, open].map(statusOf))).to.deep.equal(['expired', 'expired', 'expired', 'pending']);
    expect(await sql("select 1 as one from team_members where team_id = ? and status = 'invited' union all select 1 from project_members where project_id = ? and status = 'invited'", [teamId, projectId])).to.deep.equal([]);
    await sql("update invitations set expires_at = now() - interval '366 days' where id = ?", [ids[0]]);
    await sweep();
    expect(await Promise.all([...ids, open].map(statusOf))).to.deep.equal([undefined, 'expired', 'expired', 'pending']);
    expect(await peopleOf(backend.current, projectId, ada)).to.deep.equal([`${ada.username} owner`]);
  });

  it('answer a repeated creation byte for byte, with one invitation and one mail', async () => {
    const { http, mails } = backend.current;
    const ada = await person();
    const [teamId, email] = [await team(ada), `once${newId().slice(-8)}@example.com`];
    const send = (): ReturnType<typeof http> => http('POST', '/invitations', { headers: { ...ada.headers, 'idempotency-key': 'one-mail-only' }, json: intoTeam(teamId, { email }) });
    const [first, again] = [await send(), await send()];
    expect([first.status, again.status, again.text]).to.deep.equal([201, 201, first.text]);
    expect([first, again].map(({ headers }) => headers.get('location'))).to.deep.equal(Array(2).fill(`/api/v1/invitations/${String(first.data['id'])}`));
    expect(await mails(email)).to.have.length(1);
    expect(backend.current.logLines.filter((line) => line.includes('idempotency.sealed_otherwise'))).to.deep.equal([]);
  });

  it('cost a fixed number of statements, however many there are', async () => {
    const { run } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const teamId = await team(ada);
    for (let count = 0; count < 3; count += 1) await invite(ada, intoTeam(teamId, { email: `n${newId().slice(-10)}@example.com` }));
    const body = intoTeam(teamId, { email: addressOf(ben) });
    // Policy; lock, lapsed, open, member, tier, count, mailed, invitation, mail's job and its message, event, audit, and the answer.
    expect(await cost(() => run('createInvitation', ada, { body }))).to.equal(14);
    expect(await cost(() => run('listMyInvitations', ben))).to.equal(3);
    expect(await cost(() => run('listTeamInvitations', ada, { path: { team_id: teamId } }))).to.equal(3);
    const { data } = await run('listMyInvitations', ben);
    const path = { invitation_id: data.items[0]?.id ?? '' };
    // Policy; found, both locks, the inviter's standing, standing, member, event, the invitation, audit, event, and the answer.
    expect(await cost(() => run('acceptInvitation', ben, { path }))).to.equal(12);
    expect(await cost(() => run('acceptInvitation', ben, { path }))).to.equal(5);
    const other = await invite(ada, intoTeam(teamId, { username: (await person()).username }));
    expect(await cost(() => run('revokeInvitation', ada, { path: { invitation_id: other.id } }))).to.equal(7);
  });
});
