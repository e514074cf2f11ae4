/** generated/sdk/traits.gen.ts: what the hand-written part of the SDK must know of an operation at run time. */
import { type Contract, operationsOf } from '../contract.ts';

export function writeTraits(contract: Contract): string {
  const ids = operationsOf(contract)
    .filter(({ parameters }) => parameters.some((parameter) => parameter.in === 'header' && parameter.name === 'Idempotency-Key'))
    .map(({ id }) => `  '${id}',\n`)
    .sort();
  return `// Written by codegen/sdk/traits.ts.\n\n/** Operations that take an Idempotency-Key: a repeat under the same key does nothing twice. */\nexport const takesIdempotencyKey: ReadonlySet<string> = new Set<string>([\n${ids.join('')}]);\n`;
}
