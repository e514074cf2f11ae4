import type { AnyHandler, Route } from './route.ts';

/** One thing a generated validator found. Ajv's error objects have this shape. */
export interface ValidatorFault {
  readonly instancePath: string;
  readonly keyword: string;
  readonly message?: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** A compiled schema. Validators of parameters coerce and fill in defaults in place; those of bodies do not. */
export interface Validator {
  (data: unknown): boolean;
  errors?: readonly ValidatorFault[] | null;
}

/** The validators of one operation; a part that the contract does not give it is absent. */
export interface OperationValidators {
  readonly path?: Validator;
  readonly query?: Validator;
  /** Keyed by header names in lower case. */
  readonly headers?: Validator;
  readonly body?: Validator;
}

/** By operation and documented status, over the whole envelope. For tests and development: they are large. */
export type ResponseValidators = Readonly<Record<string, Readonly<Record<number, (data: unknown) => boolean>> | undefined>>;

/** The text of a whole success answer out of the envelope's `data`, with nothing in it that the contract does not name. */
export type Serializer = (data: unknown) => string;

/** Everything generated that the pipeline is driven by. The tests hand in a small one of their own. */
export interface Contract {
  readonly routes: readonly Route[];
  readonly validators: Readonly<Record<string, OperationValidators | undefined>>;
  /** By operation and success status. */
  readonly serializers: Readonly<Record<string, Readonly<Record<number, Serializer>> | undefined>>;
  /** The bundled OpenAPI document, served at `/openapi.json` and read by the referee. */
  readonly document: Readonly<Record<string, unknown>>;
}

/** Handlers by operation id. An operation without one is not mounted. */
export type HandlerTable = Readonly<Record<string, AnyHandler | undefined>>;
