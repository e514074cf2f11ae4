import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { findSdkSet } from '#platform/sdk-sets.ts';
import { sdkPlaces } from '#workers/preview/sdk-places.ts';
import { pixel, temporaryFolder, writeFiles } from '../../support/preview/projects.ts';
import { dataDir, ensureExpoSdk, ensureSdk, installTimeoutMs, sdkVersion } from '../../support/preview/sdk.ts';

const run = promisify(execFile);
const program = fileURLToPath(new URL('../../support/preview/two-maps.ts', import.meta.url));
interface IndexMap { readonly sections: readonly { readonly offset: { readonly line: number }; readonly map: { readonly sources: readonly string[]; readonly mappings: string } }[] }

describe('the source map of a bundle', function () {
  this.timeout(installTimeoutMs);
  const work = temporaryFolder();
  before(ensureSdk);
  after(() => work.dispose());

  const mapsOf = async (version: string): Promise<{ ours: readonly [string, string]; metros: string }> => {
    const base = join(work.path, version);
    const { root, cache } = sdkPlaces(dataDir, version);
    mkdirSync(join(base, 'src'), { recursive: true });
    symlinkSync(root, join(base, 'sdk'));
    symlinkSync(cache, join(base, 'cache'));
    const { name, packages = [] } = findSdkSet(version) ?? {};
    writeFileSync(join(base, 'set.json'), JSON.stringify({ name, version, importable: packages.map((entry) => entry.name) }));
    writeFiles(join(base, 'src'), {
      'index.js': `import { AppRegistry, Image } from 'react-native';\nimport { line } from './other';\nimport data from './data.json';\nAppRegistry.registerComponent('A', () => () => <Image source={require('./a.png')} accessibilityLabel={line + data.text} />);`,
      'other.ts': '// A separator of lines stands in the text below.\nexport const line: string = `two\n${"\u2028lines"}\u2029`;\nexport class Kept { static #hidden = 1; read(): number { return Kept.#hidden; } }',
      'data.json': '{ "text": "π </script> \\u2028" }',
      'a.png': pixel,
    });
    const { stdout } = await run(process.execPath, ['--preserve-symlinks', program, base, 'index.js'], { maxBuffer: 256 * 2 ** 20, timeout: 120_000 });
    return JSON.parse(stdout) as { ours: readonly [string, string]; metros: string };
  };

  it('is what Metro writes of the same modules, byte for byte, the first time and again', async () => {
    const { ours: [first, again], metros } = await mapsOf(sdkVersion);
    expect(first === metros, 'the first').to.equal(true);
    expect(again === metros, 'the one made of what was kept').to.equal(true);
    const { sections } = JSON.parse(metros) as IndexMap;
    expect(sections.length).to.be.greaterThan(500);
    expect(sections.find(({ map }) => map.sources[0] === 'other.ts')?.map.mappings).to.match(/\w/u);
  });

  it('is so for the set of Expo too, whose Metro may write it in another form', async () => {
    const { ours: [first, again], metros } = await mapsOf(await ensureExpoSdk());
    expect(first === metros && again === metros).to.equal(true);
  });
});
