import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type { Definition } from './definition.ts';
import { Secret } from './secret.ts';

/** What came of one value: the typed value, or the fault as the end of a sentence that begins with the name. */
export type Parsed = { readonly value: unknown } | { readonly fault: string };

const on = new Set(['on', 'true', 'yes', '1']);
const off = new Set(['off', 'false', 'no', '0']);

/** Turns one variable's text into its typed value. A fault never repeats the text: it may be a secret put in the wrong place. */
export function parseValue(definition: Definition, text: string, directory: string): Parsed {
  switch (definition.kind) {
    case 'text':
      return { value: text };
    case 'path':
      return { value: resolve(directory, text) };
    case 'url':
      return parseUrl(text, definition.protocols);
    case 'integer': {
      const number = /^\d{1,15}$/.test(text.trim()) ? Number(text) : NaN;
      return number >= definition.minimum && number <= definition.maximum
        ? { value: number }
        : { fault: `must be a whole number from ${definition.minimum} to ${definition.maximum}` };
    }
    case 'switch': {
      const word = text.trim().toLowerCase();
      if (on.has(word)) return { value: true };
      return off.has(word) ? { value: false } : { fault: 'must be on or off' };
    }
    case 'choice':
      return definition.choices.includes(text.trim())
        ? { value: text.trim() }
        : { fault: `must be one of ${definition.choices.join(', ')}` };
    case 'list': {
      const items = text.split(',').map((item) => item.trim()).filter((item) => item !== '');
      return items.length <= definition.maxItems
        ? { value: Object.freeze(items) }
        : { fault: `must have at most ${definition.maxItems} entries` };
    }
    case 'secret':
    case 'kept secret':
      if (text.length < definition.minLength) return { fault: `must have at least ${definition.minLength} characters` };
      if (definition.kind === 'kept secret' && definition.key && keyBytes(text) === null) {
        return { fault: 'must be 32 bytes in base64 or hex' };
      }
      return { value: new Secret(text) };
  }
}

function parseUrl(text: string, protocols: readonly string[]): Parsed {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !protocols.includes(url.protocol)) {
    return { fault: `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}` };
  }
  if (url.username !== '' || url.password !== '') return { fault: 'must not hold a user name or password' };
  return { value: text.replace(/\/+$/, '') };
}

/** The 32 bytes a key variable stands for, in hex, base64 or base64url; null when it is none of them. */
export function keyBytes(text: string): Buffer | null {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return null;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.length === 32 ? bytes : null;
}

/** Whether a text is a range of addresses like `10.0.0.0/8` or `fd00::/8`, and no larger than the largest private ones. */
export function isRange(text: string): boolean {
  const [, network = '', bits = ''] = /^([0-9a-f.:]+)\/(\d{1,3})$/i.exec(text) ?? [];
  const family = isIP(network);
  return family === 4 ? Number(bits) >= 8 && Number(bits) <= 32 : family === 6 && Number(bits) >= 7 && Number(bits) <= 128;
}
