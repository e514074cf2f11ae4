import type { KeyObject } from 'node:crypto';
import { hmacSha256, equalInConstantTime, sha256Hex } from '#platform/crypto.ts';
import type { Clock } from '#platform/clock.ts';
import type { Exchange, Step } from '../exchange.ts';
import type { Route } from '../route.ts';
import type { WorkerKeys } from './credentials.ts';
import { credentialExpired, credentialInvalid, signInFirst } from './refusals.ts';
import type { ReplayStore } from './replays.ts';

export interface WorkerAuthenticator {
  readonly keys: WorkerKeys;
  readonly replays: ReplayStore;
  readonly clock: Clock;
}

/** How far a worker's clock may be off, both ways. */
export const signatureWindowMs = 5 * 60_000;

const nodeForm = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/;
/** Unix seconds. A worker that repeats the same request waits a second, or the repeat looks like a replay. */
const timestampForm = /^[0-9]{10}$/;
const signatureForm = /^v1=([0-9a-f]{64})$/;

/** The text a worker signs. Its parts are on lines of their own, so that none can run into the next. */
export const signedText = (method: string, path: string, nodeId: string, timestamp: string, body: Uint8Array): string =>
  `${method}\n${path}\n${nodeId}\n${timestamp}\n${sha256Hex(body)}`;

interface Signing {
  readonly nodeId: string;
  readonly timestamp: string;
  readonly signature: string;
  readonly key: KeyObject;
}

/**
 * HMAC-SHA256 over method, path, node id, timestamp and the body's hash. A signature is good once, within five minutes
 * of its timestamp. It covers the body, which therefore has to be read in between: `before` refuses whoever could not
 * have signed at all, so that a stranger's megabytes are not even taken in.
 */
export function authenticateWorker(route: Route, { keys, replays, clock }: WorkerAuthenticator): { readonly before: Step; readonly after: Step } {
  const signings = new WeakMap<Exchange, Signing>();
  return {
    before: async (exchange) => {
      const { headers } = exchange.req;
      const nodeId = headers['x-hivesync-node'];
      const timestamp = headers['x-hivesync-timestamp'];
      const header = headers['x-hivesync-signature'];
      if (typeof nodeId !== 'string' || typeof timestamp !== 'string' || typeof header !== 'string') {
        throw signInFirst('The request is not signed.');
      }
      const signature = signatureForm.exec(header)?.[1];
      if (!nodeForm.test(nodeId) || !timestampForm.test(timestamp) || signature === undefined) {
        throw credentialInvalid('A signature header is malformed.');
      }
      const key = await keys(nodeId, route.operationId);
      if (key === null) throw credentialInvalid('The node is unknown.');
      signings.set(exchange, { nodeId, timestamp, signature, key });
    },
    after: async (exchange) => {
      const signing = signings.get(exchange);
      if (signing === undefined) throw credentialInvalid('The signature was not looked at.');
      const { nodeId, timestamp, signature, key } = signing;
      const isCurrent = Math.abs(clock.now() - Number(timestamp) * 1000) <= signatureWindowMs;
      const [path = ''] = exchange.req.originalUrl.split('?', 1);
      const expected = hmacSha256(key, signedText(exchange.req.method, path, nodeId, timestamp, exchange.rawBody ?? Buffer.alloc(0)));
      if (!equalInConstantTime(expected, Buffer.from(signature, 'hex'))) throw credentialInvalid('The signature does not verify.');
      // Said of a genuine signature alone, so that a worker with a wrong clock learns what is wrong.
      if (!isCurrent) throw credentialExpired();
      if (!(await replays.isFirst(signature))) throw credentialInvalid('The signature was used before.');
      exchange.caller = { kind: 'worker', nodeId };
    },
  };
}
