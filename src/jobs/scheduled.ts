/** Periodic work, as code says it: a schedule adds a system job whenever its time has come (scheduler.ts). */
import type { Logger } from '#platform/log.ts';
import type { JobPayload, SystemJobKind } from './system-jobs.ts';

export interface ScheduledJob {
  /** Unique; the row of `schedules` it is kept under. */
  readonly name: string;
  readonly everySeconds: number;
  /** The kind of system job that is added; it must be among the services' `systemKinds`. */
  readonly kind: string;
  readonly payload?: JobPayload;
  /** 3 unless told. What fails for good runs again at its next time. */
  readonly maxAttempts?: number;
}

/** Something that grows by itself and is cut back: answers how many rows went, in short transactions of its own. */
export interface Sweep {
  /** `idempotency_keys`: its job's kind and its schedule are `sweep.idempotency_keys`. */
  readonly name: string;
  /** Every ten minutes unless told. */
  readonly everySeconds?: number;
  /** Ends early when the signal aborts: what is left goes the next time. */
  run(signal: AbortSignal): Promise<number>;
}

const sweepEverySeconds = 600;
const sweepTimeoutMs = 5 * 60_000;

/** The kinds and schedules of sweeps. */
export function scheduledSweeps(sweeps: readonly Sweep[], log: Pick<Logger, 'info'>): { kinds: SystemJobKind[]; schedules: ScheduledJob[] } {
  return {
    kinds: sweeps.map((sweep) => ({
      kind: `sweep.${sweep.name}`,
      timeoutMs: sweepTimeoutMs,
      async run(_payload, { signal }) {
        const rows = await sweep.run(signal);
        if (rows > 0) log.info('sweep.done', 'Old rows are gone', { sweep: sweep.name, rows });
      },
    })),
    schedules: sweeps.map(({ name, everySeconds = sweepEverySeconds }) => ({ name: `sweep.${name}`, everySeconds, kind: `sweep.${name}` })),
  };
}
