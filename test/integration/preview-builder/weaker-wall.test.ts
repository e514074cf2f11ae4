/** Where bubblewrap is missing: the same builds, from the same caches, behind Node's permission model alone. */
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createBuilder, type Builder } from '#workers/preview/builder.ts';
import { buildIn, temporaryFolder, writeFiles } from '../../support/preview/projects.ts';
import { dataDir, ensureSdk, installTimeoutMs, sdkVersion } from '../../support/preview/sdk.ts';

const fieldNotes = fileURLToPath(new URL('../../../examples/field-notes', import.meta.url));

describe('the preview builder without bubblewrap', () => {
  const work = temporaryFolder();
  let builder: Builder;

  before(async function () {
    this.timeout(installTimeoutMs);
    await ensureSdk();
    builder = createBuilder({ dataDir, sdkVersions: [sdkVersion], warm: 0, sandbox: 'permission' });
  });
  after(async () => {
    await builder.close();
    work.dispose();
  });

  it('says so, builds from the SDK’s cache, and tells no path of this machine', async function () {
    this.timeout(60_000);
    expect(builder.sandbox).to.equal('permission');
    const outDir = join(work.path, 'out');
    const result = await buildIn(builder, work.path, fieldNotes, { outDir, dev: true });
    expect(result.ok ? result.metadata.modules.sdk : result.failure).to.be.a('number').greaterThan(700);
    for (const name of ['bundle.js', 'bundle.js.map', 'metadata.json', 'build.log']) {
      const text = readFileSync(join(outDir, name), 'utf8');
      expect(text, name).to.not.include('hivesync-build-');
      expect(text.includes(dataDir), name).to.equal(false);
    }
    expect(readFileSync(join(outDir, 'build.log'), 'utf8')).to.include('sandbox: permission');
  });

  it('answers what leads out of the project as the stronger wall does', async function () {
    this.timeout(60_000);
    const source = join(work.path, 'climb');
    writeFiles(work.path, { 'secret.json': '{}', 'climb/index.js': 'require("../secret.json")' });
    const result = await buildIn(builder, work.path, source);
    expect(result.ok ? null : result.failure).to.include({ code: 'BUILD_ERROR', message: '"../secret.json" is not in the project.', file: 'index.js', line: 1 });
  });

  it('leaves no temporary folder behind', async () => {
    await builder.close();
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('hivesync-build-'))).to.deep.equal([]);
  });
});
