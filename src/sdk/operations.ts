/** Every operation of the contract as a method that answers its data and throws `HiveSyncError`. */
import * as generated from '#generated/sdk/sdk.gen.ts';
import { takesIdempotencyKey } from '#generated/sdk/traits.gen.ts';
import type { Client } from '#generated/sdk/client/index.ts';

export interface CallOptions {
  /** Breaks the call off. */
  readonly signal?: AbortSignal;
  /** In place of the client's. */
  readonly timeoutMs?: number;
  /** In place of one made for this call: the same key repeated later, in another process too, does nothing twice. */
  readonly idempotencyKey?: string;
}

type Generated = typeof generated;
type OperationId = { [Id in keyof Generated]: Generated[Id] extends (...args: never[]) => unknown ? Id : never }[keyof Generated];

/** What a caller gives: path, query, headers and body, without what the SDK fills in itself. */
type Input<F> = F extends (options: infer O) => unknown ? Pick<NonNullable<O>, Extract<'path' | 'query' | 'headers' | 'body', keyof NonNullable<O>>> : never;
type Required<O> = { [K in keyof O as undefined extends O[K] ? never : K]: O[K] };

type Answered<F> = F extends (...args: never[]) => Promise<infer R> ? (R extends { data: infer D } ? Exclude<D, undefined> : never) : never;
/** JSON answers come in the envelope; files, exports and pages do not. */
type Unwrapped<A> = A extends { ok: true; data: infer D } ? D : A;
/** Operations that answer an event stream have `events` of the client instead. */
type IsStream<F> = F extends (...args: never[]) => Promise<{ stream: unknown }> ? true : false;

type Bound<F> = object extends Required<Input<F>>
  ? (input?: Input<F>, options?: CallOptions) => Promise<Unwrapped<Answered<F>>>
  : (input: Input<F>, options?: CallOptions) => Promise<Unwrapped<Answered<F>>>;

export type Operations = { readonly [Id in OperationId as IsStream<Generated[Id]> extends true ? never : Id]: Bound<Generated[Id]> };

type AnyOperation = (options: Record<string, unknown>) => Promise<{ readonly data: unknown }>;

const isEnvelope = (value: unknown): value is { readonly data: unknown } =>
  typeof value === 'object' && value !== null && 'ok' in value && 'data' in value && 'error' in value;

/**
 * @param clientFor the generated client, with the transport that keeps these options
 */
export function bindOperations(clientFor: (options: CallOptions) => Client): Operations {
  const bound = Object.entries(generated).map(([id, operation]) => {
    // The module's exports differ in their types only by operation; the mapped type above gives each its own again.
    const run = operation as unknown as AnyOperation;
    const call = async (input: Record<string, unknown> = {}, options: CallOptions = {}): Promise<unknown> => {
      const key = takesIdempotencyKey.has(id) ? { 'Idempotency-Key': options.idempotencyKey ?? crypto.randomUUID() } : {};
      const headers = { ...key, ...(input['headers'] as Record<string, string> | undefined) };
      const answer = await run({
        ...input,
        headers,
        client: clientFor(options),
        throwOnError: true,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
      return isEnvelope(answer.data) ? answer.data.data : answer.data;
    };
    return [id, call];
  });
  return Object.freeze(Object.fromEntries(bound)) as unknown as Operations;
}
