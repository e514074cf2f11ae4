/** Whom a text mentions: `@username` outside of code, addresses and links. Pure, and linear in the text's length. */

/** How many people one comment mentions, and so tells. */
export const mentionsOfComment = 50;

/**
 * A name as accounts have it (migrations/0003_users.ts), with nothing before it that makes it part of an address, a path
 * or a word, or escapes it; and nothing after it that makes it a longer word, another address, a package or a file.
 */
const mention = /(?<![\p{L}\p{N}_@.+\-/\\`])@([a-z0-9][a-z0-9_-]{2,29})(?![\p{L}\p{N}_@-]|[./][\p{L}\p{N}])/giu;

/** The names that a text mentions, in lower case, in the order of their first mentions; nobody says yet whether they are anybody's. */
export function namesMentioned(body: string): string[] {
  const names = [...withoutCode(body).matchAll(mention)].map(([, name = '']) => name.toLowerCase());
  return [...new Set(names)];
}

const fence = /^ {0,3}(`{3,}(?!.*`)|~{3,})/;

/** The text with a blank in place of every fenced block and code span. */
function withoutCode(body: string): string {
  const paragraphs: string[] = [];
  let lines: string[] = [];
  let open: string | null = null;
  const end = (): void => {
    if (lines.length > 0) paragraphs.push(withoutSpans(lines.join('\n')));
    lines = [];
  };
  for (const line of body.split(/\r\n|\r|\n/)) {
    if (open !== null) {
      // Closed by a line of at least as many of the same; one that is never closed goes to the end.
      const closing: string = line.trim();
      if (closing.length >= open.length && closing === open.charAt(0).repeat(closing.length)) open = null;
      continue;
    }
    open = fence.exec(line)?.[1] ?? null;
    // A code span ends with its paragraph.
    if (open !== null || line.trim() === '') end();
    else lines.push(line);
  }
  end();
  return paragraphs.join('\n\n');
}

/** A span goes from a run of backticks to the next run of as many; a run that none follows is text. */
function withoutSpans(text: string): string {
  const runs = [...text.matchAll(/`+/g)].map(({ index, 0: { length } }) => ({ index, length }));
  const next = new Map<number, number>();
  const closing = runs.map(() => -1);
  for (let at = runs.length - 1; at >= 0; at -= 1) {
    const { length } = runs[at] ?? { length: 0 };
    closing[at] = next.get(length) ?? -1;
    next.set(length, at);
  }
  let plain = '';
  let from = 0;
  for (let at = 0; at < runs.length; at += 1) {
    const [opening, closed] = [runs[at], runs[closing[at] ?? -1]];
    if (opening === undefined || closed === undefined || text.charAt(opening.index - 1) === '\\') continue;
    plain += `${text.slice(from, opening.index)} `;
    from = closed.index + closed.length;
    at = closing[at] ?? at;
  }
  return plain + text.slice(from);
}
