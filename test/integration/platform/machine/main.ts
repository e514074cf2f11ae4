/** `src/main.ts` with the fixtures of this folder in place of the real programs. */
import { fileURLToPath } from 'node:url';
import { runInForeground } from '#platform/embedded/foreground.ts';

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

await runInForeground({
  source: process.env,
  directory: process.cwd(),
  api: { name: 'api', entry: file('api.ts') },
  workers: [{ name: 'worker-cpu', entry: file('worker.ts'), variables: { WORKER_CLASS: 'cpu' } }],
  seedFile: file('seed.ts'),
  firstPreviewFile: file('first-preview.ts'),
});
