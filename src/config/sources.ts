import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { variables, type VariableName } from './variables.ts';

/** Reads a text file; null when there is none. Tests hand in a map instead of the disk. */
export type ReadText = (path: string) => string | null;

export const readTextFromDisk: ReadText = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null;
    throw error;
  }
};

export type RawValues = Readonly<Partial<Record<VariableName, string>>>;

/**
 * Gathers the raw text of every known variable: the process environment first, then `NAME_FILE` (Docker secrets: the
 * file's text without its last line break), then `.env` in `directory`. An empty value counts as unset, because
 * compose files pass `NAME=` for what is not set. NODE_ENV=test reads no `.env`: a developer's own settings must not
 * change what a test sees. Faults are added to `faults`.
 */
export function gatherRawValues(
  source: Readonly<Record<string, string | undefined>>,
  directory: string,
  readText: ReadText,
  faults: string[],
): RawValues {
  const dotEnvText = source['NODE_ENV'] === 'test' ? null : readText(join(directory, '.env'));
  const dotEnv: Readonly<Record<string, string | undefined>> = dotEnvText === null ? {} : parseEnv(dotEnvText);
  const values: Partial<Record<VariableName, string>> = {};
  for (const name of Object.keys(variables) as VariableName[]) {
    const own = nonEmpty(source[name]);
    const fileName = nonEmpty(source[`${name}_FILE`]) ?? (own === null ? nonEmpty(dotEnv[`${name}_FILE`]) : null);
    // LOG_FILE is a variable of its own and not the file that holds LOG.
    if (own !== null && nonEmpty(source[`${name}_FILE`]) !== null) {
      faults.push(`${name} and ${name}_FILE are both set: keep one.`);
      continue;
    }
    if (own !== null) {
      values[name] = own;
    } else if (fileName !== null) {
      const text = readText(fileName);
      if (text === null) faults.push(`${name}_FILE names a file that does not exist.`);
      else if (nonEmpty(text.replace(/\r?\n$/, '')) === null) faults.push(`${name}_FILE names a file that is empty.`);
      else values[name] = text.replace(/\r?\n$/, '');
    } else {
      const fromFile = nonEmpty(dotEnv[name]);
      if (fromFile !== null) values[name] = fromFile;
    }
  }
  return values;
}

const nonEmpty = (text: string | undefined): string | null => (text === undefined || text.trim() === '' ? null : text);
