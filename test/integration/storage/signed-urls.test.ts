import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import type { ObjectStorage, PresignedPut } from '#platform/storage/storage.ts';
import { backends, type Opened } from './backends.ts';
import { expectKind } from './kinds.ts';

const sha256 = (data: string): string => createHash('sha256').update(data).digest('hex');
const content = 'export default 1;';
const put = { expiresSeconds: 60, sizeBytes: content.length, sha256: sha256(content), contentType: 'application/octet-stream' };

for (const backend of backends) {
  describe(`signed URLs: ${backend.name}`, () => {
    let opened: Opened;
    let storage: ObjectStorage;
    before(async () => {
      opened = await backend.open();
      storage = opened.storage;
    });
    after(async () => await opened.close());
    afterEach(async () => {
      await opened.setClock(0);
      await storage.deletePrefix('up/');
    });

    const upload = async (presigned: PresignedPut, body = content, headers: Record<string, string> = {}): Promise<number> => {
      const answer = await fetch(presigned.url, { method: 'PUT', body, headers: { ...presigned.headers, ...headers } });
      await answer.arrayBuffer();
      return answer.status;
    };
    const expectNothing = async (key = 'up/a'): Promise<void> => void (await expectKind('not_found', storage.head(key)));
    const stored = async (key = 'up/a'): Promise<string> => await text((await storage.get(key)).stream);

    describe('PUT', () => {
      it('takes exactly the content it was made for, as often as it comes', async () => {
        const presigned = await storage.presignPut('up/a', put);
        expect(await upload(presigned)).to.equal(200);
        expect(await upload(presigned)).to.equal(200);
        expect(await stored()).to.equal(content);
        expect(await storage.head('up/a')).to.include({ contentType: 'application/octet-stream', contentEncoding: null, sha256: put.sha256 });
      });
      it('takes an encoding that was signed', async () => {
        const presigned = await storage.presignPut('up/a', { ...put, contentEncoding: 'gzip' });
        expect(await upload(presigned)).to.equal(200);
        expect((await storage.head('up/a')).contentEncoding).to.equal('gzip');
      });
      it('takes keys with spaces and signs', async () => {
        const key = "up/it's a+b (1)/木@2x.png";
        expect(await upload(await storage.presignPut(key, put))).to.equal(200);
        expect(await stored(key)).to.equal(content);
      });
      it('takes an empty file', async () => {
        expect(await upload(await storage.presignPut('up/a', { ...put, sizeBytes: 0, sha256: sha256('') }), '')).to.equal(200);
        expect(await stored()).to.equal('');
      });
      it('refuses a body of another length', async () => {
        const presigned = await storage.presignPut('up/a', { ...put, sha256: sha256(`${content} `) });
        expect(await upload(presigned, `${content} `)).to.equal(403);
        expect(await upload(presigned, content.slice(1))).to.equal(403);
        await expectNothing();
      });
      it('refuses a body of the same length whose checksum differs', async () => {
        expect(await upload(await storage.presignPut('up/a', put), content.replace('1', '2'))).to.equal(400);
        await expectNothing();
      });
      it('refuses another checksum, put where the signed one is announced', async () => {
        const other = content.replace('1', '2');
        const presigned = await storage.presignPut('up/a', put);
        const header = { 'x-amz-checksum-sha256': createHash('sha256').update(other).digest('base64') };
        const url = presigned.url.replace(put.sha256, sha256(other));
        expect(await upload({ url, headers: presigned.headers }, other, header)).to.equal(403);
        await expectNothing();
      });
      it('refuses an upload without the headers that were signed', async () => {
        const { url } = await storage.presignPut('up/a', { ...put, contentEncoding: 'gzip' });
        expect(await upload({ url, headers: {} })).to.equal(403);
        await expectNothing();
      });
      it('refuses another content type', async () => {
        expect(await upload(await storage.presignPut('up/a', put), content, { 'content-type': 'text/html' })).to.equal(403);
        await expectNothing();
      });
      it('refuses another content encoding', async () => {
        const presigned = await storage.presignPut('up/a', { ...put, contentEncoding: 'gzip' });
        expect(await upload(presigned, content, { 'content-encoding': 'br' })).to.equal(403);
        await expectNothing();
      });
    });

    describe('GET', () => {
      before(async () => void (await storage.put('kept/a.txt', Buffer.from(content), { contentType: 'text/plain', maxBytes: 100 })));

      it('reads the object, with its type, by name if asked', async () => {
        const answer = await fetch(await storage.presignGet('kept/a.txt', { expiresSeconds: 60, downloadName: 'Füße "1".txt' }));
        expect(answer.status).to.equal(200);
        expect(await answer.text()).to.equal(content);
        expect(answer.headers.get('content-type')).to.equal('text/plain');
        expect(answer.headers.get('content-disposition')).to.equal(`attachment; filename="F__e _1_.txt"; filename*=UTF-8''F%C3%BC%C3%9Fe%20%221%22.txt`);
      });
      it('serves another type if that was signed', async () => {
        const answer = await fetch(await storage.presignGet('kept/a.txt', { expiresSeconds: 60, contentType: 'application/json' }));
        await answer.arrayBuffer();
        expect(answer.headers.get('content-type')).to.equal('application/json');
      });
      it('serves ranges', async () => {
        const url = await storage.presignGet('kept/a.txt', { expiresSeconds: 60 });
        const answer = await fetch(url, { headers: { range: 'bytes=7-13' } });
        expect([answer.status, await answer.text(), answer.headers.get('content-range')]).to.deep.equal([206, 'default', 'bytes 7-13/17']);
        const behind = await fetch(url, { headers: { range: 'bytes=17-' } });
        await behind.arrayBuffer();
        expect(behind.status).to.equal(416);
      });
      it('answers 404 under a good signature for what is not there', async () => {
        const answer = await fetch(await storage.presignGet('kept/missing', { expiresSeconds: 60 }));
        await answer.arrayBuffer();
        expect(answer.status).to.equal(404);
      });
    });

    describe('refusals of both', () => {
      const status = async (url: string, init: RequestInit = {}): Promise<number> => {
        const answer = await fetch(url, init);
        const body = await answer.text();
        if (!answer.ok) expect(body).not.to.include('export default');
        return answer.status;
      };
      const change = (url: string, from: string | RegExp, to: string): string => {
        const changed = url.replace(from, to);
        expect(changed).not.to.equal(url);
        return changed;
      };

      it('refuses an expired URL, and takes it just before', async () => {
        const [get, presigned] = [await storage.presignGet('kept/a.txt', { expiresSeconds: 60 }), await storage.presignPut('up/a', put)];
        await opened.setClock(57_000);
        expect(await status(get)).to.equal(200);
        await opened.setClock(62_000);
        expect(await status(get)).to.equal(403);
        expect(await upload(presigned)).to.equal(403);
        await expectNothing();
      });
      it('refuses a URL whose expiry was put off', async () => {
        const get = await storage.presignGet('kept/a.txt', { expiresSeconds: 60 });
        const later = get.includes('X-Amz-Expires') ? change(get, 'X-Amz-Expires=60', 'X-Amz-Expires=6000') : change(get, /expires=(\d)/, 'expires=9');
        expect(await status(later)).to.equal(403);
      });
      it('refuses what another key signed', async () => {
        expect(await status(await opened.stranger.presignGet('kept/a.txt', { expiresSeconds: 60 }))).to.equal(403);
        expect(await upload(await opened.stranger.presignPut('up/a', put))).to.equal(403);
        await expectNothing();
      });
      it('refuses a tampered, short, missing or doubled signature', async () => {
        const get = await storage.presignGet('kept/a.txt', { expiresSeconds: 60 });
        const signature = /[Ss]ignature=([0-9a-f]{64})/.exec(get)?.[1] ?? '';
        const flipped = (signature.startsWith('0') ? '1' : '0') + signature.slice(1);
        for (const other of [flipped, signature.slice(2), '', 'x'.repeat(64)]) {
          expect(await status(change(get, signature, other))).to.be.oneOf([400, 403]);
        }
        expect(await status(change(get, /\?.*$/, ''))).to.equal(403);
      });
      it('refuses another method', async () => {
        const get = await storage.presignGet('kept/a.txt', { expiresSeconds: 60 });
        const presigned = await storage.presignPut('kept/a.txt', put);
        expect(await status(get, { method: 'PUT', body: content, headers: presigned.headers })).to.equal(403);
        expect(await status(get, { method: 'DELETE' })).to.be.oneOf([403, 405]);
        expect(await status(presigned.url)).to.equal(403);
      });
      it('refuses the URL of one key under another', async () => {
        const get = await storage.presignGet('kept/b.txt', { expiresSeconds: 60 });
        expect(await status(change(get, 'kept/b.txt', 'kept/a.txt'))).to.equal(403);
        const presigned = await storage.presignPut('up/b', put);
        expect(await upload({ ...presigned, url: change(presigned.url, 'up/b', 'up/a') })).to.equal(403);
        expect(await upload({ ...presigned, url: change(presigned.url, 'up/b', 'up/c/../a') })).to.equal(403);
        await expectNothing();
      });
      it('refuses a parameter that was added', async () => {
        const get = await storage.presignGet('kept/a.txt', { expiresSeconds: 60 });
        expect(await status(`${get}&response-content-type=text%2Fhtml`)).to.equal(403);
        expect(await status(`${get}&type=text%2Fhtml`)).to.equal(403);
      });
      it('tells a missing object from a present one to nobody without a signature', async () => {
        const [present, missing] = [await opened.stranger.presignGet('kept/a.txt', { expiresSeconds: 60 }), await opened.stranger.presignGet('kept/none', { expiresSeconds: 60 })];
        const [a, b] = [await fetch(present), await fetch(missing)];
        expect(a.status).to.equal(b.status);
        expect(await a.text()).to.equal(await b.text());
      });
      it('signs no URL without an end or for longer than a week', async () => {
        for (const expiresSeconds of [0, -1, 1.5, 604_801, Number.NaN]) {
          await expectKind('bad_key', storage.presignGet('a', { expiresSeconds }));
          await expectKind('bad_key', storage.presignPut('a', { ...put, expiresSeconds }));
        }
      });
    });
  });
}
