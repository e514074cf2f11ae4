import { readdir, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import { Secret } from '#config/environment.ts';
import { deriveKey } from '#platform/crypto.ts';
import { openFileStorage } from '#platform/storage/file-storage.ts';
import { openFiles, type OpenedFiles } from './backends.ts';
import { expectKind } from './kinds.ts';

const plain = { contentType: 'text/plain', maxBytes: 10_000_000 };

describe('files as object storage', () => {
  let opened: OpenedFiles;
  beforeEach(async () => {
    opened = await openFiles({ timeoutMs: 3_000 });
  });
  afterEach(async () => await opened.close());

  const reopen = async (storageDir = opened.dir): ReturnType<typeof openFileStorage> => await openFileStorage({
    storageDir, baseUrl: 'http://localhost/storage', urlKey: deriveKey(new Secret('a secret'), 'storage'), timeoutMs: 1000, transferTimeoutMs: 1000,
  });

  it('keeps a reader on the object it opened while the object is replaced and deleted', async () => {
    const [first, second] = [Buffer.alloc(4_000_000, 1), Buffer.alloc(100, 2)];
    await opened.storage.put('a', first, plain);
    const { stream } = await opened.storage.get('a');
    await opened.storage.put('a', second, plain);
    await opened.storage.delete('a');
    expect((await buffer(stream)).equals(first)).to.equal(true);
  });

  it('removes empty folders with their last object, and no folder that is still used', async () => {
    await opened.storage.put('a/b/c', Buffer.from('x'), plain);
    await opened.storage.put('a/d', Buffer.from('x'), plain);
    await opened.storage.delete('a/b/c');
    expect(await readdir(join(opened.dir, 'objects/a.dir'))).to.deep.equal(['d.obj']);
    await opened.storage.delete('a/d');
    expect(await readdir(join(opened.dir, 'objects'))).to.deep.equal([]);
  });

  it('stores and deletes in one folder at once without losing an object', async () => {
    await Promise.all(Array.from({ length: 60 }, async (_value, index) => {
      await opened.storage.put(`busy/${index}/x`, Buffer.from('x'), plain);
      if (index % 2 === 0) await opened.storage.delete(`busy/${index}/x`);
    }));
    expect((await opened.storage.list('busy/')).objects).to.have.length(30);
  });

  it('says so when a file was damaged, in place of serving less', async () => {
    await opened.storage.put('a', Buffer.alloc(5000), plain);
    await truncate(join(opened.dir, 'objects/a.obj'), 3000);
    await expectKind('unavailable', opened.storage.get('a'));
    await writeFile(join(opened.dir, 'objects/b.obj'), 'no header');
    await expectKind('unavailable', opened.storage.head('b'));
  });

  it('follows no link out of its folder', async () => {
    await writeFile(join(opened.dir, 'secret'), 'secret');
    await symlink(join(opened.dir, 'secret'), join(opened.dir, 'objects/link.obj'));
    await expectKind('unavailable', opened.storage.get('link'));
  });

  it('breaks a stream off that falls silent, and keeps nothing of it', async () => {
    const silent = new Readable({ read: () => undefined });
    silent.push(Buffer.alloc(100));
    await expectKind('unavailable', opened.storage.put('silent', silent, plain));
    expect(silent.destroyed).to.equal(true);
    expect(await readdir(join(opened.dir, 'tmp'))).to.deep.equal([]);
  });

  it('clears what a crash left half written a day ago, and nothing younger', async () => {
    const [old, young] = [join(opened.dir, 'tmp/old'), join(opened.dir, 'tmp/young')];
    await writeFile(old, 'x');
    await writeFile(young, 'x');
    const yesterday = new Date(Date.now() - 86_400_000 - 60_000);
    await utimes(old, yesterday, yesterday);
    await reopen();
    expect(await readdir(join(opened.dir, 'tmp'))).to.deep.equal(['young']);
  });

  it('keeps everything over a restart', async () => {
    await opened.storage.put('kept/a', Buffer.from('x'), { ...plain, contentEncoding: 'gzip' });
    expect(await (await reopen()).head('kept/a')).to.include({ sizeBytes: 1, contentEncoding: 'gzip' });
  });

  it('fails at the start, not at the first upload, where it cannot write', async () => {
    await writeFile(join(opened.dir, 'file'), 'x');
    await expectKind('unavailable', reopen(join(opened.dir, 'file')));
  });

  it('is found out by its check when its folder is gone', async () => {
    await opened.storage.check();
    await rm(join(opened.dir, 'tmp'), { recursive: true });
    await expectKind('unavailable', opened.storage.check());
  });
});
