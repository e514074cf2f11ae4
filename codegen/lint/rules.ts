/** Every rule of the contract's own; what redocly checks beside them is in redocly.yaml. */
import type { Contract } from '../contract.ts';
import { envelopes, examples, locations, statuses } from './answers.ts';
import { exampleValues } from './example-values.ts';
import type { Fault, Rule } from './fault.ts';
import { fieldNames, parameterNames, pathNames } from './names.ts';
import { auth, emptyPaths, extensions, otherTraits, policy, rateLimit, uniqueIds, words } from './operations.ts';
import { bounds, closedness, defaults, errorCodes, language, requiredFields, schemaNames, unions, uniqueItems } from './shapes.ts';

export const rules: Readonly<Record<string, Rule>> = {
  words, uniqueIds, emptyPaths, auth, rateLimit, policy, otherTraits, extensions,
  statuses, envelopes, examples, locations,
  language, bounds, closedness, requiredFields, schemaNames, unions, uniqueItems, defaults, errorCodes,
  pathNames, parameterNames, fieldNames,
  exampleValues,
};

export const lint = (contract: Contract): readonly Fault[] => Object.values(rules).flatMap((rule) => rule(contract));
