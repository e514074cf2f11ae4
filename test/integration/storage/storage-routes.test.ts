import { request } from 'node:http';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { corsOrigin, openFiles, until, type OpenedFiles } from './backends.ts';
import { expectKind } from './kinds.ts';

const put = { expiresSeconds: 60, sizeBytes: 100_000, contentType: 'application/octet-stream' };

describe('the routes of the file storage', () => {
  let opened: OpenedFiles;
  before(async () => {
    opened = await openFiles();
    await opened.storage.put('page.html', Buffer.from('<script>steal()</script>'), { contentType: 'text/html', maxBytes: 100 });
    await opened.storage.put('bundle.js', Buffer.from('compressed'), { contentType: 'application/javascript', contentEncoding: 'br', maxBytes: 100 });
  });
  after(async () => {
    await opened.close();
    expect(opened.errors).to.deep.equal([]);
  });
  const get = async (key: string, init: RequestInit = {}): Promise<Response> => await fetch(await opened.storage.presignGet(key, { expiresSeconds: 60 }), init);

  it('serves user content sandboxed, as an attachment, never sniffed, privately', async () => {
    const answer = await get('page.html');
    expect(await answer.text()).to.equal('<script>steal()</script>');
    expect(Object.fromEntries(answer.headers)).to.include({
      'content-security-policy': 'sandbox',
      'content-disposition': 'attachment',
      'x-content-type-options': 'nosniff',
      'cache-control': 'private',
      'referrer-policy': 'no-referrer',
    });
  });

  it('serves it in place from an origin of its own, sandboxed all the same', async () => {
    const own = await openFiles({ ownOrigin: true });
    try {
      await own.storage.put('page.html', Buffer.from('x'), { contentType: 'text/html', maxBytes: 100 });
      const answer = await fetch(await own.storage.presignGet('page.html', { expiresSeconds: 60 }));
      await answer.arrayBuffer();
      expect(answer.headers.get('content-disposition')).to.equal(null);
      expect(answer.headers.get('content-security-policy')).to.equal('sandbox');
    } finally {
      await own.close();
    }
  });

  it('names the encoding the bytes were stored in', async () => {
    const answer = await get('bundle.js', { method: 'HEAD' });
    expect(answer.headers.get('content-encoding')).to.equal('br');
    expect(answer.headers.get('content-length')).to.equal('10');
    expect(answer.headers.get('content-type')).to.equal('application/javascript');
  });

  it('answers 304 to whoever has it, and resumes only the same version', async () => {
    const etag = (await get('page.html', { method: 'HEAD' })).headers.get('etag') ?? '';
    expect(etag).to.match(/^"[0-9a-f]{64}"$/);
    expect((await get('page.html', { headers: { 'if-none-match': etag } })).status).to.equal(304);
    const same = await get('page.html', { headers: { range: 'bytes=1-6', 'if-range': etag } });
    expect([same.status, await same.text()]).to.deep.equal([206, 'script']);
    const other = await get('page.html', { headers: { range: 'bytes=1-6', 'if-range': '"other"' } });
    expect([other.status, (await other.text()).length]).to.deep.equal([200, 24]);
    const last = await get('page.html', { headers: { range: 'bytes=-7' } });
    expect([last.status, await last.text()]).to.deep.equal([206, 'script>']);
  });

  it('lets scripts of the configured origins read and upload, and no others', async () => {
    const allowed = await get('page.html', { headers: { origin: corsOrigin } });
    await allowed.arrayBuffer();
    expect(allowed.headers.get('access-control-allow-origin')).to.equal(corsOrigin);
    expect(allowed.headers.get('vary')).to.equal('Origin');
    const other = await get('page.html', { headers: { origin: 'https://evil.example' } });
    await other.arrayBuffer();
    expect(other.headers.get('access-control-allow-origin')).to.equal(null);
    const preflight = await get('page.html', { method: 'OPTIONS', headers: { origin: corsOrigin, 'access-control-request-method': 'PUT' } });
    expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).to.deep.equal([204, 'GET, HEAD, PUT']);
    expect(preflight.headers.get('access-control-allow-credentials')).to.equal(null);
  });

  it('refuses in the envelope, and says nothing of what is there', async () => {
    const url = await opened.storage.presignGet('page.html', { expiresSeconds: 60 });
    for (const target of [url.replace(/.$/, (c) => (c === '0' ? '1' : '0')), url.replace('page', '..%2Fpage'), url.replace('page', 'p%00'), url.replace('page', '%E0%A4%A'), url.replace(/\/page.*/, '/')]) {
      const answer = await fetch(target);
      expect(answer.status, target).to.equal(403);
      expect(await answer.json()).to.deep.equal({ ok: false, data: null, error: { code: 'FORBIDDEN', message: 'This link is not valid, or no longer.', details: null } });
      expect(answer.headers.get('cache-control')).to.equal('no-store');
      expect(answer.headers.get('content-security-policy')).to.equal('sandbox');
    }
  });

  it('answers a refused upload although its body is still on the way', async () => {
    const { url, headers } = await opened.storage.presignPut('up/x', { ...put, sizeBytes: 50_000_000 });
    const answer = await fetch(url, { method: 'PUT', body: Buffer.alloc(600_000), headers });
    expect([answer.status, answer.headers.get('connection')]).to.deep.equal([403, 'close']);
  });

  it('leaves nothing of an upload that breaks off half-way', async () => {
    const { url, headers } = await opened.storage.presignPut('up/half', put);
    const sending = request(url, { method: 'PUT', headers: { ...headers, 'content-length': put.sizeBytes } });
    const broken = new Promise((resolve) => sending.on('error', resolve));
    sending.write(Buffer.alloc(40_000));
    const temporary = async (): Promise<string[]> => await readdir(join(opened.dir, 'tmp'));
    await until(async () => (await temporary()).length === 1);
    sending.destroy(new Error('gone'));
    await broken;
    await until(async () => (await temporary()).length === 0);
    await expectKind('not_found', opened.storage.head('up/half'));
  });

  it('refuses an upload whose length nobody can know beforehand', async () => {
    const { url, headers } = await opened.storage.presignPut('up/chunked', put);
    const stream = new ReadableStream({
      start: (controller) => {
        controller.enqueue(new Uint8Array(put.sizeBytes));
        controller.close();
      },
    });
    const answer = await fetch(url, { method: 'PUT', body: stream, headers, duplex: 'half' } as RequestInit);
    expect(answer.status).to.equal(403);
  });
});
