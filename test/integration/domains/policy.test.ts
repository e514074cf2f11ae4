import { expect } from 'chai';
import { requireRole, requireRoleOn } from '#domains/policy.ts';
import type { ApiKeyCaller, Call, Caller } from '#platform/call.ts';
import { newId } from '#platform/ids.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { refusalOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';

describe('the policy', () => {
  const backend = useBackend();
  let owner: Person;
  let teamId: string;
  let teamProject: string;
  let ownProject: string;

  const callOf = (caller: Caller, roles = 'project:member'): Call => ({
    requestId: newId(), operationId: 'getProject', caller, ip: '127.0.0.1', userAgent: 'tests', signal: new AbortController().signal,
    policy: { allowed: false }, roles, idempotency: null, ifMatch: null,
  });
  const roleIn = async (caller: Caller, projectId: string): Promise<string> =>
    (await requireRoleOn(backend.current.database.db, callOf(caller), 'project', projectId)).role;
  const join = async (table: 'team_members' | 'project_members', entity: string, person: Person, role: string, status = 'active'): Promise<Person> => {
    const column = table === 'team_members' ? 'team_id' : 'project_id';
    await backend.current.database.db.knex(table).insert({ id: newId(), [column]: entity, user_id: person.userId, role, status });
    return person;
  };

  before(async () => {
    owner = await backend.current.person();
    teamId = newId();
    await backend.current.database.db.knex('teams').insert({ id: teamId, owner_id: owner.userId, name: 'Pollen' });
    await join('team_members', teamId, owner, 'Owner');
    teamProject = await backend.current.project(owner, { team_id: teamId });
    ownProject = await backend.current.project(owner);
  });

  it('gives each kind of member the role of the table, in team projects by the team, in others by the project', async () => {
    const person = (): Promise<Person> => backend.current.person();
    expect(await roleIn(owner, ownProject)).to.equal('owner');
    for (const [role, expected] of [['Owner', 'owner'], ['Admin', 'admin'], ['Member', 'member']] as const) {
      expect(await roleIn(await join('team_members', teamId, await person(), role), teamProject)).to.equal(expected);
    }
    for (const [role, expected] of [['Owner', 'owner'], ['Member', 'member']] as const) {
      expect(await roleIn(await join('project_members', ownProject, await person(), role), ownProject)).to.equal(expected);
    }
    // The higher of the two where somebody is both.
    const both = await join('team_members', teamId, await person(), 'Admin');
    await join('project_members', teamProject, both, 'Member');
    expect(await roleIn(both, teamProject)).to.equal('admin');
  });

  it('answers strangers, invited people, platform admins and former projects as if there were nothing', async () => {
    const { person, project, run } = backend.current;
    const missing = await refusalOf(roleIn(owner, newId()));
    expect(missing.code).to.equal('NOT_FOUND');
    const deleted = await project(owner);
    await run('deleteProject', owner, { path: { project_id: deleted } });
    const cases: [Caller, string][] = [
      [await person(), ownProject],
      [await person('admin'), ownProject],
      [await join('team_members', teamId, await person(), 'Admin', 'invited'), teamProject],
      [await join('project_members', ownProject, await person(), 'Owner', 'invited'), ownProject],
      [owner, deleted],
      [{ kind: 'anonymous' }, ownProject],
      [{ kind: 'worker', nodeId: newId() }, ownProject],
    ];
    for (const [caller, projectId] of cases) {
      const hidden = await refusalOf(roleIn(caller, projectId));
      expect([hidden.code, hidden.message, hidden.details, hidden.status]).to.deep.equal([missing.code, missing.message, missing.details, missing.status]);
    }
  });

  it('keeps an API key within its projects, and gives it its owner\'s role there', async () => {
    const key = (projectIds: string[] | null): ApiKeyCaller =>
      ({ kind: 'api_key', userId: owner.userId, keyId: newId(), tier: 'premium', isVerified: true, scopes: ['projects:read'], projectIds });
    expect(await roleIn(key(null), teamProject)).to.equal('owner');
    expect(await roleIn(key([ownProject]), ownProject)).to.equal('owner');
    expect((await refusalOf(roleIn(key([ownProject]), teamProject))).code).to.equal('NOT_FOUND');
    expect((await refusalOf(roleIn(key([]), ownProject))).code).to.equal('NOT_FOUND');
    const strangers = await backend.current.person();
    const foreign: ApiKeyCaller = { ...key([ownProject]), userId: strangers.userId };
    expect((await refusalOf(roleIn(foreign, ownProject))).code).to.equal('NOT_FOUND');
  });

  it('tells who sees a thing and may not act on it apart from who does not see it', async () => {
    const member = await join('project_members', ownProject, await backend.current.person(), 'Member');
    const { db } = backend.current.database;
    expect((await refusalOf(requireRoleOn(db, callOf(member, 'project:owner'), 'project', ownProject))).code).to.equal('FORBIDDEN');
    expect((await refusalOf(requireRoleOn(db, callOf(await backend.current.person(), 'project:owner'), 'project', ownProject))).code).to.equal('NOT_FOUND');
  });

  it('judges a set of ids by one statement, and refuses it whole when one of them is hidden', async () => {
    const { db } = backend.current.database;
    const ids = await Promise.all(Array.from({ length: 20 }, () => backend.current.project(owner)));
    const call = callOf(owner);
    const statements = await countStatements(async () => {
      expect(await requireRole(db, call, 'project', [...ids, ...ids])).to.have.length(20);
    });
    expect(statements).to.equal(1);
    expect(call.policy.allowed).to.equal(true);
    const refused = callOf(owner);
    expect((await refusalOf(requireRole(db, refused, 'project', [...ids, newId()]))).code).to.equal('NOT_FOUND');
    expect(refused.policy.allowed).to.equal(false);
  });

  it('leads from a preview job to its project, and hides the job with either of them', async () => {
    const { run, person } = backend.current;
    const { data: { job } } = await run('requestPreview', owner, {
      body: { project_id: ownProject, entry_file: 'index.js', files: [{ path: 'index.js', sha256: 'a'.repeat(64), size: 3 }] },
    });
    const { db } = backend.current.database;
    expect((await requireRoleOn(db, callOf(owner), 'preview_job', job.id)).projectId).to.equal(ownProject);
    expect((await refusalOf(requireRoleOn(db, callOf(await person()), 'preview_job', job.id))).code).to.equal('NOT_FOUND');
    await run('deletePreviewJob', owner, { path: { job_id: job.id } });
    expect((await refusalOf(requireRoleOn(db, callOf(owner), 'preview_job', job.id))).code).to.equal('NOT_FOUND');
  });
});
