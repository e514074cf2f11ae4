import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export type LoadedBundle = { appKeys: string[]; errors: string[]; texts: string[]; views: string[]; images: string[] };

const runner = fileURLToPath(new URL('bundle-runner.ts', import.meta.url));
const timeoutMs = 40_000;

/**
 * Loads a bundle in a process of its own, with native modules and the renderer stubbed, and tells what it showed.
 *
 * @param expoModules the constants of Expo's native modules, where the client is one of Expo's.
 */
export const loadBundle = (bundlePath: string, platform: 'ios' | 'android', expoModules?: Readonly<Record<string, object>>): Promise<LoadedBundle> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--permission', '--allow-fs-read=*', '--disable-warning=ExperimentalWarning', runner, bundlePath, platform, ...(expoModules === undefined ? [] : [JSON.stringify(expoModules)])], {
      env: {},
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(Buffer.concat(out).toString('utf8')) as LoadedBundle);
      else reject(new Error(`the bundle could not be loaded (${code ?? 'killed'}): ${Buffer.concat(err).toString('utf8')}`));
    });
  });
