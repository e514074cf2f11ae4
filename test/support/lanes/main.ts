/**
 * `npm test`: every file of tests, in lanes beside each other (TEST_LANES; as many as there are processors). Arguments
 * are mocha's: with any, mocha runs what they name, in one process.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inRounds } from './order.ts';
import { runInLanes } from './run.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = join(root, 'test');
const named = process.argv.slice(2);

if (named.length > 0) {
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules/mocha/bin/mocha.js'), ...named], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} else {
  const count = Number(process.env['TEST_LANES'] ?? availableParallelism());
  const failures = await runInLanes(folder, inRounds(globSync('**/*.test.ts', { cwd: folder })), count);
  process.exitCode = failures === 0 ? 0 : 1;
}
