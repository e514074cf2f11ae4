import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

/** How long a look at an own binary may take. */
const probeTimeoutMs = 5000;

/** Where a program stands among the usual places; null where it is not installed. */
export const findProgram = (name: string): string | null => {
  for (const folder of ['/usr/bin', '/bin', '/usr/local/bin', '/usr/sbin', '/sbin']) {
    const path = join(folder, name);
    if (existsSync(path)) return path;
  }
  return null;
};

/**
 * The shared libraries a program loads, by `ldd`: what has to be bound into the sandbox for it, and nothing more.
 *
 * @returns absolute paths as the loader asks for them, or null where `ldd` cannot tell.
 */
export const librariesOf = (program: string): string[] | null => {
  const ldd = findProgram('ldd');
  if (ldd === null) return null;
  const answer = spawnSync(ldd, [realpathSync(program)], { encoding: 'utf8', timeout: probeTimeoutMs });
  if (answer.status !== 0) return null;
  const paths = new Set<string>();
  for (const line of answer.stdout.split('\n')) {
    const path = /(?:=>\s+|^\s+)(\/\S+)\s+\(0x/u.exec(line)?.[1];
    if (path !== undefined) paths.add(path);
  }
  return [...paths];
};
