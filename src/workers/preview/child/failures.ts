/** Turns whatever Metro, Babel or the resolver throws into the one structured answer a build may give. */
import { readFileSync } from 'node:fs';
import { NotInProject, NotInSdk, NotOnTheWeb } from './resolver.ts';
import type { BuildFailure } from './protocol.ts';

const maxMessageLength = 2000;
const maxFrameLength = 4000;
/** Longest source line shown in a code frame; minified sources have lines of megabytes. */
const maxLineLength = 160;

type Position = { line: number; column: number };

// eslint's no-control-regex does not know that a terminal colour is made of them.
const colours = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'gu');

/** Two lines before and after, the one in question marked, as people know it from Babel. */
const codeFrameOf = (source: string, { line, column }: Position): string => {
  const lines = source.split('\n');
  const first = Math.max(1, line - 2);
  const last = Math.min(lines.length, line + 2);
  const width = String(last).length;
  const shown: string[] = [];
  for (let number = first; number <= last; number += 1) {
    const text = (lines[number - 1] ?? '').replace(/\r$/u, '').slice(0, maxLineLength);
    shown.push(`${number === line ? '>' : ' '} ${String(number).padStart(width)} | ${text}`);
    if (number === line && column <= maxLineLength) shown.push(`  ${' '.repeat(width)} | ${' '.repeat(column - 1)}^`);
  }
  return shown.join('\n').slice(0, maxFrameLength);
};

/** Where a quoted specifier stands first in a source, from 1; null where it is put together by a transform. */
const positionOf = (source: string, specifier: string): Position | null => {
  for (const quote of [`'${specifier}'`, `"${specifier}"`, `\`${specifier}\``]) {
    const at = source.indexOf(quote);
    if (at === -1) continue;
    const before = source.slice(0, at).split('\n');
    return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  }
  return null;
};

const sourceOf = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Gone or unreadable: the failure is told without a code frame.
    return null;
  }
};

export const failureOf = (error: unknown, places: { src: string; sdk: string }, base: string): BuildFailure => {
  const scrub = (text: string): string =>
    text
      .replaceAll(colours, '')
      .replaceAll(`${places.src}/`, '')
      .replaceAll(`${places.sdk}/`, '')
      .replaceAll(`${base}/`, '')
      .replaceAll('../sdk/', '');

  const located = (failure: BuildFailure, path: string, position: (source: string) => Position | null): BuildFailure => {
    if (!path.startsWith(`${places.src}/`) || path === `${places.src}/_`) return failure;
    failure.file = path.slice(places.src.length + 1);
    const source = sourceOf(path);
    const found = source === null ? null : position(source);
    if (source !== null && found !== null) {
      failure.line = found.line;
      failure.column = found.column;
      failure.codeFrame = codeFrameOf(source, found);
    }
    return failure;
  };

  if (error instanceof NotInSdk || error instanceof NotOnTheWeb || error instanceof NotInProject) {
    const code = error instanceof NotInProject ? 'BUILD_ERROR' : 'UNKNOWN_IMPORT';
    const failure: BuildFailure = { code, message: error.message.slice(0, maxMessageLength), import: error.specifier };
    return located(failure, error.origin, (source) => positionOf(source, error.specifier));
  }

  const thrown = error instanceof Error ? error : new Error(String(error));
  const details = thrown as Error & { filename?: unknown; lineNumber?: unknown; column?: unknown };
  // The first line says what is wrong; what follows in Babel's messages is a code frame of its own.
  const firstLine = scrub(thrown.message).split('\n', 1)[0] ?? '';
  const failure: BuildFailure = { code: 'BUILD_ERROR', message: (firstLine === '' ? thrown.name : firstLine).slice(0, maxMessageLength) };

  // A buffer that could not be had ends in an exception, where the heap's end would end the process.
  if (/allocate memory|buffer allocation failed/iu.test(firstLine)) return { code: 'OUT_OF_MEMORY', message: 'The build needed more memory than it may use.' };

  const named = typeof details.filename === 'string' ? details.filename : /^(?:\w*Error in )?([^\s:]+\.\w+):/u.exec(firstLine)?.[1];
  if (named === undefined) return failure;
  // Metro and Babel both put the file in front; it has a field of its own.
  failure.message = failure.message.replace(/^\w*Error in /u, '').replaceAll(`${named}: `, '').replace(/\s*\(\d+:\d+\)$/u, '');
  const { lineNumber, column } = details;
  const known = typeof lineNumber === 'number' && lineNumber > 0 ? { line: lineNumber, column: typeof column === 'number' ? column + 1 : 1 } : null;
  return located(failure, `${places.src}/${named}`, () => known);
};
