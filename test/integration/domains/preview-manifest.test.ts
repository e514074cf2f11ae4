/** The manifest as Expo's own parsers read it. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import codeSigning from '@expo/code-signing-certificates';
import { isMultipartPartWithName, parseMultipartMixedResponseAsync } from '@expo/multipart-body-parser';
import { expect } from 'chai';
import { parseDictionary, type Dictionary } from 'structured-headers';
import type { ExpoManifest, JobResultReport } from '#generated/sdk/types.gen.ts';
import type { WorkerCaller } from '#platform/call.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { schemaNamed } from '../../support/contract-schema.ts';
import { claim, failureReport, make, put, queuedJob, uploadBundle } from '../../support/preview-jobs.ts';
import { countStatements } from '../../support/statements.ts';

const sha256 = (content: string | Uint8Array): Buffer => createHash('sha256').update(content).digest();
/** What a development client of Expo sends. */
const fromClient = { accept: 'multipart/mixed,application/expo+json,application/json', 'expo-platform': 'ios', 'expo-protocol-version': '1', 'expo-runtime-version': 'react-native@0.88.1' };
const keys = codeSigning.generateKeyPair();
const pem = codeSigning.convertKeyPairToPEM(keys);

describe('the Expo manifest of a preview', () => {
  const backend = useBackend({ PREVIEW_SIGNING_KEY: pem.privateKeyPEM.replaceAll('\r\n', '\n').replaceAll('\n', '\\n'), PREVIEW_SIGNING_KEY_ID: 'preview-key' });
  let ada: Person;
  let worker: WorkerCaller;
  let projectId = '';
  let jobId = '';
  before(async () => {
    worker = await backend.current.worker();
    ada = await backend.current.person();
    projectId = await backend.current.project(ada, { name: 'Field Notes' });
  });
  beforeEach(async () => { jobId = await queuedJob(backend.current, ada, projectId, 'export default 1;'); });
  afterEach(() => backend.current.run('deletePreviewJob', ada, { path: { job_id: jobId } }).catch(() => undefined));

  const addressOf = async (id = jobId): Promise<string> => (await backend.current.run('createPreviewToken', ada, { path: { job_id: id } })).data.manifest_url;
  const ask = async (headers: Readonly<Record<string, string>> = fromClient, method = 'GET', address?: string): Promise<{ answer: Response; body: Buffer }> => {
    const answer = await fetch(address ?? await addressOf(), { method, headers });
    return { answer, body: Buffer.from(await answer.arrayBuffer()) };
  };
  const codeIn = ({ answer, body }: { answer: Response; body: Buffer }): string => `${answer.status} ${(JSON.parse(body.toString()) as { error: { code: string } }).error.code}`;
  const partOf = async ({ answer, body }: { answer: Response; body: Buffer }) => {
    const parts = await parseMultipartMixedResponseAsync(answer.headers.get('content-type') ?? '', body);
    const part = parts.find((one) => isMultipartPartWithName(one, 'manifest'));
    if (part === undefined) throw new Error('There is no manifest.');
    return part;
  };
  /** Builds it with two assets of the same content, one of another, and a map that no phone asks for. */
  const build = async (): Promise<JobResultReport> => {
    const claimed = await claim(backend.current, worker, jobId);
    const report = await uploadBundle(backend.current, worker, claimed);
    const contents = [['assets/src/hill.png', 'a picture'], ['assets/src/hill copy.png', 'a picture'], ['assets/fonts/Sans.TTF', 'a font']] as const;
    const objects = contents.map(([path, content]) => ({ path, size: content.length, sha256: sha256(content).toString('hex'), content_type: 'application/octet-stream', content_encoding: 'identity' as const }));
    const { data } = await backend.current.run('createJobUploads', worker, { path: { job_id: jobId }, body: { lease_token: claimed.lease_token, objects } });
    const assets = await Promise.all(data.uploads.map(async (upload, at) => {
      expect(await put(upload.upload_url ?? '', upload.headers, Buffer.from(contents[at]?.[1] ?? ''))).to.equal(200);
      const { path, size, sha256: hash } = objects[at] ?? expect.fail();
      return { kind: 'asset' as const, path, object_key: upload.object_key, size, sha256: hash, encoding: 'identity' as const };
    }));
    const whole = { ...report, artifacts: [...report.artifacts ?? [], ...assets] };
    expect((await backend.current.run('reportJobResult', worker, { body: whole })).data.accepted).to.equal(true);
    return whole;
  };

  it('comes as one part of a multipart answer, with the headers of the protocol', async () => {
    await build();
    const got = await ask();
    expect(got.answer.status, got.body.toString()).to.equal(200);
    const { headers } = got.answer;
    expect(headers.get('content-type')).to.match(/^multipart\/mixed; boundary=[\w-]+$/);
    expect([headers.get('expo-protocol-version'), headers.get('expo-sfv-version')]).to.deep.equal(['1', '0']);
    expect(headers.get('cache-control')).to.equal('private, max-age=0, no-store');
    for (const name of ['expo-manifest-filters', 'expo-server-defined-headers']) expect(parseDictionary(headers.get(name) ?? 'missing'), name).to.deep.equal(new Map());
    expect(Number(headers.get('content-length'))).to.equal(got.body.length);
    const part = await partOf(got);
    expect(part.headers.get('content-type')).to.equal('application/json; charset=utf-8');
    expect(part.headers.has('expo-signature')).to.equal(false);
  });

  it('names bundle and assets with URLs whose bytes have the hashes it says, each content once', async () => {
    const report = await build();
    const manifest = JSON.parse((await partOf(await ask())).body) as ExpoManifest;
    const validate = schemaNamed('ExpoManifest');
    expect(validate(manifest), JSON.stringify(validate.errors)).to.equal(true);
    const { data: job } = await backend.current.run('getPreviewJob', ada, { path: { job_id: jobId } });
    expect(manifest).to.include({ id: jobId, createdAt: job.completed_at, runtimeVersion: 'react-native@0.88.1' });
    expect(manifest.metadata).to.deep.equal({});
    expect(manifest.extra).to.deep.include({ scopeKey: `hivesync-${projectId}`, expoClient: { name: 'Field Notes', slug: 'hivesync', runtimeVersion: 'react-native@0.88.1' } });
    expect(manifest.launchAsset.contentType).to.equal('application/javascript');
    expect(manifest.launchAsset).not.to.have.property('fileExtension');
    expect(manifest.assets.map(({ contentType, fileExtension }) => [contentType, fileExtension])).to.have.deep.members([['image/png', '.png'], ['font/ttf', '.ttf']]);
    expect(new Set([manifest.launchAsset, ...manifest.assets].map(({ key }) => key)).size).to.equal(3);
    for (const asset of [manifest.launchAsset, ...manifest.assets]) {
      const got = await fetch(asset.url);
      expect(got.headers.get('content-type')).to.contain(asset.contentType);
      const hash = sha256(Buffer.from(await got.arrayBuffer()));
      expect(asset.hash).to.equal(hash.toString('base64').replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''));
      expect(report.artifacts?.map((one) => one.sha256)).to.include(hash.toString('hex'));
    }
  });

  it('comes as JSON where that is liked best, and as nothing else', async () => {
    await make(backend.current, worker, jobId);
    const json = await ask({ accept: 'application/expo+json' });
    expect(json.answer.headers.get('content-type')).to.equal('application/expo+json');
    expect((JSON.parse(json.body.toString()) as ExpoManifest).id).to.equal(jobId);
    for (const [accept, type] of [['*/*', 'multipart/mixed'], ['application/expo+json;q=0.9, multipart/mixed;q=0.4', 'application/expo+json'], ['application/*, multipart/mixed;q=0.1', 'application/expo+json'], ['application/expo+json;q=0, */*', 'multipart/mixed']] as const) {
      expect((await ask({ accept })).answer.headers.get('content-type'), accept).to.match(new RegExp(`^${type.replace('+', '\\+')}`));
    }
    for (const accept of ['text/html', 'application/json', 'multipart/mixed;q=0', 'multipart/form-data']) expect(codeIn(await ask({ accept })), accept).to.equal('406 NOT_ACCEPTABLE');
  });

  it('answers HEAD with the same headers and no body, so that no client takes it for a bundle', async () => {
    await make(backend.current, worker, jobId);
    const address = await addressOf();
    const head = await ask({ accept: fromClient.accept, 'expo-platform': 'ios' }, 'HEAD', address);
    expect([head.answer.status, head.body.length]).to.deep.equal([200, 0]);
    expect(head.answer.headers.get('content-type')).to.match(/^multipart\/mixed; boundary=/);
    expect(head.answer.headers.get('expo-protocol-version')).to.equal('1');
    const get = await ask(fromClient, 'GET', address);
    const namesIn = ({ headers }: Response): string[] => [...headers.keys()].filter((name) => name !== 'keep-alive').sort();
    expect(namesIn(head.answer)).to.deep.equal(namesIn(get.answer));
  });

  it('is signed over its very bytes where a client asks for it, in both forms', async () => {
    await make(backend.current, worker, jobId);
    const expected = { 'expo-expect-signature': 'sig, keyid="preview-key", alg="rsa-v1_5-sha256"' };
    const isRight = (header: string, body: Buffer): boolean => {
      const fields: Dictionary = parseDictionary(header);
      expect([...fields.keys()]).to.deep.equal(['sig', 'keyid', 'alg']);
      expect([fields.get('keyid')?.[0], fields.get('alg')?.[0]]).to.deep.equal(['preview-key', 'rsa-v1_5-sha256']);
      return verify('RSA-SHA256', body, createPublicKey(pem.publicKeyPEM), Buffer.from(String(fields.get('sig')?.[0]), 'base64'));
    };
    const part = await partOf(await ask({ ...fromClient, ...expected }));
    expect(isRight(String(part.headers.get('expo-signature')), Buffer.from(part.body))).to.equal(true);
    expect(isRight(String(part.headers.get('expo-signature')), Buffer.from(`${part.body} `))).to.equal(false);
    const json = await ask({ accept: 'application/expo+json', ...expected });
    expect(isRight(json.answer.headers.get('expo-signature') ?? '', json.body)).to.equal(true);
    // As Expo's own tools would have signed it, under a certificate made of the same key.
    const certificate = codeSigning.generateSelfSignedCodeSigningCertificate({ keyPair: keys, commonName: 'HiveSync', validityNotBefore: new Date(Date.now() - 60_000), validityNotAfter: new Date(Date.now() + 3_600_000) });
    const theirs = codeSigning.signBufferRSASHA256AndVerify(codeSigning.convertPrivateKeyPEMToPrivateKey(pem.privateKeyPEM), certificate, json.body);
    expect(parseDictionary(json.answer.headers.get('expo-signature') ?? '').get('sig')?.[0]).to.equal(theirs);
  });

  it('is not signed for a client that trusts another key by name: Expo Go would refuse it then, and takes it unsigned', async () => {
    await make(backend.current, worker, jobId);
    const forExpo = { ...fromClient, 'expo-expect-signature': 'sig, keyid="expo-root", alg="rsa-v1_5-sha256"' };
    expect((await partOf(await ask(forExpo))).headers.has('expo-signature')).to.equal(false);
    expect((await partOf(await ask({ ...fromClient, 'expo-expect-signature': 'sig' }))).headers.has('expo-signature'), 'whatever the key').to.equal(true);
  });

  it('is refused to another platform, before the build has ended, after it failed, and when the preview is gone', async () => {
    const address = await addressOf();
    expect(codeIn(await ask(fromClient, 'GET', address))).to.equal('409 CONFLICT');
    expect(codeIn(await ask({ ...fromClient, 'expo-platform': 'android' }, 'GET', address))).to.equal('409 CONFLICT');
    const failing = await queuedJob(backend.current, ada, projectId, 'broken');
    const failed = await addressOf(failing);
    await backend.current.run('reportJobResult', worker, { body: failureReport(await claim(backend.current, worker, failing), { message: 'a line of the sources', file: 'secret.js' }) });
    const told = await ask(fromClient, 'GET', failed);
    expect(codeIn(told)).to.equal('422 PREVIEW_BUILD_FAILED');
    expect(told.body.toString(), 'who merely has the link').not.to.match(/sources|secret\.js/);
    await make(backend.current, worker, jobId);
    expect((await ask(fromClient, 'GET', address)).answer.status).to.equal(200);
    expect(codeIn(await ask({ ...fromClient, 'expo-platform': 'windows' }, 'GET', address))).to.equal('400 VALIDATION_ERROR');
    await backend.current.sql("update preview_jobs set artifacts_expire_at = now() - interval '1 second' where id = ?", [jobId]);
    expect(codeIn(await ask(fromClient, 'GET', address))).to.equal('410 GONE');
    await backend.current.sql('update preview_jobs set artifacts_expire_at = null, deleted_at = now() where id = ?', [jobId]);
    expect(codeIn(await ask(fromClient, 'GET', address))).to.equal('410 GONE');
    expect(codeIn(await ask(fromClient, 'GET', `${address}x`))).to.equal('401 AUTH_INVALID');
  });

  it('ends with the share that its token rests on, at the next use, and notes when it was looked at', async () => {
    await make(backend.current, worker, jobId);
    const cleo = await backend.current.person();
    const { data: share } = await backend.current.run('sharePreview', ada, { path: { job_id: jobId }, body: { user_id: cleo.userId } });
    const { data: token } = await backend.current.run('createPreviewToken', cleo, { path: { job_id: jobId } });
    expect((await ask(fromClient, 'GET', token.manifest_url)).answer.status).to.equal(200);
    const { data: listed } = await backend.current.run('listPreviewShares', ada, { path: { job_id: jobId }, query: { limit: 1 } });
    expect(listed.items[0]?.last_viewed_at).to.be.a('string');
    await backend.current.run('revokePreviewShare', ada, { path: { share_id: share.id } });
    expect(codeIn(await ask(fromClient, 'GET', token.manifest_url))).to.equal('410 GONE');
    // Redis forgets the mark: PostgreSQL does not.
    await backend.current.redis.redis.flushdb();
    expect(codeIn(await ask(fromClient, 'GET', token.manifest_url))).to.equal('410 GONE');
  });

  it('is there for a bundle that the client built, for whatever runtime asks', async () => {
    const { data: opened } = await backend.current.run('createPreviewSession', ada, { body: { kind: 'bundle', project_id: projectId, target_platform: 'ios' } });
    const address = `${backend.current.url}/api/v1/preview/manifest?token=${opened.token}`;
    expect(codeIn(await ask(fromClient, 'GET', address))).to.equal('409 CONFLICT');
    await backend.current.http('POST', `/preview/sessions/${opened.upload_token ?? ''}/bundle`, { body: Buffer.from('mine'), headers: { 'content-type': 'application/javascript' } });
    const manifest = JSON.parse((await ask({ ...fromClient, accept: 'application/expo+json', 'expo-runtime-version': 'exposdk:54.0.0' }, 'GET', address)).body.toString()) as ExpoManifest;
    expect(manifest).to.include({ id: opened.session.id, runtimeVersion: 'exposdk:54.0.0' });
    expect(manifest.launchAsset.hash).to.equal(sha256('mine').toString('base64url'));
    expect(codeIn(await ask(fromClient, 'GET', `${backend.current.url}/api/v1/preview/manifest?token=${opened.upload_token ?? ''}`))).to.equal('401 AUTH_INVALID');
    const { data: served } = await backend.current.run('createPreviewSession', ada, { body: { kind: 'dev_server', project_id: projectId, target_platform: 'ios', dev_server_url: 'http://localhost:8081' } });
    expect(codeIn(await ask(fromClient, 'GET', `${backend.current.url}/api/v1/preview/manifest?token=${served.token}`))).to.equal('409 CONFLICT');
  });

  it('costs two statements', async () => {
    await make(backend.current, worker, jobId);
    const address = await addressOf();
    await ask(fromClient, 'GET', address);
    expect(await countStatements(() => ask(fromClient, 'GET', address))).to.equal(2);
  });
});
