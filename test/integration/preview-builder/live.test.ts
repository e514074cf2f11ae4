/** Builds that stay: what one session's process does with edits, honest and hostile, inside the sandbox. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join } from 'node:path';
import { expect } from 'chai';
import { createBuilder, type Builder } from '#workers/preview/builder.ts';
import type { LiveAsset, LiveBuild, LiveOutcome, LiveRequest } from '#workers/preview/live-build.ts';
import { pixel, temporaryFolder } from '../../support/preview/projects.ts';
import { dataDir, ensureSdk, installTimeoutMs, sdkVersion } from '../../support/preview/sdk.ts';

const mebibyte = 1024 * 1024;

describe('a live build', function () {
  this.timeout(60_000);
  const work = temporaryFolder();
  const open: LiveBuild[] = [];
  let builder: Builder;
  let count = 0;

  before(async function () {
    this.timeout(installTimeoutMs);
    await ensureSdk();
    builder = createBuilder({ dataDir, sdkVersions: [sdkVersion], warm: 1 });
    await builder.warmed();
  });
  afterEach(() => { for (const live of open.splice(0)) live.close(); });
  after(async () => {
    await builder.close();
    work.dispose();
  });

  const live = (more: Partial<LiveRequest> = {}, known: readonly LiveAsset[] = []): LiveBuild => {
    const made = builder.live({ sdkVersion, entryFile: 'index.js', platform: 'ios', dev: false, env: {}, environment: 'development', memoryBytes: 1024 * mebibyte, timeoutMs: 30_000, ...more }, known);
    open.push(made);
    return made;
  };
  const files = (contents: Readonly<Record<string, string | Buffer>>): Map<string, string> => new Map(Object.entries(contents).map(([path, content]) => {
    count += 1;
    mkdirSync(work.path, { recursive: true });
    const file = join(work.path, `blob-${count}`);
    writeFileSync(file, content);
    return [path, file];
  }));
  const textOf = (outcome: LiveOutcome): string => (outcome.ok ? outcome.bundle.toString('utf8') : expect.fail(JSON.stringify(outcome.failure)));
  const failureOf = (outcome: LiveOutcome): unknown => (outcome.ok ? null : outcome.failure);

  it('follows edits, new files, moves and removals, and never answers with what is gone', async () => {
    const one = live();
    expect(textOf(await one.start(files({ 'index.js': 'console.log(require("./a"))', 'a.js': 'module.exports="first"' })))).to.include('"first"');
    expect(textOf(await one.change(files({ 'a.js': 'module.exports="second"' }), []))).to.include('"second"').and.to.not.include('"first"');
    expect(textOf(await one.change(files({ 'a.ios.js': 'module.exports="closer"' }), []))).to.include('"closer"').and.to.not.include('"second"');
    expect(textOf(await one.change(new Map(), ['a.ios.js']))).to.include('"second"').and.to.not.include('"closer"');
    expect(textOf(await one.change(files({ 'a/index.js': 'module.exports="folder"' }), ['a.js']))).to.include('"folder"');
    expect(textOf(await one.change(files({ 'a.js': 'module.exports="file again"' }), ['a/index.js']))).to.include('"file again"').and.to.not.include('"folder"');
    expect(failureOf(await one.change(new Map(), ['a.js']))).to.include({ code: 'BUILD_ERROR', import: './a', file: 'index.js' });
    expect(textOf(await one.change(files({ 'a.js': 'module.exports="back"' }), []))).to.include('"back"');
  });

  it('says what is wrong with a broken edit each time, and builds the mended one from everything since', async () => {
    const one = live();
    await one.start(files({ 'index.js': 'console.log(require("./a"), require("./b"))', 'a.js': 'module.exports=1', 'b.js': 'module.exports=2' }));
    for (const line of [1, 2]) expect(failureOf(await one.change(files({ 'a.js': `${'\n'.repeat(line - 1)}const = ;` }), []))).to.include({ code: 'BUILD_ERROR', file: 'a.js', line });
    expect(failureOf(await one.change(files({ 'b.js': 'module.exports="meanwhile"' }), []))).to.include({ file: 'a.js' });
    expect(textOf(await one.change(files({ 'a.js': 'module.exports="mended"' }), []))).to.include('"mended"').and.to.include('"meanwhile"');
  });

  it('takes an image anew that has changed, in a bundle for the web', async () => {
    const one = live({ platform: 'web' });
    const other = Buffer.concat([pixel, Buffer.from('more of it')]);
    expect(textOf(await one.start(files({ 'index.js': 'console.log(require("./x.png"))', 'x.png': pixel })))).to.include(pixel.toString('base64'));
    expect(textOf(await one.change(files({ 'x.png': other }), []))).to.include(other.toString('base64'));
  });

  describe('tells of the files that its bundle refers to', () => {
    const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    const other = Buffer.concat([pixel, Buffer.from('more of it')]);
    const place = (name: string): string => `assets/${name}`;
    const showing = (...names: readonly string[]): string => `console.log(${names.map((name) => `require(${JSON.stringify(name)})`).join()})`;

    it('sends each content once, in whatever way it comes: with the first files, by an edit alone, anew at its path, at another', async () => {
      const one = live();
      const told = (): unknown => one.assets.map(({ path, sha256 }) => [path, sha256]);
      const sent = (): string[] => [...one.takeSent()].map(([sha256, bytes]) => {
        expect(sha256Of(bytes)).to.equal(sha256);
        return sha256;
      });
      textOf(await one.start(files({ 'index.js': showing('./x.png'), 'x.png': pixel, 'y.png': other })));
      expect([told(), sent()]).to.deep.equal([[[place('x.png'), sha256Of(pixel)]], [sha256Of(pixel)]]);
      textOf(await one.change(files({ 'index.js': `${showing('./x.png')};console.log(2)` }), []));
      expect([told(), sent()]).to.deep.equal([[[place('x.png'), sha256Of(pixel)]], []]);
      textOf(await one.change(files({ 'index.js': showing('./x.png', './y.png') }), []));
      expect([told(), sent()]).to.deep.equal([[[place('x.png'), sha256Of(pixel)], [place('y.png'), sha256Of(other)]], [sha256Of(other)]]);
      const third = Buffer.concat([pixel, Buffer.from('third')]);
      textOf(await one.change(files({ 'x.png': third }), []));
      expect([told(), sent()]).to.deep.equal([[[place('x.png'), sha256Of(third)], [place('y.png'), sha256Of(other)]], [sha256Of(third)]]);
      textOf(await one.change(files({ 'index.js': showing('./in/x.png'), 'in/x.png': third }), ['x.png', 'y.png']));
      expect(told()).to.deep.equal([[place('in/x.png'), sha256Of(third)]]);
      expect(failureOf(await one.change(new Map(), ['in/x.png']))).to.include({ file: 'index.js' });
      textOf(await one.change(files({ 'index.js': 'console.log(0)' }), []));
      expect(told()).to.deep.equal([]);
    });

    it('names what is known without sending it, and tells after a broken edit what came with that', async () => {
      const one = live({}, [{ path: place('x.png'), sha256: sha256Of(pixel) }, { path: place('y.png'), sha256: sha256Of(pixel) }]);
      textOf(await one.start(files({ 'index.js': showing('./x.png'), 'x.png': pixel })));
      expect([one.assets, [...one.takeSent().keys()]]).to.deep.equal([[{ path: place('x.png'), sha256: sha256Of(pixel) }], []]);
      expect(failureOf(await one.change(files({ 'index.js': 'const = ;', 'y.png': other }), []))).to.include({ code: 'BUILD_ERROR' });
      textOf(await one.change(files({ 'index.js': showing('./x.png', './y.png') }), []));
      expect([...one.takeSent().keys()]).to.deep.equal([sha256Of(other)]);
    });

    it('makes the source map of the last bundle when it is asked, and bundles on', async () => {
      const one = live();
      textOf(await one.start(files({ 'index.js': 'console.log(require("./a"))', 'a.js': 'module.exports=1' })));
      const made = textOf(await one.change(files({ 'a.js': '\n\nmodule.exports=globalThis.somewhere;' }), []));
      const map = new SourceMap(JSON.parse((await one.map())?.toString('utf8') ?? '{}') as never);
      const line = made.split('\n').findIndex((text) => text.includes('somewhere'));
      const found = map.findEntry(line, (made.split('\n')[line] ?? '').indexOf('globalThis.somewhere'));
      expect([Reflect.get(found, 'originalSource'), Reflect.get(found, 'originalLine')]).to.deep.equal(['a.js', 2]);
      expect(textOf(await one.change(files({ 'a.js': 'module.exports="after"' }), []))).to.include('"after"');
    });
  });

  for (const [what, change, code] of [
    ['climbs out', { 'index.js': 'console.log(require("../../etc/passwd"))' }, 'BUILD_ERROR'],
    ['names a package of its own', { 'index.js': 'require("left-pad")', 'node_modules/left-pad/index.js': '1' }, 'UNKNOWN_IMPORT'],
    ['would configure Babel', { '.babelrc.js': 'throw new Error("it ran")', 'index.js': 'const = ;' }, 'BUILD_ERROR'],
  ] as const) {
    it(`answers an edit that ${what} as a build does`, async () => {
      const one = live();
      await one.start(files({ 'index.js': 'console.log(1)' }));
      const failure = failureOf(await one.change(files(change), []));
      expect(failure).to.include({ code, file: 'index.js' });
      expect(JSON.stringify(failure)).to.not.include('it ran');
      expect(one.isWarm).to.equal(true);
    });
  }

  it('ends its process where an edit would have it write outside, and nothing is written', async () => {
    const one = live();
    await one.start(files({ 'index.js': 'console.log(1)' }));
    expect(failureOf(await one.change(files({ '../../w/main.ts': 'process.exit(0)' }), []))).to.have.property('code').that.is.oneOf(['BUILD_ERROR', 'CRASHED']);
    expect(textOf(await one.start(files({ 'index.js': 'console.log("anew")' })))).to.include('anew');
  });

  it('ends its process where an edit needs too much memory or time, alone, and can be started again', async () => {
    const other = live();
    await other.start(files({ 'index.js': 'console.log("beside")' }));
    const big = `module.exports=[${'"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",f(()=>{let q=1;return q+1}),\n'.repeat(150_000)}]`;
    const hungry = live({ memoryBytes: 400 * mebibyte });
    await hungry.start(files({ 'index.js': 'console.log(1)' }));
    expect(failureOf(await hungry.change(files({ 'index.js': big }), []))).to.include({ code: 'OUT_OF_MEMORY' });
    expect(hungry.isWarm).to.equal(false);
    const slow = live({ timeoutMs: 8_000 });
    await slow.start(files({ 'index.js': 'console.log(1)' }));
    const long = Array.from({ length: 600 }, (_, f) => `export function f${f}(a){${'if(a){a=a+1;'.repeat(150)}${'}'.repeat(150)}return a}`).join('\n');
    expect(failureOf(await slow.change(files({ 'index.js': long }), []))).to.include({ code: 'TIMEOUT' });
    expect(textOf(await hungry.start(files({ 'index.js': 'console.log("again")' })))).to.include('again');
    expect(textOf(await other.change(files({ 'index.js': 'console.log("still here")' }), []))).to.include('still here');
  });

  it('is one process to itself: what one session wrote is in no other’s bundle', async () => {
    const [one, two] = [live(), live()];
    await one.start(files({ 'index.js': 'console.log(require("./shared"))', 'shared.js': 'module.exports="of one"' }));
    const bundle = textOf(await two.start(files({ 'index.js': 'console.log(require("./shared"))', 'shared.js': 'module.exports="of two"' })));
    expect(bundle).to.include('of two').and.to.not.include('of one');
  });
});
