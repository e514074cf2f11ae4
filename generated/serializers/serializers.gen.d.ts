// Written by `npm run generate` from openapi/. Never edit it here.

import type { OperationId } from '../server/handlers.gen.ts';

/**
 * The text of a whole success answer, by operation and documented status, out of the envelope's `data`. Only what the
 * contract names is in it. Throws SerializeError (runtime.gen.ts) where a required field is missing or a leaf is not
 * of its type.
 */
export declare const serializers: Readonly<Record<OperationId, Readonly<Record<number, (data: unknown) => string>>>>;
