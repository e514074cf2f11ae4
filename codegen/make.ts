/** Everything below generated/, made out of one bundled contract and the list of pending operations. */
import { type Contract, operationsOf } from './contract.ts';
import type { Files } from './output.ts';
import { writeSdk } from './sdk/sdk.ts';
import { writeErrors } from './server/errors.ts';
import { writeHandlers } from './server/handlers.ts';
import { writeRoutes } from './server/routes.ts';

export async function makeFiles(contract: Contract, pendingIds: readonly string[]): Promise<Files> {
  const operations = operationsOf(contract);
  const waits = new Set(pendingIds);
  const mounted = operations.filter(({ id }) => !waits.has(id));
  const pending = operations.filter(({ id }) => waits.has(id));

  const files: Files = new Map();
  files.set('openapi.json', `${JSON.stringify(contract, null, 2)}\n`);
  for (const [path, text] of await writeSdk(contract)) files.set(`sdk/${path}`, text);
  files.set('server/errors.gen.ts', writeErrors(contract));
  files.set('server/handlers.gen.ts', writeHandlers(contract, mounted, pending));
  files.set('server/routes.gen.ts', writeRoutes(contract, mounted, pending));
  return files;
}
