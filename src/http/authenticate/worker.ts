import { hmacSha256, equalInConstantTime, sha256Hex } from '#platform/crypto.ts';
import type { Clock } from '#platform/clock.ts';
import type { Step } from '../exchange.ts';
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

const nodeForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** Unix seconds. A worker that repeats the same request waits a second, or the repeat looks like a replay. */
const timestampForm = /^[0-9]{10}$/;
const signatureForm = /^v1=([0-9a-f]{64})$/;

/** The text a worker signs. Its parts are on lines of their own, so that none can run into the next. */
export const signedText = (method: string, path: string, nodeId: string, timestamp: string, body: Uint8Array): string =>
  `${method}\n${path}\n${nodeId}\n${timestamp}\n${sha256Hex(body)}`;

/**
 * HMAC-SHA256 over method, path, node id, timestamp and the body's hash. The body has been read by now. A signature is
 * good once, within five minutes of its timestamp.
 */
export function authenticateWorker(route: Route, { keys, replays, clock }: WorkerAuthenticator): Step {
  return async (exchange) => {
    const { req } = exchange;
    const nodeId = req.headers['x-hivesync-node'];
    const timestamp = req.headers['x-hivesync-timestamp'];
    const header = req.headers['x-hivesync-signature'];
    if (typeof nodeId !== 'string' || typeof timestamp !== 'string' || typeof header !== 'string') {
      throw signInFirst('The request is not signed.');
    }
    const signature = signatureForm.exec(header)?.[1];
    if (!nodeForm.test(nodeId) || !timestampForm.test(timestamp) || signature === undefined) {
      throw credentialInvalid('A signature header is malformed.');
    }
    const isCurrent = Math.abs(clock.now() - Number(timestamp) * 1000) <= signatureWindowMs;
    const key = await keys(nodeId, route.operationId);
    if (key === null) throw credentialInvalid('The node is unknown.');
    const [path = ''] = req.originalUrl.split('?', 1);
    const expected = hmacSha256(key, signedText(req.method, path, nodeId, timestamp, exchange.rawBody ?? Buffer.alloc(0)));
    if (!equalInConstantTime(expected, Buffer.from(signature, 'hex'))) throw credentialInvalid('The signature does not verify.');
    // Said of a genuine signature alone, so that a worker with a wrong clock learns what is wrong.
    if (!isCurrent) throw credentialExpired();
    if (!(await replays.isFirst(signature))) throw credentialInvalid('The signature was used before.');
    exchange.caller = { kind: 'worker', nodeId };
  };
}
