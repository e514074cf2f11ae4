/** Invented text whose words are as unequally common as those of real text. Deterministic: the same numbers draw the same words. */

/** A number from 0 to 1, the next one at each call. */
export type Draw = () => number;

/** Mulberry32: any seed will do. */
export function drawFrom(seed: number): Draw {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const common = 'the of and to a in is it you that for on with this be at or have from by one we can not but all what when your use how an each which do if will up other about out many then them these so some would make like into has two more go see no way could than first been who its now find long down day did get come made may part';
const ofTheField = 'login button screen crash navigation header footer map preview build bundle android keyboard camera upload network error token session project comment search settings profile avatar theme color margin layout scroll list item image cache offline sync storage database index query filter release version deploy review test coverage performance memory leak animation gesture router state hook render component prop style font icon label toast modal dialog form input validation submit cancel retry timeout permission location notification café naïve übersicht привет карта 検索 地図 🚀';
const syllables = 'ba be bi bo bu ca ce ci co cu da de di do du fa fe fi fo ga ge gi go gu ha he hi ho la le li lo lu ma me mi mo mu na ne ni no nu pa pe pi po ra re ri ro ru sa se si so su ta te ti to tu va ve vi vo wa we wi za ze tion ment ing er ly ness able'.split(' ');

/** The likeliest first. */
const vocabulary = ((): readonly string[] => {
  const draw = drawFrom(1);
  const words = new Set([...common.split(' '), ...ofTheField.split(' ')]);
  while (words.size < 8_000) {
    words.add(Array.from({ length: 2 + Math.floor(draw() * 3) }, () => syllables[Math.floor(draw() * syllables.length)]).join(''));
  }
  return [...words];
})();

/** By Zipf's law: a word is as common as its place in the vocabulary is high. Summed up, for a search by halves. */
const sums = ((): Float64Array => {
  const made = new Float64Array(vocabulary.length);
  let sum = 0;
  for (let n = 0; n < made.length; n += 1) {
    sum += 1 / (n + 3);
    made[n] = sum;
  }
  return made;
})();

function word(draw: Draw): string {
  const wanted = draw() * (sums.at(-1) ?? 0);
  let [low, high] = [0, sums.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sums[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return vocabulary[low] ?? '';
}

/** From `least` to `most` words, the first with a capital letter, with a comma here and there. */
export function sentence(draw: Draw, least: number, most: number): string {
  const count = least + Math.floor(draw() * (most - least + 1));
  const words = Array.from({ length: count }, (_, at) => word(draw) + (at < count - 1 && draw() < 0.08 ? ',' : ''));
  const text = words.join(' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
