/** docs/security.md names files and tests: each of them exists, and no item is without either a test or a plain word. */
import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';

const root = new URL('../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const text = read('docs/security.md');
/** A test, as the document names it: its file and its title, or that of the group it stands in. */
const named = [...text.matchAll(/`(test\/[^`]+\.test\.ts)` › \*([^*]+)\*/g)].map(([, file = '', title = '']) => ({ file, title }));

/** The titles of a test file, groups too, as they are written. */
function titlesOf(file: string): string[] {
  return [...read(file).matchAll(/\b(?:describe|it)\(\s*(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g)]
    .map(([, single, double, template]) => (single ?? double ?? template ?? '').replaceAll(/\\(['"`])/g, '$1'));
}

describe('docs/security.md', () => {
  it('names only tests that there are', () => {
    expect(named.length).to.be.greaterThan(80);
    const gone = named.filter(({ file, title }) => !existsSync(new URL(file, root)) || !titlesOf(file).includes(title));
    expect(gone.map(({ file, title }) => `${file} › ${title}`)).to.deep.equal([]);
  });

  it('names only files that there are, and leads only to places that there are', () => {
    const files = [...text.matchAll(/`((?:src|docs|test|openapi|codegen|migrations)\/[^`*\s]+)`/g)].map(([, path = '']) => path);
    expect(files.length).to.be.greaterThan(20);
    expect(files.filter((path) => !existsSync(new URL(path, root)))).to.deep.equal([]);
    const anchorsOf = (path: string): string[] =>
      [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => title.toLowerCase().replaceAll(/[^a-z0-9 -]/g, '').replaceAll(' ', '-'));
    for (const [, path = '', anchor = ''] of text.matchAll(/\]\(([^)#]*)(?:#([^)]+))?\)/g)) {
      const target = path === '' ? 'docs/security.md' : new URL(path, new URL('docs/', root)).pathname.slice(root.pathname.length);
      expect(existsSync(new URL(target, root)), target).to.equal(true);
      if (anchor !== '') expect(anchorsOf(target), `${target}#${anchor}`).to.include(anchor);
    }
  });

  it('has every risk of the Top 10, and a test or a plain word for every item', () => {
    const rows = text.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| ---') && !/^\| (Risk|Item) \|/.test(line));
    expect(rows.flatMap((row) => /^\| (API\d+) /.exec(row)?.[1] ?? [])).to.deep.equal(Array.from({ length: 10 }, (_, at) => `API${at + 1}`));
    for (const row of rows) {
      expect(row.split(' | ').length, row).to.equal(3);
      expect(row).to.match(/ › \*|\*\*Not met\*\*|\*\*Operator\*\*/);
      expect(/^\| (API\d+ |\d+\.\d+\.\d+)/.test(row), row).to.equal(true);
    }
  });
});
