/** How things are spelled: path words kebab-case, parameters and fields snake_case. */
import { type Contract, operationsOf } from '../contract.ts';
import type { Fault, Rule } from './fault.ts';
import { visitSchemas } from './schemas.ts';

/** As the requirements spell it. */
const pathsAsRequired = new Set(['/notifications/read_all']);
const kebab = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const snake = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;

export const pathNames: Rule = (contract) => operationsOf(contract).flatMap(({ path, pointer }): Fault[] => {
  if (pathsAsRequired.has(path)) return [];
  return path.split('/').slice(1)
    .filter((word) => !(word.startsWith('{') ? snake.test(word.slice(1, -1)) : kebab.test(word)))
    .map((word) => ({ rule: 'pathNames', pointer, message: `${word} in ${path} is not ${word.startsWith('{') ? 'snake_case' : 'kebab-case'}` }));
});

export const parameterNames: Rule = (contract) => operationsOf(contract).flatMap(({ id, pointer, parameters }): Fault[] => parameters.flatMap((parameter) => {
  if (parameter.in === 'cookie') return [{ rule: 'parameterNames', pointer, message: `${id} takes the cookie ${parameter.name}: no operation reads cookies` }];
  const isFine = parameter.in === 'header' ? /^[A-Za-z][A-Za-z0-9-]*$/.test(parameter.name) : snake.test(parameter.name);
  const faults: Fault[] = isFine ? [] : [{ rule: 'parameterNames', pointer, message: `${id} takes ${parameter.name}, which is not snake_case` }];
  const style = parameter.in === 'query' ? 'form' : 'simple';
  if (parameter.style !== undefined && parameter.style !== style) faults.push({ rule: 'parameterNames', pointer, message: `${id} takes ${parameter.name} in the style ${parameter.style}: only ${style} is read` });
  return faults;
}));

/** Shapes that others have fixed (`x-foreign-names`) keep their spelling. */
export const fieldNames: Rule = (contract: Contract) => {
  const faults: Fault[] = [];
  const foreign: string[] = [];
  visitSchemas(contract, ({ schema, pointer }) => {
    if (schema['x-foreign-names'] === true) foreign.push(pointer);
    if (foreign.some((root) => pointer === root || pointer.startsWith(`${root}/`))) return;
    for (const name of Object.keys(schema.properties ?? {})) {
      if (!snake.test(name)) faults.push({ rule: 'fieldNames', pointer: `${pointer}/properties/${name}`, message: `${name} is not snake_case` });
    }
  });
  return faults;
};
