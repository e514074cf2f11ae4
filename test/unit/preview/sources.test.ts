import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { readAssetHeader } from '#workers/preview/build-output.ts';
import { defaultSdkVersion, listSdkSets, sdkSetMeant } from '#platform/sdk-sets.ts';
import { materialiseSources, SourcePathsRefused } from '#workers/preview/sources.ts';
import { temporaryFolder } from '../../support/preview/projects.ts';

describe('materialising sources', () => {
  const work = temporaryFolder();
  const blob = join(work.path, 'blob');
  before(() => writeFileSync(blob, 'console.log(1)'));
  after(() => work.dispose());

  const errorOf = (attempt: Promise<unknown>): Promise<unknown> => attempt.then(() => null, (error: unknown) => error);

  it('writes each file with its bytes', async () => {
    const root = join(work.path, 'plain');
    await materialiseSources(root, new Map([['index.js', blob], ['src/deep/a.ts', blob]]), 'index.js');
    expect(readFileSync(join(root, 'src/deep/a.ts'), 'utf8')).to.equal('console.log(1)');
  });

  it('writes nothing when one path breaks a rule', async () => {
    const root = join(work.path, 'refused');
    const error = await errorOf(materialiseSources(root, new Map([['index.js', blob], ['../out.js', blob]]), 'index.js'));
    expect(error).to.be.instanceOf(SourcePathsRefused);
    expect(() => readFileSync(join(root, 'index.js'))).to.throw();
    expect(() => readFileSync(join(work.path, 'out.js'))).to.throw();
  });

  it('neither overwrites a file nor writes through a link', async () => {
    const root = join(work.path, 'taken');
    mkdirSync(root);
    const outside = join(work.path, 'outside.txt');
    writeFileSync(outside, 'kept');
    symlinkSync(outside, join(root, 'index.js'));
    expect(await errorOf(materialiseSources(root, new Map([['index.js', blob]]), 'index.js'))).to.have.property('code').that.is.oneOf(['EEXIST', 'ELOOP']);
    expect(readFileSync(outside, 'utf8')).to.equal('kept');
  });
});

describe('what a build process says of an asset', () => {
  const asset = { path: 'assets/a@2x.png', hash: 'a'.repeat(32), name: 'a', extension: 'png', scale: 2 };

  it('is taken where it is what the builder sends, from a package of the SDK too', () => {
    expect(readAssetHeader(asset)).to.include({ path: 'assets/a@2x.png', scale: 2 });
    expect(readAssetHeader({ ...asset, path: 'assets/_sdk/node_modules/@a/b/x.png' })).to.not.equal(null);
  });

  for (const path of ['assets/../x.png', '/assets/x.png', '../assets/x.png', 'bundle.js', 'assets/a\0.png', 'assets\\a.png', 'assets//a.png']) {
    it(`is refused for ${JSON.stringify(path)}`, () => expect(readAssetHeader({ ...asset, path })).to.equal(null));
  }
});

describe('SDK sets', () => {
  it('name exact versions for all that can be imported, out of lock files that hold no registry host', () => {
    const sets = listSdkSets();
    expect(sets.map(({ version }) => version)).to.include('0.88.1');
    for (const set of sets) {
      for (const { version } of set.packages) expect(version).to.match(/^\d+\.\d+\.\d+$/u);
      expect(readFileSync(join(set.sourceDir, 'package-lock.json'), 'utf8')).to.not.include('"resolved"');
      const { dependencies } = JSON.parse(readFileSync(join(set.sourceDir, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
      for (const version of Object.values(dependencies)) expect(version).to.match(/^\d+\.\d+\.\d+$/u);
    }
  });

  it('have one default, whatever the numbers of the others, and tell what opens their builds', () => {
    expect(listSdkSets().map(({ version, isDefault, runtimeVersion }) => [version, isDefault, runtimeVersion])).to.deep.equal([
      ['0.88.1', true, 'react-native@0.88.1'], ['57.0.26', false, 'exposdk:57.0.0'],
    ]);
    expect(defaultSdkVersion()).to.equal('0.88.1');
  });

  it('are named by hand with less than the whole version, and never by what could be two', () => {
    const meant = (text: string): string | null => sdkSetMeant(text)?.version ?? null;
    expect(['57', '57.0', '57.0.26', 'expo@57', 'expo@57.0.26'].map(meant)).to.deep.equal(Array(5).fill('57.0.26'));
    expect(['0.88', 'react-native@0.88.1'].map(meant)).to.deep.equal(['0.88.1', '0.88.1']);
    expect(['5', 'expo', 'expo@0.88.1', 'react-native@57', '', '58'].map(meant)).to.deep.equal(Array(6).fill(null));
  });
});
