/** `npm start`: everything on one machine. The Node version was checked by start.mjs before this file was read. */
import { fileURLToPath } from 'node:url';
import { runInForeground } from '#platform/embedded/foreground.ts';
import { signInAs } from '../seeds/demo-account.ts';

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

await runInForeground({
  source: process.env,
  directory: process.cwd(),
  api: { name: 'api', entry: file('./api.ts') },
  workers: [
    { name: 'worker-cpu', entry: file('./worker.ts'), variables: { WORKER_CLASS: 'cpu' } },
    { name: 'worker-gpu', entry: file('./worker.ts'), variables: { WORKER_CLASS: 'gpu' } },
  ],
  seedFile: file('../seeds/demo.ts'),
  signInAs,
  firstPreviewFile: file('./first-preview.ts'),
});
