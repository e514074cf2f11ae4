/** What the demo company was told of its work, and the trail that its work has left. */
import { invitations, type PersonKey, projects, type ProjectKey } from './demo-company.ts';
import { commentId, commentOf, dayMs, demoId, type JsonObject, mentionedIn, type Moment, personId, projectId, type Rows, spotOf, taskId, teamId } from './demo-rows.ts';
import { comments, type DemoComment } from './demo-threads.ts';
import { tasks } from './demo-tasks.ts';

const hourMs = 3_600_000;
/** What is older than this was read. */
const unreadHours = 30;
/** What is older was told too, and is gone. */
const keptDays = 30;

interface Told { readonly to: PersonKey; readonly type: string; readonly project: ProjectKey | null; readonly agoMs: number; readonly payload: JsonObject; readonly key: string }

export function notificationRows(when: Moment): Rows {
  const told = [...ofTasks(when), ...comments.flatMap(ofComment), ...ofInvitations()].filter(({ agoMs }) => agoMs < keptDays * dayMs).sort((a, b) => b.agoMs - a.agoMs);
  return { table: 'notifications', rows: told.map(({ to, type, project, agoMs, payload, key }, nth) => ({
    id: demoId('notification', nth), user_id: personId(to), project_id: project === null ? null : projectId(project), type, payload: JSON.stringify(payload), event_key: key, in_app: true,
    created_at: when(agoMs), read_at: agoMs > unreadHours * hourMs ? when(agoMs - hourMs) : null,
  })) };
}

function ofTasks(when: Moment): Told[] {
  return tasks.flatMap(({ key, project, title, by, to, made, changed, due, status }) => {
    const about = { project, payload: { task_id: taskId(key), title, due_date: due === null ? null : when(-due * dayMs) } };
    const assigned: Told[] = to === null || to === by ? [] : [{
      ...about, to, type: 'task.assigned', agoMs: made * dayMs, payload: { ...about.payload, actor_id: personId(by) }, key: `task.assigned:${taskId(key)}:${when(made * dayMs)}`,
    }];
    const completed: Told[] = status !== 'done' || to === null || to === by ? [] : [{
      ...about, to: by, type: 'task.completed', agoMs: changed * dayMs, payload: { ...about.payload, actor_id: personId(to) }, key: `task.completed:${taskId(key)}:${when(changed * dayMs)}`,
    }];
    return [...assigned, ...completed];
  });
}

/** As for real: who is mentioned hears of that, else who is answered, else who has the task or made it. Nobody hears of what is their own. */
function ofComment(comment: DemoComment): Told[] {
  const { key, project, by, hours, body, to, on } = comment;
  const mentioned = mentionedIn(comment);
  const answered = to === null ? [] : [commentOf(to).by];
  const task = typeof on === 'object' && 'task' in on ? tasks.find((one) => one.key === on.task) : undefined;
  const around = task === undefined ? [] : [task.to, task.by].filter((person) => person !== null);
  const heard = new Set<PersonKey>([by]);
  const payload = { comment_id: commentId(key), ...spotOf(comment), author_id: personId(by), excerpt: body.slice(0, 200) };
  return ([['comment.mentioned', mentioned], ['comment.replied', answered], ['comment.created', around]] as const).flatMap(([type, whom]) => whom.flatMap((person): Told[] => {
    if (heard.has(person)) return [];
    heard.add(person);
    return [{ to: person, type, project, agoMs: hours * hourMs, payload, key: type === 'comment.mentioned' ? `comment.mentioned:${commentId(key)}` : `comment:${commentId(key)}` }];
  }));
}

function ofInvitations(): Told[] {
  return invitations.flatMap((invitation, nth): Told[] => {
    if (!('to' in invitation)) return [];
    const target = 'project' in invitation
      ? { target_type: 'project', target_id: projectId(invitation.project), target_name: projects[invitation.project].name }
      : { target_type: 'team', target_id: teamId(invitation.team), target_name: 'Larkspur Design' };
    const payload = { invitation_id: demoId('invitation', nth), ...target, role: invitation.role, actor_id: personId(invitation.by) };
    // Of no project: it is not theirs yet.
    return [{ to: invitation.to, type: 'invitation.received', project: null, agoMs: invitation.hours * hourMs, payload, key: `invitation.received:${demoId('invitation', nth)}` }];
  });
}

/** The audit: what each project's activity is read from. */
export function auditRows(when: Moment): Rows {
  const made = (Object.keys(projects) as ProjectKey[]).map((key) => ({
    by: projects[key].owner, project: key, agoMs: projects[key].days * dayMs, event_type: 'project.created', entity_type: 'project', entity_id: projectId(key), data: { name: projects[key].name },
  }));
  const worked = tasks.flatMap(({ key, project, title, status, by, to, made: madeDays, changed, due }) => {
    const about = { project, entity_type: 'task', entity_id: taskId(key) };
    const assignee = to === null ? null : personId(to);
    const begun = { ...about, by, agoMs: madeDays * dayMs, event_type: 'task.created', data: { title, status: 'todo', assignee_id: assignee, due_date: due === null ? null : when(-due * dayMs), label_ids: [] } };
    const moved = { ...about, by: to ?? by, agoMs: changed * dayMs, event_type: 'task.updated', data: { changed: ['status'], from: { status: 'todo' }, to: { status } } };
    return status === 'todo' ? [begun] : [begun, moved];
  });
  const said = comments.map((comment) => ({
    by: comment.by, project: comment.project, agoMs: comment.hours * hourMs, event_type: 'comment.created', entity_type: 'comment', entity_id: commentId(comment.key),
    data: { ...spotOf(comment), parent_id: comment.to === null ? null : commentId(comment.to), mentioned_user_ids: mentionedIn(comment).map(personId) },
  }));
  const trail = [...made, ...worked, ...said].sort((a, b) => b.agoMs - a.agoMs);
  return { table: 'audit_logs', rows: trail.map(({ by, project, agoMs, data, ...event }, nth) => ({
    id: demoId('audit', nth), user_id: personId(by), project_id: projectId(project), ...event, data: JSON.stringify(data), created_at: when(agoMs),
  })) };
}
