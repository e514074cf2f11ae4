import { firstAndSecond } from '../shutdown.ts';
import { runMachine, type MachineOptions } from './run.ts';

/**
 * Runs one machine in the foreground of a console and ends the process with it: the first Ctrl-C (or SIGTERM, SIGHUP)
 * stops everything in order, a second one kills it at once, from which the next start recovers.
 */
export async function runInForeground(options: Omit<MachineOptions, 'signal' | 'say'>): Promise<never> {
  const stopping = new AbortController();
  const machine = runMachine({ ...options, say: (line) => console.log(line), signal: stopping.signal });
  const onSignal = firstAndSecond(
    () => stopping.abort(new Error('Asked to stop.')),
    () => {
      machine.stopNow();
      process.exit(130);
    },
  );
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  return process.exit(await machine.done);
}
