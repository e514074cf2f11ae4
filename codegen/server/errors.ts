/** generated/server/errors.gen.ts: the error codes and the status that carries each. */
import type { Contract } from '../contract.ts';
import { banner } from '../output.ts';

export function writeErrors(contract: Contract): string {
  const schema = contract.components?.schemas?.['ErrorCode'];
  const statuses = schema?.['x-statuses'];
  if (schema?.enum === undefined || statuses === undefined) throw new Error('the contract needs a schema ErrorCode with enum and x-statuses');
  const codes = schema.enum.map(String);
  return [
    banner,
    '/** What went wrong, for a program. */',
    `export type ErrorCode =\n${codes.map((code) => `  | '${code}'`).join('\n')};\n`,
    '/** The status that carries each code. */',
    'export const errorStatuses: Readonly<Record<ErrorCode, number>> = {',
    ...codes.map((code) => `  ${code}: ${statuses[code] ?? 0},`),
    '};\n',
  ].join('\n');
}
