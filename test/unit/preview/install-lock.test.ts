import { existsSync, mkdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { withInstallLock } from '#workers/preview/install-lock.ts';
import { temporaryFolder } from '../../support/preview/projects.ts';

describe('the install lock', () => {
  const work = temporaryFolder();
  after(() => work.dispose());

  it('lets one work at a time, and is gone afterwards, also when the work fails', async () => {
    const path = join(work.path, 'one');
    let inside = 0;
    let most = 0;
    const job = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    };
    await Promise.all([withInstallLock(path, job), withInstallLock(path, job), withInstallLock(path, job)]);
    expect(most).to.equal(1);
    const failed = withInstallLock(path, () => Promise.reject(new Error('no')));
    expect(await failed.then(() => null, (error: unknown) => (error instanceof Error ? error.message : error))).to.equal('no');
    expect(existsSync(path)).to.equal(false);
  });

  it('is taken over from a holder that was killed', async () => {
    const path = join(work.path, 'stale');
    mkdirSync(path);
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(path, longAgo, longAgo);
    expect(await withInstallLock(path, () => Promise.resolve('worked'))).to.equal('worked');
  });

  it('is waited for while its holder lives, until the caller gives up', async () => {
    const path = join(work.path, 'held');
    mkdirSync(path);
    const attempt = withInstallLock(path, () => Promise.resolve('worked'), AbortSignal.timeout(50));
    expect(await attempt.then(() => 'worked', () => 'gave up')).to.equal('gave up');
    expect(existsSync(path)).to.equal(true);
  });
});
