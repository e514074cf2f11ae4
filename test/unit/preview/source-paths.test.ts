import { expect } from 'chai';
import fc from 'fast-check';
import { checkSourcePath, checkSourcePaths, maxDepth, maxFaults, maxPathBytes } from '#platform/source-paths.ts';

const rulesOf = (paths: string[], entryFile = 'index.js'): string[] => {
  const checked = checkSourcePaths(['index.js', ...paths].map((path) => ({ path })), entryFile);
  return checked.ok ? [] : checked.faults.map(({ rule }) => rule);
};

describe('the rules for source paths', () => {
  it('let a usual project through, in its own order', () => {
    const paths = ['package.json', 'index.js', 'src/App.tsx', 'assets/logo@2x.png', '.gitignore', 'docs/Ünïcode name.md', '[id].tsx', 'a..b.js'];
    const checked = checkSourcePaths(paths.map((path) => ({ path })), 'index.js');
    expect(checked).to.deep.equal({ ok: true, normalised: paths.map((path) => path.normalize('NFC')), entryFile: 'index.js' });
  });

  const refused: [what: string, path: string, rule: string][] = [
    ['an empty path', '', 'empty'],
    ['a climb', '../x.js', 'segment'],
    ['a climb inside', 'a/../../x.js', 'segment'],
    ['a dot segment', './x.js', 'segment'],
    ['an empty segment', 'a//x.js', 'segment'],
    ['a folder', 'a/', 'segment'],
    ['an absolute path', '/etc/passwd', 'absolute'],
    ['a drive', 'C:/x.js', 'absolute'],
    ['a home folder', '~/x.js', 'absolute'],
    ['a backslash', 'a\\x.js', 'backslash'],
    ['NUL', 'a\0.js', 'control_character'],
    ['a line feed', 'a\n.js', 'control_character'],
    ['text that runs backwards', 'a\u202egpj.js', 'control_character'],
    ['a zero-width character', 'a\u200b.js', 'control_character'],
    ['half a surrogate pair', 'a\ud800.js', 'unicode'],
    ['node_modules', 'node_modules/react/index.js', 'node_modules'],
    ['node_modules below, in other letters', 'src/Node_Modules/x.js', 'node_modules'],
    ['node_modules as some disks read it', 'node_modules./x.js', 'node_modules'],
    ['a Babel configuration', '.babelrc', 'configuration'],
    ['a Babel configuration below', 'sub/.babelrc.cjs', 'configuration'],
    ['a Babel module', 'babel.config.js', 'configuration'],
    ['a Babel module in other letters', 'Babel.Config.mjs', 'configuration'],
    ['a Metro module', 'metro.config.ts', 'configuration'],
    ['a React Native module', 'react-native.config.js', 'configuration'],
    ['npm settings', '.npmrc', 'configuration'],
    ['too long a path', `${'a/'.repeat(20)}${'b'.repeat(maxPathBytes)}`, 'too_long'],
    ['too long a segment', `${'b'.repeat(256)}.js`, 'too_long'],
    ['too many folders', `${'a/'.repeat(maxDepth)}x.js`, 'too_deep'],
  ];
  for (const [what, path, rule] of refused) it(`refuse ${what}`, () => expect(rulesOf([path])).to.deep.equal([rule]));

  it('refuse a second file that differs in case or Unicode form alone, naming the first', () => {
    expect(rulesOf(['Index.js'])).to.deep.equal(['duplicate']);
    expect(rulesOf(['caf\u00e9.js', 'cafe\u0301.js'])).to.deep.equal(['duplicate']);
    expect(rulesOf(['stra\u00dfe.js', 'STRASSE.js'])).to.deep.equal(['duplicate']);
  });

  it('refuse a path that is a file here and a folder there', () => {
    expect(rulesOf(['a', 'a/b.js'])).to.deep.equal(['file_and_directory']);
    expect(rulesOf(['A', 'a/b.js'])).to.deep.equal(['file_and_directory']);
  });

  it('refuse an entry file that is not one of the files, or no module', () => {
    expect(rulesOf([], 'main.js')).to.deep.equal(['entry_file']);
    expect(rulesOf([], '../index.js')).to.deep.equal(['entry_file']);
    expect(rulesOf(['data.json'], 'data.json')).to.deep.equal(['entry_file']);
  });

  it('name the position of each fault, and no more than the first hundred', () => {
    const checked = checkSourcePaths([{ path: 'index.js' }, { path: '../a' }, { path: 'b.js' }, { path: '/c' }], 'index.js');
    expect(checked.ok ? [] : checked.faults.map(({ index }) => index)).to.deep.equal([1, 3]);
    expect(rulesOf(Array.from({ length: 1000 }, () => '..'))).to.have.length(maxFaults);
  });

  it('let nothing through that leaves the project, whatever the text', () => {
    const nasty = fc.string({ unit: fc.constantFrom('.', '/', '\\', 'a', 'A', ' ', '\0', '~', ':', '\u0301', 'é', '\u202e', 'node_modules', '..'), maxLength: 12 });
    fc.assert(
      fc.property(fc.oneof(nasty, fc.string({ unit: 'binary' })), (path) => {
        if (checkSourcePath(path) !== null) return;
        const resolved = new URL(`file:///root/${path.split('/').map(encodeURIComponent).join('/')}`).pathname;
        expect(resolved.startsWith('/root/')).to.equal(true);
        expect(path).to.not.match(/[\0\\]|^\/|(^|\/)\.\.?(\/|$)/u);
      }),
      { numRuns: 5000 },
    );
  });

  it('answer the same for a list in any order, and accept what they normalised', () => {
    const names = fc.uniqueArray(fc.string({ unit: fc.constantFrom('a', 'B', 'b', '/', '.', 'e\u0301', 'é'), minLength: 1, maxLength: 6 }), { maxLength: 12 });
    fc.assert(
      fc.property(names, (paths) => {
        const files = ['index.js', ...paths].map((path) => ({ path }));
        const forwards = checkSourcePaths(files, 'index.js');
        expect(checkSourcePaths([...files].reverse(), 'index.js').ok).to.equal(forwards.ok);
        if (forwards.ok) expect(checkSourcePaths(forwards.normalised.map((path) => ({ path })), 'index.js')).to.deep.equal(forwards);
      }),
      { numRuns: 2000 },
    );
  });
});
