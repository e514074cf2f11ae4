import { expect } from 'chai';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { sha256Hex } from '#platform/crypto.ts';
import { BlobCache, BlobMismatch, type BlobName, type BlobSource } from '#workers/blob-cache.ts';

const nameOf = (text: string): BlobName => ({ sha256: sha256Hex(text), size: Buffer.byteLength(text) });

/** Serves texts by hash, in two chunks each, and counts. */
function sourceOf(...texts: string[]): { source: BlobSource; fetched: string[] } {
  const known = new Map(texts.map((text) => [sha256Hex(text), Buffer.from(text)]));
  const fetched: string[] = [];
  const source: BlobSource = async ({ sha256 }) => {
    fetched.push(sha256);
    const bytes = known.get(sha256);
    if (bytes === undefined) throw new Error('not served');
    return (async function* () {
      const half = Math.ceil(bytes.length / 2);
      yield bytes.subarray(0, half);
      yield bytes.subarray(half);
    })();
  };
  return { source, fetched };
}

describe('blob cache', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'hivesync-blobs-'));
  });
  afterEach(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  const filesOf = async (): Promise<string[]> =>
    (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map((entry) => entry.name);

  it('fetches a content once, however many ask for it at once', async () => {
    const cache = await BlobCache.open(dir, 1000);
    const { source, fetched } = sourceOf('hello');
    const held = cache.pin();
    const answers = await Promise.all(Array.from({ length: 5 }, () => held.obtain(nameOf('hello'), source)));
    expect(fetched).to.have.length(1);
    expect(answers.filter(({ wasFetched }) => wasFetched)).to.have.length(1);
    expect(await readFile(answers[0]?.path ?? '', 'utf8')).to.equal('hello');
  });

  for (const [what, name] of [
    ['shorter than its size', { ...nameOf('hello'), size: 6 }],
    ['longer than its size', { ...nameOf('hello'), size: 4 }],
  ] as const) {
    it(`refuses a content that is ${what} and keeps nothing of it`, async () => {
      const cache = await BlobCache.open(dir, 1000);
      const error: unknown = await cache.pin().obtain(name, sourceOf('hello').source).catch((caught: unknown) => caught);
      expect(error).to.be.instanceOf(BlobMismatch);
      expect(await filesOf()).to.deep.equal([]);
      expect(cache.totalBytes).to.equal(0);
    });
  }

  it('refuses a content whose hash differs', async () => {
    const cache = await BlobCache.open(dir, 1000);
    const lying: BlobSource = async () => (async function* () { yield Buffer.from('hallo'); })();
    const error: unknown = await cache.pin().obtain(nameOf('hello'), lying).catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(BlobMismatch);
    expect(await filesOf()).to.deep.equal([]);
  });

  it('refuses a name that is a path', async () => {
    const cache = await BlobCache.open(dir, 1000);
    const error: unknown = await cache.pin().obtain({ sha256: '../../etc/passwd', size: 1 }, sourceOf().source).catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(BlobMismatch);
  });

  it('lets the least recently used leave when the bound is reached, and nothing that is held', async () => {
    const cache = await BlobCache.open(dir, 10);
    const { source, fetched } = sourceOf('aaaa', 'bbbb', 'cccc');
    const holder = cache.pin();
    await holder.obtain(nameOf('aaaa'), source);
    const passing = cache.pin();
    await passing.obtain(nameOf('bbbb'), source);
    await passing.obtain(nameOf('cccc'), source);
    expect(cache.totalBytes).to.equal(12);
    passing.release();
    await cache.settled();
    expect((await filesOf()).sort()).to.deep.equal([sha256Hex('aaaa'), sha256Hex('cccc')].sort());
    holder.release();
    const again = cache.pin();
    expect((await again.obtain(nameOf('bbbb'), source)).wasFetched).to.equal(true);
    expect(fetched).to.have.length(4);
  });

  it('holds more than its bound while a job needs it', async () => {
    const cache = await BlobCache.open(dir, 1);
    const held = cache.pin();
    const { source } = sourceOf('aaaa', 'bbbb');
    const paths = await Promise.all(['aaaa', 'bbbb'].map(async (text) => (await held.obtain(nameOf(text), source)).path));
    await cache.settled();
    expect(await Promise.all(paths.map((path) => readFile(path, 'utf8')))).to.deep.equal(['aaaa', 'bbbb']);
    held.release();
    await cache.settled();
    expect(cache.totalBytes).to.equal(0);
    expect(await filesOf()).to.deep.equal([]);
  });

  it('finds what an earlier process left, and removes its half-written files', async () => {
    const first = await BlobCache.open(dir, 1000);
    const { path } = await first.pin().obtain(nameOf('hello'), sourceOf('hello').source);
    await writeFile(`${path}.half`, 'hel');
    const second = await BlobCache.open(dir, 1000);
    expect((await second.pin().obtain(nameOf('hello'), sourceOf().source)).wasFetched).to.equal(false);
    expect(await filesOf()).to.deep.equal([sha256Hex('hello')]);
  });

  it('fetches anew what a crash left damaged under a good name', async () => {
    const { sha256, size } = nameOf('hello');
    const path = join(dir, sha256.slice(0, 2), sha256);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, Buffer.alloc(size));
    const cache = await BlobCache.open(dir, 1000);
    const answer = await cache.pin().obtain({ sha256, size }, sourceOf('hello').source);
    expect(answer.wasFetched).to.equal(true);
    expect(await readFile(path, 'utf8')).to.equal('hello');
    expect(cache.totalBytes).to.equal(size);
  });

  it('lets a second job fetch what the first one failed to', async () => {
    const cache = await BlobCache.open(dir, 1000);
    const failing: BlobSource = async () => { throw new Error('away'); };
    const [first, second] = await Promise.allSettled([
      cache.pin().obtain(nameOf('hello'), failing),
      cache.pin().obtain(nameOf('hello'), sourceOf('hello').source),
    ]);
    expect(first.status).to.equal('rejected');
    expect(second.status).to.equal('fulfilled');
  });
});
