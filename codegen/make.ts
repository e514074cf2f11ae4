/** Everything below generated/, made out of one bundled contract and the list of pending operations. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Contract, operationsOf } from './contract.ts';
import type { Files } from './output.ts';
import { writeSdk } from './sdk/sdk.ts';
import { writeSerializers } from './serializers/serializers.ts';
import { writeErrors } from './server/errors.ts';
import { writeHandlers } from './server/handlers.ts';
import { writeRoutes } from './server/routes.ts';
import { writeRequestValidators } from './validators/requests.ts';
import { writeResponseValidators } from './validators/responses.ts';

/** Hand-written and copied beside what uses it, since what is generated imports nothing of ours but types. */
const runtimeOf = (part: string): Promise<string> => readFile(join(import.meta.dirname, part, 'runtime.ts'), 'utf8');

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
  for (const made of [writeRequestValidators(contract, mounted, await runtimeOf('validators')), writeResponseValidators(contract, mounted)]) {
    for (const [path, text] of made) files.set(`validators/${path}`, text);
  }
  for (const [path, text] of writeSerializers(contract, mounted, await runtimeOf('serializers'))) files.set(`serializers/${path}`, text);
  return files;
}
