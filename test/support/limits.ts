/** Bursts over several API processes, and what came of them. */
import { windowKey } from '#platform/request-windows.ts';
import { note } from './operations.ts';
import type { System } from './system.ts';

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly error: { readonly code: string; readonly message: string; readonly details: unknown } | null;
  readonly data: Readonly<Record<string, unknown>> | null;
}

export interface Ask {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** As a proxy in front of the API writes it. */
  readonly forwardedFor?: string;
}

/** One request to one of the APIs, by their turn. */
export async function send(system: System, api: number, { method = 'GET', path, headers = {}, json, forwardedFor }: Ask): Promise<Answered> {
  const answer = await fetch(`${system.urlOf(api)}/api/v1${path}`, {
    method, signal: AbortSignal.timeout(30_000),
    headers: {
      ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...(forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }), ...headers,
    },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  note(method, `/api/v1${path.split('?', 1)[0] ?? ''}`, answer.status);
  if (answer.headers.get('content-type')?.startsWith('application/json') !== true) {
    await answer.body?.cancel();
    return { status: answer.status, headers: answer.headers, error: null, data: null };
  }
  const { error, data } = await answer.json() as Pick<Answered, 'error' | 'data'>;
  return { status: answer.status, headers: answer.headers, error, data };
}

/** Sends all at once, every second one to the other API. */
export const burst = (system: System, asks: readonly Ask[]): Promise<Answered[]> =>
  Promise.all(asks.map((ask, index) => send(system, index % 2, ask)));

export const times = (count: number, ask: (index: number) => Ask): Ask[] => Array.from({ length: count }, (_, index) => ask(index));

/** How many were not refused by a limit. */
export const passed = (answers: readonly Answered[]): number => answers.filter(({ status }) => status !== 429).length;

/** How many came with each status. */
export function statuses(answers: readonly Answered[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** The different refusals there were. */
export const refusals = (answers: readonly Answered[]): unknown[] =>
  [...new Set(answers.flatMap(({ status, error }) => (status === 429 || status === 402 ? [JSON.stringify(error?.details)] : [])))].map((text) => JSON.parse(text) as unknown);

/** Begins a window anew, as if its minute had gone by. */
export async function emptyWindow(system: System, subject: string, name: string): Promise<void> {
  await system.redis.del(windowKey(subject, name));
}
