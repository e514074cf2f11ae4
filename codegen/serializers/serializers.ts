/** generated/serializers: for each operation and JSON success, a function from the envelope's `data` to the whole text. */
import { type Contract, dataOf, isSuccess, kindOf, type Operation } from '../contract.ts';
import { banner, type Files } from '../output.ts';
import { Picks } from './picks.ts';

export function writeSerializers(contract: Contract, operations: readonly Operation[], runtime: string): Files {
  const picks = new Picks(contract);
  const rows = operations.map((operation) => {
    const cells = [...operation.answers]
      .filter(([status, answer]) => isSuccess(status) && kindOf(answer) === 'json')
      .sort(([a], [b]) => a - b)
      .map(([status, answer]) => `${status}: (o) => envelope(${picks.pick(dataOf(answer), 'o', `${operation.id}.${status}`, `${operation.id}_${status}`)})`);
    return `  ${operation.id}: { ${cells.join(', ')} },`;
  });
  return new Map([
    ['runtime.gen.ts', banner + runtime],
    ['serializers.gen.js', [
      banner,
      `import { ${[...picks.used].sort().join(', ')} } from './runtime.gen.ts';\n`,
      ...picks.functions(),
      '',
      'export const serializers = {',
      ...rows,
      '};\n',
    ].join('\n')],
    ['serializers.gen.d.ts', [
      banner,
      "import type { OperationId } from '../server/handlers.gen.ts';\n",
      '/**',
      ' * The text of a whole success answer, by operation and documented status, out of the envelope\'s `data`. Only what the',
      ' * contract names is in it. Throws SerializeError (runtime.gen.ts) where a required field is missing or a leaf is not',
      ' * of its type.',
      ' */',
      'export declare const serializers: Readonly<Record<OperationId, Readonly<Record<number, (data: unknown) => string>>>>;\n',
    ].join('\n')],
  ]);
}
