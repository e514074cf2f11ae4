/** Every schema of the contract, wherever it stands, each once. */
import { type Contract, escapePointer, type Header, type Media, methods, type Parameter, type Schema } from '../contract.ts';

export interface Place {
  readonly schema: Schema;
  readonly pointer: string;
  /** The media type it describes the whole body of; null for every other schema. */
  readonly media: string | null;
}

type Visit = (place: Place) => void;

/** The schema and everything below it. */
export function visitBelow(schema: Schema, pointer: string, visit: Visit, media: string | null = null): void {
  visit({ schema, pointer, media });
  for (const [name, field] of Object.entries(schema.properties ?? {})) visitBelow(field, `${pointer}/properties/${escapePointer(name)}`, visit);
  if (schema.items !== undefined) visitBelow(schema.items, `${pointer}/items`, visit);
  if (schema.propertyNames !== undefined) visitBelow(schema.propertyNames, `${pointer}/propertyNames`, visit);
  if (typeof schema.additionalProperties === 'object') visitBelow(schema.additionalProperties, `${pointer}/additionalProperties`, visit);
  (schema.oneOf ?? []).forEach((branch, index) => { visitBelow(branch, `${pointer}/oneOf/${index}`, visit); });
  (schema.anyOf ?? []).forEach((branch, index) => { visitBelow(branch, `${pointer}/anyOf/${index}`, visit); });
}

function visitContent(content: Readonly<Record<string, Media>> | undefined, pointer: string, visit: Visit): void {
  for (const [type, media] of Object.entries(content ?? {})) {
    if (media.schema !== undefined) visitBelow(media.schema, `${pointer}/content/${escapePointer(type)}/schema`, visit, type);
  }
}

function visitHolders(holders: readonly (readonly [string, Parameter | Header])[], visit: Visit): void {
  for (const [pointer, { schema }] of holders) if (schema !== undefined) visitBelow(schema, `${pointer}/schema`, visit);
}

const under = <T>(record: Readonly<Record<string, T>> | undefined, pointer: string): (readonly [string, T])[] =>
  Object.entries(record ?? {}).map(([name, value]) => [`${pointer}/${escapePointer(name)}`, value] as const);

export function visitSchemas(contract: Contract, visit: Visit): void {
  const { components } = contract;
  for (const [pointer, schema] of under(components?.schemas, '#/components/schemas')) visitBelow(schema, pointer, visit);
  visitHolders(under(components?.parameters, '#/components/parameters'), visit);
  visitHolders(under(components?.headers, '#/components/headers'), visit);
  for (const [pointer, answer] of under(components?.responses, '#/components/responses')) {
    visitContent(answer.content, pointer, visit);
    visitHolders(under(answer.headers, `${pointer}/headers`), visit);
  }
  for (const [pointer, item] of [...under(contract.paths, '#/paths'), ...under(contract.webhooks, '#/webhooks')]) {
    visitHolders((item.parameters ?? []).map((parameter, index) => [`${pointer}/parameters/${index}`, parameter] as const), visit);
    for (const method of methods) {
      const operation = item[method];
      if (operation === undefined) continue;
      const at = `${pointer}/${method}`;
      visitHolders((operation.parameters ?? []).map((parameter, index) => [`${at}/parameters/${index}`, parameter] as const), visit);
      visitContent(operation.requestBody?.content, `${at}/requestBody`, visit);
      for (const [place, answer] of under(operation.responses, `${at}/responses`)) {
        visitContent(answer.content, place, visit);
        visitHolders(under(answer.headers, `${place}/headers`), visit);
      }
    }
  }
}
