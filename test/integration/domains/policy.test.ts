import { expect } from 'chai';
import { type Resource, requireAdmin, requireRecentSignIn, requireRole, requireRoleOn, requireSelf, requireVerified } from '#domains/policy.ts';
import type { ApiKeyCaller, Call, Caller } from '#platform/call.ts';
import { newId } from '#platform/ids.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { refusalOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';

const callOf = (caller: Caller, roles: string | null = null): Call => ({
  requestId: newId(), operationId: 'getProject', caller, ip: '127.0.0.1', userAgent: 'tests', signal: new AbortController().signal,
  policy: { allowed: false }, roles, idempotency: null, ifMatch: null,
});

/** What the policy answers: the role held, or the code of its refusal. */
type Outcome = 'owner' | 'admin' | 'member' | 'FORBIDDEN' | 'NOT_FOUND' | 'AUTH_INVALID';

describe('the policy', () => {
  const backend = useBackend();
  const people = new Map<string, Person>();
  let teamId = '';
  /** `mine` is a person's own, `ours` the team's; `archived` and `gone` are the team's too. */
  const projects = new Map<'mine' | 'ours' | 'archived' | 'gone', string>();
  const jobs = new Map<'mine' | 'ours', string>();

  const person = (name: string): Person => people.get(name) ?? raise(name);
  const project = (name: 'mine' | 'ours' | 'archived' | 'gone'): string => projects.get(name) ?? raise(name);
  const job = (name: 'mine' | 'ours'): string => jobs.get(name) ?? raise(name);
  const key = (of: string, projectIds: readonly string[] | null): ApiKeyCaller =>
    ({ kind: 'api_key', userId: person(of).userId, keyId: newId(), tier: 'premium', isVerified: true, scopes: ['projects:read'], projectIds });

  const outcomeOf = async (caller: Caller, resource: Resource, id: string, least: 'member' | 'admin' | 'owner' = 'member'): Promise<Outcome> => {
    const call = callOf(caller);
    try {
      const { role } = await requireRoleOn(backend.current.database.db, call, resource, id, least);
      expect(call.policy.allowed).to.equal(true);
      return role;
    } catch (error) {
      const refusal = await refusalOf(Promise.reject(error as Error));
      expect(call.policy.allowed, 'a refused call is not marked').to.equal(false);
      return refusal.code as Outcome;
    }
  };
  const requestJob = async (projectId: string): Promise<string> => (await backend.current.run('requestPreview', person('creator'), {
    body: { project_id: projectId, entry_file: 'index.js', files: [{ path: 'index.js', sha256: 'a'.repeat(64), size: 3 }] },
  })).data.job.id;

  before('people, a team, projects', async () => {
    const { knex } = backend.current.database.db;
    const join = (table: 'team_members' | 'project_members', held: Record<string, string>, name: string, role: string, status = 'active'): Promise<unknown> =>
      knex(table).insert({ id: newId(), ...held, user_id: person(name).userId, role, status });
    const names = [
      'creator', 'teamOwner', 'teamAdmin', 'teamMember', 'teamInvited', 'coOwner', 'member', 'invited', 'invitedOwner', 'adminAndMember', 'stranger',
    ];
    for (const name of names) people.set(name, await backend.current.person());
    people.set('platformAdmin', await backend.current.person('admin'));
    teamId = newId();
    await knex('teams').insert({ id: teamId, owner_id: person('teamOwner').userId, name: 'Pollen' });
    const team = { team_id: teamId };
    for (const [name, role] of [['teamOwner', 'Owner'], ['teamAdmin', 'Admin'], ['teamMember', 'Member'], ['adminAndMember', 'Admin']] as const) await join('team_members', team, name, role);
    await join('team_members', team, 'teamInvited', 'Admin', 'invited');
    await join('team_members', team, 'creator', 'Member');
    for (const name of ['ours', 'archived', 'gone'] as const) projects.set(name, await backend.current.project(person('creator'), { team_id: teamId }));
    projects.set('mine', await backend.current.project(person('creator')));
    for (const name of ['mine', 'ours', 'archived', 'gone'] as const) {
      const held = { project_id: project(name) };
      await join('project_members', held, 'coOwner', 'Owner');
      await join('project_members', held, 'member', 'Member');
      await join('project_members', held, 'adminAndMember', 'Member');
      await join('project_members', held, 'invited', 'Member', 'invited');
      await join('project_members', held, 'invitedOwner', 'Owner', 'invited');
    }
    for (const name of ['mine', 'ours'] as const) jobs.set(name, await requestJob(project(name)));
    await backend.current.run('updateProject', person('creator'), { path: { project_id: project('archived') }, body: { archived: true } });
    await backend.current.run('deleteProject', person('creator'), { path: { project_id: project('gone') } });
  });

  // Rows: who. Columns: the role held in a project of a person's own, in one of the team's, and in the team itself.
  const table: readonly (readonly [string, () => Caller, Outcome, Outcome, Outcome])[] = [
    ['who made the project',          () => person('creator'),                          'owner',     'owner',     'member'],
    ['an Owner of the team',          () => person('teamOwner'),                        'NOT_FOUND', 'owner',     'owner'],
    ['an Admin of the team',          () => person('teamAdmin'),                        'NOT_FOUND', 'admin',     'admin'],
    ['a Member of the team',          () => person('teamMember'),                       'NOT_FOUND', 'member',    'member'],
    ['who is invited to the team',    () => person('teamInvited'),                      'NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND'],
    ['an Owner of the project',       () => person('coOwner'),                          'owner',     'owner',     'NOT_FOUND'],
    ['a Member of the project',       () => person('member'),                           'member',    'member',    'NOT_FOUND'],
    ['who is both, the higher',       () => person('adminAndMember'),                   'member',    'admin',     'admin'],
    ['who is invited to the project', () => person('invited'),                          'NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND'],
    ['who is invited as an Owner',    () => person('invitedOwner'),                     'NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND'],
    ['a stranger',                    () => person('stranger'),                         'NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND'],
    ['a platform admin',              () => person('platformAdmin'),                    'NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND'],
    ['a key of who made it',          () => key('creator', null),                       'owner',     'owner',     'member'],
    ['a key of a team\'s Admin',      () => key('teamAdmin', null),                     'NOT_FOUND', 'admin',     'admin'],
    ['a key for the one project',     () => key('creator', [project('mine')]),          'owner',     'NOT_FOUND', 'NOT_FOUND'],
    ['a key for the other project',   () => key('creator', [project('ours')]),          'NOT_FOUND', 'owner',     'NOT_FOUND'],
    ['a key for no project',          () => key('creator', []),                         'NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND'],
    ['a stranger\'s key for it',      () => key('stranger', [project('mine')]),         'NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND'],
    ['nobody',                        () => ({ kind: 'anonymous' }),                    'NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND'],
    ['a worker',                      () => ({ kind: 'worker', nodeId: newId() }),      'NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND'],
    ['the system',                    () => ({ kind: 'system' }),                       'NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND'],
    ['a preview token of it',         () => ({ kind: 'preview', purpose: 'view', projectId: project('mine'), jobId: null, sessionId: null, shareId: null, tokenHash: '' }),
      'NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND'],
  ];
  for (const [who, caller, mine, ours, team] of table) {
    it(`${who}: ${mine} in a person's project, ${ours} in the team's, ${team} in the team`, async () => {
      expect({
        mine: await outcomeOf(caller(), 'project', project('mine')),
        ours: await outcomeOf(caller(), 'project', project('ours')),
        team: await outcomeOf(caller(), 'team', teamId),
      }).to.deep.equal({ mine, ours, team });
      // What lies in a project is seen as the project is; an archived one as any other; a deleted one by nobody.
      expect(await outcomeOf(caller(), 'preview_job', job('mine'))).to.equal(mine);
      expect(await outcomeOf(caller(), 'preview_job', job('ours'))).to.equal(ours);
      const isFenced = caller().kind === 'api_key' && (caller() as ApiKeyCaller).projectIds !== null;
      expect(await outcomeOf(caller(), 'project', project('archived'))).to.equal(isFenced ? 'NOT_FOUND' : ours);
      expect(await outcomeOf(caller(), 'project', project('gone'))).to.equal('NOT_FOUND');
    });
  }

  // Rows: the role held. Columns: what is asked for.
  const ladder: readonly (readonly [string, Outcome, Outcome, Outcome])[] = [
    ['teamMember', 'member',    'FORBIDDEN', 'FORBIDDEN'],
    ['teamAdmin',  'admin',     'admin',     'FORBIDDEN'],
    ['teamOwner',  'owner',     'owner',     'owner'],
    ['stranger',   'NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND'],
  ];
  for (const [who, member, admin, owner] of ladder) {
    it(`tells who sees a thing and may not act on it apart from who does not see it: ${who}`, async () => {
      for (const [resource, id] of [['project', project('ours')], ['preview_job', job('ours')], ['team', teamId]] as const) {
        expect([
          await outcomeOf(person(who), resource, id, 'member'), await outcomeOf(person(who), resource, id, 'admin'), await outcomeOf(person(who), resource, id, 'owner'),
        ], resource).to.deep.equal([member, admin, owner]);
      }
    });
  }

  it('hides in the words in which it says that there is nothing', async () => {
    const { db } = backend.current.database;
    for (const [resource, id] of [['project', project('mine')], ['preview_job', job('mine')], ['team', teamId]] as const) {
      const hidden = await refusalOf(requireRoleOn(db, callOf(person('stranger')), resource, id, 'owner'));
      const missing = await refusalOf(requireRoleOn(db, callOf(person('stranger')), resource, newId(), 'owner'));
      expect([hidden.code, hidden.message, hidden.details, hidden.status]).to.deep.equal([missing.code, missing.message, missing.details, missing.status]);
    }
  });

  it('takes the least role from the operation, and is asked about nothing else than its realm', async () => {
    const { db } = backend.current.database;
    expect((await requireRoleOn(db, callOf(person('teamAdmin'), 'project:admin'), 'project', project('ours'))).role).to.equal('admin');
    expect((await refusalOf(requireRoleOn(db, callOf(person('teamMember'), 'project:admin'), 'project', project('ours')))).code).to.equal('FORBIDDEN');
    expect((await refusalOf(requireRoleOn(db, callOf(person('teamAdmin'), 'team:owner'), 'team', teamId))).code).to.equal('FORBIDDEN');
    for (const [roles, resource] of [['team:admin', 'project'], ['project:member', 'team'], [null, 'project'], ['project:king', 'project']] as const) {
      const asked = await requireRoleOn(db, callOf(person('teamOwner'), roles), resource, teamId).catch((error: unknown) => error);
      expect(asked, `${roles} asked about a ${resource}`).to.be.instanceOf(Error).and.to.have.property('name', 'Error');
    }
  });

  it('answers where a thing is held and whose that is', async () => {
    const { db } = backend.current.database;
    const creator = person('creator').userId;
    expect(await requireRoleOn(db, callOf(person('member')), 'preview_job', job('mine'), 'member'))
      .to.deep.equal({ id: job('mine'), projectId: project('mine'), ownerId: creator, role: 'member' });
    expect(await requireRoleOn(db, callOf(person('teamAdmin')), 'team', teamId, 'member'))
      .to.deep.equal({ id: teamId, teamId, ownerId: person('teamOwner').userId, role: 'admin' });
  });

  it('judges a thousand ids by one statement, each once however it is written, and refuses all for one that is hidden', async () => {
    const { db } = backend.current.database;
    const ids = Array.from({ length: 1000 }, () => newId());
    const { userId } = person('creator');
    await db.knex.batchInsert('projects', ids.map((id) => ({ id, owner_id: userId, name: 'One of many' })), 500);
    const judge = async (of: readonly string[]): Promise<{ statements: number; call: Call; outcome: number | string }> => {
      const call = callOf(person('creator'));
      let outcome: number | string = '';
      const statements = await countStatements(async () => {
        outcome = await requireRole(db, call, 'project', of, 'owner').then((access) => access.length, async (error: unknown) => (await refusalOf(Promise.reject(error as Error))).code);
      });
      return { statements, call, outcome };
    };
    const all = await judge([...ids, ...ids.map((id) => id.toUpperCase())]);
    expect([all.statements, all.outcome, all.call.policy.allowed]).to.deep.equal([1, 1000, true]);
    for (const other of [newId(), project('gone')]) {
      const refused = await judge([...ids, other]);
      expect([refused.statements, refused.outcome, refused.call.policy.allowed]).to.deep.equal([1, 'NOT_FOUND', false]);
    }
    const stranger = callOf(person('stranger'));
    expect((await refusalOf(requireRole(db, stranger, 'project', ids, 'member'))).code).to.equal('NOT_FOUND');
  });

  it('hides a deleted preview job', async () => {
    const jobId = await requestJob(project('mine'));
    expect(await outcomeOf(person('creator'), 'preview_job', jobId)).to.equal('owner');
    await backend.current.run('deletePreviewJob', person('creator'), { path: { job_id: jobId } });
    expect(await outcomeOf(person('creator'), 'preview_job', jobId)).to.equal('NOT_FOUND');
  });

  it('knows who is meant by oneself, an administrator, a confirmed address and a recent sign-in', async () => {
    const nowMs = Date.now();
    const asked = async (ask: (call: Call) => string, caller: Caller): Promise<string> => {
      const call = callOf(caller);
      try {
        const userId = ask(call);
        expect(call.policy.allowed).to.equal(true);
        return userId === ('userId' in caller ? caller.userId : '') ? 'yes' : 'somebody else';
      } catch (error) {
        const { code, details } = await refusalOf(Promise.reject(error as Error));
        expect(call.policy.allowed, 'a refused call is not marked').to.equal(false);
        return `${code}${typeof details === 'object' && details !== null && 'reason' in details ? ` ${String(details.reason)}` : ''}`;
      }
    };
    const verified = (call: Call): string => requireVerified(call);
    const recent = (call: Call): string => requireRecentSignIn(call, nowMs);
    const signedIn = (agoMs: number): Person => ({ ...person('member'), authenticatedAtMs: nowMs - agoMs });
    const ofKey = key('platformAdmin', null);
    expect({
      self: [await asked(requireSelf, person('member')), await asked(requireSelf, ofKey), await asked(requireSelf, { kind: 'anonymous' }), await asked(requireSelf, { kind: 'worker', nodeId: 'n' })],
      admin: [await asked(requireAdmin, person('platformAdmin')), await asked(requireAdmin, person('member')), await asked(requireAdmin, { ...ofKey, tier: 'admin' }), await asked(requireAdmin, { kind: 'system' })],
      verified: [await asked(verified, person('member')), await asked(verified, { ...person('member'), isVerified: false }), await asked(verified, { ...ofKey, isVerified: false })],
      recent: [await asked(recent, signedIn(15 * 60_000)), await asked(recent, signedIn(15 * 60_000 + 1)), await asked(recent, ofKey)],
    }).to.deep.equal({
      self: ['yes', 'yes', 'AUTH_INVALID', 'AUTH_INVALID'],
      admin: ['yes', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN'],
      verified: ['yes', 'FORBIDDEN email_not_verified', 'FORBIDDEN email_not_verified'],
      recent: ['yes', 'FORBIDDEN recent_sign_in_required', 'AUTH_INVALID'],
    });
  });
});

function raise(name: string): never {
  throw new Error(`There is no ${name}.`);
}
