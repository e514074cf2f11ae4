/** Stands for a worker in tests of the supervisor: runs until it is told to stop. */
import { readEnvironment } from '#config/environment.ts';
import { openLog } from '#platform/log.ts';
import { createShutdown, shutdownOnSignals } from '#platform/shutdown.ts';

const env = readEnvironment();
const log = openLog(env, 'worker');
const shutdown = createShutdown(log, env.shutdownTimeoutMs);
const ticking = setInterval(() => undefined, 1_000);
shutdown.add('drain', 'the jobs', 1_000, () => clearInterval(ticking));
shutdown.add('flush', 'the log', 1_000, () => log.flush());
shutdownOnSignals(shutdown);
log.info('fixture.started', 'Started', { class: env.workerClass, pid: process.pid });
