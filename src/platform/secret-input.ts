/** How a command is given a secret: typed at a terminal that does not show it, or read from standard input. Never an argument. */
import type { Readable } from 'node:stream';

/** A terminal, as far as it matters here. */
export interface Terminal extends Readable {
  setRawMode(isRaw: boolean): unknown;
}

/** More than any secret we take. */
const maxBytes = 4_096;

/** Thrown when the person at the terminal breaks off (Ctrl-C, Ctrl-D). */
export class InputAborted extends Error {
  constructor() {
    super('Broken off.');
    this.name = 'InputAborted';
  }
}

/** Asks at the terminal; what is typed is not shown. Backspace takes a character back, Ctrl-U all of them. */
export async function askSecret(question: string, terminal: Terminal, say: (text: string) => void): Promise<string> {
  say(question);
  terminal.setRawMode(true);
  terminal.setEncoding('utf8');
  let typed: string[] = [];
  let onData = (_text: string): void => undefined;
  let onEnd = (): void => undefined;
  try {
    return await new Promise((resolve, reject) => {
      onEnd = () => reject(new InputAborted());
      onData = (text) => {
        for (const character of text) {
          if (character === '\r' || character === '\n') return resolve(typed.join(''));
          if (character === '\u0003' || character === '\u0004') return onEnd();
          if (character === '\u007f' || character === '\b') typed.pop();
          else if (character === '\u0015') typed = [];
          else if (character >= ' ' && typed.length < maxBytes) typed.push(character);
        }
      };
      terminal.on('data', onData);
      terminal.once('end', onEnd);
      // One that was asked before stands still since.
      terminal.resume();
    });
  } finally {
    terminal.off('data', onData);
    terminal.off('end', onEnd);
    terminal.setRawMode(false);
    terminal.pause();
    say('\n');
  }
}

/** The one line that standard input holds, without its end; null where it holds none, more than one, or too much. */
export async function readSecret(input: Readable): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    const part = Buffer.from(chunk as Uint8Array);
    chunks.push(part);
    bytes += part.length;
    if (bytes > maxBytes) return null;
  }
  const text = Buffer.concat(chunks).toString('utf8').replace(/\r?\n$/, '');
  return text === '' || /[\r\n]/.test(text) ? null : text;
}
