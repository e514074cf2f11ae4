/**
 * `npm run contract:breaking`: what has changed since the last released contract (openapi/released/openapi.json) in a
 * way that breaks a client. Each such change needs an entry in codegen/breaking-allowed.json that says why.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apiCompare } from 'api-smart-diff';
import type { Contract, PathItem } from './contract.ts';
import { bundle } from './redocly.ts';

const here = import.meta.dirname;
export const allowedFile = join(here, 'breaking-allowed.json');
export const releasedFile = join(here, '../openapi/released/openapi.json');

export interface Allowed {
  /** A change as this command prints it; `*` stands for anything. */
  readonly change: string;
  readonly reason: string;
}

interface Diff {
  readonly action: string;
  readonly type: string;
  readonly path: readonly (string | number)[];
  readonly before?: unknown;
  readonly after?: unknown;
}

/** A webhook's body is what we send: to its receiver it is what an answer is to a client. */
function asAnswers(item: PathItem): PathItem {
  const { post } = item;
  if (post === undefined) return {};
  const content = post.requestBody?.content;
  return { post: { ...(post.operationId === undefined ? {} : { operationId: post.operationId }), responses: { 200: { description: '', ...(content === undefined ? {} : { content }) } } } };
}

const compared = (contract: Contract): object => structuredClone({
  openapi: contract.openapi,
  info: contract.info,
  servers: contract.servers,
  paths: {
    ...contract.paths,
    ...Object.fromEntries(Object.entries(contract.webhooks ?? {}).map(([name, item]) => [`/webhook:${name}`, asAnswers(item)])),
  },
  components: contract.components,
});

const asSet = (value: unknown): ReadonlySet<unknown> => new Set(Array.isArray(value) ? value : [value]);
const isWithin = (small: unknown, large: unknown): boolean => [...asSet(small)].every((type) => asSet(large).has(type) || (type === 'integer' && asSet(large).has('number')));

/**
 * api-smart-diff's judgement, put right where this contract knows better: a field that is gone is refused by a closed
 * request and missed in an answer, a type may widen in a request and narrow in an answer, and our extensions decide
 * who may call.
 */
function breaks({ action, type, path, before, after }: Diff): boolean {
  const last = path.at(-1);
  if (path[0] === 'servers') return last === 'url';
  // What stands under components shows again where it is used, with its direction.
  if (path[0] !== 'paths') return false;
  const inRequest = path.includes('requestBody') || path.includes('parameters');
  if (last === 'x-auth' || last === 'x-scope' || last === 'x-roles') return true;
  if (last === 'x-max-body') return action !== 'replace' || Number(after) < Number(before);
  if (action === 'remove' && path.at(-2) === 'properties') return true;
  if (action === 'replace' && last === 'type') return inRequest ? !isWithin(before, after) : !isWithin(after, before);
  return type === 'breaking';
}

const short = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};

/** One line a change: `POST /projects requestBody … maxLength: 120 → 10`. */
function described({ action, path, before, after }: Diff): string {
  const [part, name, method, ...rest] = path.map(String);
  if (part !== 'paths') return `${path.join('/')}: ${short(before)} → ${short(after)}`;
  const where = rest.filter((word) => !['content', 'application/json', 'schema'].includes(word)).join('/');
  const what = action === 'replace' ? `: ${short(before)} → ${short(after)}` : action === 'remove' ? ` removed: ${short(before)}` : ` added: ${short(after)}`;
  return `${method === undefined ? '' : `${method.toUpperCase()} `}${name ?? ''}${where === '' ? '' : ` ${where}`}${what}`;
}

/** Every change from one contract to the next that breaks a client, sorted. */
export function breakingChanges(before: Contract, after: Contract): string[] {
  const { diffs } = apiCompare(compared(before), compared(after)) as { diffs: readonly Diff[] };
  return [...new Set(diffs.filter(breaks).map(described))].sort();
}

const matches = (pattern: string, change: string): boolean =>
  new RegExp(`^${pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`).test(change);

/** Changes that no entry allows, and entries that allow nothing (they would hide the next such change). */
export function judgeChanges(changes: readonly string[], allowed: readonly Allowed[]): { refused: string[]; stale: string[]; unreasoned: string[] } {
  return {
    refused: changes.filter((change) => !allowed.some((entry) => matches(entry.change, change))),
    stale: allowed.filter((entry) => !changes.some((change) => matches(entry.change, change))).map((entry) => entry.change),
    unreasoned: allowed.filter((entry) => entry.reason.trim().length < 10).map((entry) => entry.change),
  };
}

export async function readAllowed(): Promise<Allowed[]> {
  const list: unknown = JSON.parse(await readFile(allowedFile, 'utf8'));
  const isEntry = (entry: unknown): entry is Allowed =>
    typeof entry === 'object' && entry !== null && 'change' in entry && typeof entry.change === 'string' && 'reason' in entry && typeof entry.reason === 'string';
  if (!Array.isArray(list) || !list.every(isEntry)) throw new Error(`${allowedFile} must be a list of {change, reason}`);
  return list;
}

/** The last released contract; null before the first release. */
export async function readReleased(): Promise<Contract | null> {
  try {
    return JSON.parse(await readFile(releasedFile, 'utf8')) as Contract;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Prints what is wrong; true when nothing is. */
export async function checkBreaking(released: Contract, contract: Contract): Promise<boolean> {
  const changes = breakingChanges(released, contract);
  const { refused, stale, unreasoned } = judgeChanges(changes, await readAllowed());
  for (const change of refused) console.error(`breaking  ${change}`);
  for (const change of stale) console.error(`codegen/breaking-allowed.json  allows what has not changed: ${change}`);
  for (const change of unreasoned) console.error(`codegen/breaking-allowed.json  needs a reason: ${change}`);
  if (refused.length > 0) console.error('\nEach needs an entry {change, reason} in codegen/breaking-allowed.json, or to be undone.');
  const isWell = refused.length + stale.length + unreasoned.length === 0;
  if (isWell) console.log(`No breaking change since ${released.info.version}${changes.length === 0 ? '' : ` but ${changes.length} that are allowed`}.`);
  return isWell;
}

if (import.meta.main) {
  const released = await readReleased();
  if (released === null) {
    console.error('There is no released contract to compare with: `npm run contract:release` makes the first.');
    process.exitCode = 1;
  } else if (!await checkBreaking(released, await bundle(join(here, '../openapi/openapi.yaml')))) {
    process.exitCode = 1;
  }
}
