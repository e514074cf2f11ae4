import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { ProjectCaches } from '#workers/preview/project-caches.ts';
import { temporaryFolder } from '../../support/preview/projects.ts';

describe('the transform caches of projects', () => {
  const folder = temporaryFolder();
  after(() => folder.dispose());
  const fill = async (dir: string, id: string, usedAtSeconds: number): Promise<void> => {
    await mkdir(join(dir, id), { recursive: true });
    await writeFile(join(dir, id, 'transforms-ios-prod.pack'), Buffer.alloc(100));
    await utimes(join(dir, id), usedAtSeconds, usedAtSeconds);
  };

  it('go beyond the bounds, the longest unused first, but never one in use', async () => {
    const dir = join(folder.path, 'bounded');
    const [oldest, older, newest] = [newId(), newId(), newId()];
    for (const [index, id] of [oldest, older, newest].entries()) await fill(dir, id, 1_000 + index);
    const caches = new ProjectCaches(dir, { projects: 1, bytes: 1_000 });
    const held = await caches.use(oldest);
    await caches.trim();
    expect(await readdir(dir)).to.deep.equal([oldest]);
    held.release();
  });

  it('serve builds on after a clean-up failed, and leave alone what is none of theirs', async () => {
    const dir = join(folder.path, 'odd');
    const odd = newId();
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, 'notes.txt'), 'not a cache');
    await writeFile(join(dir, odd), 'a file in the place of a folder');
    const caches = new ProjectCaches(dir, { projects: 0, bytes: 0 });
    expect(await caches.trim().catch((error: unknown) => error)).to.have.property('code', 'ENOTDIR');
    (await caches.use(newId())).release();
    await rm(join(dir, odd));
    await caches.trim();
    expect(await readdir(dir)).to.deep.equal(['notes.txt']);
  });
});
