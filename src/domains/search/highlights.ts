/** Where the words of a search stand in a text as it was written, and the part of it that is shown. Pure. */
import type { SearchHighlight } from '#generated/sdk/types.gen.ts';
import { type Folded, fold } from './folding.ts';
import { faults, isForgiven, isShort } from './patterns.ts';

export interface Span { readonly start: number; readonly end: number }

/** In code units of the original, in their order and apart from each other. */
export function spansIn(original: string, words: readonly string[]): Span[] {
  const folded = fold(original);
  const found = words.flatMap((word) => {
    const exact = occurrences(folded, word);
    return exact.length > 0 || !isForgiven(word) ? exact : faulty(folded, word);
  });
  return joined(found.sort((a, b) => a.start - b.start || a.end - b.end));
}

function occurrences({ text, starts, ends }: Folded, word: string): Span[] {
  const spans: Span[] = [];
  const [needle, lead] = isShort(word) ? [` ${word}`, 1] : [word, 0];
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) {
    spans.push({ start: starts[at + lead] ?? 0, end: ends[at + needle.length - 1] ?? 0 });
  }
  return spans;
}

/** To the end of the word. */
function faulty({ text, starts, ends }: Folded, word: string): Span[] {
  const ways = faults(word).map((way) => way.slice(1).replace('_', '.').replace(/ $/, '(?= )'));
  return [...text.matchAll(new RegExp(`(?<= )(?:${ways.join('|')})[^ ]*`, 'gu'))].map(({ index, 0: { length } }) =>
    ({ start: starts[index] ?? 0, end: ends[index + length - 1] ?? 0 }));
}

function joined(spans: readonly Span[]): Span[] {
  const apart: Span[] = [];
  for (const span of spans) {
    const last = apart.at(-1);
    if (last !== undefined && span.start <= last.end) apart[apart.length - 1] = { start: last.start, end: Math.max(last.end, span.end) };
    else apart.push(span);
  }
  return apart;
}

/** Of an excerpt: what stands before its first match, and in all; with an ellipsis at both ends it stays below 320. */
const lead = 60;
const longest = 310;
/** How far an end is moved so that no word is cut. */
const wordsEnd = 24;

/** The part around the first match, white space made single spaces; null where nothing matches. */
export function excerptOf(body: string | null, words: readonly string[]): string | null {
  const [first] = body === null ? [] : spansIn(body, words);
  if (body === null || first === undefined) return null;
  const from = startNear(body, Math.max(0, first.start - lead), first.start);
  const to = endNear(body, Math.min(body.length, from + longest), first.end);
  const part = body.slice(from, to).replace(/\s+/gu, ' ').trim();
  return `${from > 0 ? '…' : ''}${part}${to < body.length ? '…' : ''}`;
}

function startNear(text: string, at: number, before: number): number {
  if (at === 0) return 0;
  const space = text.slice(at, Math.min(at + wordsEnd, before)).search(/\s/u);
  return space >= 0 ? at + space + 1 : wholeCharacter(text, at);
}

function endNear(text: string, at: number, after: number): number {
  if (at === text.length) return at;
  const from = Math.max(at - wordsEnd, Math.min(after, at));
  const space = text.slice(from, at).search(/\s\S*$/u);
  return space >= 0 ? from + space : wholeCharacter(text, at);
}

/** Back to where the character at a place begins, with the marks upon it. */
function wholeCharacter(text: string, at: number): number {
  let place = at;
  while (place > 0 && (/^\p{M}/u.test(text.slice(place, place + 2)) || /^[\udc00-\udfff]/.test(text.charAt(place)))) place -= 1;
  return place;
}

const mostHighlights = 50;

/** The title's first, then the excerpt's. */
export function highlightsOf(title: string | null, excerpt: string | null, words: readonly string[]): SearchHighlight[] {
  const of = (field: SearchHighlight['field'], text: string | null): SearchHighlight[] =>
    (text === null ? [] : spansIn(text, words).map((span) => ({ field, ...span })));
  return [...of('title', title), ...of('excerpt', excerpt)].slice(0, mostHighlights);
}
