/** The rows of the demo company, as its people would have made them. Pure: the same moment makes the same rows, ids included. */
import { invitations, people, type PersonKey, projects, type ProjectKey, teams, type TeamKey } from './demo-company.ts';
import { comments, type DemoComment } from './demo-threads.ts';
import { tasks, type DemoTask } from './demo-tasks.ts';

const kinds = ['user', 'team', 'team_member', 'project', 'project_member', 'tag', 'label', 'task', 'comment', 'invitation', 'notification', 'audit'] as const;

/** The n-th thing of a kind, in the form of a UUIDv7. */
export const demoId = (kind: (typeof kinds)[number], n: number): string =>
  `0194d000-0000-7${(kinds.indexOf(kind) + 1).toString(16).padStart(3, '0')}-8000-${(n + 1).toString(16).padStart(12, '0')}`;

const at = (list: readonly string[], key: string): number => {
  const index = list.indexOf(key);
  if (index < 0) throw new Error(`The demo knows no ${key}.`);
  return index;
};
const personKeys = Object.keys(people) as PersonKey[];
const teamKeys = Object.keys(teams) as TeamKey[];
const projectKeys = Object.keys(projects) as ProjectKey[];
export const personId = (key: PersonKey): string => demoId('user', at(personKeys, key));
export const teamId = (key: TeamKey): string => demoId('team', at(teamKeys, key));
export const projectId = (key: ProjectKey): string => demoId('project', at(projectKeys, key));
export const taskId = (key: string): string => demoId('task', at(tasks.map((task) => task.key), key));
export const commentId = (key: string): string => demoId('comment', at(comments.map((comment) => comment.key), key));

/** Every label of every project, numbered through. */
const labels = projectKeys.flatMap((project) => projects[project].labels.map(([name, color]) => ({ project, name, color })));
const labelId = (project: ProjectKey, name: string): string => demoId('label', at(labels.map((label) => `${label.project} ${label.name}`), `${project} ${name}`));

export type JsonObject = Readonly<Record<string, unknown>>;
export interface Rows { readonly table: string; readonly rows: readonly JsonObject[] }

export const dayMs = 24 * 3_600_000;
const hourMs = 3_600_000;

/** @param agoMs counted back from the moment of the seed */
export type Moment = (agoMs: number) => string;

export function companyRows(when: Moment, passwordHash: string, tokenHash: Buffer): Rows[] {
  const days = (count: number): string => when(count * dayMs);
  const members = teamKeys.flatMap((team) => teams[team].members.map(([person, role], nth) => ({ team, person, role, days: teams[team].days - nth })));
  const guests = projectKeys.flatMap((project) => (projects[project].members ?? []).map((person) => ({ project, person })));
  const tags = projectKeys.flatMap((project) => projects[project].tags.map(([name, color]) => ({ project, name, color })));
  return [
    { table: 'users', rows: personKeys.map((key) => ({
      id: personId(key), email: `${key}@example.com`, username: key, password_hash: passwordHash, tier: people[key].tier, email_verified_at: days(250), created_at: days(250), updated_at: days(250),
    })) },
    { table: 'user_profiles', rows: personKeys.map((key) => ({ user_id: personId(key), display_name: people[key].name, searchable: true })) },
    { table: 'teams', rows: teamKeys.map((key) => ({ id: teamId(key), owner_id: personId(teams[key].owner), name: teams[key].name, created_at: days(teams[key].days), updated_at: days(teams[key].days) })) },
    { table: 'team_members', rows: members.map(({ team, person, role, days: ago }, nth) => ({
      id: demoId('team_member', nth), team_id: teamId(team), user_id: personId(person), role, status: 'active', joined_at: days(ago), created_at: days(ago), updated_at: days(ago),
    })) },
    { table: 'projects', rows: projectKeys.map((key) => {
      const { owner, team, name, description, metadata, settings = {}, days: ago, isArchived } = projects[key];
      return {
        id: projectId(key), owner_id: personId(owner), team_id: team === null ? null : teamId(team), name, description, metadata: JSON.stringify(metadata), settings: JSON.stringify(settings),
        archived_at: isArchived === true ? days(100) : null, created_at: days(ago), updated_at: days(isArchived === true ? 100 : ago / 10),
      };
    }) },
    { table: 'project_members', rows: guests.map(({ project, person }, nth) => ({
      id: demoId('project_member', nth), project_id: projectId(project), user_id: personId(person), role: 'Member', status: 'active', joined_at: days(projects[project].days - 1), created_at: days(projects[project].days - 1),
    })) },
    { table: 'project_tags', rows: tags.map(({ project, name, color }, nth) => ({ id: demoId('tag', nth), project_id: projectId(project), name, color })) },
    { table: 'project_favorites', rows: projectKeys.flatMap((project) => projects[project].favoriteOf.map((person) => ({ user_id: personId(person), project_id: projectId(project) }))) },
    { table: 'task_labels', rows: labels.map(({ project, name, color }) => ({ id: labelId(project, name), project_id: projectId(project), name, color, created_at: days(projects[project].days), updated_at: days(projects[project].days) })) },
    ...invitationRows(when, tokenHash),
  ];
}

/** Somebody who is invited is a member of the team already, one who waits. */
function invitationRows(when: Moment, tokenHash: Buffer): Rows[] {
  const rows = invitations.map((invitation, nth) => ({
    id: demoId('invitation', nth), role: invitation.role, status: 'pending', invited_by: personId(invitation.by),
    project_id: 'project' in invitation ? projectId(invitation.project) : null, team_id: 'team' in invitation ? teamId(invitation.team) : null,
    user_id: 'to' in invitation ? personId(invitation.to) : null, email: 'email' in invitation ? invitation.email : null, token_hash: 'email' in invitation ? tokenHash : null,
    expires_at: when(invitation.hours * hourMs - 7 * dayMs), created_at: when(invitation.hours * hourMs), updated_at: when(invitation.hours * hourMs),
  }));
  const waiting = invitations.flatMap((invitation, nth) => ('to' in invitation ? [{ invitation, nth }] : []));
  return [
    { table: 'invitations', rows },
    { table: 'team_members', rows: waiting.flatMap(({ invitation, nth }) => ('team' in invitation
      ? [{ id: demoId('team_member', 100 + nth), team_id: teamId(invitation.team), user_id: personId(invitation.to), role: 'Member', status: 'invited', joined_at: null, created_at: when(invitation.hours * hourMs), updated_at: when(invitation.hours * hourMs) }] : [])) },
    { table: 'project_members', rows: waiting.flatMap(({ invitation, nth }) => ('project' in invitation
      ? [{ id: demoId('project_member', 100 + nth), project_id: projectId(invitation.project), user_id: personId(invitation.to), role: 'Member', status: 'invited', joined_at: null, created_at: when(invitation.hours * hourMs) }] : [])) },
  ];
}

export function workRows(when: Moment): Rows[] {
  return [
    { table: 'tasks', rows: tasks.map((task) => taskRow(task, when)) },
    { table: 'task_label_links', rows: tasks.flatMap(({ key, project, labels: names }) => names.map((name) => ({ task_id: taskId(key), label_id: labelId(project, name) }))) },
    { table: 'task_dependencies', rows: tasks.flatMap(({ key, after }) => after.map((other) => ({ task_id: taskId(key), depends_on_task_id: taskId(other) }))) },
    { table: 'comments', rows: comments.map((comment) => commentRow(comment, when)) },
    { table: 'comment_mentions', rows: comments.flatMap((comment) => mentionedIn(comment).map((person, position) => ({ comment_id: commentId(comment.key), user_id: personId(person), position }))) },
    { table: 'comment_stars', rows: comments.flatMap(({ key, stars }) => stars.map((person) => ({ comment_id: commentId(key), user_id: personId(person) }))) },
  ];
}

const taskRow = ({ key, project, title, text, status, by, to, made, changed, due }: DemoTask, when: Moment): JsonObject => ({
  id: taskId(key), project_id: projectId(project), title, description: text, status, assignee_id: to === null ? null : personId(to), created_by: personId(by),
  due_date: due === null ? null : when(-due * dayMs), completed_at: status === 'done' ? when(changed * dayMs) : null, created_at: when(made * dayMs), updated_at: when(changed * dayMs),
});

/** How deep a comment stands, and what it is on. */
const depthOf = ({ to }: DemoComment): number => (to === null ? 0 : 1 + depthOf(commentOf(to)));
export const commentOf = (key: string): DemoComment => comments[at(comments.map((comment) => comment.key), key)] as DemoComment;
export const spotOf = ({ on, project }: DemoComment): { entity_type: 'project' | 'task' | 'code'; entity_id: string } => {
  if (on === 'project') return { entity_type: 'project', entity_id: projectId(project) };
  return 'task' in on ? { entity_type: 'task', entity_id: taskId(on.task) } : { entity_type: 'code', entity_id: projectId(project) };
};

/** The people whom a comment names by `@`, in order. */
export function mentionedIn({ body, by }: DemoComment): PersonKey[] {
  const named = [...body.matchAll(/@([a-z]+)/g)].map(([, name]) => name as PersonKey);
  return [...new Set(named)].filter((name) => personKeys.includes(name) && name !== by);
}

const commentRow = (comment: DemoComment, when: Moment): JsonObject => ({
  id: commentId(comment.key), project_id: projectId(comment.project), parent_id: comment.to === null ? null : commentId(comment.to), depth: depthOf(comment), ...spotOf(comment),
  anchor: typeof comment.on === 'object' && 'code' in comment.on ? JSON.stringify({ ...comment.on.code, commit: null }) : null,
  author_id: personId(comment.by), body: comment.body, created_at: when(comment.hours * hourMs), updated_at: when(comment.hours * hourMs),
});
