import { systemClock, type Clock } from './clock.ts';
import { DeadlineError, withDeadline } from './deadline.ts';
import type { Logger } from './log.ts';

/**
 * The order in which a process goes down. `refuse`: say not ready, stop taking new work. `drain`: finish what was
 * accepted. `release`: give back leases and claims. `close`: pools and connections. `flush`: logs.
 */
const phases = ['refuse', 'drain', 'release', 'close', 'flush'] as const;
export type Phase = (typeof phases)[number];

interface Step {
  readonly phase: Phase;
  readonly name: string;
  readonly timeoutMs: number;
  readonly run: () => Promise<void> | void;
}

export interface Shutdown {
  /** Adds a step. Within a phase steps run one after the other, last added first; each is bounded by its own time. */
  add(phase: Phase, name: string, timeoutMs: number, run: Step['run']): void;
  /** Aborted when the shutdown begins. */
  readonly signal: AbortSignal;
  /** Runs every step once; a second call waits for the same run. True when every step ended well and in time. */
  begin(reason: string): Promise<boolean>;
}

/**
 * An ordered shutdown. A step that fails or hangs is logged and passed over: one stuck part must not keep the others
 * from being closed. The whole is bounded by `totalMs`; what is left then is skipped.
 */
export function createShutdown(log: Pick<Logger, 'info' | 'error'>, totalMs: number): Shutdown {
  const steps: Step[] = [];
  const controller = new AbortController();
  let running: Promise<boolean> | null = null;

  async function runAll(reason: string): Promise<boolean> {
    const endAt = Date.now() + totalMs;
    let clean = true;
    log.info('shutdown.began', 'Shutting down', { reason });
    controller.abort(new Error(`Shutting down: ${reason}`));
    for (const phase of phases) {
      for (const step of steps.filter((candidate) => candidate.phase === phase).reverse()) {
        const boundMs = Math.min(step.timeoutMs, endAt - Date.now());
        try {
          if (boundMs <= 0) throw new DeadlineError('The shutdown as a whole', totalMs);
          await withDeadline(async () => await step.run(), boundMs, `The shutdown step "${step.name}"`);
        } catch (error) {
          clean = false;
          log.error('shutdown.step_failed', 'A shutdown step did not end well', { step: step.name, error });
        }
      }
    }
    log.info('shutdown.ended', 'Shut down', { clean });
    return clean;
  }

  return {
    signal: controller.signal,
    add(phase, name, timeoutMs, run) {
      steps.push({ phase, name, timeoutMs, run });
    },
    begin(reason) {
      running ??= runAll(reason);
      return running;
    },
  };
}

/** The parts of `process` that signals need; tests hand in an event emitter. */
export interface SignalSource {
  on(event: string, listener: () => void): unknown;
  exit(code: number): void;
  /** Whether a supervisor started the process (it says so by an argument, `--supervised`). */
  readonly supervised: boolean;
  /** True while the supervisor holds the other end of the IPC channel. */
  readonly connected: boolean;
}

/** `npm` and `timeout` pass a signal on that the whole group has got already: within this time two are one. */
const sameSignalMs = 500;

/**
 * A handler for signals that calls `first` at the first and `second` at every one that comes later than half a second
 * after it.
 */
export function firstAndSecond(first: () => void, second: () => void, clock: Clock = systemClock): () => void {
  let firstAt: number | null = null;
  return () => {
    if (firstAt === null) {
      firstAt = clock.now();
      first();
    } else if (clock.now() - firstAt >= sameSignalMs) {
      second();
    }
  };
}

/** The argument by which a supervisor marks its children: a channel that closed early cannot say that it was there. */
export const supervisedArgument = '--supervised';

/**
 * Binds the shutdown to the process: SIGTERM and SIGINT begin it and end the process with 0 (1 when a step failed); a
 * second signal ends it at once. Under a supervisor (npm start) SIGINT is left to the supervisor, because a terminal
 * sends it to the whole group, and the supervisor's death (its IPC channel closes) begins the shutdown too, so that a
 * killed supervisor leaves no orphan.
 */
export function shutdownOnSignals(shutdown: Shutdown, source: SignalSource = processSource, clock: Clock = systemClock): void {
  const begin = (reason: string): void => {
    void shutdown.begin(reason).then((clean) => source.exit(clean ? 0 : 1));
  };
  const onSignal = firstAndSecond(() => begin('a signal'), () => source.exit(130), clock);
  source.on('SIGTERM', onSignal);
  source.on('SIGINT', () => {
    if (!source.supervised) onSignal();
  });
  if (!source.supervised) return;
  const onGone = (): void => begin('the supervisor is gone');
  source.on('disconnect', onGone);
  // It may have died while this process was still loading, before anybody listened.
  if (!source.connected) onGone();
}

const processSource: SignalSource = {
  on: (event, listener) => process.on(event, listener),
  exit: (code) => process.exit(code),
  supervised: process.argv.includes(supervisedArgument),
  get connected() {
    return process.connected === true;
  },
};
