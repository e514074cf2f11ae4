import type { Secret } from '#config/environment.ts';

/** Names whose values never reach the log, whatever they hold. */
const secretName = /pass(word|phrase|wd)|secret|token|authorization|cookie|api_?key|access_?key|private_?key|signature|credential/i;

const struck = '[redacted]';
const maxDepth = 6;
const maxKeys = 64;
const maxItems = 32;
const maxTextLength = 4_000;

/**
 * Strikes out what looks like a secret inside a text: user info, query and fragment of URLs; the query of a path;
 * bearer tokens; JSON Web Tokens; our API keys and webhook secrets.
 */
export function redactText(text: string): string {
  const bounded = text.length > maxTextLength ? `${text.slice(0, maxTextLength)}… (${text.length} characters)` : text;
  // Each pattern is tried only where its own mark is there: most texts hold none, and looking costs a tenth of replacing.
  let clean = bounded;
  if (clean.includes('://')) {
    clean = clean
      .replace(/\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@"'<>]*@/gi, '$1')
      .replace(/\b([a-z][a-z0-9+.-]{1,20}:\/\/[^\s"'<>?#]*)[?#][^\s"'<>]*/gi, '$1');
  }
  if (clean.includes('?')) clean = clean.replace(/(^|[\s"'(])(\/[^\s"'<>?]*)\?[^\s"'<>]*/g, '$1$2');
  if (/bearer/i.test(clean)) clean = clean.replace(/\bbearer\s+[^\s"',]+/gi, `Bearer ${struck}`);
  if (clean.includes('eyJ')) clean = clean.replace(/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g, struck);
  if (clean.includes('hsk_') || clean.includes('whsec_')) clean = clean.replace(/\b(hsk_|whsec_)[A-Za-z0-9+/=_-]{8,}/g, struck);
  return clean;
}

/**
 * A copy of `value` that is safe and small enough to be logged: texts by `redactText`, secret names struck out,
 * errors as name, message, code, stack and cause, depth and size bounded. Never throws, whatever it is given.
 */
export function loggable(value: unknown, depth = 0): unknown {
  switch (typeof value) {
    case 'string': return redactText(value);
    case 'number': return Number.isFinite(value) ? value : String(value);
    case 'boolean': return value;
    case 'undefined': return undefined;
    case 'bigint': return value.toString();
    case 'symbol':
    case 'function': return `[${typeof value}]`;
    case 'object': return value === null ? null : loggableObject(value, depth);
  }
}

function loggableObject(value: object, depth: number): unknown {
  if (depth >= maxDepth) return '[deeper]';
  if (value instanceof Error) return loggableError(value, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof URL) return redactText(value.href);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) {
    const items: unknown[] = value.slice(0, maxItems).map((item) => loggable(item, depth + 1));
    return value.length > maxItems ? [...items, `… (${value.length} items)`] : items;
  }
  if (value instanceof Map || value instanceof Set) return loggableObject([...value], depth);
  if ('reveal' in value) return '[secret]';
  const entries = Object.entries(value);
  const copy: Record<string, unknown> = {};
  for (const [name, inner] of entries.slice(0, maxKeys)) {
    copy[name] = secretName.test(name) && inner !== null && typeof inner !== 'number' && typeof inner !== 'boolean'
      ? struck
      : loggable(inner, depth + 1);
  }
  if (entries.length > maxKeys) copy['…'] = `${entries.length} fields`;
  return copy;
}

/** `detail` and `where` of a database error hold row values ("Key (email)=(…)"), so they are left out. */
function loggableError(error: Error, depth: number): Record<string, unknown> {
  const more = error as Error & { code?: unknown; internal?: unknown; constraint?: unknown; errors?: unknown };
  return {
    name: error.name,
    message: redactText(error.message),
    ...(more.code === undefined ? {} : { code: loggable(more.code, depth + 1) }),
    ...(typeof more.internal === 'string' ? { internal: redactText(more.internal) } : {}),
    ...(typeof more.constraint === 'string' ? { constraint: more.constraint } : {}),
    ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
    ...(Array.isArray(more.errors) ? { errors: loggable(more.errors, depth + 1) } : {}),
    ...(error.cause === undefined ? {} : { cause: loggable(error.cause, depth + 1) }),
  };
}

/**
 * The last wall: strikes every known secret's own text out of a finished line, however it got there. Secrets shorter
 * than eight characters are passed over: striking "dev" out of every line would hide more than it protects.
 */
export function strikeSecrets(secrets: readonly Secret[]): (line: string) => string {
  const texts = new Set<string>();
  for (const secret of secrets) {
    const value = secret.reveal();
    if (value.length < 8) continue;
    for (const form of [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value), Buffer.from(value).toString('base64')]) {
      texts.add(form);
    }
  }
  const all = [...texts];
  return (line) => {
    let clean = line;
    for (const text of all) if (clean.includes(text)) clean = clean.replaceAll(text, struck);
    return clean;
  };
}
