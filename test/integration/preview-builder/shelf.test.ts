/** The SDK sets of a worker: which it builds with, and for which of them processes wait. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { createLogger } from '#platform/log.ts';
import { SdkShelf } from '#workers/preview/sdk-shelf.ts';
import { buildIn, temporaryFolder, writeFiles } from '../../support/preview/projects.ts';
import { dataDir, ensureExpoSdk, ensureSdk, installTimeoutMs, sdkVersion } from '../../support/preview/sdk.ts';
import { until } from '../../support/until.ts';

/** The processes that this one has started and that live. */
const children = (): number =>
  readdirSync('/proc/self/task').flatMap((thread) => readFileSync(`/proc/self/task/${thread}/children`, 'utf8').split(' ').filter((pid) => pid !== '')).length;

describe('the SDK sets of a worker', () => {
  const work = temporaryFolder();
  let expoVersion = '';
  let shelf: SdkShelf;

  before(async function () {
    this.timeout(installTimeoutMs);
    await ensureSdk();
    expoVersion = await ensureExpoSdk();
    mkdirSync(join(work.path, 'sdk'));
    shelf = new SdkShelf({ dataDir: work.path, versions: [sdkVersion], warm: 1, maxBuildMs: 60_000, log: createLogger({ level: 'silent', sinks: [] }), onProgress: () => undefined });
  });
  after(async () => {
    await shelf.close();
    work.dispose();
  });
  const install = (version: string): void => symlinkSync(join(dataDir, 'sdk', version), join(work.path, 'sdk', version));

  it('are those that are installed, whoever did it; beside the default none holds memory before it is built with, nor after it was for long', async function () {
    this.timeout(90_000);
    const others = children();
    expect(shelf.takeInstalled()).to.deep.equal([]);
    install(sdkVersion);
    expect(shelf.takeInstalled()).to.deep.equal([sdkVersion]);
    expect([shelf.versions, shelf.get(expoVersion)]).to.deep.equal([[sdkVersion], null]);
    expect(children() - others, 'one waits for a job with the default').to.equal(1);

    install(expoVersion);
    expect(shelf.takeInstalled()).to.deep.equal([expoVersion]);
    expect(shelf.takeInstalled()).to.deep.equal([]);
    expect(shelf.versions).to.deep.equal([sdkVersion, expoVersion]);
    expect(children() - others, 'none more').to.equal(1);

    const builder = shelf.get(expoVersion)?.builder ?? expect.fail('The set is not held.');
    writeFiles(join(work.path, 'app'), { 'index.js': `console.log('built')` });
    const result = await buildIn(builder, work.path, join(work.path, 'app'), { sdkVersion: expoVersion });
    expect(result.ok, JSON.stringify(result)).to.equal(true);
    await builder.warmed();
    await until('one to wait for the next', () => children() - others === 2);
    builder.rest();
    await until('its memory to be given back', () => children() - others === 1);
  });
});
