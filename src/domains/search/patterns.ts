/** How words are looked for in folded text (folding.ts), exactly or with one typing fault: patterns for LIKE. Folding leaves no character that means something there. Pure. */

/** A word this short stands in too many others: it is looked for where words begin. */
export const isShort = (word: string): boolean => word.length < 3 && /^[a-z0-9]*$/.test(word);

/** Whether an index on trigrams finds text that holds the word, in a database of any locale: in some pg_trgm knows only English letters. */
export const hasTrigrams = (word: string): boolean => isShort(word) || /[a-z0-9]{3}/.test(word);

/** What text must be like to hold the word. */
export const holding = (word: string): string => (isShort(word) ? `% ${word}%` : `%${word}%`);

/** Shorter words differ by one letter from too many others. */
const shortestForgiven = 4;
export const isForgiven = (word: string): boolean => [...word].length >= shortestForgiven;

/**
 * How a word begins that is one typing fault away from this one: a letter left out, one too many, another one, two changed
 * round. `_` is any character, a space too: `log in` is one letter more than `login`. Where a word's last letter is the
 * fault nothing may follow, or half of what begins alike would do.
 */
export function faults(word: string): string[] {
  const letters = [...word];
  return [...new Set(letters.flatMap((letter, at) => {
    const [before, from, after] = [letters.slice(0, at).join(''), letters.slice(at).join(''), letters.slice(at + 1).join('')];
    const next = letters[at + 1];
    if (next === undefined) return [` ${before}_ `, ` ${before} `, ` ${before}_${letter}`];
    return [` ${before}_${after}`, ` ${before}${after}`, ` ${before}_${from}`, ` ${before}${next}${letter}${letters.slice(at + 2).join('')}`];
  }))];
}

/** Of a word with one fault a half is as it should be, unless the two letters in the middle are changed round. Text that is like none of these has no fault of `faults`. */
export function halves(word: string): readonly string[] {
  const letters = [...word];
  const middle = Math.floor(letters.length / 2);
  const [first, second] = [letters.slice(0, middle), letters.slice(middle)];
  const round = [...first.slice(0, -1), second[0] ?? '', first.at(-1) ?? '', ...second.slice(1)].join('');
  return [`% ${first.join('')}%`, `%${second.join('')}%`, `% ${round}%`];
}
