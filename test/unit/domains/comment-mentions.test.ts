import { expect } from 'chai';
import { namesMentioned } from '#domains/comments/mentions.ts';

describe('the names that a text mentions', () => {
  const mentioned: Readonly<Record<string, readonly string[]>> = {
    '@ben': ['ben'],
    'Look, @Ben: @CLEO-2, and (@dan_x)! @eve.': ['ben', 'cleo-2', 'dan_x', 'eve'],
    '@ben @cleo @BEN': ['ben', 'cleo'],
    '@ben\'s map, **@cleo**, ~~@dan~~, "@eve"': ['ben', 'cleo', 'dan', 'eve'],
    '@ben, @cleo;\n@dan\r\n> @eve': ['ben', 'cleo', 'dan', 'eve'],
    '[@ben](https://example.com/map)': ['ben'],
    'wait… @ben… what?': ['ben'],
    'a long one: @abcdefghijklmnopqrstuvwxyz0123': ['abcdefghijklmnopqrstuvwxyz0123'],
    '- @ben/cleo': [],
    'Müller@ben, mail to ben@example.com or first.last+tag@cleo.org': [],
    'https://example.com/@ben and ../@cleo': [],
    '@types/node, @ben.example.com, @ben@example.social': [],
    '@be, @_ben, @-ben, @abcdefghijklmnopqrstuvwxyz01234': [],
    '@Jürgen, @benü, \\@ben, @@ben': [],
    'no one': [],
  };
  for (const [text, names] of Object.entries(mentioned)) {
    it(`in ${JSON.stringify(text)} are ${names.length === 0 ? 'none' : names.join(', ')}`, () => {
      expect(namesMentioned(text)).to.deep.equal(names);
    });
  }

  it('are none in code: spans of any number of backticks, fenced blocks, also one that is never closed', () => {
    for (const code of ['`@ben`', 'a ``@ben ` @ben`` b', '```\n@ben\n```', '~~~ts\n@ben\n~~~', '````\n```\n@ben\n```\n````', '   ```\n@ben', 'a `b\n@ben` c']) {
      expect(namesMentioned(code), JSON.stringify(code)).to.deep.equal([]);
      expect(namesMentioned(`@ada\n\n${code}`), JSON.stringify(code)).to.deep.equal(['ada']);
    }
    expect(namesMentioned('```\n@ben\n```\n@cleo')).to.deep.equal(['cleo']);
    expect(namesMentioned('`@ben` @cleo `@dan`')).to.deep.equal(['cleo']);
  });

  it('are all that only seem to be in code: a run of backticks that nothing closes, in another paragraph, or escaped', () => {
    expect(namesMentioned('a ` @ben')).to.deep.equal(['ben']);
    expect(namesMentioned('a `` @ben `')).to.deep.equal(['ben']);
    expect(namesMentioned('a `\n\n@ben `')).to.deep.equal(['ben']);
    expect(namesMentioned('\\` @ben `')).to.deep.equal(['ben']);
    expect(namesMentioned('    ```\n@ben\n')).to.deep.equal(['ben']);
  });

  it('are found in time that grows with the length alone, whatever the text', () => {
    const hostile = ['`'.repeat(10_000), '` `` '.repeat(2_000), '@'.repeat(10_000), '@ab'.repeat(3_333), Array.from({ length: 140 }, (_, at) => '`'.repeat(at)).join(' '), '```\n'.repeat(2_500), '@ben '.repeat(2_000)];
    const measure = (text: string): number => {
      const startAt = performance.now();
      namesMentioned(text);
      return performance.now() - startAt;
    };
    for (const text of hostile) {
      measure(text);
      // Quadratic would be seconds; milliseconds are measured.
      expect(Math.min(measure(text), measure(text), measure(text)), JSON.stringify(text.slice(0, 20))).to.be.below(100);
    }
  });
});
