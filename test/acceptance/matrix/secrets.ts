/**
 * Everything secret that went over the wire, remembered so that it can be looked for where it must not be: in log lines,
 * and in whatever the database holds.
 */
const named = new Set([
  'password', 'current_password', 'new_password', 'access_token', 'refresh_token', 'token', 'challenge_token', 'lease_token', 'upload_token',
  'device_code', 'user_code', 'recovery_code', 'recovery_codes', 'secret', 'key', 'node_key', 'upload_url',
]);
/** A code of an authenticator; everything else that is called `code` is a word. */
const digits = /^[0-9]{6}$/;
const word = /[A-Za-z0-9_-]{6,}/g;

export class Secrets {
  /** Looked for as whole words, which takes one pass however many there are. */
  readonly #words = new Map<string, string>();
  /** Looked for as they are: codes in quotes, passwords of several words. */
  readonly #texts = new Map<string, string>();

  /** Remembers what a request or an answer says that is secret. `name` is the field's. */
  hear(value: unknown, name = ''): void {
    if (typeof value === 'string') {
      if (named.has(name)) this.add(value, name);
      else if (name === 'code' && digits.test(value)) this.#texts.set(`"${value}"`, 'code');
    } else if (Array.isArray(value)) {
      for (const one of value as unknown[]) this.hear(one, name);
    } else if (typeof value === 'object' && value !== null) {
      for (const [field, inner] of Object.entries(value)) this.hear(inner, field);
    }
  }

  add(value: string, name: string): void {
    if (value.includes(' ')) this.#texts.set(value, name);
    else {
      // Of what has several parts (a JWT, a signed URL) the last long one: the signature.
      const last = (value.match(word) ?? []).filter((part) => part === value || part.length >= 16).at(-1);
      if (last !== undefined) this.#words.set(last, name);
    }
  }

  /** What of it stands in a text, by the names of the fields it came in. */
  foundIn(text: string): string[] {
    const found = new Set<string>();
    for (const [part] of text.matchAll(word)) {
      const name = this.#words.get(part);
      if (name !== undefined) found.add(name);
    }
    for (const [part, name] of this.#texts) if (text.includes(part)) found.add(name);
    return [...found].sort();
  }

  get size(): number {
    return this.#words.size + this.#texts.size;
  }
}
