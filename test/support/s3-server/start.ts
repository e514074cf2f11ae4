/** Starts the S3 store for a test, and stops it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Fault } from './faults.ts';

export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
  setFault(fault: Fault | null): Promise<void>;
  /** Moves the server's clock: what it takes for now when it judges a signature's age. */
  setClock(offsetMs: number): Promise<void>;
  /** Requests seen since the start, by operation. */
  counts(): Promise<Readonly<Record<string, number>>>;
  stop(): Promise<void>;
}

/** Its folder is temporary and goes with it. Takes about 0.1 s to listen; fails after 10 s. */
export async function startS3Server(): Promise<S3Server> {
  const dataDir = await mkdtemp(join(tmpdir(), 'hivesync-s3-'));
  const [bucket, accessKey, secretKey, region] = ['hivesync-test', 'AKIDTEST', 'a-secret-for-tests-only', 'auto'];
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, dataDir, bucket, accessKey, secretKey, region], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const [line] = await once(lines, 'line', { signal: AbortSignal.timeout(10_000) });
  const { port, controlPort }: { port: number; controlPort: number } = JSON.parse(line);
  const tell = async (path: string, body: unknown): Promise<void> => {
    const answer = await fetch(`http://127.0.0.1:${controlPort}${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
    await answer.body?.cancel();
  };
  return {
    endpoint: `http://127.0.0.1:${port}`, bucket, accessKey, secretKey, region,
    setFault: async (fault) => await tell('/fault', fault),
    setClock: async (offsetMs) => await tell('/clock', { offsetMs }),
    counts: async () => {
      const counts: Record<string, number> = JSON.parse(await (await fetch(`http://127.0.0.1:${controlPort}/counts`)).text());
      return counts;
    },
    stop: async () => {
      const gone = once(child, 'exit');
      child.stdin.end();
      await gone;
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
