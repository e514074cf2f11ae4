/**
 * The operations whose turn has not come (codegen/pending.json): in the contract, in the SDK and in the mock, but
 * neither in `Handlers` nor in `routes`. The list only shrinks: openapi/released/pending.json, written with each
 * release of the contract, is what it is compared with.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const here = import.meta.dirname;
export const pendingFile = join(here, 'pending.json');
export const releasedPendingFile = join(here, '../openapi/released/pending.json');

const readList = async (file: string): Promise<string[]> => {
  const list: unknown = JSON.parse(await readFile(file, 'utf8'));
  if (!Array.isArray(list) || !list.every((id) => typeof id === 'string')) throw new Error(`${file} must be a list of operation ids`);
  return list;
};

/** The list as it stands. */
export const readPending = (): Promise<string[]> => readList(pendingFile);

/** The list of the last release; null before the first. */
export async function readReleasedPending(): Promise<string[] | null> {
  try {
    return await readList(releasedPendingFile);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** What is wrong with a list: ids the contract does not know, ids twice, ids that the released list did not have. */
export function faultsOfPending(pending: readonly string[], operationIds: readonly string[], released: readonly string[] | null): string[] {
  const known = new Set(operationIds);
  const faults: string[] = [];
  for (const id of pending) if (!known.has(id)) faults.push(`${id} is pending and not in the contract`);
  for (const id of new Set(pending.filter((each, index) => pending.indexOf(each) !== index))) faults.push(`${id} is pending twice`);
  if (released !== null) {
    for (const id of pending) if (!released.includes(id)) faults.push(`${id} became pending: the list only shrinks`);
  }
  return faults;
}

if (import.meta.main) {
  for (const id of await readPending()) console.log(id);
}
