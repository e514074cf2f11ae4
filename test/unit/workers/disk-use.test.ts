import { chmodSync, closeSync, existsSync, mkdirSync, openSync, symlinkSync, truncateSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { isDiskFull, removeFolder } from '#workers/sandbox/disk-use.ts';
import { temporaryFolder, writeFiles } from '../../support/preview/projects.ts';

const roomy = { bytes: 1_000_000_000, entries: 1_000_000 };

describe('what a process keeps on a disk', () => {
  let work: ReturnType<typeof temporaryFolder>;
  beforeEach(() => { work = temporaryFolder(); });
  afterEach(() => work.dispose());
  const isFull = (more: Partial<typeof roomy> = {}): Promise<boolean> => isDiskFull(process.pid, { folder: work.path, ...roomy, ...more });

  it('is too much by one file or folder, and not before', async () => {
    writeFiles(work.path, { 'a/b/c.js': '1', 'a/d.js': '1', 'e.js': '1' });
    expect(await isFull({ entries: 5 })).to.equal(false);
    mkdirSync(join(work.path, 'a/f'));
    expect(await isFull({ entries: 5 })).to.equal(true);
  });

  it('is too much by the bytes on the disk, not by the length that a file says it has', async () => {
    writeFileSync(join(work.path, 'sparse'), '1');
    truncateSync(join(work.path, 'sparse'), 500_000_000);
    expect(await isFull({ bytes: 1_000_000 })).to.equal(false);
    for (let index = 0; index < 12; index += 1) writeFileSync(join(work.path, String(index)), Buffer.alloc(100_000, 1));
    expect(await isFull({ bytes: 1_000_000 })).to.equal(true);
    expect(await isFull({ bytes: 2_000_000 })).to.equal(false);
  });

  it('counts a file that was removed for as long as it is open', async () => {
    const file = openSync(join(work.path, 'a'), 'w');
    writeSync(file, Buffer.alloc(2_000_000, 1));
    unlinkSync(join(work.path, 'a'));
    expect(await isFull({ bytes: 1_000_000 })).to.equal(true);
    closeSync(file);
    expect(await isFull({ bytes: 1_000_000 })).to.equal(false);
  });

  it('follows no link', async () => {
    symlinkSync('/', join(work.path, 'root'));
    symlinkSync('..', join(work.path, 'up'));
    expect(await isFull({ entries: 2 })).to.equal(false);
  });

  it('is none where the folder is gone', async () => {
    expect(await isDiskFull(process.pid, { folder: join(work.path, 'nowhere'), bytes: 0, entries: 0 })).to.equal(false);
  });

  it('is removed whole, also what was shut', async () => {
    writeFiles(work.path, { 'a/b/c.js': '1' });
    for (const path of ['a/b', 'a']) chmodSync(join(work.path, path), 0);
    await removeFolder(work.path);
    expect(existsSync(work.path)).to.equal(false);
    await removeFolder(work.path);
  });
});
