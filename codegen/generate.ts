/**
 * `npm run generate`: openapi/ → generated/. Lints first and writes nothing when there is a fault; the same contract
 * always gives the same bytes. `--check` writes nothing and fails where generated/ differs from what it would write.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { operationsOf } from './contract.ts';
import { checkContract } from './lint.ts';
import { makeFiles } from './make.ts';
import { differences, writeFiles } from './output.ts';

const output = join(import.meta.dirname, '../generated');
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });

const startedAtMs = performance.now();
const { contract, pending, report } = await checkContract();
if (contract === null || report !== '') {
  console.error(report);
  console.error('\nNothing was generated.');
  process.exit(1);
}

const files = await makeFiles(contract, pending);
const seconds = (): string => ((performance.now() - startedAtMs) / 1000).toFixed(1);
if (values.check) {
  const found = await differences(output, files);
  for (const difference of found) console.error(`generated/${difference}`);
  if (found.length > 0) {
    console.error('\ngenerated/ is not what the contract says: run `npm run generate` and commit it.');
    process.exit(1);
  }
  console.log(`generated/ is what the contract says (${files.size} files, ${seconds()} s).`);
} else {
  const { written, removed } = await writeFiles(output, files);
  const count = operationsOf(contract).length;
  console.log(`${count} operations, ${pending.length} of them pending: ${files.size} files, ${written} changed, ${removed} removed (${seconds()} s).`);
}
