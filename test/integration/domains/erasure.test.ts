import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { erasureStages } from '../../../src/account-data.ts';
import { projectStages } from '../../../src/project-data.ts';
import type { ErasureStage } from '#domains/personal-data.ts';
import { withoutTexts } from '#domains/audit/erasure.ts';
import { PreviewEndingService } from '#domains/previews/ending-service.ts';
import { AccountErasures } from '#domains/users/erasures.ts';
import { DataExportService } from '#domains/users/export-service.ts';
import type { UserCaller } from '#platform/call.ts';
import { newId } from '#platform/ids.ts';
import { eachObject } from '#platform/storage/storage.ts';
import { lastMail, outcome, tokenIn } from '../../support/accounts.ts';
import { type Backend, type Person, type Reply, useBackend } from '../../support/backend.ts';
import { bodiesOf, commentIn } from '../../support/comments.ts';
import { make, queuedJob } from '../../support/preview-jobs.ts';
import { objectsOf, referencesTo, tracesOf } from '../../support/traces.ts';
import { until } from '../../support/until.ts';
import { deliveryTo } from '../../support/webhooks.ts';

const password = 'a phrase of the quill';

/** What is known of a person beside ids: none of it may be anywhere after the erasure. */
interface Life {
  readonly userId: string;
  readonly caller: UserCaller;
  readonly headers: Readonly<Record<string, string>>;
  readonly email: string;
  readonly needles: readonly string[];
  readonly projectId: string;
  readonly jobId: string;
  /** Of somebody else, where this person works too. */
  readonly theirs: { readonly projectId: string; readonly jobId: string };
}

let lives = 0;

/** Lives with everything the product offers, over the wire, from an address and with names that occur nowhere else. */
async function live(backend: Backend, ben: Person): Promise<Life> {
  lives += 1;
  const word = `quill${lives}${newId().slice(-6)}`;
  const [username, email, ip] = [`zelda-${word}`, `zelda@${word}.example`, `203.0.113.${10 + lives}`];
  const needles = [username, email, `new@${word}.example`, `Zelda ${word}`, ip, `Browser/${word}`, `typewriter of ${word}`, `device-of-${word}`, `request-of-${word}`, `Diary of ${word}`, `key of ${word}`, `friend-of-${word}@example.com`];
  const from = { 'x-forwarded-for': ip, 'user-agent': `Browser/${word}`, 'x-request-id': `request-of-${word}` };
  const device = { device_id: `device-of-${word}`, name: `typewriter of ${word}`, platform: 'macos' };
  const send = async (method: string, path: string, more: { json?: unknown; headers?: Record<string, string> } = {}): Promise<Reply> => {
    const reply = await backend.http(method, path, { ...more, headers: { ...from, ...more.headers } });
    if (reply.status >= 400) throw new Error(`${method} ${path} came to ${reply.status}: ${reply.text}`);
    return reply;
  };
  // To the address before there is an account, to the account, and by it.
  const toAddress = await backend.project(ben);
  await backend.run('createInvitation', ben, { body: { target_type: 'project', target_id: toAddress, role: 'member', email } });
  const { data } = await send('POST', '/auth/register', { json: { email, username, password, display_name: `Zelda ${word}`, device } });
  const userId = (data['user'] as { id: string }).id;
  const headers = { authorization: `Bearer ${String(data['access_token'])}` };
  const caller = { kind: 'user', userId, sessionId: String(data['session_id']), tier: 'premium', isVerified: true, authenticatedAtMs: Date.now() } as const;
  await backend.sql("update users set email_verified_at = now(), tier = 'premium' where id = ?", [userId]);
  const as = (method: string, path: string, json?: unknown, key?: string): Promise<Reply> =>
    send(method, path, { ...(json === undefined ? {} : { json }), headers: { ...headers, ...(key === undefined ? {} : { 'idempotency-key': key }) } });
  await send('POST', '/auth/login', { json: { email, password, device } });
  await backend.http('POST', '/auth/login', { json: { email, password: 'not the password at all' }, headers: from });
  await send('POST', '/auth/password/forgot', { json: { email } });
  await as('PATCH', '/users/me', { display_name: `Zelda ${word}`, avatar_url: `https://images.example.com/${username}.png` });
  await as('PATCH', '/users/me/preferences', { preferences: { nickname: username }, notifications: { 'preview.succeeded': { in_app: true, email: true } } });
  const { data: key } = await as('POST', '/api-keys', { name: `key of ${word}`, scopes: ['projects:read', 'projects:write'] }, newId());
  await send('POST', '/projects', { json: { name: `Diary of ${word}, by key` }, headers: { 'x-api-key': String(key['key']), 'idempotency-key': newId() } });
  await as('POST', '/auth/session-tokens');
  const { data: link } = await send('POST', '/auth/device-links', { json: { client_name: `typewriter of ${word}`, device } });
  await as('POST', `/auth/device-links/${String(link['user_code'])}/approve`);
  const { data: project } = await as('POST', '/projects', { name: `Diary of ${word}`, description: `By ${username}`, metadata: { author: username } }, newId());
  const projectId = String(project['id']);
  await backend.sql("insert into project_tags (id, project_id, name, color) values (?, ?, ?, '#ffffff')", [newId(), projectId, username]);
  await backend.sql('insert into project_favorites (user_id, project_id) values (?, ?)', [userId, projectId]);
  await backend.sql("insert into project_members (id, project_id, user_id, role, joined_at) values (?, ?, ?, 'Member', now())", [newId(), projectId, ben.userId]);
  const { data: label } = await as('POST', `/projects/${projectId}/labels`, { name: username, color: '#ffffff' }, newId());
  const { data: task } = await as('POST', `/projects/${projectId}/tasks`, { title: `Ask ${username}`, description: `For ${username}`, assignee_id: userId, label_ids: [label['id']] }, newId());
  await as('POST', `/tasks/${String(task['id'])}/attachments`, { name: `${username}.png`, external_url: `https://images.example.com/${username}.png` }, newId());
  await as('POST', `/tasks/${String(task['id'])}/attachments`, { name: `${username}.txt`, upload: { content_type: 'text/plain', size: 1, sha256: 'a'.repeat(64) } }, newId());
  await as('PATCH', `/tasks/${String(task['id'])}`, { title: `Ask ${username} again` });
  const { data: comment } = await as('POST', `/projects/${projectId}/comments`, { entity_type: 'task', entity_id: task['id'], body: `@${username} and @${ben.username}: by ${username}` }, newId());
  await as('PATCH', `/comments/${String(comment['id'])}`, { body: `@${username}: by ${username}, again` });
  const inHers = await commentIn(backend, ben, projectId, { parent_id: String(comment['id']), body: 'Seen.' });
  await as('PUT', `/comments/${inHers.id}/star`);
  const node = await backend.worker();
  const jobId = await queuedJob(backend, caller, projectId, `// by ${username}`);
  await backend.sql("insert into preview_job_logs (job_id, seq, level, message) values (?, 1, 'info', ?)", [jobId, `building for ${username}`]);
  await make(backend, node, jobId);
  await backend.run('createPreviewToken', caller, { path: { job_id: jobId } });
  const { data: edited } = await backend.run('createLiveSession', caller, { body: { job_id: jobId } });
  await backend.run('pushLiveChanges', caller, { path: { live_id: edited.live_session.id }, body: { base_revision: 0, changes: [{ path: `${username}.js`, content_base64: 'YQ==' }] } });
  const theirProject = await backend.project(ben);
  await backend.sql("insert into project_members (id, project_id, user_id, role, joined_at) values (?, ?, ?, 'Member', now())", [newId(), theirProject, userId]);
  const { data: theirTask } = await as('POST', `/projects/${theirProject}/tasks`, { title: 'Stays', assignee_id: userId }, newId());
  const hook = { url: `https://hooks.example.com/${username}?key=${username}`, event_types: ['task.created'] };
  const { data: hooked } = await as('POST', `/projects/${projectId}/webhooks`, hook, newId());
  const { id: sent } = await deliveryTo(backend, String((hooked['webhook'] as { id: string }).id), projectId, 'failed', { type: 'task.created', text: `Ask ${username}` });
  await backend.sql("insert into webhook_attempts (delivery_id, number, attempted_at, duration_ms, response_status, response_body, failure) values (?, 1, now(), 5, 500, ?, 'status')", [sent, `No ${username} here`]);
  const { data: theirHook } = await backend.run('createWebhook', ben, { path: { project_id: theirProject }, body: { url: 'https://hooks.example.com/stays', event_types: ['task.created'], is_active: true } });
  // Made while Zelda had another role there.
  await backend.sql('update webhook_endpoints set created_by = ? where id = ?', [userId, theirHook.webhook.id]);
  await as('POST', `/tasks/${String(theirTask['id'])}/attachments`, { name: 'stays', external_url: 'https://example.com/stays' }, newId());
  const { data: theirComment } = await as('POST', `/projects/${theirProject}/comments`, { entity_type: 'project', body: 'Stays.' }, newId());
  const toThem = await commentIn(backend, ben, theirProject, { parent_id: String(theirComment['id']), body: 'Stays too.' });
  await as('PUT', `/comments/${toThem.id}/star`);
  await backend.sql('insert into comment_mentions (comment_id, user_id, position) values (?, ?, 0)', [toThem.id, userId]);
  const theirJob = await queuedJob(backend, caller, theirProject, 'export default 2;');
  await make(backend, node, theirJob);
  await backend.run('createPreviewToken', caller, { path: { job_id: theirJob } });
  await backend.run('sharePreview', caller, { path: { job_id: theirJob }, body: { user_id: (await backend.person()).userId, note: `From ${username}` } });
  const benJob = await queuedJob(backend, ben, theirProject, 'export default 3;');
  await make(backend, node, benJob);
  await backend.run('sharePreview', ben, { path: { job_id: benJob }, body: { user_id: userId } });
  await backend.run('createPreviewToken', caller, { path: { job_id: benJob } });
  await backend.run('createPreviewSession', caller, { body: { kind: 'dev_server', project_id: theirProject, target_platform: 'ios', dev_server_url: `http://${word}.local:8081` } });
  const { data: opened } = await backend.run('createPreviewSession', caller, { body: { kind: 'bundle', project_id: theirProject, target_platform: 'ios' } });
  await backend.http('POST', `/preview/sessions/${opened.upload_token ?? ''}/bundle`, { body: Buffer.from(`// by ${username}`), headers: { 'content-type': 'application/javascript' } });
  await backend.run('createInvitation', ben, { body: { target_type: 'project', target_id: await backend.project(ben), role: 'member', username } });
  await as('POST', '/invitations', { target_type: 'project', target_id: projectId, role: 'member', email: `friend-of-${word}@example.com` }, newId());
  await as('POST', '/auth/mfa/totp', { password });
  await as('POST', '/auth/email/change', { new_email: `new@${word}.example`, password });
  await as('POST', '/users/me/exports', undefined, newId());
  const admin = await backend.person('admin');
  await backend.run('suspendUser', admin, { path: { user_id: userId }, body: { reason: `${username} wrote too much.` } });
  await backend.run('unsuspendUser', admin, { path: { user_id: userId } });
  await backend.redis.redis.flushdb();
  const { data: again } = await send('POST', '/auth/login', { json: { email, password } });
  await backend.runSystemJobs();
  return {
    userId, caller: { ...caller, sessionId: String(again['session_id']) }, headers: { authorization: `Bearer ${String(again['access_token'])}` }, email, needles,
    projectId, jobId, theirs: { projectId: theirProject, jobId: theirJob },
  };
}

describe('erasing an account', function () {
  this.timeout(120_000);
  const backend = useBackend({ TRUSTED_PROXIES: '127.0.0.1' });
  let ben: Person;
  before(async () => { ben = await backend.current.person('premium'); });

  /** Sends the outbox, as it is sent before an erasure begins. */
  const sendEvents = async (): Promise<void> => {
    const relay = backend.current.relay();
    relay.start();
    await until('the outbox to be sent', async () => (await backend.current.sql('select id from outbox where sent_at is null and run_after <= now() limit 1')).length === 0);
    await relay.stop();
  };
  const remove = async (life: Life): Promise<void> => {
    const reply = await backend.current.http('POST', '/users/me/deletion', { headers: { ...life.headers, 'x-forwarded-for': life.needles[4] ?? '' }, json: { password } });
    expect(outcome(reply), reply.text).to.equal('200 ok');
  };
  const erasureOf = async (userId: string): Promise<{ stages: Record<string, number>; is_done: boolean } | undefined> =>
    (await backend.current.sql<{ stages: Record<string, number>; is_done: boolean }>('select stages, completed_at is not null as is_done from account_erasures where user_id = ?', [userId]))[0];
  const stages = (): ErasureStage[] => {
    const { database: { db }, storage, clock, services: { kinds: [kind] } } = backend.current;
    if (kind === undefined) throw new Error('previews are a kind of job');
    return erasureStages(db, projectStages(db, storage, new PreviewEndingService([kind])), new DataExportService({ db, clock, storage, sections: [], files: [] }), storage);
  };
  const erasures = (all: readonly ErasureStage[]): AccountErasures => new AccountErasures(backend.current.database.db, all, backend.current.log);
  const noSignal = new AbortController().signal;

  it('leaves no trace of the person in any column of any table and no object in storage; what is others\' stays', async () => {
    const { sql, runSystemJobs, run } = backend.current;
    const zelda = await live(backend.current, ben);
    const traces = await tracesOf(backend.current, zelda.needles);
    for (const needle of zelda.needles) expect(traces.some((trace) => trace.endsWith(needle)), `${needle} is nowhere to begin with`).to.equal(true);
    const owned = [zelda.projectId, `exports/${zelda.userId}`];
    const before = await objectsOf(backend.current, owned);
    expect(before.some((key) => key.includes('/blobs/')) && before.some((key) => key.includes('/previews/')) && before.some((key) => key.startsWith('exports/'))).to.equal(true);
    const [trail] = await sql<{ rows: number }>('select count(*) as rows from audit_logs where user_id = ?', [zelda.userId]);
    await remove(zelda);
    await sendEvents();
    const runs = await runSystemJobs({ later: true });
    expect(runs.filter(({ outcome: ended }) => ended !== 'succeeded')).to.deep.equal([]);
    await sendEvents();

    expect(await tracesOf(backend.current, zelda.needles)).to.deep.equal([]);
    expect(await objectsOf(backend.current, owned)).to.deep.equal([]);
    // Only what stays by intention points to it: docs/operators.md says why.
    expect(await referencesTo(backend.current, 'users', zelda.userId)).to.deep.equal([
      'account_erasures.user_id', 'audit_logs.user_id', 'comments.author_id', 'preview_jobs.requested_by', 'projects.owner_id', 'task_attachments.uploaded_by', 'tasks.assignee_id', 'tasks.created_by',
      'webhook_endpoints.created_by',
    ]);
    expect(await referencesTo(backend.current, 'projects', zelda.projectId)).to.deep.equal(['audit_logs.project_id', 'project_erasures.project_id']);
    const [account] = await sql<Record<string, unknown>>('select * from users where id = ?', [zelda.userId]);
    expect(account).to.include({ password_hash: 'erased', email_verified_at: null, last_login: null, tier: 'free', suspended_reason: null });
    expect(account?.['erased_at']).to.be.a('string');
    expect(await sql('select user_id from user_profiles where user_id = ?', [zelda.userId])).to.deep.equal([]);
    expect((await erasureOf(zelda.userId))?.is_done).to.equal(true);
    // The trail stays, by an id that names nobody.
    const rows = await sql<{ ip_address: string | null; request_id: string | null }>('select ip_address, request_id from audit_logs where user_id = ?', [zelda.userId]);
    expect(rows.length).to.be.greaterThan(Number(trail?.rows));
    expect(rows.every((row) => row.ip_address === null && row.request_id === null)).to.equal(true);
    expect(await sql("select user_id from audit_logs where event_type = 'user.erased' and entity_id = ?", [zelda.userId])).to.deep.equal([{ user_id: null }]);
    // Ben has what is his, also what Zelda asked for there.
    const { data: theirs } = await run('getPreviewJob', ben, { path: { job_id: zelda.theirs.jobId } });
    expect([theirs.requested_by, theirs.status]).to.deep.equal([zelda.userId, 'succeeded']);
    const { data: artifacts } = await run('listPreviewArtifacts', ben, { path: { job_id: zelda.theirs.jobId }, query: { limit: 50 } });
    expect((await fetch(artifacts.items[0]?.url ?? '')).status).to.equal(200);
    expect((await run('listProjectMembers', ben, { path: { project_id: zelda.theirs.projectId } })).data.items).to.have.length(1);
    expect(await bodiesOf(backend.current, ben, zelda.theirs.projectId)).to.deep.equal(['Stays.', 'Stays too.']);
  });

  it('frees address and name for whoever comes next, who gets nothing of it', async () => {
    const zelda = await live(backend.current, ben);
    const { http, runSystemJobs } = backend.current;
    const username = zelda.needles[0];
    const register = (): Promise<Reply> => http('POST', '/auth/register', { json: { email: zelda.email, username, password } });
    await remove(zelda);
    expect(outcome(await register()), 'not before').to.equal('409 CONFLICT');
    await runSystemJobs({ later: true });
    const next = await register();
    expect(outcome(next)).to.equal('201 ok');
    const list = await http('GET', '/projects', { headers: { authorization: `Bearer ${String(next.data['access_token'])}` } });
    expect(list.data['items']).to.deep.equal([]);
  });

  it('ends the same wherever it was cut off and resumed, and repeated it changes nothing', async () => {
    const all = stages();
    for (let at = 0; at <= all.length; at += 1) {
      const zelda = await live(backend.current, ben);
      await remove(zelda);
      await sendEvents();
      // Cut off twice: in the stage, after its work and before it is noted; then before the next one begins.
      const cut = (name: string): ErasureStage[] => all.map((stage, index) => ({
        name: stage.name,
        async run(userId, signal) {
          if (index === at + 1) throw new Error(name);
          const erased = await stage.run(userId, signal);
          if (index === at && name === 'within') throw new Error(name);
          return erased;
        },
      }));
      for (const name of ['within', 'after'] as const) {
        if (at < all.length - (name === 'after' ? 1 : 0)) {
          expect(await erasures(cut(name)).erase(zelda.userId, noSignal).catch((error: unknown) => (error as Error).message)).to.equal(name);
        }
      }
      if (at < all.length) expect((await erasureOf(zelda.userId))?.is_done).to.equal(false);
      await backend.current.runSystemJobs({ later: true });
      expect(await tracesOf(backend.current, zelda.needles), `cut at ${all[at]?.name ?? 'the end'}`).to.deep.equal([]);
      expect(await objectsOf(backend.current, [zelda.projectId, zelda.userId])).to.deep.equal([]);
      const done = await erasureOf(zelda.userId);
      expect(Object.keys(done?.stages ?? {}).sort()).to.deep.equal(all.map(({ name }) => name).sort());
      const read = (): Promise<unknown> => backend.current.sql('select u.*, (select count(*) from audit_logs) as trail from users u where id = ?', [zelda.userId]);
      const before = await read();
      await erasures(all).erase(zelda.userId, noSignal);
      for (const stage of all) await stage.run(zelda.userId, noSignal);
      expect(await read()).to.deep.equal(before);
    }
  });

  it('stops in the middle of a stage when its time is up, and goes on from there', async () => {
    const { sql } = backend.current;
    const zelda = await live(backend.current, ben);
    await sql("insert into preview_job_logs (job_id, seq, level, message) select ?, s, 'info', 'a line' from generate_series(10, 3500) as s", [zelda.jobId]);
    await remove(zelda);
    await sendEvents();
    const lines = async (): Promise<number> => Number((await sql<{ lines: number }>('select count(*) as lines from preview_job_logs where job_id = ?', [zelda.jobId]))[0]?.lines);
    const stage = stages().find(({ name }) => name === 'projects');
    const stopping = new AbortController();
    const { database: { db } } = backend.current;
    const named = db.named.bind(db);
    let batches = 0;
    db.named = ((name: string, ...rest: unknown[]) => {
      if (name.startsWith('erasure.preview_job_logs') && (batches += 1) === 2) stopping.abort(new Error('Time is up.'));
      return (named as (...all: unknown[]) => unknown)(name, ...rest);
    }) as typeof db.named;
    try {
      expect(await stage?.run(zelda.userId, stopping.signal).catch((error: unknown) => (error as Error).message)).to.equal('Time is up.');
    } finally {
      db.named = named;
    }
    expect(await lines()).to.be.within(1, 3_000);
    await backend.current.runSystemJobs({ later: true });
    expect(await lines()).to.equal(0);
    expect((await erasureOf(zelda.userId))?.is_done).to.equal(true);
  });

  it('is done once by any number of jobs at the same moment', async () => {
    const zelda = await live(backend.current, ben);
    await remove(zelda);
    await sendEvents();
    await Promise.all(Array.from({ length: 4 }, () => erasures(stages()).erase(zelda.userId, noSignal)));
    expect(await backend.current.sql("select id from audit_logs where event_type = 'user.erased' and entity_id = ?", [zelda.userId])).to.have.length(1);
    expect((await erasureOf(zelda.userId))?.is_done).to.equal(true);
  });

  it('is found by the net where its job is gone, when its time has come, and told where it is late', async () => {
    const { sql, runSystemJobs, services, logLines } = backend.current;
    expect(services.schedules.map(({ kind }) => kind)).to.include('accounts.erase_due');
    const [due, early, late] = [await live(backend.current, ben), await live(backend.current, ben), await live(backend.current, ben)];
    for (const life of [due, early, late]) await remove(life);
    await sendEvents();
    await sql("delete from system_jobs where kind = 'accounts.erase'");
    await sql("update account_erasures set requested_at = now() - interval '4 hours', run_after = now() - interval '1 minute' where user_id = ?", [due.userId]);
    await sql("update account_erasures set requested_at = now() - interval '60 hours', run_after = now() - interval '49 hours' where user_id = ?", [late.userId]);
    const net = services.systemKinds.find(({ kind }) => kind === 'accounts.erase_due');
    for (let round = 0; round < 2; round += 1) await net?.run({}, { jobId: newId(), attempt: 1, signal: noSignal });
    const asked = await sql<{ user_id: string }>("select payload ->> 'user_id' as user_id from system_jobs where kind = 'accounts.erase' and status = 'queued' order by 1");
    expect(asked.map(({ user_id: userId }) => userId)).to.deep.equal([due.userId, late.userId].sort());
    expect(logLines.some((line) => line.includes('account.erasure_late') && line.includes(late.userId))).to.equal(true);
    await runSystemJobs();
    expect([await erasureOf(due.userId), await erasureOf(early.userId), await erasureOf(late.userId)].map((one) => one?.is_done)).to.deep.equal([true, false, true]);
  });

  it('reaches an account that an operator ends by hand, as the runbook says, after a restore', async () => {
    const { sql, runSystemJobs, services } = backend.current;
    const zelda = await live(backend.current, ben);
    const runbook = await readFile(new URL('../../../docs/runbook.md', import.meta.url), 'utf8');
    const statement = /-- After a restore.*\n(with gone as [^;]*);/.exec(runbook)?.[1];
    await sql(String(statement).replace('{…}', `{${zelda.userId}}`));
    expect(outcome(await backend.current.http('GET', '/users/me', { headers: zelda.headers }))).to.equal('401 AUTH_INVALID');
    await services.systemKinds.find(({ kind }) => kind === 'accounts.erase_due')?.run({}, { jobId: newId(), attempt: 1, signal: noSignal });
    await sendEvents();
    await runSystemJobs();
    expect((await erasureOf(zelda.userId))?.is_done).to.equal(true);
    expect(await tracesOf(backend.current, zelda.needles)).to.deep.equal([]);
    expect(await objectsOf(backend.current, [zelda.projectId, zelda.userId])).to.deep.equal([]);
  });

  it('begins three hours after the deletion and not before', async () => {
    const zelda = await live(backend.current, ben);
    await remove(zelda);
    await backend.current.runSystemJobs();
    expect(await erasureOf(zelda.userId)).to.deep.equal({ stages: {}, is_done: false });
    const [row] = await backend.current.sql('select run_after - requested_at = interval \'3 hours\' as three, erase_by - requested_at = interval \'30 days\' as thirty from account_erasures where user_id = ?', [zelda.userId]);
    expect(row).to.deep.equal({ three: true, thirty: true });
  });

  it('erases objects that many pages hold', async () => {
    const { storage } = backend.current;
    const zelda = await live(backend.current, ben);
    await Promise.all(Array.from({ length: 1_050 }, (_, index) => storage.put(`projects/${zelda.projectId}/staging/x/${index}`, Buffer.from('x'), { contentType: 'text/plain', maxBytes: 1 })));
    await remove(zelda);
    await backend.current.runSystemJobs({ later: true });
    const left: string[] = [];
    for await (const { key } of eachObject(storage, `projects/${zelda.projectId}/`)) left.push(key);
    expect(left).to.deep.equal([]);
  });

  it('keeps of the audit what counts, times and ids, and no text that is not ours', () => {
    const id = '01920000-0000-7000-8000-000000000001';
    expect(withoutTexts({
      name: 'Diary', count: 3, done: true, nothing: null, project_id: id, status: 'failed', tier: 'pro', reason: 'Zelda wrote too much', ids: [id, 'Zelda'],
      old: { role: 'admin', email: 'zelda@example.com', status: 'Zelda Quill' }, changes: [{ name: 'Zelda', size: 1 }],
    })).to.deep.equal({
      count: 3, done: true, nothing: null, project_id: id, status: 'failed', tier: 'pro', ids: [id], old: { role: 'admin' }, changes: [{ size: 1 }],
    });
  });

  it('has the address of the last mail gone with the mail', async () => {
    const zelda = await live(backend.current, ben);
    await remove(zelda);
    const mail = await lastMail(backend.current, zelda.email, /deleted/);
    expect(() => tokenIn(mail)).to.throw();
    expect((await tracesOf(backend.current, [zelda.email])).filter((trace) => trace.startsWith('system_jobs'))).to.deep.equal([]);
  });
});
