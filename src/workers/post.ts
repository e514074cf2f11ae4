/**
 * A POST and its whole answer, over connections that are kept: half the processor time of `fetch`, which a worker that
 * takes hundreds of jobs a second spends on little else.
 */
import { Agent as HttpAgent, type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { DeadlineError } from '#platform/deadline.ts';

const plain = new HttpAgent({ keepAlive: true });
const secure = new HttpsAgent({ keepAlive: true });

export interface PostOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** From the first byte sent to the last one heard. */
  readonly timeoutMs: number;
  readonly maxAnswerBytes: number;
  /** Names it in a DeadlineError. */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
}

export interface PostAnswer { readonly status: number; readonly headers: IncomingHttpHeaders; readonly text: string }

/** Follows no redirect. Rejects when the answer does not come, not in time, or is too large. */
export async function post(url: URL, { headers, body, timeoutMs, maxAnswerBytes, what, signal }: PostOptions): Promise<PostAnswer> {
  signal?.throwIfAborted();
  const isSecure = url.protocol === 'https:';
  const agent = isSecure ? secure : plain;
  return await new Promise<PostAnswer>((resolve, reject) => {
    const request = (isSecure ? httpsRequest : httpRequest)(url, {
      method: 'POST', agent, headers: { ...headers, 'content-length': body.length }, ...(signal === undefined ? {} : { signal }),
    });
    const timer = setTimeout(() => {
      request.destroy(new DeadlineError(what, timeoutMs));
      // What was kept beside it is as likely half open: a lease would run out while one after the other is found dead.
      for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
    }, timeoutMs);
    const fail = (error: unknown): void => {
      clearTimeout(timer);
      reject(error as Error);
    };
    request.on('error', fail);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      response.on('error', fail);
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        sizeBytes += chunk.length;
        if (sizeBytes > maxAnswerBytes) request.destroy(new Error(`The answer is larger than ${maxAnswerBytes} bytes.`));
      });
      response.on('end', () => {
        clearTimeout(timer);
        if (response.complete) resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString('utf8') });
        else reject(new Error('The answer broke off.'));
      });
    });
    request.end(body);
  });
}
