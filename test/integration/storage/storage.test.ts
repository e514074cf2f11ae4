import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { expect } from 'chai';
import { eachObject, type ObjectStorage } from '#platform/storage/storage.ts';
import { backends, type Opened } from './backends.ts';
import { expectKind } from './kinds.ts';

const plain = { contentType: 'text/plain', maxBytes: 10_000_000 };
const sha256 = (data: Buffer | string): string => createHash('sha256').update(data).digest('hex');
const chunked = (content: Buffer, sizeBytes = 70_000): Readable => Readable.from(function* () {
  for (let at = 0; at < content.length; at += sizeBytes) yield content.subarray(at, at + sizeBytes);
}(), { objectMode: false });

for (const backend of backends) {
  describe(`object storage: ${backend.name}`, () => {
    let opened: Opened;
    let storage: ObjectStorage;
    before(async () => {
      opened = await backend.open();
      storage = opened.storage;
    });
    after(async () => await opened.close());

    const read = async (key: string): Promise<Buffer> => await buffer((await storage.get(key)).stream);
    const keysBelow = async (prefix: string): Promise<string[]> => (await storage.list(prefix)).objects.map((object) => object.key);

    describe('put, get and head', () => {
      it('gives back the bytes, the type and the encoding that were stored', async () => {
        const stored = await storage.put('a/one.js', Buffer.from('hello'), { ...plain, contentType: 'application/javascript', contentEncoding: 'gzip' });
        const content = await storage.get('a/one.js');
        expect(await text(content.stream)).to.equal('hello');
        expect(content).to.include({ sizeBytes: 5, totalBytes: 5, contentType: 'application/javascript', contentEncoding: 'gzip', etag: stored.etag });
        expect(stored).to.include({ sizeBytes: 5, sha256: sha256('hello') });
        const head = await storage.head('a/one.js');
        expect(head).to.include({ sizeBytes: 5, contentType: 'application/javascript', contentEncoding: 'gzip', sha256: sha256('hello'), etag: stored.etag });
        expect(Math.abs(head.modifiedAtMs - Date.now())).to.be.below(60_000);
      });

      for (const sizeBytes of [0, 1, 65_536, 1_048_576, 1_048_577, 5_000_000]) {
        it(`stores a stream of ${sizeBytes} bytes whose length nobody announced`, async () => {
          const content = randomBytes(sizeBytes);
          const stored = await storage.put('streams/x', chunked(content), plain);
          expect(stored).to.include({ sizeBytes, sha256: sha256(content) });
          expect((await read('streams/x')).equals(content)).to.equal(true);
        });
      }

      it('replaces what was there, content and type together', async () => {
        await storage.put('again', Buffer.from('first'), { ...plain, contentEncoding: 'br' });
        const first = (await storage.head('again')).etag;
        await storage.put('again', Buffer.from('second'), { ...plain, contentType: 'application/json' });
        expect((await read('again')).toString()).to.equal('second');
        const head = await storage.head('again');
        expect(head).to.include({ contentType: 'application/json', contentEncoding: null });
        expect(head.etag).not.to.equal(first);
      });

      it('keeps keys with spaces, signs and other scripts apart from each other', async () => {
        const keys = ['odd/a b', 'odd/a+b', 'odd/a%20b', 'odd/ä', 'odd/木.png', 'odd/icon@2x.png', "odd/it's (1)!*.txt", 'odd/a.obj', 'odd/a.obj/b', 'odd/a.dir/b', 'odd/a', 'odd/a/b', 'odd/<&">'];
        for (const key of keys) await storage.put(key, Buffer.from(key), plain);
        for (const key of keys) expect((await read(key)).toString()).to.equal(key);
        expect((await keysBelow('odd/')).sort()).to.deep.equal([...keys].sort());
      });

      it('answers not_found for what is not there', async () => {
        await expectKind('not_found', storage.get('missing'));
        await expectKind('not_found', storage.head('missing'));
        await expectKind('not_found', storage.get('a'));
        await expectKind('not_found', storage.copy('missing', 'b'));
        await expectKind('not_found', storage.move('missing', 'neither'));
      });

      it('lets writers of one key each succeed, and one whole content win', async () => {
        const contents = Array.from({ length: 8 }, (_value, index) => Buffer.alloc(200_000, String(index)));
        await Promise.all(contents.map(async (content) => await storage.put('race', chunked(content), plain)));
        const winner = await read('race');
        expect(contents.some((content) => content.equals(winner))).to.equal(true);
        expect((await storage.head('race')).sha256).to.equal(sha256(winner));
      });
    });

    describe('ranges', () => {
      before(async () => void (await storage.put('ranged', Buffer.from('0123456789'), plain)));
      const part = async (range: { start: number; end?: number }): Promise<[string, number, number]> => {
        const content = await storage.get('ranged', { range });
        return [await text(content.stream), content.sizeBytes, content.totalBytes];
      };

      it('gives exactly the bytes asked for', async () => {
        expect(await part({ start: 2, end: 4 })).to.deep.equal(['234', 3, 10]);
        expect(await part({ start: 9, end: 9 })).to.deep.equal(['9', 1, 10]);
        expect(await part({ start: 7 })).to.deep.equal(['789', 3, 10]);
      });
      it('ends a range that goes beyond the object at its end', async () => {
        expect(await part({ start: 8, end: 100 })).to.deep.equal(['89', 2, 10]);
      });
      it('refuses a range that begins behind the end', async () => {
        await expectKind('bad_range', storage.get('ranged', { range: { start: 10 } }));
        await expectKind('bad_range', storage.get('ranged', { range: { start: 4, end: 3 } }));
      });
    });

    describe('content is checked while it arrives', () => {
      afterEach(async () => await expectKind('not_found', storage.head('checked')));
      const content = randomBytes(3_000_000);

      it('refuses content of another SHA-256', async () => {
        await expectKind('checksum_mismatch', storage.put('checked', Buffer.from('abc'), { ...plain, sha256: sha256('abd') }));
        await expectKind('checksum_mismatch', storage.put('checked', chunked(content), { ...plain, sha256: sha256('abd') }));
      });
      it('refuses content shorter than announced', async () => {
        await expectKind('checksum_mismatch', storage.put('checked', Buffer.from('abc'), { ...plain, sizeBytes: 4 }));
        await expectKind('checksum_mismatch', storage.put('checked', chunked(content), { ...plain, sizeBytes: content.length + 1 }));
      });
      it('refuses content longer than announced or than the bound, without reading on', async () => {
        let pulled = 0;
        const endless = Readable.from(function* () {
          for (;;) {
            pulled += 65_536;
            yield Buffer.alloc(65_536);
          }
        }(), { objectMode: false });
        await expectKind('too_large', storage.put('checked', endless, { ...plain, maxBytes: 2_000_000 }));
        expect(endless.destroyed).to.equal(true);
        expect(pulled).to.be.below(3_000_000);
        await expectKind('too_large', storage.put('checked', chunked(content), { ...plain, sizeBytes: content.length - 1 }));
        await expectKind('too_large', storage.put('checked', chunked(content), { ...plain, sizeBytes: 20, maxBytes: 10 }));
      });
      it('stores nothing of a stream that fails half-way', async () => {
        const failing = Readable.from(function* () {
          yield Buffer.alloc(2_000_000);
          throw new Error('the sender is gone');
        }(), { objectMode: false });
        await expectKind('unavailable', storage.put('checked', failing, plain));
      });
      it('stores nothing of a transfer that its caller broke off', async () => {
        const controller = new AbortController();
        const stalling = new Readable({ read: () => undefined });
        stalling.push(Buffer.alloc(2_000_000));
        const storing = storage.put('checked', stalling, { ...plain, signal: controller.signal });
        controller.abort();
        await expectKind('unavailable', storing);
        expect(stalling.destroyed).to.equal(true);
      });
    });

    describe('copy, move, delete', () => {
      it('copies content and metadata, and the two live apart', async () => {
        await storage.put('from', Buffer.from('content'), { ...plain, contentEncoding: 'gzip' });
        await storage.copy('from', 'copies/to');
        expect(await storage.head('copies/to')).to.include({ contentType: 'text/plain', contentEncoding: 'gzip', sha256: sha256('content') });
        await storage.put('from', Buffer.from('changed'), plain);
        expect((await read('copies/to')).toString()).to.equal('content');
        await storage.copy('copies/to', 'copies/to2');
        await storage.copy('copies/to2', 'copies/to');
        expect((await read('copies/to')).toString()).to.equal('content');
      });
      it('copies as what it is told to be, when the store knows the source to be just that', async () => {
        const content = randomBytes(1_500_000);
        const as = { sizeBytes: content.length, sha256: sha256(content) };
        await storage.put('as/from', content, { ...plain, contentType: 'application/octet-stream' });
        await storage.copy('as/from', 'as/picture', { ...as, contentType: 'image/png' });
        await storage.copy('as/picture', 'as/same', { ...as, contentType: 'image/png' });
        await storage.copy('as/same', 'as/packed', { ...as, contentType: 'text/plain', contentEncoding: 'br' });
        const { sha256: _, ...trusted } = as;
        await storage.copy('as/packed', 'as/trusted', { ...trusted, contentType: 'image/png' });
        const described = async (key: string): Promise<unknown> => {
          const { contentType, contentEncoding, sizeBytes, sha256: hash } = await storage.head(key);
          expect((await read(key)).equals(content), key).to.equal(true);
          return { contentType, contentEncoding, isSame: sizeBytes === content.length && hash === as.sha256 };
        };
        const picture = { contentType: 'image/png', contentEncoding: null, isSame: true };
        expect([await described('as/picture'), await described('as/same'), await described('as/trusted')]).to.deep.equal([picture, picture, picture]);
        expect(await described('as/packed')).to.deep.equal({ contentType: 'text/plain', contentEncoding: 'br', isSame: true });
        expect(await described('as/from'), 'the source stays as it is').to.deep.equal({ contentType: 'application/octet-stream', contentEncoding: null, isSame: true });
        await storage.put('as/picture', Buffer.from('replaced'), plain);
        await storage.delete('as/from');
        expect(await described('as/same'), 'a copy of a copy').to.deep.equal(picture);
      });
      it('copies nothing that is not what it was taken for, and leaves what was there', async () => {
        await storage.put('taken/from', Buffer.from('these bytes'), plain);
        await storage.put('taken/to', Buffer.from('there before'), plain);
        const as = { contentType: 'text/plain', sizeBytes: 11, sha256: sha256('these bytes') };
        await expectKind('checksum_mismatch', storage.copy('taken/from', 'taken/to', { ...as, sha256: sha256('other bytes') }));
        await expectKind('checksum_mismatch', storage.copy('taken/from', 'taken/to', { ...as, sizeBytes: 12 }));
        await expectKind('not_found', storage.copy('taken/none', 'taken/to', as));
        await expectKind('bad_key', storage.copy('taken/from', 'taken/to', { ...as, contentType: 'no type' }));
        await expectKind('bad_key', storage.copy('taken/from', 'taken/to', { ...as, contentEncoding: 'rot13' }));
        expect((await read('taken/to')).toString()).to.equal('there before');
        expect(await keysBelow('taken/')).to.deep.equal(['taken/from', 'taken/to']);
      });
      it('moves, and a repeat of the same move succeeds', async () => {
        await storage.put('staging/1', Buffer.from('blob'), plain);
        await storage.move('staging/1', 'final/1');
        await storage.move('staging/1', 'final/1');
        expect((await read('final/1')).toString()).to.equal('blob');
        await expectKind('not_found', storage.head('staging/1'));
      });
      it('moves onto a copy of itself and leaves one', async () => {
        await storage.put('twin/1', Buffer.from('blob'), plain);
        await storage.copy('twin/1', 'twin/2');
        await storage.move('twin/1', 'twin/2');
        expect(await keysBelow('twin/')).to.deep.equal(['twin/2']);
        await storage.move('twin/2', 'twin/2');
        expect((await read('twin/2')).toString()).to.equal('blob');
      });
      it('deletes, and a second time without complaint', async () => {
        await storage.put('gone', Buffer.from('x'), plain);
        await storage.delete('gone');
        await storage.delete('gone');
        await expectKind('not_found', storage.head('gone'));
      });
      it('deletes a folder in bounded steps and nothing beside it', async () => {
        for (const key of ['sweep/a', 'sweep/b/c', 'sweep/b/d', 'sweep-not', 'sweep2/x']) await storage.put(key, Buffer.from('x'), plain);
        expect(await storage.deletePrefix('sweep/', { maxObjects: 2 })).to.deep.equal({ deleted: 2, done: false });
        expect(await storage.deletePrefix('sweep/', { maxObjects: 2 })).to.deep.equal({ deleted: 1, done: true });
        expect(await storage.deletePrefix('sweep/')).to.deep.equal({ deleted: 0, done: true });
        expect(await keysBelow('sweep')).to.deep.equal(['sweep-not', 'sweep2/x']);
        await expectKind('bad_key', storage.deletePrefix('sweep'));
        await expectKind('bad_key', storage.deletePrefix(''));
      });
    });

    describe('list', () => {
      // In the order of the bytes: "-" < "." < "/" < "0", upper case before lower, U+FF5E before U+1F600.
      const sorted = ['l/a', 'l/a-b', 'l/a.b', 'l/a/1', 'l/a/2', 'l/a0', 'l/b', 'l/ä', 'l/～', 'l/😀'];
      before(async () => {
        for (const key of sorted.toReversed()) await storage.put(key, Buffer.from(key), plain);
      });

      it('lists in the order of the bytes of the keys, page by page', async () => {
        const first = await storage.list('l/', { limit: 4 });
        expect(first.objects.map((object) => object.key)).to.deep.equal(sorted.slice(0, 4));
        expect(first.next).to.equal('l/a/1');
        const all: string[] = [];
        for await (const object of eachObject(storage, 'l/')) all.push(object.key);
        expect(all).to.deep.equal(sorted);
      });
      it('resumes after any key, also one that is not there', async () => {
        for (const [index, after] of sorted.entries()) {
          const page = await storage.list('l/', { after });
          expect(page.objects.map((object) => object.key), after).to.deep.equal(sorted.slice(index + 1));
        }
        expect((await storage.list('l/', { after: 'l/a/' })).objects.map((object) => object.key)).to.deep.equal(sorted.slice(3));
      });
      it('takes a prefix that ends inside a name', async () => {
        expect(await keysBelow('l/a/')).to.deep.equal(['l/a/1', 'l/a/2']);
        expect(await keysBelow('l/a.')).to.deep.equal(['l/a.b']);
        expect(await keysBelow('nothing/here')).to.deep.equal([]);
      });
      it('names size and time of each', async () => {
        const [object] = (await storage.list('l/ä')).objects;
        expect(object?.sizeBytes).to.equal(4);
        expect(Math.abs((object?.modifiedAtMs ?? 0) - Date.now())).to.be.below(60_000);
      });
      it('says that the last page is the last when it is exactly full', async () => {
        expect((await storage.list('l/', { limit: sorted.length })).next).to.equal(null);
      });
    });

    it('refuses keys outside the grammar before anything is done', async () => {
      for (const key of ['', '/', '/a', 'a/', 'a//b', '.', '..', '../a', 'a/../b', 'a/./b', 'a\\b', 'a\0b', 'a\nb', 'a\u007fb', 'a\u0085b', '\ud800', 'x'.repeat(251), 'x/'.repeat(600) + 'x']) {
        await expectKind('bad_key', storage.put(key, Buffer.from('x'), plain));
        await expectKind('bad_key', storage.get(key));
        await expectKind('bad_key', storage.delete(key));
        await expectKind('bad_key', storage.move('a', key));
        await expectKind('bad_key', storage.presignGet(key, { expiresSeconds: 60 }));
        await expectKind('bad_key', storage.presignPut(key, { expiresSeconds: 60, sizeBytes: 1, contentType: 'text/plain' }));
      }
      await expectKind('bad_key', storage.put('a', Buffer.from('x'), { ...plain, contentType: 'text/html\r\nx: y' }));
    });

    it('checks itself by a round trip that leaves nothing', async () => {
      await Promise.all([storage.check(), storage.check()]);
      expect(await keysBelow('health/')).to.deep.equal([]);
    });
  });
}
