/** Every example and default is what its schema says: read by Ajv with the same schemas the validators are made of. */
import { type Contract, escapePointer, type Json, type Media, methods, resolve, type Schema } from '../contract.ts';
import { type Ajv2020, newAjv } from '../validators/ajv.ts';
import { forAjv } from '../validators/schema.ts';
import type { Fault, Rule } from './fault.ts';
import { visitSchemas } from './schemas.ts';

class Checker {
  readonly #contract: Contract;
  readonly #ajv: Ajv2020;
  readonly faults: Fault[] = [];

  constructor(contract: Contract) {
    this.#contract = contract;
    this.#ajv = newAjv(contract, { allErrors: true, fillDefaults: false, standalone: false });
  }

  check(schema: Schema, value: Json, pointer: string): void {
    let isValid;
    try {
      isValid = this.#ajv.compile(forAjv(this.#contract, schema));
    } catch (error) {
      this.#fault(pointer, `its schema does not compile: ${(error as Error).message}`);
      return;
    }
    if (isValid(value)) return;
    for (const { instancePath, message, params, keyword } of isValid.errors ?? []) {
      if (keyword === 'if' || keyword === 'allOf') continue;
      const detail = keyword === 'additionalProperties' ? `: ${String(params['additionalProperty'])}` : keyword === 'enum' ? `: ${JSON.stringify(params['allowedValues'])}` : '';
      this.#fault(`${pointer}${instancePath}`, `${message ?? keyword}${detail}`);
    }
  }

  media(media: Media, pointer: string): void {
    if (media.schema === undefined) return;
    for (const [name, given] of Object.entries(media.examples ?? {})) {
      const at = given.$ref ?? `${pointer}/examples/${escapePointer(name)}`;
      const { value } = resolve(this.#contract, given);
      if (value === undefined) this.#fault(at, 'an example without a value');
      else this.check(media.schema, value, `${at}/value`);
    }
  }

  #fault(pointer: string, message: string): void {
    if (!this.faults.some((fault) => fault.pointer === pointer && fault.message === message)) this.faults.push({ rule: 'exampleValues', pointer, message });
  }
}

export const exampleValues: Rule = (contract) => {
  let checker: Checker;
  try {
    checker = new Checker(contract);
  } catch (error) {
    return [{ rule: 'exampleValues', pointer: '#/components/schemas', message: `the schemas cannot be read: ${(error as Error).message}` }];
  }
  const content = (record: Readonly<Record<string, Media>> | undefined, pointer: string): void => {
    const json = record?.['application/json'];
    if (json !== undefined) checker.media(json, `${pointer}/content/application~1json`);
  };
  for (const [part, items] of [['paths', contract.paths], ['webhooks', contract.webhooks ?? {}]] as const) {
    for (const [path, item] of Object.entries(items)) {
      for (const method of methods) {
        const operation = item[method];
        if (operation === undefined) continue;
        const at = `#/${part}/${escapePointer(path)}/${method}`;
        if (operation.requestBody !== undefined) content(resolve(contract, operation.requestBody).content, `${at}/requestBody`);
        for (const [status, answer] of Object.entries(operation.responses ?? {})) if (answer.$ref === undefined) content(answer.content, `${at}/responses/${status}`);
      }
    }
  }
  for (const [name, answer] of Object.entries(contract.components?.responses ?? {})) content(answer.content, `#/components/responses/${name}`);
  visitSchemas(contract, ({ schema, pointer }) => {
    (schema.examples ?? []).forEach((value, index) => { checker.check(schema, value, `${pointer}/examples/${index}`); });
    if (schema.default !== undefined) checker.check(schema, schema.default, `${pointer}/default`);
  });
  return checker.faults;
};
