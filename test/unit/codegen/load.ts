/** Runs the generators over a contract and loads what they wrote, from a folder inside the project (for its packages). */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Contract, operationsOf } from '../../../codegen/contract.ts';
import { type Files, writeFiles } from '../../../codegen/output.ts';
import { writeSerializers } from '../../../codegen/serializers/serializers.ts';
import { writeRequestValidators } from '../../../codegen/validators/requests.ts';
import { writeResponseValidators } from '../../../codegen/validators/responses.ts';
import type { Compiled, Validator } from '../../../codegen/validators/runtime.ts';

const project = join(import.meta.dirname, '../../..');
const runtimeOf = (part: string): Promise<string> => readFile(join(project, 'codegen', part, 'runtime.ts'), 'utf8');

export type Serializers = Readonly<Record<string, Readonly<Record<number, (data: unknown) => string>> | undefined>>;
export type RequestValidators = Readonly<Record<string, Readonly<Partial<Record<'path' | 'query' | 'headers' | 'body', Validator>>> | undefined>>;
export type ResponseValidators = Readonly<Record<string, Readonly<Record<number, Compiled>> | undefined>>;

async function load(files: Files, module: string): Promise<Record<string, unknown>> {
  const parent = join(project, '.hivesync');
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, 'codegen-test-'));
  try {
    await writeFiles(folder, files);
    return await import(pathToFileURL(join(folder, module)).href) as Record<string, unknown>;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const loadSerializers = async (contract: Contract): Promise<Serializers> =>
  (await load(writeSerializers(contract, operationsOf(contract), await runtimeOf('serializers')), 'serializers.gen.js'))['serializers'] as Serializers;

export const loadRequestValidators = async (contract: Contract): Promise<RequestValidators> =>
  (await load(writeRequestValidators(contract, operationsOf(contract), await runtimeOf('validators')), 'requests.gen.ts'))['validators'] as RequestValidators;

export const loadResponseValidators = async (contract: Contract): Promise<ResponseValidators> =>
  (await load(writeResponseValidators(contract, operationsOf(contract)), 'responses.gen.ts'))['responseValidators'] as ResponseValidators;
