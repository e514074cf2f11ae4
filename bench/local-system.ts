/** A whole system for a benchmark to drive: what `npm start` starts, on a free port, with a data folder that goes with it. */
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pickPort } from '#platform/embedded/processes.ts';
import { HiveSync } from '#sdk/index.ts';
import { demoAccount } from '../seeds/demo-account.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
/** The first start may have to install and prime the SDK set. */
const readyWithinMs = 20 * 60_000;

export interface LocalSystem {
  /** Signed in as the demo account. */
  readonly hive: HiveSync;
  stop(): Promise<void>;
}

/**
 * Starts it and waits until it has built a first preview, so that every process is warm.
 * @param say told how it goes
 */
export async function startLocalSystem(say: (line: string) => void): Promise<LocalSystem> {
  const folder = await mkdtemp(join(tmpdir(), 'hivesync-bench-'));
  await mkdir(join(root, '.hivesync', 'sdk'), { recursive: true });
  await symlink(join(root, '.hivesync', 'sdk'), join(folder, 'sdk'));
  const port = await pickPort(null);
  const baseUrl = `http://localhost:${port}`;
  const child = spawn(process.execPath, ['src/start.mjs'], {
    cwd: root, stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: folder, DATA_DIR: folder, PORT: String(port), BASE_URL: baseUrl, LOG_LEVEL: 'warn', CONTRACT_REFEREE: 'off' },
  });
  const log = createWriteStream(join(folder, 'start.log'));
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  const ended = new Promise<void>((resolve) => { child.once('exit', () => resolve()); });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    say(`A system starts at ${baseUrl}.`);
    const hive = await signIn(baseUrl, () => child.exitCode !== null);
    await sdkReady(hive);
    return { hive, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function signIn(baseUrl: string, hasEnded: () => boolean): Promise<HiveSync> {
  const endAt = performance.now() + readyWithinMs;
  for (;;) {
    if (hasEnded()) throw new Error('The system ended while it started.');
    try {
      // A long run outlives the first token.
      return new HiveSync({ baseUrl, accessToken: await tokenOf(baseUrl), refreshAccessToken: () => tokenOf(baseUrl) });
    } catch (error) {
      if (performance.now() > endAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

async function tokenOf(baseUrl: string): Promise<string> {
  const signedIn = await new HiveSync({ baseUrl, maxRetries: 0 }).api.loginUser({ body: { email: demoAccount.email, password: demoAccount.password } });
  if (signedIn.token_type !== 'Bearer') throw new Error('The demo account asks for a second factor.');
  return signedIn.access_token;
}

/** Its first start builds a preview by itself, and then everything is warm. */
async function sdkReady(hive: HiveSync): Promise<void> {
  const endAt = performance.now() + readyWithinMs;
  for (;;) {
    const { items } = await hive.api.listPreviewJobs({ query: { limit: 1 } });
    if (items[0]?.status === 'succeeded') return;
    if (items[0]?.status === 'failed' || performance.now() > endAt) throw new Error('The first preview was not built.');
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
