/** `npm start`: everything on one machine. The Node version was checked by start.mjs before this file was read. */
import { fileURLToPath } from 'node:url';
import { runMachine } from '#platform/embedded/run.ts';

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const stopping = new AbortController();

const machine = runMachine({
  source: process.env,
  directory: process.cwd(),
  api: { name: 'api', entry: file('./api.ts') },
  workers: [
    { name: 'worker-cpu', entry: file('./worker.ts'), variables: { WORKER_CLASS: 'cpu' } },
    { name: 'worker-gpu', entry: file('./worker.ts'), variables: { WORKER_CLASS: 'gpu' } },
  ],
  seedFile: file('../seeds/demo.ts'),
  firstPreviewFile: file('./first-preview.ts'),
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
process.on('SIGHUP', stop);

process.exit(await machine.done);
