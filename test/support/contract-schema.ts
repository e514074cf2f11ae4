import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/** Judges a value by a schema of the contract: for answers that are no JSON of ours, which no generated validator sees. */
export function schemaNamed(name: string): ValidateFunction {
  const document = JSON.parse(readFileSync(new URL('../../generated/openapi.json', import.meta.url), 'utf8')) as object;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(document, 'contract');
  return ajv.compile({ $ref: `contract#/components/schemas/${name}` });
}
