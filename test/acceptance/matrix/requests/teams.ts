import { randomUUID } from 'node:crypto';
import type { Asked, Recipe } from '../requests.ts';
import type { Scene, World } from '../world.ts';

/** A team of the scene's owner, made for one request, in which the caller is what it is in the world's team. */
async function teamOf(world: World, { self, owner }: Scene): Promise<string> {
  const id = randomUUID();
  await world.sql('insert into teams (id, owner_id, name) values ($1, $2, $3)', [id, owner.id, 'Pollen']);
  await world.sql("insert into team_members (id, team_id, user_id, role) values ($1, $2, $3, 'Owner')", [randomUUID(), id, owner.id]);
  await world.sql(`
    insert into team_members (id, team_id, user_id, role)
    select gen_random_uuid(), $1, user_id, role from team_members where team_id = $2 and user_id = $3 and user_id <> $4`, [id, world.teamId, self.id, owner.id]);
  return id;
}

const team = (below: string, more: (world: World) => Pick<Asked, 'json' | 'other'> = () => ({})): Recipe => ({
  ask: async (world, scene) => {
    const id = await teamOf(world, scene);
    return { path: `/teams/${id}${below}`, target: id, ...more(world) };
  },
});

/** About a Member of a team made for the request. */
const teamMember = (json?: unknown, other?: unknown): Recipe => ({
  ask: async (world, scene) => {
    const id = await teamOf(world, scene);
    await world.sql("insert into team_members (id, team_id, user_id, role) values ($1, $2, $3, 'Member')", [randomUUID(), id, world.visitor.id]);
    return {
      path: `/teams/${id}/members/${world.visitor.id}`, target: id,
      ...(json === undefined ? {} : { json }), ...(other === undefined ? {} : { other: { json: other } }),
    };
  },
});

/** About an open invitation into a team made for the request. It names the owner of the scene, or somebody else. */
const invitation = (below: string, toOwner: boolean): Recipe => ({
  ask: async (world, scene) => {
    // One does not invite oneself: what the owner answers came from somebody else's team.
    const teamId = await teamOf(world, toOwner ? { ...scene, owner: world.maker } : scene);
    const id = randomUUID();
    await world.sql(`
      insert into invitations (id, team_id, user_id, role, invited_by, expires_at) values ($1, $2, $3, 'member', $4, now() + interval '7 days')`,
    [id, teamId, toOwner ? scene.owner.id : world.visitor.id, world.maker.id]);
    return { path: `/invitations/${id}${below}`, target: id };
  },
});

export const teamRequests: Readonly<Record<string, Recipe>> = {
  listTeams: { ask: () => Promise.resolve({ path: '/teams' }) },
  createTeam: { ask: () => Promise.resolve({ path: '/teams', json: { name: 'Pollen' }, other: { json: { name: 'Nectar' } } }) },
  getTeam: team(''),
  updateTeam: team('', () => ({ json: { name: `Pollen ${randomUUID()}` }, other: { json: { name: 'Nectar' } } })),
  deleteTeam: team(''),
  listTeamMembers: team('/members'),
  addTeamMember: team('/members', ({ visitor, maker }) => ({ json: { user_id: visitor.id }, other: { json: { user_id: maker.id } } })),
  updateTeamMember: teamMember({ role: 'admin' }, { role: 'member' }),
  removeTeamMember: teamMember(),

  createInvitation: {
    ask: async (world, scene) => {
      const target = await teamOf(world, scene);
      const json = { target_type: 'team', target_id: target, role: 'member' };
      return { path: '/invitations', target, json: { ...json, username: world.visitor.username }, other: { json: { ...json, username: world.maker.username } } };
    },
  },
  listMyInvitations: { ask: () => Promise.resolve({ path: '/invitations' }) },
  listTeamInvitations: team('/invitations'),
  revokeInvitation: invitation('', false),
  acceptInvitation: invitation('/accept', true),
  declineInvitation: invitation('/decline', true),
  acceptInvitationByToken: {
    ask: async (world, scene) => {
      const email = `${randomUUID()}@example.com`;
      const inviter = { ...scene, self: world.maker, owner: world.maker };
      await world.data('POST', '/invitations', { as: world.maker, json: { target_type: 'team', target_id: await teamOf(world, inviter), role: 'member', email } });
      return { path: '/invitations/accept-by-token', json: { token: await world.mailedToken(email, /invited/i) } };
    },
  },
};
