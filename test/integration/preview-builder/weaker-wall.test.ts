/** Where bubblewrap is missing: the same builds, from the same caches, behind Node's permission model alone. */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createBuilder, type Builder, type BuilderLimits, type BuildResult } from '#workers/preview/builder.ts';
import { plantPayload } from '../../support/preview/hostile-process.ts';
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

  describe('ends a process that was taken over and fills the disk, and removes what it wrote:', function () {
    this.timeout(60_000);
    const mebibyte = 1024 * 1024;
    const folders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('hivesync-build-'));
    /** The process runs `code` with `src`, its folder, at hand. */
    const run = async (code: string, limits: Partial<BuilderLimits> = {}): Promise<BuildResult> => {
      writeFiles(work.path, { 'filling/index.js': '1' });
      const dataDir = plantPayload(work.path, `data-${randomUUID()}`, `const src = process.argv[2] + '/src'; takeJob(); ${code}`);
      const taken = createBuilder({ dataDir, sdkVersions: [sdkVersion], warm: 0, sandbox: 'permission', limits: { timeoutMs: 40_000, ...limits } });
      const before = folders();
      try {
        return await buildIn(taken, work.path, join(work.path, 'filling'), { timeoutMs: 40_000 });
      } finally {
        await taken.close();
        expect(folders()).to.deep.equal(before);
      }
    };
    const few = { files: 1_000 };
    const small = { sourceBytes: 8 * mebibyte };
    const cases: readonly [name: string, code: string, limits: Partial<BuilderLimits>][] = [
      ['empty files in one folder', 'for (let n = 0; ; n += 1) fs.closeSync(fs.openSync(src + "/" + n, "w"));', few],
      ['folders in folders', 'for (let n = 0; ; n += 1) fs.mkdirSync(src + "/" + n % 100 + "/" + n, { recursive: true });', few],
      ['files of a megabyte', 'const bytes = Buffer.alloc(1048576, 1); for (let n = 0; n < 4000; n += 1) { fs.writeFileSync(src + "/" + n, bytes); await rest(1); } await rest(30000);', small],
      ['files that are removed while they are open', 'const bytes = Buffer.alloc(1048576, 1); for (let n = 0; n < 400; n += 1) { const file = fs.openSync(src + "/a", "w"); fs.unlinkSync(src + "/a"); fs.writeSync(file, bytes); await rest(1); } await rest(30000);', small],
    ];
    for (const [name, code, limits] of cases) {
      it(name, async () => {
        const result = await run(code, limits);
        expect(result.ok ? null : result.failure).to.deep.equal({ code: 'TOO_LARGE', message: 'The build wrote more files, or more bytes, than it may.' });
      });
    }

    it('no single file grows beyond what all sources may have', async () => {
      const result = await run('try { for (;;) fs.appendFileSync(src + "/a", Buffer.alloc(1048576)); } catch (error) { finish(error.code); }', { sourceBytes: 4 * mebibyte });
      expect(result.ok || result.failure.code === 'TOO_LARGE').to.equal(true);
    });

    it('what it shut away or nested is removed as well', async () => {
      const result = await run('let at = src; for (let n = 0; n < 300; n += 1) { at += "/deep"; fs.mkdirSync(at); } fs.mkdirSync(src + "/shut/in", { recursive: true }); fs.writeFileSync(src + "/shut/in/a", ""); fs.chmodSync(src + "/shut/in", 0); fs.chmodSync(src + "/shut", 0); finish();');
      // Shut folders are seen through by root alone.
      expect(result.ok ? 'built' : result.failure.code).to.be.oneOf(['built', 'TOO_LARGE']);
    });
  });

  it('leaves no temporary folder behind', async () => {
    await builder.close();
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('hivesync-build-'))).to.deep.equal([]);
  });
});
