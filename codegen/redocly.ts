/** Redocly's own rules and its bundler, run as the command they are (0.4 s and 0.25 s on the whole contract). */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Contract } from './contract.ts';

const require = createRequire(import.meta.url);
const command = join(dirname(require.resolve('@redocly/cli/package.json')), 'bin/cli.js');
const config = join(import.meta.dirname, '../redocly.yaml');
const deadlineMs = 60_000;

interface Ran { readonly failed: boolean; readonly output: string }

function redocly(args: readonly string[]): Promise<Ran> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      [command, ...args, '--config', config],
      {
        timeout: deadlineMs,
        maxBuffer: 32 * 1024 * 1024,
        env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', NO_COLOR: '1' },
      },
      (error, stdout, stderr) => { done({ failed: error !== null, output: `${stdout}\n${stderr}`.trim() }); },
    );
  });
}

/** Redocly's findings as text; null when it found no error. */
export async function lintByRedocly(root: string): Promise<string | null> {
  const { failed, output } = await redocly(['lint', root, '--format', 'stylish']);
  return failed ? output : null;
}

/** One document out of the many; throws with redocly's words where a reference leads nowhere or two schemas share a name. */
export async function bundle(root: string): Promise<Contract> {
  const folder = await mkdtemp(join(tmpdir(), 'contract-'));
  try {
    const file = join(folder, 'openapi.json');
    const { failed, output } = await redocly(['bundle', root, '--output', file, '--component-renaming-conflicts-severity', 'error']);
    if (failed) throw new Error(`the contract could not be bundled:\n${output}`);
    return JSON.parse(await readFile(file, 'utf8')) as Contract;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
