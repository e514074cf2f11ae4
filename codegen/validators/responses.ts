/** Validators of whole JSON answers, for the tests: production does not load this module. */
import standalone from 'ajv/dist/standalone/index.js';
import { type Contract, type Operation, schemaName } from '../contract.ts';
import { banner, type Files } from '../output.ts';
import { newAjv } from './ajv.ts';
import { asModule } from './module.ts';
import { forAjv } from './schema.ts';

export function writeResponseValidators(contract: Contract, operations: readonly Operation[]): Files {
  const ajv = newAjv(contract, { allErrors: true, fillDefaults: false, standalone: true });
  const exported: Record<string, string> = {};
  const nameOf = (operation: Operation, status: number): string | null => {
    const schema = operation.answers.get(status)?.content?.['application/json']?.schema;
    if (schema === undefined) return null;
    // Errors share one schema: compile it once.
    const name = schema.$ref === undefined ? `${operation.id}_${status}` : `shared_${schemaName(schema.$ref)}`;
    if (exported[name] === undefined) ajv.addSchema({ $id: name, ...forAjv(contract, schema) });
    exported[name] = name;
    return name;
  };
  const rows = operations.map((operation) => {
    const cells = [...operation.answers.keys()].sort((a, b) => a - b).flatMap((status) => {
      const name = nameOf(operation, status);
      return name === null ? [] : [`${status}: responses.${name}`];
    });
    return `  ${operation.id}: { ${cells.join(', ')} },`;
  });
  const files: Files = new Map();
  asModule(files, 'responseSchemas.gen', standalone.default(ajv, exported), Object.keys(exported));
  files.set('responses.gen.ts', [
    banner,
    "import type { OperationId } from '../server/handlers.gen.ts';",
    "import * as responses from './responseSchemas.gen.js';",
    "import type { Compiled } from './runtime.gen.ts';\n",
    '/** By operation and documented status, over the whole envelope; a status whose body is not JSON has none. */',
    'export const responseValidators: Readonly<Record<OperationId, Readonly<Record<number, Compiled>>>> = {',
    ...rows,
    '};\n',
  ].join('\n'));
  return files;
}
