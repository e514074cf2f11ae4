import { expect } from 'chai';
import fc from 'fast-check';
import { fold, wordsOf } from '#domains/search/folding.ts';
import { excerptOf, highlightsOf, spansIn } from '#domains/search/highlights.ts';
import { faults, halves } from '#domains/search/patterns.ts';

/** What the spans of a search cut out of a text. */
const marked = (text: string, q: string): string[] => spansIn(text, wordsOf(q)).map(({ start, end }) => text.slice(start, end));

describe('the highlights of a search', () => {
  it('stand where the words stand, whatever their case', () => {
    expect(spansIn('Draw the MAP, then the map', wordsOf('map'))).to.deep.equal([{ start: 9, end: 12 }, { start: 23, end: 26 }]);
  });

  it('count in UTF-16 code units behind emoji, and cut no character in two', () => {
    expect(spansIn('🚀🚀 the 🗺️ map', wordsOf('map'))).to.deep.equal([{ start: 13, end: 16 }]);
    expect(marked('launch 🚀🚀🚀 now', '🚀🚀')).to.deep.equal(['🚀🚀🚀']);
  });

  it('are found in a moment in the longest of texts, whatever it is made of', () => {
    for (const sign of ['word ', '\ufdfa', 'e\u0301', '\u0301', '中', '🚀', ' ', '½']) {
      const body = `map ${sign.repeat(20_000)}`.slice(0, 20_000);
      const since = performance.now();
      expect(marked(body, 'map')).to.deep.equal(['map'], sign);
      expect(marked(body, 'atlas')).to.deep.equal([]);
      // Some 10 ms each; a text that is copied again for each of its words takes 20 s.
      expect(performance.now() - since, sign).to.be.below(1_000);
    }
  });

  it('hold accents in either form, with the marks of their last letter', () => {
    expect(marked('Un café noir', 'cafe')).to.deep.equal(['café']);
    expect(marked('Un cafe\u0301 noir', 'café')).to.deep.equal(['cafe\u0301']);
    expect(marked('Un CAFÉ', 'cafe\u0301')).to.deep.equal(['CAFÉ']);
    expect(marked('Đường phố', 'duong')).to.deep.equal(['Đường']);
  });

  it('are right where letters fold into several, or several into one', () => {
    expect(marked('Die STRASSE, die Straße', 'straße')).to.deep.equal(['STRASSE', 'Straße']);
    expect(marked('Straßenbahn fährt', 'strassen')).to.deep.equal(['Straßen']);
    expect(marked('Straße', 'stras')).to.deep.equal(['Straß']);
    expect(marked('İstanbul', 'istanbul')).to.deep.equal(['İstanbul']);
    expect(marked('a ﬁne ﬂow', 'fine')).to.deep.equal(['ﬁne']);
    expect(marked('ΟΔΟΣ οδός', 'οδος')).to.deep.equal(['ΟΔΟΣ', 'οδός']);
    expect(marked('Ｆｕｌｌ ｗｉｄｔｈ', 'width')).to.deep.equal(['ｗｉｄｔｈ']);
  });

  it('of a word of one or two letters are where words begin', () => {
    expect(marked('In a tin, again', 'in a')).to.deep.equal(['In', 'a', 'a']);
  });

  it('show the word that was meant where the one asked for has a fault', () => {
    expect(marked('Press the buttons', 'buton')).to.deep.equal(['buttons']);
    expect(marked('The login fails', 'lgoin')).to.deep.equal(['login']);
    expect(marked('The log in page', 'login')).to.deep.equal(['log in']);
    expect(marked('Привет, мир', 'превет')).to.deep.equal(['Привет']);
    expect(marked('Butter', 'button')).to.deep.equal([]);
    expect(marked('the', 'teh')).to.deep.equal([]);
  });

  it('never overlap, and are fifty at most, the title first', () => {
    expect(spansIn('mapmapmap', wordsOf('map apm'))).to.deep.equal([{ start: 0, end: 9 }]);
    const all = highlightsOf('a map', 'map '.repeat(70), wordsOf('map'));
    expect(all).to.have.length(50);
    expect(all.slice(0, 2)).to.deep.equal([{ field: 'title', start: 2, end: 5 }, { field: 'excerpt', start: 0, end: 3 }]);
  });

  it('cut whole characters out of any text, in their order', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }), (text, q) => {
      let last = -1;
      for (const { start, end } of spansIn(text, wordsOf(q))) {
        expect(start).to.be.greaterThan(last);
        expect(end).to.be.greaterThan(start).and.at.most(text.length);
        expect(text.slice(start, end).isWellFormed()).to.equal(true);
        last = end;
      }
    }));
  });
});

describe('the excerpt of a search', () => {
  it('is the part around the first match, of no more than 320 code units, cut between words', () => {
    const excerpt = excerptOf(`${'before '.repeat(100)}the map\n\n  is ${'after '.repeat(100)}`, ['map']) ?? '';
    expect(excerpt).to.match(/^…before (.*)the map is (after )+after…$/);
    expect(excerpt.length).to.be.within(250, 320);
  });

  it('is the whole of a short text, its white space made single spaces', () => {
    expect(excerptOf('  See\tthe\n map ', ['map'])).to.equal('See the map');
  });

  it('is null where only the title matches, or there is no text', () => {
    expect(excerptOf('nothing of it', ['map'])).to.equal(null);
    expect(excerptOf(null, ['map'])).to.equal(null);
  });

  it('holds what matches, highlighted, however long the text, and never half a character', () => {
    const filler = fc.string({ unit: fc.constantFrom('a', '🗺️', 'e\u0301', 'ﬁ', ' ', '\n', '字'), maxLength: 700 });
    fc.assert(fc.property(filler, filler, (before, after) => {
      const excerpt = excerptOf(`${before} quokka ${after}`, ['quokka']) ?? '';
      expect(excerpt.length).to.be.at.most(320);
      expect(excerpt.isWellFormed()).to.equal(true);
      expect(highlightsOf(null, excerpt, ['quokka']).map(({ start, end }) => excerpt.slice(start, end))).to.deep.equal(['quokka']);
    }));
  });
});

describe('the words of a search', () => {
  it('are each once, without signs, and twelve at most', () => {
    expect(wordsOf('  The map-tiles, THE map! ')).to.deep.equal(['the', 'map', 'tiles']);
    expect(wordsOf('%_\\ ??? …')).to.deep.equal([]);
    expect(wordsOf(Array.from({ length: 40 }, (_, at) => `w${at}`).join(' '))).to.have.length(12);
  });

  it('fold to a text between single spaces', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
      const folded = fold(text);
      expect(folded.text).to.match(/^( |( [^ ]+)+ )$/u);
      expect([folded.starts.length, folded.ends.length]).to.deep.equal([folded.text.length, folded.text.length]);
    }));
  });

  const matches = (pattern: string, text: string): boolean => new RegExp(`^${pattern.replaceAll('%', '[^]*').replaceAll('_', '[^]')}$`, 'u').test(text);

  it('with any one fault are still found: a half is as it was, and a way of the fault fits', () => {
    const letters = fc.array(fc.constantFrom(...'abcdeж🚀'), { minLength: 5, maxLength: 10 });
    fc.assert(fc.property(letters, fc.nat(), fc.constantFrom('less', 'more', 'other', 'round'), fc.constantFrom(...'xyz'), (meant, place, fault, letter) => {
      const at = place % (meant.length - 1);
      const asked = fault === 'less' ? meant.toSpliced(at, 1) : fault === 'more' ? meant.toSpliced(at, 0, letter)
        : fault === 'other' ? meant.toSpliced(at, 1, letter) : meant.toSpliced(at, 2, meant[at + 1] ?? '', meant[at] ?? '');
      const text = ` the ${meant.join('')} here `;
      expect(halves(asked.join('')).some((half) => matches(half, text)), `${asked.join('')} for ${meant.join('')}`).to.equal(true);
      expect(faults(asked.join('')).some((way) => matches(`%${way}%`, text)) || asked.join('') === meant.join(''), `${asked.join('')} for ${meant.join('')}`).to.equal(true);
    }));
  });
});
