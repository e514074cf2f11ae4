#!/usr/bin/env node
// A worker process: hivesync-worker [--class cpu|gpu] [--concurrency N] [--name X]. It must be readable by any Node: worker.ts is TypeScript, which Node runs from 24 on.
const usage = `hivesync-worker: takes jobs of one class from the queues and works on them.

  --class cpu|gpu    which class of jobs it takes (WORKER_CLASS, else cpu)
  --concurrency N    how many at once, 1 to 64 (WORKER_CONCURRENCY, else 2)
  --name X           by which the backend knows it again; its caches lie under this name (else the host's and the class)

It needs BASE_URL, REDIS_URL (or REDIS_*) and WORKER_SHARED_SECRET; no database and no storage credentials.
SIGTERM ends it in order: what it cannot finish in time goes to others.`;

const major = Number(process.versions.node.split('.')[0]);
if (process.argv.includes('--help') || process.argv.includes('-h')) {
  console.log(usage);
} else if (major < 24) {
  console.error('hivesync-worker needs Node 24 or newer, and this is ' + process.versions.node + '.');
  process.exitCode = 1;
} else {
  try {
    await import('../src/worker.ts');
  } catch (error) {
    // Faults of the arguments and of the environment are for the person who started it: what they say, without a trace.
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
