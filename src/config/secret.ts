import { inspect } from 'node:util';

const hidden = '[secret]';

/**
 * A value that must not be printed. Every ordinary way to turn it into text (template, JSON, console, inspect) gives
 * `[secret]`; only `reveal()` gives the value, so a search for `.reveal(` lists every place that handles one.
 */
export class Secret {
  readonly #value: string | null;
  readonly #name: string;

  constructor(value: string | null, name = 'This secret') {
    this.#value = value;
    this.#name = name;
  }

  /** What stands for a secret that this process is not given and must not use: revealing it throws, naming it. */
  static absent(name: string): Secret {
    return new Secret(null, name);
  }

  get isAbsent(): boolean {
    return this.#value === null;
  }

  /** The value itself. Never put it into a log, an error or a URL that is logged. */
  reveal(): string {
    if (this.#value === null) throw new Error(`${this.#name} is not set for this process.`);
    return this.#value;
  }

  toString(): string {
    return hidden;
  }

  toJSON(): string {
    return hidden;
  }

  [inspect.custom](): string {
    return hidden;
  }
}
