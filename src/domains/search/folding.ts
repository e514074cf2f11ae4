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

export function fold(original: string): Folded {
  let text = ' ';
  const starts = [0];
  const ends = [0];
  for (let at = 0; at < original.length;) {
    const character = String.fromCodePoint(original.codePointAt(at) ?? 0);
    const end = at + character.length;
    const folded = foldOne(character);
    if (folded === '') {
      // A mark belongs to the letter before it, however many characters that became.
      const letter = starts.at(-1);
      for (let unit = starts.length - 1; unit > 0 && starts[unit] === letter; unit -= 1) ends[unit] = end;
    }
    for (let unit = 0; unit < folded.length; unit += 1) {
      if (folded[unit] === ' ' && text.endsWith(' ')) continue;
      text += folded[unit];
      starts.push(at);
      ends.push(end);
    }
    at = end;
  }
  if (text !== ' ' && !text.endsWith(' ')) {
    text += ' ';
    starts.push(original.length);
    ends.push(original.length);
  }
  return { text, starts, ends };
}

const alike: Readonly<Record<string, string>> = { ß: 'ss', æ: 'ae', œ: 'oe', ς: 'σ', ø: 'o', đ: 'd', ł: 'l', ı: 'i' };
const separators = /[\u0000-/:-`{-~\u007f-\u00bf\u2000-\u206f\u3000-\u303f\u30fb]/g;

function foldOne(character: string): string {
  if (character >= 'a' && character <= 'z') return character;
  const lower = character.normalize('NFKD').replace(/[\u0300-\u036f]+/g, '').toLowerCase();
  return lower.replace(/[ßæœςøđłı]/g, (letter) => alike[letter] ?? letter).replace(separators, ' ');
}

/** More words would narrow a search no further: two hundred characters hold few that differ. */
const mostWords = 12;

/** What is looked for: the words of a query, each once, in their order. */
export const wordsOf = (query: string): string[] => [...new Set(fold(query).text.split(' ').filter((word) => word !== ''))].slice(0, mostWords);
