/** Stands for the API in tests of the supervisor: answers /health, and says which database and Redis it was given. */
import { createServer } from 'node:http';
import { readEnvironment } from '#config/environment.ts';
import { openDatabase } from '#platform/database.ts';
import { openLog } from '#platform/log.ts';
import { openRedis, redisReady } from '#platform/redis.ts';
import { createShutdown, shutdownOnSignals } from '#platform/shutdown.ts';

const env = readEnvironment();
const log = openLog(env, 'api');
const db = openDatabase(env);
const redis = openRedis(env, log);
await redisReady(redis);
const shutdown = createShutdown(log, env.shutdownTimeoutMs);

const server = createServer((request, response) => {
  if (request.url === '/crash') process.exit(7);
  void (async () => {
    const [row] = await db.named<{ version: string }>('fixture.version', 'SELECT version()', []);
    response.end(JSON.stringify({ ok: true, pid: process.pid, database: row?.version, redis: await redis.ping() }));
  })().catch((error: unknown) => {
    log.error('fixture.failed', 'The fixture could not answer', { error });
    response.writeHead(503).end();
  });
});
server.listen(env.port, env.host, () => {
  log.info('fixture.listening', 'Listening', { port: env.port });
  // As the API announces a mail; what is no such message is not said.
  process.send?.({ type: 'say', line: 'Mail to ada@example.com: Confirm your address  http://localhost/verify#a-link' });
  process.send?.({ type: 'ready' });
});
shutdown.add('refuse', 'the server', 2_000, () => new Promise<void>((resolve) => {
  server.close(() => resolve());
  server.closeIdleConnections();
}));
shutdown.add('close', 'the database', 2_000, () => db.close());
shutdown.add('close', 'Redis', 1_000, () => redis.disconnect());
shutdown.add('flush', 'the log', 1_000, () => log.flush());
shutdownOnSignals(shutdown);
