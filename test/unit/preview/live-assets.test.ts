import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LiveAssetStore } from '#workers/preview/live-assets.ts';

describe('what a live session keeps of images', () => {
  const dirs: string[] = [];
  after(() => { for (const dir of dirs) rmSync(dir, { recursive: true, force: true }); });
  const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');
  const asset = (path: string, text: string): { path: string; sha256: string } => ({ path, sha256: sha256Of(text) });
  const storeOf = async (held: readonly { path: string; sha256: string }[], ...texts: readonly string[]): Promise<LiveAssetStore> => {
    const dir = mkdtempSync(join(tmpdir(), 'live-assets-'));
    dirs.push(dir);
    const store = new LiveAssetStore(dir, held);
    await store.take(new Map(texts.map((text) => [sha256Of(text), Buffer.from(text)])));
    return store;
  };
  const upload = (store: LiveAssetStore, needed: readonly { path: string; sha256: string }[]): string[] => store.unstored(needed).map((object) => {
    expect(sha256Of(readFileSync(object.file, 'utf8'))).to.equal(object.sha256);
    store.note([{ kind: 'asset', path: object.path, object_key: `key/${object.path}`, size: object.sizeBytes, sha256: object.sha256, encoding: 'identity' }]);
    return object.path;
  });

  it('uploads each content once, whatever its paths, and names all paths', async () => {
    const store = await storeOf([], 'one', 'two');
    const both = [asset('assets/a.png', 'one'), asset('assets/b.png', 'one'), asset('assets/c.png', 'two')];
    expect(upload(store, both)).to.deep.equal([`assets/${sha256Of('one')}`, `assets/${sha256Of('two')}`]);
    expect(upload(store, [asset('assets/moved.png', 'two')])).to.deep.equal([]);
    expect(store.named([asset('assets/moved.png', 'two')])).to.deep.equal([{ ...asset('assets/moved.png', 'two'), object_key: `key/assets/${sha256Of('two')}`, size: 3 }]);
    expect(store.named(both).map(({ path }) => path)).to.deep.equal(both.map(({ path }) => path));
  });

  it('leaves to the preview what it holds, by path and content', async () => {
    const store = await storeOf([asset('assets/a.png', 'one'), asset('assets/c.png', 'old')], 'one', 'two');
    const needed = [asset('assets/a.png', 'one'), asset('assets/b.png', 'one'), asset('assets/c.png', 'two')];
    upload(store, needed);
    expect(store.named(needed).map(({ path }) => path)).to.deep.equal(['assets/b.png', 'assets/c.png']);
  });

  it('takes exactly as many files and bytes as it may', async () => {
    const store = await storeOf([asset('assets/held.png', 'held')], 'one', 'two');
    const needed = [asset('assets/held.png', 'held'), asset('assets/a.png', 'one'), asset('assets/b.png', 'two')];
    expect(store.refusal(needed, { files: 2, bytes: 6 })).to.equal(null);
    expect(store.refusal(needed, { files: 1, bytes: 6 })).to.match(/^2 files came .* 1 are allowed/u);
    expect(store.refusal(needed, { files: 2, bytes: 5 })).to.match(/6 bytes; 5 are allowed/u);
  });

  it('believes no build that names what it never sent', async () => {
    const store = await storeOf([]);
    expect(() => store.refusal([asset('assets/a.png', 'never')], { files: 9, bytes: 9 })).to.throw('never sent');
  });
});
