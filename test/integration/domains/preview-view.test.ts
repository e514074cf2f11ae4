import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { encode } from 'uqr';
import type { WorkerCaller } from '#platform/call.ts';
import { type Person, type Reply, useBackend } from '../../support/backend.ts';
import { claim, failureReport, make, queuedJob, request, sourceOf } from '../../support/preview-jobs.ts';
import { countStatements } from '../../support/statements.ts';
import { until } from '../../support/until.ts';

const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };
const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const between = (text: string, from: string, to: string): string => text.split(from)[1]?.split(to)[0] ?? '';
const policyOf = ({ headers }: Reply): string => headers.get('content-security-policy') ?? '';

describe('the preview page', function () {
  this.timeout(30_000);
  const backend = useBackend();
  let ada: Person;
  let worker: WorkerCaller;
  let projectId = '';
  let jobId = '';
  before(async () => { worker = await backend.current.worker(); });
  beforeEach(async () => {
    ada = await backend.current.person();
    projectId = await backend.current.project(ada, { name: 'Field <b>Notes</b> & "more"' });
    jobId = await queuedJob(backend.current, ada, projectId);
  });
  const tokenOf = async (id = jobId, who = ada) => (await backend.current.run('createPreviewToken', who, { path: { job_id: id } })).data;
  const view = async (token?: string, headers: Readonly<Record<string, string>> = browser): Promise<Reply> =>
    backend.current.http('GET', `/preview/view/${token ?? (await tokenOf()).token}`, { headers });

  /** What holds of every page. */
  const expectSafe = (page: Reply): void => {
    expect(page.headers.get('content-type')).to.equal('text/html; charset=utf-8');
    expect(page.headers.get('cache-control')).to.equal('no-store');
    expect(page.headers.get('referrer-policy')).to.equal('no-referrer');
    expect(page.headers.get('x-robots-tag')).to.contain('noindex');
    expect(Number(page.headers.get('content-length'))).to.equal(Buffer.byteLength(page.text));
    const directives = policyOf(page).split(';').map((one) => one.trim());
    expect(directives).to.include.members(["default-src 'none'", "frame-ancestors 'none'", "form-action 'none'", "base-uri 'none'"]);
    for (const directive of directives) expect(directive, 'one name, and sources that are none').to.match(/^[a-z]+(?:-[a-z]+)+ (?!.*-(?:src|uri|action|ancestors)\b)/);
    expect(page.text).to.match(/^<!doctype html><html lang="en">/).and.to.match(/<meta name="viewport" content="width=device-width,initial-scale=1">/);
    expect(page.text.match(/<main[ >]/g)).to.have.length(1);
    expect(page.text.match(/<h1>/g)).to.have.length(1);
    expect(page.text, 'handlers and styles in attributes').not.to.match(/ (?:on\w+|style)=/);
  };
  /** A page of our own: nothing from outside, style and script by their hashes. */
  const expectOwn = (page: Reply): void => {
    expectSafe(page);
    expect(policyOf(page)).to.contain(`style-src ${hashOf(between(page.text, '<style>', '</style>'))}`).and.not.to.contain('unsafe');
    if (page.text.includes('<script>')) expect(policyOf(page)).to.contain(`script-src ${hashOf(between(page.text, '<script>', '</script>'))};`);
    else expect(policyOf(page)).not.to.match(/script-src|connect-src/);
    expect(page.text, 'loads').not.to.match(/<(?:link|img|iframe|script)[^>]* (?:src|href)=|url\(|@import/);
  };

  it('tells how far a build is and follows it, for whoever has the link', async () => {
    const page = await view();
    expect(page.status).to.equal(200);
    expectOwn(page);
    expect(policyOf(page)).to.contain("connect-src 'self'");
    expect(page.text).to.contain('Waiting for a builder').and.to.contain('role="status" aria-live="polite"').and.to.contain('<progress').and.to.contain('EventSource');
    expect(page.text, 'without a script').to.contain('<noscript><meta http-equiv="refresh" content="5"></noscript>');
    expect(page.text, 'names are text').to.contain('Field &lt;b&gt;Notes&lt;/b&gt; &amp; &quot;more&quot;').and.not.to.contain('<b>Notes');
    const claimed = await claim(backend.current, worker, jobId);
    await backend.current.run('reportJobProgress', worker, { path: { job_id: jobId }, body: { lease_token: claimed.lease_token, stage: 'bundling', progress: 40 } });
    expect((await view()).text).to.contain('Bundling…').and.to.contain('value="40"');
    const { data: unsent } = await request(backend.current, ada, projectId, [sourceOf('index.js', 'never sent')]);
    expect((await view(unsent.token)).text).to.contain('Waiting for the sources');
  });

  it('shows a QR code and a link that open the manifest in a development build; every address of a token answers', async () => {
    await make(backend.current, worker, jobId);
    const token = await tokenOf();
    const page = await backend.current.http('GET', token.view_url, { headers: browser });
    expect(page.status).to.equal(200);
    expectOwn(page);
    const deepLink = `exp+hivesync://expo-development-client/?url=${encodeURIComponent(token.manifest_url)}`;
    expect(token.deep_link).to.equal(deepLink);
    expect(page.text).to.contain(`<a class="go" href="${deepLink}">`).and.to.contain(`<code>${token.manifest_url.replaceAll('&', '&amp;')}</code>`);
    expect(page.text).to.match(/<svg class="qr" role="img" aria-label="[^"]+"/);
    const { data, size } = encode(deepLink, { ecc: 'L', border: 4 });
    const drawn = Array.from({ length: size }, () => Array<boolean>(size).fill(false));
    for (const [, x, y, length] of page.text.matchAll(/M(\d+) (\d+)h(\d+)v1H\d+z/g)) for (let at = 0; at < Number(length); at += 1) (drawn[Number(y)] ?? [])[Number(x) + at] = true;
    expect(drawn).to.deep.equal(data);
    expect((await fetch(token.manifest_url)).status).to.equal(200);
    expect(page.text, 'nothing left to follow').not.to.contain('EventSource');
  });

  it('shows a web build in a frame of an opaque origin that may only run scripts', async () => {
    await make(backend.current, worker, jobId);
    await backend.current.sql("update preview_jobs set target_platform = 'web' where id = ?", [jobId]);
    const token = await tokenOf();
    expect(token.deep_link).to.equal(null);
    const page = await view(token.token);
    expectSafe(page);
    expect(page.text.match(/<iframe[^>]*>/g)).to.have.length(1);
    expect(page.text).to.match(/<iframe[^>]* sandbox="allow-scripts"/).and.not.to.contain('allow-same-origin');
    const source = between(page.text, 'srcdoc="', '"').replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
    const bundle = between(source, '<script src="', '"').replaceAll('&amp;', '&');
    expect(await (await fetch(bundle)).text()).to.contain('a bundle');
    expect(policyOf(page)).to.contain(`script-src ${new URL(bundle).origin};`);
  });

  it('says what became of a build that failed or was stopped, and nothing of the sources', async () => {
    await backend.current.run('reportJobResult', worker, { body: failureReport(await claim(backend.current, worker, jobId), { message: 'a line of the sources', file: 'secret.js' }) });
    const failed = await view();
    expect(failed.status).to.equal(200);
    expectOwn(failed);
    expect(failed.text).to.contain('does not compile').and.not.to.match(/secret\.js|line of the sources/);
    const stopped = await queuedJob(backend.current, ada, projectId, 'stopped');
    await backend.current.run('cancelPreviewJob', ada, { path: { job_id: stopped } });
    expect((await view((await tokenOf(stopped)).token)).text).to.contain('stopped before it was done');
  });

  it('tells a browser in a page, and everybody else in the envelope, why there is nothing to see', async () => {
    await make(backend.current, worker, jobId);
    const { token } = await tokenOf();
    const { previewTokens } = backend.current.services;
    const grant = { purpose: 'view', ownerId: ada.userId, projectId, jobId, sessionId: null, shareId: null } as const;
    const cleo = await backend.current.person();
    const { data: share } = await backend.current.run('sharePreview', ada, { path: { job_id: jobId }, body: { user_id: cleo.userId } });
    const shared = (await tokenOf(jobId, cleo)).token;
    await backend.current.run('revokePreviewShare', ada, { path: { share_id: share.id } });
    const cases: [link: string, status: number, code: string, text: RegExp][] = [
      [previewTokens.sign(grant, -120).token, 401, 'AUTH_EXPIRED', /time is over/], [`${token}x`, 401, 'AUTH_INVALID', /not whole/], [shared, 410, 'GONE', /not shared with you any more/],
    ];
    const expectRefused = async ([link, status, code, text]: (typeof cases)[number]): Promise<void> => {
      const page = await view(link);
      expect(page.status, code).to.equal(status);
      expectOwn(page);
      expect(page.text).to.match(text);
      expect(page.text, 'the link is in no page').not.to.contain(link);
      const told = await view(link, { accept: 'application/json' });
      expect([told.status, told.error?.code]).to.deep.equal([status, code]);
    };
    for (const one of cases) await expectRefused(one);
    const change = async (sql: string, one: (typeof cases)[number]): Promise<void> => {
      await backend.current.sql(sql.includes('users') ? sql.replace('$id', `'${ada.userId}'`) : sql.replace('$id', `'${jobId}'`).replace('$project', `'${projectId}'`));
      await expectRefused(one);
    };
    await change("update preview_jobs set artifacts_expire_at = now() - interval '1 second' where id = $id", [token, 410, 'GONE', /expired/]);
    await change('update preview_jobs set deleted_at = now() where id = $id', [token, 410, 'GONE', /deleted/]);
    await change('update projects set deleted_at = now() where id = $project', [token, 404, 'NOT_FOUND', /no preview here/]);
    await backend.current.sql('update users set suspended_at = now() where id = ?', [ada.userId]);
    // An account is kept for three seconds.
    backend.current.clock.advance(4_000);
    await expectRefused([token, 410, 'GONE', /cannot be shown now/]);
  });

  it('shows what a client built, and waits for it; a development server only to its owner', async () => {
    const open = async (body: object) => (await backend.current.run('createPreviewSession', ada, { body: { project_id: projectId, target_platform: 'ios', ...body } as never })).data;
    const built = await open({ kind: 'bundle' });
    const waiting = await view(built.token);
    expectOwn(waiting);
    expect(waiting.text).to.contain('has not been uploaded yet').and.to.contain('<meta http-equiv="refresh" content="5">');
    await backend.current.http('POST', `/preview/sessions/${built.upload_token ?? ''}/bundle`, { body: Buffer.from('mine'), headers: { 'content-type': 'application/javascript' } });
    const ready = await view(built.token);
    expectOwn(ready);
    expect(ready.text).to.contain('exp+hivesync://').and.to.contain('not by HiveSync');
    expect((await view(built.upload_token ?? '')).status).to.equal(401);
    const served = await open({ kind: 'dev_server', dev_server_url: 'http://192.168.1.20:8081' });
    expect((await view(served.token)).text).to.contain(encodeURIComponent('http://192.168.1.20:8081'));
    const stray = backend.current.services.previewTokens.sign({ purpose: 'view', ownerId: ada.userId, projectId, jobId: null, sessionId: served.session.id, shareId: null }, 60);
    const hidden = await view(stray.token);
    expectOwn(hidden);
    expect(hidden.text).to.contain('to its owner alone').and.not.to.contain('192.168');
  });

  it('answers HEAD, and costs one statement', async () => {
    const { token } = await tokenOf();
    const head = await fetch(`${backend.current.url}/api/v1/preview/view/${token}`, { method: 'HEAD' });
    expect([head.status, await head.text()]).to.deep.equal([200, '']);
    expect(await countStatements(() => view(token))).to.equal(1);
  });

  describe('is fed by events', () => {
    /** Reads a stream into `data` lines until it ends. */
    const follow = async (token: string): Promise<{ lines: string[]; ended: Promise<void>; status: number }> => {
      const answer = await fetch(`${backend.current.url}/api/v1/preview/view/${token}/events`, { headers: { accept: 'text/event-stream' } });
      const lines: string[] = [];
      const read = async (): Promise<void> => {
        let rest = '';
        for await (const chunk of answer.body ?? []) {
          rest += Buffer.from(chunk).toString();
          const whole = rest.split('\n');
          rest = whole.pop() ?? '';
          lines.push(...whole.filter((line) => line.startsWith('data: ')).map((line) => line.slice(6)));
        }
      };
      return { lines, ended: read(), status: answer.status };
    };

    it('that say how far it is and no more, until it has ended', async () => {
      const stream = await follow((await tokenOf()).token);
      await until('the first event', () => stream.lines.length === 1);
      expect(JSON.parse(stream.lines[0] ?? '')).to.deep.equal({ status: 'queued', awaiting_upload: false, stage: null, progress: 0 });
      await make(backend.current, worker, jobId);
      await stream.ended;
      expect(JSON.parse(stream.lines.at(-1) ?? '')).to.deep.equal({ status: 'succeeded', awaiting_upload: false, stage: null, progress: 100 });
    });

    it('that end with the share, and with the preview, while they are open', async () => {
      const cleo = await backend.current.person();
      const { data: share } = await backend.current.run('sharePreview', ada, { path: { job_id: jobId }, body: { user_id: cleo.userId } });
      const [shared, own] = [await follow((await tokenOf(jobId, cleo)).token), await follow((await tokenOf()).token)];
      await until('both to have begun', () => shared.lines.length === 1 && own.lines.length === 1);
      await backend.current.run('revokePreviewShare', ada, { path: { share_id: share.id } });
      await shared.ended;
      await backend.current.run('deletePreviewJob', ada, { path: { job_id: jobId } });
      await own.ended;
    });

    it('and refused like the page', async () => {
      const { data: session } = await backend.current.run('createPreviewSession', ada, { body: { kind: 'bundle', project_id: projectId, target_platform: 'ios' } });
      for (const [token, status] of [['x'.repeat(30), 401], [session.token, 404]] as const) {
        const stream = await follow(token);
        await stream.ended;
        expect(stream.status).to.equal(status);
      }
    });
  });
});
