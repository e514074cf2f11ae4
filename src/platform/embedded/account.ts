import { lstatSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The account a service runs as when we are root: PostgreSQL refuses root. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Null for an ordinary user: services then run as whoever we are. For root: `nobody`, or another account without
 * rights. It must stand in /etc/passwd, since initdb looks its own user up.
 */
export function serviceAccount(): Account | null {
  if (process.getuid?.() !== 0) return null;
  const accounts = readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':'));
  for (const name of ['nobody', 'daemon', 'postgres']) {
    const entry = accounts.find((fields) => fields[0] === name);
    const uid = Number(entry?.[2]);
    const gid = Number(entry?.[3]);
    if (entry !== undefined && uid > 0 && gid > 0) return { name, uid, gid };
  }
  throw new Error('PostgreSQL does not run as root, and there is no account such as nobody to run it as. Start as an ordinary user, or set DATABASE_URL.');
}

/** Whether the account can get through every folder above and into `path`, as its permission bits say. */
export function canReach(path: string, account: Account): boolean {
  for (let folder = path; ; folder = dirname(folder)) {
    const entry = statSync(folder, { throwIfNoEntry: false });
    if (entry !== undefined) {
      const needed = entry.uid === account.uid ? 0o100 : entry.gid === account.gid ? 0o010 : 0o001;
      if ((entry.mode & needed) === 0) return false;
    }
    if (folder === dirname(folder)) return true;
  }
}

/**
 * A folder of root's that every account can reach, for what an unprivileged account must reach when the project lies
 * somewhere closed (under /root, say). Never one that somebody else made or may write to: the account would run
 * programs out of it.
 */
export function reachableFolder(account: Account): string {
  for (const folder of ['/var/lib/hivesync', '/var/tmp/hivesync-root', '/tmp/hivesync-root']) {
    try {
      mkdirSync(folder, { mode: 0o755, recursive: folder === '/var/lib/hivesync' });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : null;
      if (code !== 'EEXIST') continue;
    }
    const entry = lstatSync(folder);
    if (entry.isDirectory() && entry.uid === 0 && (entry.mode & 0o022) === 0 && canReach(join(folder, '.'), account)) return folder;
  }
  throw new Error(`No folder can be made that the account ${account.name} reaches. Move the project out of closed folders, or set DATABASE_URL.`);
}
