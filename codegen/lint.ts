/** `npm run lint:contract`: every fault of the contract, all at once. Also the first step of `npm run generate`. */
import { join } from 'node:path';
import { type Contract, operationsOf } from './contract.ts';
import { Origins, printed } from './lint/origin.ts';
import { lint } from './lint/rules.ts';
import { faultsOfPending, readPending, readReleasedPending } from './pending.ts';
import { bundle, lintByRedocly } from './redocly.ts';

export const root = join(import.meta.dirname, '../openapi/openapi.yaml');

export interface Checked {
  /** Null where the files do not come together into one document. */
  readonly contract: Contract | null;
  readonly pending: readonly string[];
  /** Empty when all is well; else everything that was found, to be printed. */
  readonly report: string;
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** Redocly's rules, our own, and the list of pending operations. */
export async function checkContract(file: string = root): Promise<Checked> {
  const [structure, bundled, origins, pending, released] = await Promise.all([
    lintByRedocly(file),
    bundle(file).catch(asError),
    Origins.read(file).catch(asError),
    readPending(),
    readReleasedPending(),
  ]);
  const contract = bundled instanceof Error ? null : bundled;
  const found: string[] = [];
  if (structure !== null) found.push(structure);
  if (bundled instanceof Error && structure === null) found.push(bundled.message);
  if (origins instanceof Error) found.push(origins.message);
  else found.push(printed([...(contract === null ? [] : lint(contract)), ...origins.faults], origins));
  if (contract !== null) found.push(...faultsOfPending(pending, operationsOf(contract).map(({ id }) => id), released).map((fault) => `codegen/pending.json  ${fault}`));
  return { contract, pending, report: found.filter((part) => part !== '').join('\n') };
}

if (import.meta.main) {
  const { contract, report } = await checkContract();
  if (report !== '') {
    console.error(report);
    console.error(`\n${report.split('\n').length} lines of faults in the contract.`);
    process.exitCode = 1;
  } else if (contract !== null) {
    console.log(`The contract is well: ${operationsOf(contract).length} operations on ${Object.keys(contract.paths).length} paths.`);
  }
}
