/** Teams, members and invitations as tests need them made: by the operations, as people make them. */
import type { Backend, DataOf, Person } from './backend.ts';

type TeamRole = DataOf<'listTeamMembers'>['items'][number]['role'];

export async function teamOf(backend: Backend, owner: Person, name = 'Pollen'): Promise<string> {
  return (await backend.run('createTeam', owner, { body: { name } })).data.id;
}

/** Adds a person who then accepts; an Owner is made of a member. */
export async function joinTeam(backend: Backend, teamId: string, by: Person, who: Person, role: TeamRole = 'member'): Promise<void> {
  const path = { team_id: teamId };
  const { data } = await backend.run('addTeamMember', by, { path, body: { user_id: who.userId, role: role === 'owner' ? 'admin' : role } });
  await backend.run('acceptInvitation', who, { path: { invitation_id: data.invitation_id ?? '' } });
  if (role === 'owner') await backend.run('updateTeamMember', by, { path: { ...path, user_id: who.userId }, body: { role } });
}

export async function joinProject(backend: Backend, projectId: string, by: Person, who: Person): Promise<void> {
  const { data } = await backend.run('addProjectMember', by, { path: { project_id: projectId }, body: { user_id: who.userId } });
  await backend.run('acceptInvitation', who, { path: { invitation_id: data.invitation_id ?? '' } });
}

/** Who is in a team: `ada owner`, `ben member invited`, in the order of the list. */
export async function membersOf(backend: Backend, teamId: string, as: Person): Promise<string[]> {
  const { data } = await backend.run('listTeamMembers', as, { path: { team_id: teamId }, query: { limit: 200 } });
  return data.items.map(({ username, role, status }) => [username, role, ...(status === 'invited' ? [status] : [])].join(' '));
}

/** Who is in a project: `ada owner`, `ben admin team`. */
export async function peopleOf(backend: Backend, projectId: string, as: Person): Promise<string[]> {
  const { data } = await backend.run('listProjectMembers', as, { path: { project_id: projectId }, query: { limit: 200 } });
  return data.items.map(({ username, role, source, status }) =>
    [username, role, ...(source === 'team' ? [source] : []), ...(status === 'invited' ? [status] : [])].join(' '));
}

/** Events of these types that were written since, the oldest first: type, project and data. */
export async function eventsOf(backend: Backend, types: readonly string[], about: string): Promise<{ type: string; projectId: string | null; data: Record<string, unknown> }[]> {
  const rows = await backend.sql<{ payload: { type: string; projectId?: string | null; data: Record<string, unknown> } }>(
    "select payload from outbox where kind = 'event' and topic = any(?) and payload::text like ? order by id", [types, `%${about}%`]);
  return rows.map(({ payload: { type, projectId = null, data } }) => ({ type, projectId, data }));
}
