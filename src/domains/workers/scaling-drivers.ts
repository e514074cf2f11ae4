/** Who is asked for workers. A driver only ever adds: fewer are had by asking one to drain, which ends by itself. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Environment, Secret } from '#config/environment.ts';
import type { ScalingState, WorkerClass } from '#generated/sdk/types.gen.ts';
import type { Logger } from '#platform/log.ts';
import { supervisedArgument } from '#platform/shutdown.ts';
import type { Decision } from './scaling-decision.ts';

export interface ScalingDriver {
  readonly name: ScalingState['driver'];
  /** What the names of the workers begin with that it may let go; null where it may be any. */
  readonly namePrefix: string | null;
  /** Asks for what was decided. Rejects where that could not be asked; `onLost` is called with the reason when a worker of this wish ends, if the driver can know of it. */
  ask(type: WorkerClass, decision: Decision, onLost: (reason: string) => void): Promise<void>;
  /** Ends what it started itself, in order: their jobs go to others. */
  stop(timeoutMs: number): Promise<void>;
}

/** Nobody: figures go to /metrics, and whoever reads them scales. */
export const noDriver: ScalingDriver = { name: 'none', namePrefix: null, ask: () => Promise.resolve(), stop: () => Promise.resolve() };

/** A worker gets nothing of what only the backend may know: it has no database, no storage and no provider of its own. */
const forWorkers = /^(?!(DATABASE_URL|POSTGRES_|R2_|STORAGE_|JWT_|ENCRYPTION_|RESEND_|SMTP_|EMAIL_|LEMONSQUEEZY_|METRICS_|SCALING_|SLACK_|ALERT_|PORT$|HOST$|LOG_FILE$))/u;

export interface ProcessDriverOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What workers need and the environment may not say: where the API is, and the secret they register with. */
  readonly baseUrl: string;
  readonly sharedSecret: Secret;
  readonly log: Logger;
  readonly entry?: string;
}

/** Worker processes on this machine, children of this process: they end with it. */
export function processDriver(on: ProcessDriverOptions): ScalingDriver & { readonly running: ReadonlyMap<string, ChildProcess> } {
  const running = new Map<string, ChildProcess>();
  const namePrefix = 'auto-';
  const host = hostname().replaceAll(/[^A-Za-z0-9._-]/gu, '-').slice(0, 40);
  const entry = on.entry ?? fileURLToPath(new URL('../../worker.ts', import.meta.url));
  const env = {
    ...Object.fromEntries(Object.entries(on.env).filter(([name]) => forWorkers.test(name))),
    BASE_URL: on.baseUrl, WORKER_SHARED_SECRET: on.sharedSecret.reveal(),
  };

  async function start(type: WorkerClass, onLost: (reason: string) => void): Promise<void> {
    const name = `${namePrefix}${host}-${type}-${randomUUID().slice(0, 8)}`;
    const child = spawn(process.execPath, [entry, '--class', type, '--name', name, supervisedArgument], { env: { ...env, WORKER_CLASS: type }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    running.set(name, child);
    child.once('exit', (code, signal) => {
      running.delete(name);
      on.log.info('scaling.worker_ended', 'A worker that was started here has ended', { name, code, signal });
      onLost(`${name} ended ${code === null ? `by ${signal ?? 'a signal'}` : `with exit code ${code}`}.`);
    });
    on.log.info('scaling.worker_started', 'A worker was started', { name, pid: child.pid });
  }

  return {
    name: 'process',
    namePrefix,
    running,
    async ask(type, { action, from, to }, onLost) {
      if (action === 'scale_up') for (let count = from; count < to; count += 1) await start(type, onLost);
    },
    async stop(timeoutMs) {
      await Promise.all([...running.values()].map((child) => new Promise<void>((resolve) => {
        const late = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
        child.once('exit', () => { clearTimeout(late); resolve(); });
        child.kill('SIGTERM');
      })));
    },
  };
}

export interface HttpDriverOptions {
  readonly url: string;
  readonly token: Secret | null;
}

const httpTimeoutMs = 5_000;

/** Posts each wish to an endpoint of the operator's, which is to have `to` workers of the class run. */
export const httpDriver = ({ url, token }: HttpDriverOptions): ScalingDriver => ({
  name: 'http',
  namePrefix: null,
  async ask(type, { action, from, to, reason }) {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token.reveal()}` }) },
      body: JSON.stringify({ type, action, from, to, reason }),
      redirect: 'error',
      signal: AbortSignal.timeout(httpTimeoutMs),
    });
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`The endpoint answered ${answer.status}.`);
  },
  stop: () => Promise.resolve(),
});

/** The one that the environment names. @param variables what a worker's own are made of */
export function scalingDriverOf(env: Environment, variables: ProcessDriverOptions['env'], log: Logger): ScalingDriver {
  if (env.scalingDriver === 'process') return processDriver({ env: variables, baseUrl: env.baseUrl, sharedSecret: env.workerSharedSecret, log });
  return env.scalingDriver === 'http' && env.scalingUrl !== null ? httpDriver({ url: env.scalingUrl, token: env.scalingToken }) : noDriver;
}
