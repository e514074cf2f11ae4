import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The secrets a development machine makes for itself, kept in `<dataDir>/secrets.json` (mode 0600) so that a restart
 * signs nobody out. Missing ones are made at first use, 32 random bytes each. Several processes may come at once: the
 * file is put in place by `link`, which never replaces, so all of them end up with the same values.
 */
export function keptSecrets(dataDir: string, names: readonly string[]): Readonly<Record<string, string>> {
  const path = join(dataDir, 'secrets.json');
  mkdirSync(dataDir, { recursive: true, mode: 0o755 });
  // Each round either finds every name, or puts a more complete file in place; a lost race is one more round.
  for (let round = 0; round < 20; round += 1) {
    const text = readIfThere(path);
    const known = text === null ? {} : readSecrets(text, path);
    const missing = names.filter((name) => known[name] === undefined);
    if (missing.length === 0) return known;
    const complete = { ...known };
    for (const name of missing) complete[name] = randomBytes(32).toString('base64url');
    putInPlace(path, text, `${JSON.stringify(complete, null, 2)}\n`);
  }
  throw new Error(`Could not write ${path}: another process keeps changing it.`);
}

function putInPlace(path: string, before: string | null, after: string): void {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(draft, after, { mode: 0o600, flag: 'wx' });
  try {
    // A file that lacks a name (written by an older version) gives way; whoever is second finds `link` refused.
    if (before !== null && readIfThere(path) === before) rmSync(path, { force: true });
    linkSync(draft, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

function readSecrets(text: string, path: string): Record<string, string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error(`${path} is not JSON. Repair it, or remove it to have new secrets made (everyone is signed out then).`);
  }
  const secrets: Record<string, string> = {};
  if (typeof parsed === 'object' && parsed !== null) {
    for (const [name, value] of Object.entries(parsed)) if (typeof value === 'string') secrets[name] = value;
  }
  return secrets;
}
