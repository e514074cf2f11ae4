/**
 * Words as they are compared: lower case, without accents, between single spaces. `search_fold` in migrations/0029_search.ts
 * does the same to what is stored; here each character is followed to where it stood, for highlights. Pure.
 */

export interface Folded {
  /** Begins and ends with a space. */
  readonly text: string;
  /** For each code unit of the text where what it stands for begins and ends in the original. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** More than any text of our bounds comes to that people write; some signs stand for 18 letters each. */
const mostUnits = 65_536;

/** Linear in the length, whatever it is made of. What would come after `mostUnits` is left out. */
export function fold(original: string): Folded {
  const units: string[] = [' '];
  const starts = [0];
  const ends = [0];
  let isSpace = true;
  for (let at = 0; at < original.length && units.length < mostUnits;) {
    const code = original.codePointAt(at) ?? 0;
    const end = at + (code > 0xffff ? 2 : 1);
    const folded = code < 0x80 ? ascii[code] ?? ' ' : foldOne(String.fromCodePoint(code));
    if (folded === '') {
      // A mark belongs to the letter before it, however many characters that became.
      const letter = starts.at(-1);
      for (let unit = starts.length - 1; unit > 0 && starts[unit] === letter; unit -= 1) ends[unit] = end;
    }
    for (let unit = 0; unit < folded.length; unit += 1) {
      const one = folded.charAt(unit);
      if (one === ' ' && isSpace) continue;
      isSpace = one === ' ';
      units.push(one);
      starts.push(at);
      ends.push(end);
    }
    at = end;
  }
  if (!isSpace) {
    units.push(' ');
    starts.push(original.length);
    ends.push(original.length);
  }
  // Put together once: asked for its end while it grows, a text is copied whole each time.
  return { text: units.join(''), starts, ends };
}

const alike: Readonly<Record<string, string>> = { ß: 'ss', æ: 'ae', œ: 'oe', ς: 'σ', ø: 'o', đ: 'd', ł: 'l', ı: 'i' };
const separators = /[\u0000-/:-`{-~\u007f-\u00bf\u2000-\u206f\u3000-\u303f\u30fb]/g;

function foldOne(character: string): string {
  const lower = character.normalize('NFKD').replace(/[\u0300-\u036f]+/g, '').toLowerCase();
  return lower.replace(/[ßæœςøđłı]/g, (letter) => alike[letter] ?? letter).replace(separators, ' ');
}

/** What most text is made of, folded once. */
const ascii = Array.from({ length: 0x80 }, (_, code) => foldOne(String.fromCharCode(code)));

/** More words would narrow a search no further: two hundred characters hold few that differ. */
const mostWords = 12;

/** What is looked for: the words of a query, each once, in their order. */
export const wordsOf = (query: string): string[] => [...new Set(fold(query).text.split(' ').filter((word) => word !== ''))].slice(0, mostWords);
