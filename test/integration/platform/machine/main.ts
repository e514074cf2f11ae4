/** `src/main.ts` with the fixtures of this folder in place of the real programs. */
import { fileURLToPath } from 'node:url';
import { runMachine } from '#platform/embedded/run.ts';

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const stopping = new AbortController();
const machine = runMachine({
  source: process.env,
  directory: process.cwd(),
  api: { name: 'api', entry: file('api.ts') },
  workers: [{ name: 'worker-cpu', entry: file('worker.ts'), variables: { WORKER_CLASS: 'cpu' } }],
  seedFile: file('seed.ts'),
  firstPreviewFile: file('firstPreview.ts'),
  say: (line) => console.log(line),
  signal: stopping.signal,
});
const stop = (): void => {
  if (stopping.signal.aborted) {
    machine.stopNow();
    process.exit(130);
  }
  stopping.abort(new Error('Asked to stop.'));
};
process.on('SIGINT', stop);
process.on('SIGTERM', stop);
process.exit(await machine.done);
