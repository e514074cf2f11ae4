/**
 * `npm run contract:release`: makes the contract as it stands the one that later ones are compared with
 * (openapi/released/), along with the list of pending operations. Refuses a contract with faults or with a breaking
 * change that nobody gave a reason for, and empties codegen/breaking-allowed.json, whose entries are then history.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { allowedFile, checkBreaking, readReleased, releasedFile } from './breaking.ts';
import { operationsOf } from './contract.ts';
import { checkContract } from './lint.ts';
import { releasedPendingFile } from './pending.ts';

const { contract, pending, report } = await checkContract();
if (contract === null || report !== '') {
  console.error(report);
  console.error('\nA contract with faults is not released.');
  process.exit(1);
}
const released = await readReleased();
if (released !== null && !await checkBreaking(released, contract)) process.exit(1);

await mkdir(dirname(releasedFile), { recursive: true });
await writeFile(releasedFile, `${JSON.stringify(contract)}\n`);
await writeFile(releasedPendingFile, `${JSON.stringify(pending, null, 2)}\n`);
await writeFile(allowedFile, '[]\n');
console.log(`Released ${contract.info.version}: ${operationsOf(contract).length} operations, ${pending.length} of them pending.`);
