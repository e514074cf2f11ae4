/** A folder of sources that changes while it is read: what was listed as a file is another thing when it is opened. */
import { spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { readSourceFolder, SourceRefused } from '#workers/preview/source-folder.ts';
import { temporaryFolder, writeFiles } from '../../support/preview/projects.ts';

const secret = 'the-secret-beside-the-project';

describe('a source folder that changes while it is read', () => {
  let work: ReturnType<typeof temporaryFolder>;
  let root = '';
  beforeEach(() => {
    work = temporaryFolder();
    root = join(work.path, 'project');
    writeFiles(work.path, { 'outside/inner/b.js': secret, 'project/a.js': '1', 'project/z/inner/b.js': '2' });
  });
  afterEach(() => work.dispose());

  /** Reads it, and does this once the first file was taken. */
  const readWhile = async (change: () => void): Promise<{ texts: string[]; refused: string | null }> => {
    const texts: string[] = [];
    try {
      await readSourceFolder(root, { files: 10, bytes: 1000, fileBytes: 100 }, async (_path, bytes) => {
        texts.push(bytes.toString('utf8'));
        if (texts.length === 1) change();
        return Promise.resolve();
      });
      return { texts, refused: null };
    } catch (error) {
      if (!(error instanceof SourceRefused)) throw error;
      return { texts, refused: error.failure.message };
    }
  };
  const later = (): string => join(root, 'z/inner/b.js');

  for (const [what, change] of [
    ['a link to a file outside', () => { rmSync(later()); symlinkSync(join(work.path, 'outside/inner/b.js'), later()); }],
    ['a link to nothing', () => { rmSync(later()); symlinkSync('/no/such/file', later()); }],
    ['a FIFO', () => { rmSync(later()); expect(spawnSync('mkfifo', [later()]).status).to.equal(0); }],
    ['a file that is gone', () => rmSync(later())],
    ['a file in a folder that is gone', () => rmSync(join(root, 'z'), { recursive: true })],
    ['a file in a folder that is a file now', () => { rmSync(join(root, 'z'), { recursive: true }); writeFileSync(join(root, 'z'), ''); }],
    ['a hard link to a file outside', () => { rmSync(later()); linkSync(join(work.path, 'outside/inner/b.js'), later()); }],
    ['a folder', () => { rmSync(later()); mkdirSync(later()); }],
    ['what lies behind a link that its folder has become', () => { renameSync(join(root, 'z'), join(work.path, 'moved')); symlinkSync(join(work.path, 'outside'), join(root, 'z')); }],
  ] as const) {
    it(`refuses ${what}, and says nothing of where it leads`, async () => {
      // Eight are read at once: with these before it, the one that changes has not been opened when the first is taken.
      writeFiles(root, Object.fromEntries(Array.from({ length: 8 }, (_, nth) => [`a${nth}.js`, '1'])));
      const { texts, refused } = await readWhile(change);
      expect(refused).to.equal('"z/inner/b.js" is not a regular file.');
      expect(texts.join('')).to.not.include(secret);
    });
  }

  it('tells no name and no byte of outside while a folder turns into a link and back as fast as it can', async () => {
    writeFiles(work.path, { 'outside/inner/name-that-is-only-outside.js': secret });
    // Between a look at it and what is then opened there is always a moment; some of four hundred readings meet it.
    const swapper = new Worker(`
      const { renameSync, symlinkSync, unlinkSync } = require('node:fs'); const { workerData: [folder, aside, outside] } = require('node:worker_threads');
      const rest = () => { for (const end = performance.now() + 0.1; performance.now() < end; ); };
      for (;;) { renameSync(folder, aside); symlinkSync(outside, folder); rest(); unlinkSync(folder); renameSync(aside, folder); rest(); }
    `, { eval: true, workerData: [join(root, 'z'), join(work.path, 'aside'), join(work.path, 'outside')] });
    const answers = new Set<string>();
    try {
      for (let round = 0; round < 400; round += 1) {
        const { texts, refused } = await readWhile(() => undefined);
        answers.add(refused ?? texts.toSorted().join());
      }
    } finally {
      await swapper.terminate();
    }
    // The folder as it is, without it, or the answer that it is none.
    expect([...answers].filter((answer) => !/^(?:1|1,2|"z(?:\/inner(?:\/b\.js)?)?" is not a regular file\.)$/u.test(answer))).to.deep.equal([]);
  });

  it('answers a path that is longer than one may be, as it answers what is no file', async () => {
    const dig = 'process.chdir(process.argv[1]); for (let depth = 0; depth < 300; depth += 1) { require("fs").mkdirSync("a".repeat(20)); process.chdir("a".repeat(20)); }';
    expect(spawnSync(process.execPath, ['-e', dig, join(root, 'z')]).status).to.equal(0);
    try {
      await readSourceFolder(root, { files: 1000, bytes: 1000, fileBytes: 100 }, () => Promise.resolve());
      expect.fail('it was read');
    } catch (error) {
      if (!(error instanceof SourceRefused)) throw error;
      expect(error.failure.message).to.match(/is not a regular file\.$/u).and.have.length.lessThan(4_200);
    } finally {
      spawnSync('rm', ['-rf', join(root, 'z')]);
    }
  });

  it('takes no more of a file that has grown than it was when it was opened', async () => {
    writeFileSync(later(), 'x'.repeat(101));
    expect((await readWhile(() => undefined)).refused).to.match(/is larger than 100 bytes/u);
  });
});
