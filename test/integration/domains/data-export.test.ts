import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import type { ExportFile, ExportSection } from '#domains/personal-data.ts';
import { ExportArchive } from '#domains/users/export-archive.ts';
import { DataExportService } from '#domains/users/export-service.ts';
import type { UserCaller } from '#platform/call.ts';
import { newId } from '#platform/ids.ts';
import { eachObject, type ObjectStorage, StorageError } from '#platform/storage/storage.ts';
import { type Account, outcome, password, register } from '../../support/accounts.ts';
import { entriesOf, jsonIn } from '../../support/archives.ts';
import { type DataOf, useBackend } from '../../support/backend.ts';
import { make, queuedJob } from '../../support/preview-jobs.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { until } from '../../support/until.ts';

type Export = DataOf<'getDataExport'>;

describe('a copy of everything an account holds', () => {
  const backend = useBackend();

  const account = async (): Promise<Account & { caller: UserCaller }> => {
    const made = await register(backend.current);
    await backend.current.sql("update users set tier = 'premium', email_verified_at = now() where id = ?", [made.userId]);
    return { ...made, caller: { kind: 'user', userId: made.userId, sessionId: made.sessionId, tier: 'premium', isVerified: true, authenticatedAtMs: backend.current.clock.now() } };
  };
  const ask = async (who: UserCaller): Promise<Export> => (await backend.current.run('requestDataExport', who)).data;
  const get = async (who: UserCaller, id: string): Promise<Export> => (await backend.current.run('getDataExport', who, { path: { export_id: id } })).data;
  const archiveOf = async ({ download_url: url }: Export): Promise<Buffer> => Buffer.from(await (await fetch(url ?? '')).arrayBuffer());
  const objectsOf = async (userId: string): Promise<string[]> => {
    const keys: string[] = [];
    for await (const { key } of eachObject(backend.current.storage, `exports/${userId}/`)) keys.push(key);
    return keys;
  };
  const made = async (who: UserCaller): Promise<{ told: Export; archive: Buffer; entries: Map<string, Buffer> }> => {
    const { id } = await ask(who);
    await backend.current.runSystemJobs();
    const told = await get(who, id);
    const archive = await archiveOf(told);
    return { told, archive, entries: await entriesOf(archive) };
  };
  /** The service over other parts than the backend's own. */
  const service = (more: { sections?: ExportSection[]; storage?: ObjectStorage } = {}): DataExportService => {
    const { database: { db }, clock, storage } = backend.current;
    return new DataExportService({ db, clock, storage, sections: [], files: [], ...more });
  };
  const run = (one: DataExportService, id: string, signal = new AbortController().signal): Promise<void> => one.kind.run({ export_id: id }, { jobId: newId(), attempt: 1, signal });

  describe('asking for it', () => {
    it('queues a job, tells where it is found, and leaves an audit row', async () => {
      const ada = await account();
      const reply = await backend.current.http('POST', '/users/me/exports', { headers: ada.headers });
      expect(outcome(reply)).to.equal('202 ok');
      expect(reply.headers.get('location')).to.equal(`/api/v1/users/me/exports/${String(reply.data['id'])}`);
      expect(reply.data).to.include({ status: 'queued', size: null, sha256: null, download_url: null, completed_at: null, expires_at: null });
      expect(await backend.current.sql("select entity_type from audit_logs where event_type = 'user.export_requested' and entity_id = ?", [reply.data['id']])).to.deep.equal([{ entity_type: 'data_export' }]);
      expect(await get(ada.caller, String(reply.data['id']))).to.deep.equal(reply.data);
    });

    it('takes a sign-in younger than 15 minutes', async () => {
      const ada = await account();
      const { code, details } = await refusalOf(ask({ ...ada.caller, authenticatedAtMs: backend.current.clock.now() - 15 * 60_000 - 1 }));
      expect([code, details]).to.deep.equal(['FORBIDDEN', { reason: 'recent_sign_in_required' }]);
    });

    it('gives one of twenty at the same moment; the others are told which one', async () => {
      const ada = await account();
      const replies = await Promise.all(Array.from({ length: 20 }, () => backend.current.http('POST', '/users/me/exports', { headers: ada.headers })));
      const first = replies.filter(({ status }) => status === 202);
      expect(first).to.have.length(1);
      const others = replies.filter(({ status }) => status !== 202);
      expect(new Set(others.map(outcome))).to.deep.equal(new Set(['409 CONFLICT']));
      for (const { error } of others) expect(error?.details).to.deep.equal({ export_id: first[0]?.data['id'] });
      expect(await backend.current.sql('select id from data_exports where user_id = ?', [ada.userId])).to.have.length(1);
      expect(await backend.current.sql("select id from system_jobs where kind = 'accounts.export' and payload ->> 'export_id' = ?", [first[0]?.data['id']])).to.have.length(1);
    });

    it('again under the same Idempotency-Key answers the same', async () => {
      const ada = await account();
      const key = { ...ada.headers, 'idempotency-key': newId() };
      const [first, second] = [await backend.current.http('POST', '/users/me/exports', { headers: key }), await backend.current.http('POST', '/users/me/exports', { headers: key })];
      expect([second.status, second.text, second.headers.get('location')]).to.deep.equal([202, first.text, first.headers.get('location')]);
    });

    it('is open again when the one before has ended', async () => {
      const ada = await account();
      const first = await made(ada.caller);
      const second = await ask(ada.caller);
      expect(second.id).not.to.equal(first.told.id);
      expect(await codeOf(ask(ada.caller))).to.equal('CONFLICT');
    });

    it('and looking at it is for the person alone', async () => {
      const [ada, ben] = [await account(), await account()];
      const { id } = await ask(ada.caller);
      expect(await codeOf(get(ben.caller, id))).to.equal('NOT_FOUND');
      expect(await codeOf(get(ben.caller, newId()))).to.equal('NOT_FOUND');
      const { data: { key } } = await backend.current.run('createApiKey', ada.caller, { body: { name: 'ci', scopes: ['account:read'] } });
      for (const [method, path] of [['POST', '/users/me/exports'], ['GET', `/users/me/exports/${id}`]] as const) {
        expect(outcome(await backend.current.http(method, path, { headers: { 'x-api-key': key } }))).to.equal('403 FORBIDDEN');
      }
    });
  });

  describe('holds', () => {
    it('the account, where it is signed in, its keys, projects, previews with their sources, notifications and trail', async () => {
      const ada = await account();
      const ben = await account();
      const { sql, project, worker, http, run: call } = backend.current;
      await http('PATCH', '/users/me', { headers: ada.headers, json: { display_name: 'Ada Park' } });
      await http('PATCH', '/users/me/preferences', { headers: ada.headers, json: { preferences: { theme: 'dark' }, notifications: { 'preview.failed': { in_app: false, email: true } } } });
      await http('POST', '/auth/login', { json: { email: ada.email, password, device: { device_id: 'phone-of-ada', name: 'Ada\'s phone', platform: 'ios' } } });
      await call('createApiKey', ada.caller, { body: { name: 'ci', scopes: ['account:read'] } });
      const projectId = await project(ada.caller, { name: 'Field Notes' });
      await sql("insert into project_tags (id, project_id, name, color) values (?, ?, 'mobile', '#f2a900')", [newId(), projectId]);
      await sql("insert into project_members (id, project_id, user_id, role, joined_at) values (?, ?, ?, 'Member', now())", [newId(), projectId, ben.userId]);
      const { data: hooked } = await call('createWebhook', ada.caller, { path: { project_id: projectId }, body: { url: 'https://hooks.example.com/ada', event_types: ['task.created'], is_active: true } });
      const theirs = await project(ben.caller, { name: 'Of Ben' });
      await sql("insert into project_members (id, project_id, user_id, role, joined_at) values (?, ?, ?, 'Member', now())", [newId(), theirs, ada.userId]);
      const jobId = await queuedJob(backend.current, ada.caller, projectId, '// notes, outdoors\n');
      await sql("insert into preview_job_logs (job_id, seq, level, message) select ?, s, 'info', 'line ' || s from generate_series(1, 2500) as s", [jobId]);
      await make(backend.current, await worker(), jobId);
      await queuedJob(backend.current, ben.caller, theirs, 'export default "of ben";');
      await sql("insert into notifications (id, user_id, type, payload, event_key, in_app) values (?, ?, 'preview.succeeded', ?, 'x', true)", [newId(), ada.userId, JSON.stringify({ job_id: jobId })]);

      const { told, archive, entries } = await made(ada.caller);
      expect(told).to.include({ status: 'succeeded', size: archive.length, sha256: createHash('sha256').update(archive).digest('hex') });
      expect(Date.parse(told.expires_at ?? '') - Date.parse(told.completed_at ?? '')).to.equal(7 * 86_400_000);
      expect(jsonIn(entries, 'profile.json')).to.have.length(1);
      expect(jsonIn(entries, 'profile.json')[0]).to.include({ id: ada.userId, email: ada.email, username: ada.username, display_name: 'Ada Park', tier: 'premium' });
      expect(jsonIn(entries, 'preferences.json')[0]).to.deep.equal({ preferences: { theme: 'dark' }, notifications: { 'preview.failed': { in_app: false, email: true } } });
      expect(jsonIn(entries, 'sessions.json').map((one) => [one['id'] === ada.sessionId, one['ip_address']])).to.deep.include.members([[true, '127.0.0.1'], [false, '127.0.0.1']]);
      expect(jsonIn(entries, 'devices.json')[0]).to.include({ device_name: 'Ada\'s phone', platform: 'ios' });
      expect(jsonIn(entries, 'api_keys.json')[0]).to.deep.include({ name: 'ci', scopes: ['account:read'] });
      const [hook, ...otherHooks] = jsonIn(entries, 'webhooks.json');
      expect([hook?.['id'], hook?.['url'], Object.keys(hook ?? {}).filter((name) => name.includes('secret')), otherHooks]).to.deep.equal([hooked.webhook.id, 'https://hooks.example.com/ada', [], []]);
      const projects = jsonIn(entries, 'projects.json');
      expect(projects).to.have.length(1);
      expect(projects[0]).to.deep.include({ id: projectId, name: 'Field Notes', tags: [{ name: 'mobile', color: '#f2a900' }] });
      expect((projects[0]?.['members'] as Record<string, unknown>[])[0]).to.include({ username: ben.username, role: 'Member' });
      expect(jsonIn(entries, 'project_memberships.json')[0]).to.include({ project_id: theirs, name: 'Of Ben' });
      const jobs = jsonIn(entries, 'preview_jobs.json');
      expect(jobs.map((job) => [job['id'], job['status'], job['requested_by']])).to.deep.equal([[jobId, 'succeeded', ada.username]]);
      expect(jsonIn(entries, 'preview_job_files.json')).to.deep.equal([{ job_id: jobId, path: 'index.js', size: 19, sha256: createHash('sha256').update('// notes, outdoors\n').digest('hex') }]);
      expect(jsonIn(entries, 'preview_artifacts.json')[0]).to.include({ job_id: jobId, kind: 'bundle' });
      expect(jsonIn(entries, 'preview_logs.json').map((line) => line['seq'])).to.deep.equal(Array.from({ length: 2500 }, (_, index) => index + 1));
      expect(entries.get(`files/${projectId}/index.js`)?.toString()).to.equal('// notes, outdoors\n');
      expect(jsonIn(entries, 'notifications.json')[0]).to.deep.include({ type: 'preview.succeeded', payload: { job_id: jobId } });
      expect(jsonIn(entries, 'audit_trail.json').map((row) => row['event_type'])).to.include.members(['user.registered', 'user.updated', 'api_key.created', 'preview.requested', 'user.export_requested']);
      const index = jsonIn<{ account_id: string; sections: { name: string; rows: number; is_complete: boolean }[]; files: unknown }>(entries, 'index.json');
      expect(index.account_id).to.equal(ada.userId);
      expect(index.files).to.deep.equal({ included: 1, bytes: 19, left_out: 0 });
      expect(index.sections.map(({ name }) => `${name}.json`).sort()).to.deep.equal([...entries.keys()].filter((name) => name !== 'index.json' && !name.startsWith('files/')).sort());
      for (const { name, rows, is_complete: isComplete } of index.sections) expect([jsonIn(entries, `${name}.json`).length, isComplete], name).to.deep.equal([rows, true]);
    });

    it('no secret, no hash, and nothing that is other people\'s', async () => {
      const [ada, ben] = [await account(), await account()];
      const { sql, http, project, run: call } = backend.current;
      const { data: key } = await call('createApiKey', ada.caller, { body: { name: 'ci', scopes: ['account:read'] } });
      await http('POST', '/auth/password/forgot', { json: { email: ada.email } });
      await http('POST', '/auth/mfa/totp', { headers: ada.headers, json: { password } });
      await http('POST', '/auth/session-tokens', { headers: ada.headers });
      const [own, theirs] = [await project(ada.caller), await project(ben.caller, { name: 'A secret of Ben' })];
      await queuedJob(backend.current, ada.caller, own);
      for (const [projectId, member] of [[own, ben], [theirs, ada]] as const) {
        await sql("insert into project_members (id, project_id, user_id, role, joined_at) values (?, ?, ?, 'Member', now())", [newId(), projectId, member.userId]);
      }
      await queuedJob(backend.current, ben.caller, theirs, 'the sources of ben');
      await sql("insert into audit_logs (id, user_id, event_type, entity_type, data) values (?, ?, 'invitation.created', 'invitation', ?)", [newId(), ada.userId, JSON.stringify({ email: ben.email, to: [ben.email] })]);
      const admin = await backend.current.person('admin');
      await call('setUserTier', admin, { path: { user_id: ada.userId }, body: { tier: 'pro', until: null, reason: 'A friend of the house.' } });
      await backend.current.runSystemJobs();
      const { entries } = await made(ada.caller);
      const whole = [...entries.values()].map((content) => content.toString('latin1')).join('\n');
      expect(whole, 'what was done to the account is told').to.contain('A friend of the house.');
      const secrets = await sql<{ secret: string }>(`
        select password_hash as secret from users union all select encode(token_hash, 'hex') from refresh_tokens union all select encode(hashed_key, 'hex') from api_keys
        union all select encode(token_hash, 'hex') from password_resets union all select encode(token_hash, 'hex') from email_verifications
        union all select encode(secret, 'hex') from mfa_secrets union all select encode(token_hash, 'hex') from session_tokens union all select encode(token_hash, 'hex') from preview_sessions`);
      expect(secrets.length).to.be.greaterThan(8);
      for (const { secret } of secrets) {
        for (const form of [secret, Buffer.from(secret, 'hex').toString('base64'), Buffer.from(secret, 'hex').toString('latin1'), `\\\\x${secret}`]) {
          if (form !== '') expect(whole.includes(form), `a hash stands in the archive: ${secret.slice(0, 12)}`).to.equal(false);
        }
      }
      for (const secret of [key.key, ada.refreshToken, ada.headers.authorization.slice(7), password]) expect(whole.includes(secret)).to.equal(false);
      for (const others of [ben.email, ben.userId, admin.userId, `${admin.username}@example.com`, 'the sources of ben']) expect(whole.includes(others), others).to.equal(false);
      expect(whole).to.contain('[address of another person]').and.to.contain(ada.email);
    });

    it('nothing of a project that was deleted, and says which files were left out', async () => {
      const ada = await account();
      const { project, run: call, storage } = backend.current;
      const [gone, stays] = [await project(ada.caller, { name: 'Gone' }), await project(ada.caller, { name: 'Stays' })];
      await queuedJob(backend.current, ada.caller, gone, '// of the deleted one');
      await queuedJob(backend.current, ada.caller, stays, '// of the other one');
      await storage.deletePrefix(`projects/${stays}/blobs/`);
      await call('deleteProject', ada.caller, { path: { project_id: gone } });
      const { entries } = await made(ada.caller);
      expect(jsonIn(entries, 'projects.json').map(({ name }) => name)).to.deep.equal(['Stays']);
      expect([...entries.keys()].filter((name) => name.startsWith('files/'))).to.deep.equal([]);
      expect(jsonIn<{ files: unknown }>(entries, 'index.json').files).to.deep.equal({ included: 0, bytes: 0, left_out: 1 });
    });
  });

  describe('is told of', () => {
    it('once, in the list and by mail, when it is ready', async () => {
      const ada = await account();
      const { told } = await made(ada.caller);
      const relay = backend.current.relay();
      relay.start();
      await until('the outbox to be sent', async () => (await backend.current.sql('select id from outbox where sent_at is null and run_after <= now() limit 1')).length === 0);
      await relay.stop();
      expect(await backend.current.sql("select payload from notifications where user_id = ? and type = 'account.export_ready'", [ada.userId])).to.deep.equal([{ payload: { export_id: told.id } }]);
      expect((await backend.current.mails(ada.email)).filter(({ subject }) => /data is ready/.test(subject))).to.have.length(1);
    });
  });

  describe('is there', () => {
    const download = async (url: string | null): Promise<number> => (await fetch(url ?? '')).status;

    it('by a link that is good for ten minutes, made anew each time it is asked for, as an attachment', async () => {
      const ada = await account();
      const { told } = await made(ada.caller);
      const answer = await fetch(told.download_url ?? '');
      expect([answer.status, answer.headers.get('content-type'), answer.headers.get('content-disposition')?.includes('attachment')]).to.deep.equal([200, 'application/zip', true]);
      const url = new URL(told.download_url ?? '');
      const expires = Number(url.searchParams.get('expires') ?? url.searchParams.get('X-Amz-Expires'));
      expect(expires * 1000 - Date.now()).to.be.within(590_000, 601_000);
      const reply = await backend.current.http('GET', `/users/me/exports/${told.id}`, { headers: ada.headers });
      expect(reply.headers.get('cache-control')).to.contain('no-store');
    });

    it('for seven days; then it is GONE, its object is swept, and a month later its row', async () => {
      const ada = await account();
      const { told } = await made(ada.caller);
      expect(await download(told.download_url)).to.equal(200);
      backend.current.clock.advance(7 * 86_400_000);
      try {
        expect(await codeOf(get(ada.caller, told.id))).to.equal('GONE');
      } finally {
        backend.current.clock.advance(-7 * 86_400_000);
      }
      const sweep = (): Promise<number> => service().sweep.run(new AbortController().signal);
      await sweep();
      expect(await objectsOf(ada.userId), 'not before').to.have.length(1);
      await backend.current.sql("update data_exports set expires_at = now() - interval '1 second' where id = ?", [told.id]);
      await sweep();
      expect(await objectsOf(ada.userId)).to.deep.equal([]);
      expect(await codeOf(get(ada.caller, told.id))).to.equal('GONE');
      expect(await download(told.download_url)).to.equal(404);
      await backend.current.sql("update data_exports set completed_at = now() - interval '31 days' where id = ?", [told.id]);
      await sweep();
      expect(await codeOf(get(ada.caller, told.id))).to.equal('NOT_FOUND');
    });
  });

  describe('that goes wrong', () => {
    const broken = (fault: string): ExportSection => ({
      name: 'broken',
      async *rows() {
        for (let row = 0; row < 5_000; row += 1) yield { row, text: 'x'.repeat(100) };
        throw new Error(fault);
      },
    });

    it('in the middle stores nothing, is tried again, and leaves one object when it succeeds', async () => {
      const ada = await account();
      const { id } = await ask(ada.caller);
      for (let tries = 0; tries < 2; tries += 1) {
        expect(await run(service({ sections: [broken('the database went away')] }), id).catch((error: unknown) => (error as Error).message)).to.equal('the database went away');
        expect(await objectsOf(ada.userId)).to.deep.equal([]);
      }
      expect((await get(ada.caller, id)).status).to.equal('running');
      await backend.current.runSystemJobs();
      const told = await get(ada.caller, id);
      expect([told.status, (await objectsOf(ada.userId)).length]).to.deep.equal(['succeeded', 1]);
      expect((await entriesOf(await archiveOf(told))).has('profile.json')).to.equal(true);
      await run(service(), id);
      expect(await get(ada.caller, id), 'run again it changes nothing').to.deep.include({ sha256: told.sha256, completed_at: told.completed_at });
    });

    it('at the storage ends, and does not hang, whenever that fails', async () => {
      const ada = await account();
      const { storage } = backend.current;
      for (const put of [
        () => Promise.reject(new StorageError('unavailable', 'away')),
        async (_key: string, body: Buffer | Readable) => { for await (const _ of body as Readable) break; throw new StorageError('unavailable', 'broke off'); },
        async (_key: string, body: Buffer | Readable) => { (body as Readable).destroy(); await Promise.resolve(); throw new StorageError('unavailable', 'broke off'); },
      ] as ObjectStorage['put'][]) {
        const { id } = await ask(ada.caller);
        const failing = service({ storage: { ...storage, put } as ObjectStorage, sections: [{ name: 'long', async *rows() { for (let row = 0; row < 100_000; row += 1) yield { row, text: newId() }; } }] });
        expect(await run(failing, id).catch((error: unknown) => (error as StorageError).kind)).to.equal('unavailable');
        await backend.current.runSystemJobs({ later: true });
      }
    });

    it('for good says so, and another one may be asked for', async () => {
      const ada = await account();
      const { id } = await ask(ada.caller);
      await backend.current.database.db.knex.transaction(async (trx) => { await service().kind.givenUp?.(trx, { export_id: id }); });
      const told = await get(ada.caller, id);
      expect([told.status, told.download_url, typeof told.completed_at]).to.deep.equal(['failed', null, 'string']);
      await backend.current.runSystemJobs();
      expect((await get(ada.caller, id)).status, 'a late try does not bring it back').to.equal('failed');
      const again = await made(ada.caller);
      expect(again.told.status).to.equal('succeeded');
    });

    it('by a try that was taken for lost and comes back late leaves the later one\'s object alone', async () => {
      const ada = await account();
      const { id } = await ask(ada.caller);
      const gate = Promise.withResolvers<void>();
      const began = Promise.withResolvers<void>();
      const slow = run(service({ sections: [{ name: 'slow', async *rows() { began.resolve(); await gate.promise; yield { late: true }; } }] }), id);
      await began.promise;
      await run(service({ sections: [{ name: 'fast', async *rows() { yield await Promise.resolve({ late: false }); } }] }), id);
      gate.resolve();
      await slow;
      const told = await get(ada.caller, id);
      expect(await objectsOf(ada.userId)).to.have.length(1);
      const archive = await archiveOf(told);
      expect(createHash('sha256').update(archive).digest('hex')).to.equal(told.sha256);
      expect((await entriesOf(archive)).has('fast.json')).to.equal(true);
      expect(await backend.current.sql("select id from outbox where topic = 'account.export_ready' and payload ->> 'entityId' = ?", [id])).to.have.length(1);
    });

    it('with the account is cancelled, and whatever was made is erased', async () => {
      const ada = await account();
      await made(ada.caller);
      const { id } = await ask(ada.caller);
      await backend.current.run('requestAccountDeletion', ada.caller, { body: { password } });
      await backend.current.runSystemJobs();
      expect(await backend.current.sql('select status from data_exports where id = ?', [id])).to.deep.equal([{ status: 'cancelled' }]);
      await backend.current.runSystemJobs({ later: true });
      expect([await objectsOf(ada.userId), await backend.current.sql('select id from data_exports where user_id = ?', [ada.userId])]).to.deep.equal([[], []]);
    });

    it('because its job was lost is given up after a day', async () => {
      const ada = await account();
      const { id } = await ask(ada.caller);
      await backend.current.sql("update data_exports set created_at = now() - interval '25 hours' where id = ?", [id]);
      await service().sweep.run(new AbortController().signal);
      expect((await get(ada.caller, id)).status).to.equal('failed');
    });

    it('stops when its time is up', async () => {
      const ada = await account();
      const { id } = await ask(ada.caller);
      const stopping = new AbortController();
      const endless: ExportSection = { name: 'endless', async *rows() { for (let row = 0; ; row += 1) { if (row === 2_000) stopping.abort(new Error('Time is up.')); yield { row, text: newId() }; await new Promise((resolve) => { setImmediate(resolve); }); } } };
      expect(await run(service({ sections: [endless] }), id, stopping.signal).catch(() => 'stopped')).to.equal('stopped');
      expect(await objectsOf(ada.userId)).to.deep.equal([]);
    });
  });

  it('takes the same memory however much there is', async () => {
    const rows = 400_000;
    const file: ExportFile = { path: 'files/a/b', size: 64 * 1024 * 1024, open: () => Promise.resolve(Readable.from((function* () { for (let part = 0; part < 1024; part += 1) yield Buffer.alloc(64 * 1024, part); })())) };
    const archive = new ExportArchive(new Date());
    const writing = archive.write(newId(), [{ name: 'many', async *rows() { for (let row = 0; row < rows; row += 1) yield { row, id: newId() }; } }], [async function* () { yield await Promise.resolve(file); }], new AbortController().signal);
    let most = 0;
    let bytes = 0;
    const before = process.memoryUsage().rss;
    for await (const chunk of archive.stream) {
      bytes += (chunk as Buffer).length;
      most = Math.max(most, process.memoryUsage().rss - before);
    }
    await writing;
    expect(bytes).to.be.greaterThan(5_000_000);
    // 100 MB went through; what is held is a few buffers and what the collector leaves lying.
    expect(most).to.be.below(80 * 1024 * 1024);
  });

  it('keeps within its bounds, and says what it left out', async () => {
    const archive = new ExportArchive(new Date(), { rows: 10, sectionBytes: 1_000_000, fileBytes: 8, files: 2 });
    const file = (path: string, size: number): ExportFile => ({ path, size, open: () => Promise.resolve(Readable.from([Buffer.alloc(size)])) });
    const writing = archive.write('01920000-0000-7000-8000-000000000001', [
      { name: 'long', async *rows() { for (let row = 0; row < 11; row += 1) yield await Promise.resolve({ row }); } },
      { name: 'exact', async *rows() { for (let row = 0; row < 10; row += 1) yield await Promise.resolve({ row }); } },
      { name: 'empty', async *rows() { /* Nothing. */ } },
    ], [async function* () { yield* await Promise.resolve([file('a', 4), file('large', 9), file('b', 4), file('c', 0)]); }], new AbortController().signal);
    const entries = await entriesOf(await buffer(archive.stream));
    await writing;
    const index = jsonIn<{ sections: unknown; files: unknown }>(entries, 'index.json');
    expect(index.sections).to.deep.equal([
      { name: 'long', rows: 10, is_complete: false }, { name: 'exact', rows: 10, is_complete: true }, { name: 'empty', rows: 0, is_complete: true },
    ]);
    expect(index.files).to.deep.equal({ included: 2, bytes: 8, left_out: 2 });
    expect([jsonIn(entries, 'long.json').length, jsonIn(entries, 'empty.json')]).to.deep.equal([10, []]);
    expect([...entries.keys()]).to.deep.equal(['long.json', 'exact.json', 'empty.json', 'a', 'b', 'index.json']);
  });
});
