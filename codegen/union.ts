/**
 * How the branches of a `oneOf` are told apart. Validators and serialisers both decide first and then look at one
 * branch alone: that gives faults that point at the field in question, and picks that cannot guess wrong.
 */
import { type Contract, type Json, resolve, type Schema, typesOf } from './contract.ts';

/** The objects among the branches, by a field that is constant in each, or by a required field no other one has. */
export type Objects =
  | { readonly by: 'only'; readonly schema: Schema }
  | { readonly by: 'const'; readonly field: string; readonly cases: readonly { readonly values: readonly Json[]; readonly schema: Schema }[] }
  | { readonly by: 'presence'; readonly cases: readonly { readonly field: string; readonly schema: Schema }[] };

export interface Union {
  /** Every JSON type that some branch admits. */
  readonly types: readonly string[];
  /** The one branch of each type other than object; null itself has none. */
  readonly byType: ReadonlyMap<string, Schema>;
  readonly objects: Objects | null;
}

const constantsOf = (contract: Contract, schema: Schema, field: string): readonly Json[] | null => {
  const property = schema.properties?.[field];
  if (property === undefined || schema.required?.includes(field) !== true) return null;
  const found = resolve(contract, property);
  if (found.const !== undefined) return [found.const];
  return found.enum ?? null;
};

function tellObjectsApart(contract: Contract, branches: readonly Schema[]): Objects {
  const [only] = branches;
  if (only !== undefined && branches.length === 1) return { by: 'only', schema: only };
  const resolved = branches.map((schema) => ({ schema, fields: resolve(contract, schema) }));
  for (const field of Object.keys(resolved[0]?.fields.properties ?? {})) {
    const cases = resolved.map(({ schema, fields }) => ({ schema, values: constantsOf(contract, fields, field) }));
    const all = cases.flatMap(({ values }) => values ?? []);
    if (cases.every(({ values }) => values !== null) && new Set(all).size === all.length) {
      return { by: 'const', field, cases: cases.map(({ schema, values }) => ({ schema, values: values ?? [] })) };
    }
  }
  const cases = resolved.map(({ schema, fields }) => ({
    schema,
    field: (fields.required ?? []).find((name) => resolved.every((other) => other.fields === fields || other.fields.properties?.[name] === undefined)),
  }));
  const named = cases.flatMap(({ schema, field }) => (field === undefined ? [] : [{ schema, field }]));
  if (named.length === cases.length && resolved.every(({ fields }) => fields.additionalProperties === false)) return { by: 'presence', cases: named };
  throw new Error('its objects share no constant field and have no required field of their own, so nothing tells them apart');
}

/** Unions within unions are one union. */
const flattened = (contract: Contract, branches: readonly Schema[]): readonly Schema[] => branches.flatMap((branch) => {
  const inner = resolve(contract, branch).oneOf;
  return inner === undefined ? [branch] : flattened(contract, inner);
});

/** Throws, saying why, where two branches could take the same value. */
export function tellApart(contract: Contract, branches: readonly Schema[]): Union {
  const byType = new Map<string, Schema>();
  const objects: Schema[] = [];
  const types = new Set<string>();
  for (const branch of flattened(contract, branches)) {
    const found = resolve(contract, branch);
    const own = typesOf(found);
    if (own.length === 0) throw new Error(`a branch has no type: ${JSON.stringify(branch).slice(0, 200)}`);
    for (const type of own) {
      if (type === 'object') {
        objects.push(branch);
      } else {
        if (types.has(type) && type !== 'null') throw new Error(`two branches take ${type}`);
        if (type !== 'null') byType.set(type, own.length === 1 ? branch : { ...found, type });
      }
      types.add(type);
    }
  }
  return { types: [...types], byType, objects: objects.length === 0 ? null : tellObjectsApart(contract, objects) };
}
