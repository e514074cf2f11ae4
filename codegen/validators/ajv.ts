/** Ajv 2020, set up once for the generators and for the checks of examples. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { Contract } from '../contract.ts';
import { namedSchemas } from './schema.ts';

export type { Ajv2020 };

/**
 * Strict, so that a keyword Ajv would ignore fails the generation. Nothing is ever coerced by Ajv itself: it takes
 * "0x10" and " 5 " for numbers (runtime.ts coerces parameters by exact rules instead).
 */
export function newAjv(contract: Contract, options: { allErrors: boolean; fillDefaults: boolean; standalone: boolean }): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors: options.allErrors,
    useDefaults: options.fillDefaults,
    strict: true,
    allowUnionTypes: true,
    strictRequired: false,
    strictTuples: false,
    inlineRefs: false,
    ...(options.standalone ? { code: { source: true, esm: true, lines: true, optimize: 1 } } : {}),
  });
  formats.default(ajv);
  ajv.addSchema(namedSchemas(contract));
  return ajv;
}
