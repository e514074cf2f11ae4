/** A folder of sources that changes while it is read: what was listed as a file is another thing when it is opened. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
    ['a folder', () => { rmSync(later()); mkdirSync(later()); }],
    ['what lies behind a link that its folder has become', () => { renameSync(join(root, 'z'), join(work.path, 'moved')); symlinkSync(join(work.path, 'outside'), join(root, 'z')); }],
  ] as const) {
    it(`refuses ${what}, and says nothing of where it leads`, async () => {
      const { texts, refused } = await readWhile(change);
      expect(refused).to.equal('"z/inner/b.js" is not a regular file.');
      expect(texts.join('')).to.not.include(secret);
    });
  }

  it('takes no more of a file that has grown than it was when it was opened', async () => {
    writeFileSync(later(), 'x'.repeat(101));
    expect((await readWhile(() => undefined)).refused).to.match(/is larger than 100 bytes/u);
  });
});
