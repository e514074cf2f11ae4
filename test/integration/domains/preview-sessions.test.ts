import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { expect } from 'chai';
import type { PreviewSessionCreate } from '#generated/sdk/types.gen.ts';
import { newId } from '#platform/ids.ts';
import { eachObject } from '#platform/storage/storage.ts';
import { type Backend, type DataOf, type Person, type Reply, useBackend } from '../../support/backend.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';
import { until } from '../../support/until.ts';

const javascript = { 'content-type': 'application/javascript' };
const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

describe('preview sessions', function () {
  this.timeout(30_000);
  const backend = useBackend();
  let ada: Person;
  let projectId = '';
  before(async () => {
    await backend.current.sql("update tier_limits set preview_source_bytes = 200000 where tier = 'pro'");
  });
  beforeEach(async () => {
    ada = await backend.current.person('pro');
    projectId = await backend.current.project(ada);
  });
  const create = async (more: Partial<PreviewSessionCreate> = {}, who = ada): Promise<DataOf<'createPreviewSession'>> =>
    (await backend.current.run('createPreviewSession', who, { body: { kind: 'bundle', project_id: projectId, target_platform: 'ios', ...more } as PreviewSessionCreate })).data;
  const get = (token: string | null): Promise<Reply> => backend.current.http('GET', `/preview/sessions/${token ?? ''}`);
  const upload = (token: string | null, content: Buffer, headers: Readonly<Record<string, string>> = javascript): Promise<Reply> =>
    backend.current.http('POST', `/preview/sessions/${token ?? ''}/bundle`, { headers, body: content });
  const objects = async (): Promise<string[]> => {
    const keys = [];
    for await (const { key } of eachObject(backend.current.storage, `projects/${projectId}/`)) keys.push(key);
    return keys;
  };

  it('are opened with a token that views and one that uploads, both good for an hour and logged by their hashes', async () => {
    const { session, token, upload_token: uploadToken, expires_in: expiresIn } = await create();
    expect(expiresIn).to.equal(3600);
    expect(session).to.include({ project_id: projectId, user_id: ada.userId, kind: 'bundle', status: 'awaiting_bundle', bundle_url: null, dev_server_url: null });
    expect(Date.parse(session.expires_at) - Date.now()).to.be.within(3_590_000, 3_600_000);
    const logged = await backend.current.sql<{ purpose: string; hash: string }>("select purpose, encode(token_hash, 'hex') as hash from preview_sessions where session_id = ? order by purpose", [session.id]);
    expect(logged).to.deep.equal([uploadToken ?? '', token].map((one, at) => ({ purpose: at === 0 ? 'upload' : 'view', hash: sha256(Buffer.from(one)) })));
    for (const one of [token, uploadToken]) expect((await get(one)).data).to.deep.equal(session);
    expect(await backend.current.sql("select user_id, data ->> 'kind' as kind from audit_logs where event_type = 'preview_session.created' and entity_id = ?", [session.id])).to.deep.equal([{ user_id: ada.userId, kind: 'bundle' }]);
  });

  it('take one bundle as it comes: stored byte for byte, behind a URL, once', async () => {
    const { session, token, upload_token: uploadToken } = await create();
    const bundle = Buffer.from('not JavaScript at all \u0000 <script>');
    const stored = await upload(uploadToken, bundle);
    expect(stored.status, stored.text).to.equal(201);
    expect(stored.headers.get('location')).to.equal(`/api/v1/preview/sessions/${uploadToken ?? ''}`);
    expect(stored.data).to.include({ id: session.id, status: 'ready', bundle_size: bundle.length, bundle_sha256: sha256(bundle) });
    const { data } = await get(token);
    expect(Buffer.from(await (await fetch(String(data['bundle_url']))).arrayBuffer())).to.deep.equal(bundle);
    const again = await upload(uploadToken, bundle);
    expect([again.status, again.data['id']]).to.deep.equal([201, session.id]);
    for (const other of [Buffer.from('another'), Buffer.concat([bundle, Buffer.from('more')])]) expect((await upload(uploadToken, other)).error?.code).to.equal('CONFLICT');
    expect(await objects()).to.have.length(1);
    const [audited] = await backend.current.sql("select user_id, data from audit_logs where event_type = 'preview_session.uploaded' and entity_id = ?", [session.id]);
    expect(audited).to.deep.equal({ user_id: ada.userId, data: { size: bundle.length, sha256: sha256(bundle) } });
    expect(await backend.current.sql('select distinct bundle_size from preview_sessions where session_id = ?', [session.id])).to.deep.equal([{ bundle_size: bundle.length }]);
  });

  it('keep the first of many uploads at once, and nothing of the others', async () => {
    const { token, upload_token: uploadToken } = await create();
    const bundles = Array.from({ length: 8 }, (_, at) => Buffer.from(`bundle ${at}`));
    const statuses = (await Promise.all(bundles.map((one) => upload(uploadToken, one)))).map(({ status }) => status).sort();
    expect(statuses).to.deep.equal([201, 409, 409, 409, 409, 409, 409, 409]);
    expect(await objects()).to.have.length(1);
    const { data } = await get(token);
    expect(bundles.map(sha256)).to.include(data['bundle_sha256']);
  });

  it('take no more than the owner\'s tier allows, however it is sent, and leave nothing of what was refused', async () => {
    const { upload_token: uploadToken } = await create();
    const refused = await upload(uploadToken, Buffer.alloc(200_001, 'x'));
    expect([refused.status, refused.error?.details]).to.deep.equal([413, { max_bytes: 200_000 }]);
    const chunked = await sendChunks(backend.current, uploadToken ?? '', 60, Buffer.alloc(10_000, 'x'));
    expect(chunked).to.equal(413);
    expect((await upload(uploadToken, Buffer.alloc(0))).error?.code).to.equal('VALIDATION_ERROR');
    expect(await objects()).to.deep.equal([]);
    expect((await upload(uploadToken, Buffer.alloc(200_000, 'x'))).status).to.equal(201);
  });

  it('leave nothing of an upload that broke off, and take it again', async () => {
    const { token, upload_token: uploadToken } = await create();
    const bundle = Buffer.alloc(100_000, 'x');
    await new Promise<void>((resolve) => {
      const sending = request(`${backend.current.url}/api/v1/preview/sessions/${uploadToken ?? ''}/bundle`, { method: 'POST', headers: { ...javascript, 'content-length': bundle.length } });
      sending.on('error', () => resolve());
      sending.on('close', () => resolve());
      sending.write(bundle.subarray(0, 50_000), () => sending.destroy());
    });
    expect((await get(token)).data['status']).to.equal('awaiting_bundle');
    expect((await upload(uploadToken, bundle)).status).to.equal(201);
    await until('nothing but the bundle to be stored', async () => (await objects()).length === 1);
  });

  it('are looked at by their tokens alone, and uploaded to by the one that uploads', async () => {
    const { token } = await create();
    expect((await upload(token, Buffer.from('x'))).error?.code).to.equal('FORBIDDEN');
    expect((await get(`${token.slice(0, -3)}xyz`)).error?.code).to.equal('AUTH_INVALID');
    const { data: job } = await backend.current.run('requestPreview', ada, { body: { project_id: projectId, entry_file: 'index.js', files: [{ path: 'index.js', sha256: sha256(Buffer.from('x')), size: 1 }] } });
    expect((await get(job.token)).error?.code).to.equal('NOT_FOUND');
    expect((await upload(token, Buffer.from('x'), { 'content-type': 'application/json' })).status).to.be.oneOf([403, 415]);
  });

  it('end by their time, with their project and with their owner', async () => {
    const [first, second] = [await create(), await create()];
    await backend.current.sql("update preview_client_sessions set expires_at = now() - interval '1 second' where id = ?", [first.session.id]);
    expect((await get(first.token)).error?.code).to.equal('GONE');
    expect((await upload(first.upload_token, Buffer.from('x'))).error?.code).to.equal('GONE');
    await backend.current.sql('update projects set deleted_at = now() where id = ?', [projectId]);
    expect((await get(second.token)).error?.code).to.equal('NOT_FOUND');
    const late = backend.current.services.previewTokens.sign({ purpose: 'view', ownerId: ada.userId, projectId, jobId: null, sessionId: second.session.id, shareId: null }, -120);
    expect((await get(late.token)).error?.code).to.equal('AUTH_EXPIRED');
  });

  it('of development servers show the address to the owner alone', async () => {
    const { session, token, upload_token: uploadToken } = await create({ kind: 'dev_server', dev_server_url: 'http://192.168.1.20:8081' });
    expect(session).to.include({ kind: 'dev_server', status: 'ready', dev_server_url: 'http://192.168.1.20:8081' });
    expect(uploadToken).to.equal(null);
    expect((await get(token)).data['dev_server_url']).to.equal('http://192.168.1.20:8081');
    // Signed by us, and issued to nobody the log knows of.
    const stray = backend.current.services.previewTokens.sign({ purpose: 'view', ownerId: ada.userId, projectId, jobId: null, sessionId: session.id, shareId: null }, 60);
    expect((await get(stray.token)).data).to.include({ id: session.id, dev_server_url: null });
    expect(JSON.stringify(await backend.current.sql('select data from audit_logs where entity_id = ?', [session.id]))).not.to.contain('192.168');
    const wrong = await refusalOf(create({ kind: 'dev_server', dev_server_url: 'https://example.com' }));
    expect(wrong).to.deep.include({ code: 'VALIDATION_ERROR', details: [{ pointer: '#/body/dev_server_url', message: 'must lead to loopback, a private address or a .local name', rule: 'dev_server_url' }] });
  });

  it('are fifty at once, also when the last place is raced for', async () => {
    await backend.current.sql(`insert into preview_client_sessions (id, project_id, user_id, kind, target_platform, expires_at)
      select gen_random_uuid(), ?, ?, 'bundle', 'ios', now() + interval '1 hour' from generate_series(1, 49)`, [projectId, ada.userId]);
    const raced = await Promise.allSettled([create(), create()]);
    expect(raced.map(({ status }) => status).sort()).to.deep.equal(['fulfilled', 'rejected']);
    expect((await refusalOf(create())).details).to.include({ limit: 'preview_sessions', allowed: 50, used: 50 });
  });

  it('are for members of the project, at a bounded number of statements', async () => {
    expect(await codeOf(create({}, await backend.current.person()))).to.equal('NOT_FOUND');
    expect(await codeOf(create({ project_id: newId() }))).to.equal('NOT_FOUND');
    expect(await countStatements(() => create())).to.equal(7);
  });

  it('are cleaned up when they have been over for an hour, with their bundles', async () => {
    const [old, young] = [await create(), await create()];
    for (const one of [old, young]) await upload(one.upload_token, Buffer.from(one.session.id));
    await backend.current.sql("update preview_client_sessions set expires_at = now() - interval '61 minutes' where id = ?", [old.session.id]);
    const sweep = backend.current.services.systemKinds.find(({ kind }) => kind === 'sweep.preview_client_sessions');
    await sweep?.run({}, { jobId: newId(), attempt: 1, signal: new AbortController().signal });
    expect(await backend.current.sql('select id from preview_client_sessions where project_id = ?', [projectId])).to.deep.equal([{ id: young.session.id }]);
    expect(await objects()).to.have.length(1);
    expect(await backend.current.sql('select count(*) as tokens from preview_sessions where project_id = ?', [projectId]), 'the log stays').to.deep.equal([{ tokens: 4 }]);
  });
});

describe('preview sessions in production', () => {
  const backend = useBackend({ PREVIEW_DEV_SERVERS: 'off' });
  it('are not for development servers, unless that is allowed', async () => {
    const ada = await backend.current.person();
    const projectId = await backend.current.project(ada);
    const open = backend.current.run('createPreviewSession', ada, { body: { kind: 'dev_server', project_id: projectId, target_platform: 'ios', dev_server_url: 'http://localhost:8081' } });
    expect(await codeOf(open)).to.equal('FORBIDDEN');
  });
});

/** Sends chunks without saying how many; answers the status. */
async function sendChunks(backend: Backend, token: string, count: number, chunk: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const sending = request(`${backend.url}/api/v1/preview/sessions/${token}/bundle`, { method: 'POST', headers: { ...javascript, 'transfer-encoding': 'chunked' } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
      sending.destroy();
    });
    sending.on('error', (error) => { if (!sending.destroyed) reject(error); });
    for (let sent = 0; sent < count; sent += 1) sending.write(chunk);
    sending.end();
  });
}
