/** The API process: HTTP, the outbox relay, the reconciler, system jobs and their schedules. Any number may run side by side. */
import { readFileSync } from 'node:fs';
import { createApp } from './app.ts';
import { Autoscaler } from '#domains/workers/autoscaler.ts';
import { metricsText, metricsType } from '#domains/workers/metrics.ts';
import { scalingDriverOf } from '#domains/workers/scaling-drivers.ts';
import { readEnvironment } from '#config/environment.ts';
import { isForMetrics, metricsListener } from '#http/metrics.ts';
import { createServer, drain, listen } from '#http/server.ts';
import { Reconciler } from '#jobs/reconciler.ts';
import { OutboxRelay } from '#jobs/relay.ts';
import { Scheduler } from '#jobs/scheduler.ts';
import { SystemJobConsumer } from '#jobs/system-consumer.ts';
import { SystemRunner } from '#jobs/system-runner.ts';
import { systemClock } from '#platform/clock.ts';
import { openDatabase } from '#platform/database.ts';
import { openLog } from '#platform/log.ts';
import { openMailer } from '#platform/mail/open-mailer.ts';
import { JobProducer } from '#platform/queue.ts';
import { openRedis, openSubscriber, redisOptions } from '#platform/redis.ts';
import { createShutdown, shutdownOnSignals } from '#platform/shutdown.ts';
import { openStorage } from '#platform/storage/open-storage.ts';
import { rateLimits } from './rate-limits.ts';
import { createServices } from './services.ts';

const reconcileMs = 15_000;
const storageMount = '/storage/';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
const env = readEnvironment(process.env, { role: 'api' });
const log = openLog(env, 'api');
const shutdown = createShutdown(log, env.shutdownTimeoutMs);
shutdownOnSignals(shutdown);

const db = openDatabase(env);
const redis = openRedis(env, log);
const subscriber = openSubscriber(env, log);
const opened = await openStorage(env, (error) => log.error('storage.route', 'A storage request failed', { error }));
const producer = new JobProducer(redisOptions(env, 'producer'), log);
const mailer = openMailer(env, log, announce);
const services = createServices(
  { env, clock: systemClock, log, db, redis, subscriber, storage: opened.storage, producer, mailer, isStopping: () => shutdown.signal.aborted }, version,
);
const relay = new OutboxRelay(db, producer, services.consumers, log);
const { kinds, systemKinds } = services;
const reconciler = new Reconciler({ db, redis, producer, kinds, systemKinds, log, everyMs: reconcileMs });
const scheduler = new Scheduler(db, services.schedules, log);
const systemJobs = new SystemJobConsumer({ runner: new SystemRunner({ db, kinds: systemKinds, log }), redis, queueRedis: redisOptions(env, 'worker'), log });

const scalingDriver = scalingDriverOf(env, process.env, log);
const autoscaler = new Autoscaler({ db, driver: scalingDriver, log });

const app = await createApp({
  handlers: [services.handlers],
  deps: {
    env, db, redis, subscriber, log,
    tokens: services.accessTokens,
    previewTokens: services.previewTokens,
    credentials: services.credentials,
    workerKeys: (nodeId, operationId) => services.nodeKeys.signingKey(nodeId, operationId),
    ...rateLimits(services.tiers),
    // A build may take as long as it is allowed to, and its answer a little more; a start verifies up to 500 MB of uploads.
    deadlines: { buildPreview: env.previewMaxTimeoutMs + 10_000, startPreviewJob: 300_000 },
    shutdown: shutdown.signal,
    operatorToken: env.metricsToken,
  },
});
// Files of file-system storage go past the pipeline: their URLs are signed, and they are streams without an envelope.
const { routes } = opened;
const metrics = metricsListener({ token: env.metricsToken, type: metricsType, text: () => metricsText(db, services.queueStatistics), log });
const server = createServer((request, response) => {
  if (isForMetrics(request)) {
    metrics(request, response);
    return;
  }
  if (routes === null || request.url?.startsWith(storageMount) !== true) {
    app(request, response);
    return;
  }
  // What they sign is the key, below the mount.
  request.url = request.url.slice(storageMount.length - 1);
  routes(request, response);
});

shutdown.add('close', 'database', 10_000, () => db.close());
shutdown.add('close', 'redis', 2_000, () => { redis.disconnect(); subscriber.close(); });
shutdown.add('close', 'storage', 2_000, () => opened.storage.close());
shutdown.add('close', 'mail', 2_000, () => mailer.close());
shutdown.add('close', 'queues', 6_000, () => producer.close());
shutdown.add('close', 'system queue', 2_500, () => systemJobs.close(2_000));
shutdown.add('release', 'last seen', 3_000, () => services.lastSeen.stop());
shutdown.add('release', 'relay', 6_000, () => relay.stop());
shutdown.add('release', 'webhooks', 3_000, () => services.webhookSender.stop());
shutdown.add('release', 'reconciler', 6_000, () => reconciler.stop());
shutdown.add('release', 'system jobs', 6_000, () => systemJobs.release());
shutdown.add('release', 'scheduler', 6_000, () => scheduler.stop());
shutdown.add('release', 'autoscaler', 11_000, async () => {
  await autoscaler.stop();
  await scalingDriver.stop(10_000);
});
shutdown.add('drain', 'system jobs', 6_000, () => systemJobs.drain(5_000));
shutdown.add('drain', 'webhooks', 3_000, () => services.webhookSender.drain(2_500));
shutdown.add('refuse', 'system jobs', 1_000, () => systemJobs.refuse());
shutdown.add('refuse', 'webhooks', 1_000, () => services.webhookSender.refuse());
shutdown.add('drain', 'http', 15_000, () => drain(server, 12_000));

await listen(server, env.port, env.host);
relay.start();
reconciler.start();
scheduler.start();
autoscaler.start();
services.lastSeen.start();
services.webhookSender.start();
systemJobs.start();
if (env.production && env.outgoingAllowedRanges.length > 0) {
  log.warn('api.private_ranges', 'Webhooks may be sent to private addresses: OUTGOING_ALLOWED_RANGES opens ranges of this network to whoever may make a webhook', { ranges: env.outgoingAllowedRanges });
}
log.info('api.started', 'Listening', { port: env.port, host: env.host, storage: opened.backend, version });
process.send?.({ type: 'ready' });

/** To the person at the console: through the supervisor of `npm start`, which has it, or straight to it. */
function announce(line: string): void {
  if (process.connected === true) process.send?.({ type: 'say', line }, undefined, undefined, () => undefined);
  else process.stderr.write(`${line}\n`);
}
