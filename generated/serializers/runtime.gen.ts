// Written by `npm run generate` from openapi/. Never edit it here.
/**
 * The guards of the generated serialisers. This file is copied beside them as it is.
 *
 * Each takes the value, and the name of the field for the error; what passes is exactly of the JSON type asked for, so
 * that no object with a toJSON, no Date, no NaN and no undefined can leave as something else.
 */

/** Of the class; the value may have a field called constructor. */
const nameOf = (value: object): string => {
  const parent = Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null;
  const name = parent?.constructor?.name;
  return typeof name === 'string' ? name : 'without prototype';
};

/** A service answered what the contract does not allow. Never shown to a caller. */
export class SerializeError extends TypeError {
  constructor(field: string, wanted: string, value: unknown) {
    const found = value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value === 'object' ? `an object (${nameOf(value)})` : typeof value;
    super(`${field} must be ${wanted} and is ${found}`);
    this.name = 'SerializeError';
  }
}

/** Throws; its type lets it stand where a value is due. */
export function refuse(field: string, wanted: string, value: unknown): never {
  throw new SerializeError(field, wanted, value);
}

export const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A JSON field (`x-json`) goes out as it is. Looked at from outside alone, whatever its size: a plain object or an
 * array, as the database's driver parses jsonb, not an instance of something and nothing that names its own JSON.
 */
export function json(value: unknown, field: string): unknown {
  switch (typeof value) {
    case 'string': case 'boolean': return value;
    case 'number': return Number.isFinite(value) ? value : refuse(field, 'JSON', value);
    case 'object': {
      if (value === null) return value;
      const parent: unknown = Object.getPrototypeOf(value);
      const isPlain = Array.isArray(value) || parent === Object.prototype || parent === null;
      return isPlain && typeof (value as { toJSON?: unknown }).toJSON !== 'function' ? value : refuse(field, 'JSON', value);
    }
    default: return refuse(field, 'JSON', value);
  }
}

/** A map: any name, each value picked. Without a prototype, so that a name like __proto__ is a name. */
export function map(value: unknown, field: string, pick: (value: unknown) => unknown): Record<string, unknown> {
  if (!isObject(value)) return refuse(field, 'an object', value);
  const picked = Object.create(null) as Record<string, unknown>;
  for (const name of Object.keys(value)) picked[name] = pick(value[name]);
  return picked;
}

export function list(value: unknown, field: string, pick: (value: unknown) => unknown): unknown[] {
  if (!Array.isArray(value)) return refuse(field, 'an array', value);
  const picked = new Array<unknown>(value.length);
  for (let index = 0; index < value.length; index += 1) picked[index] = pick(value[index]);
  return picked;
}

/** The envelope of a success around data that have been picked. */
export const envelope = (picked: unknown): string => `{"ok":true,"data":${JSON.stringify(picked)},"error":null}`;
