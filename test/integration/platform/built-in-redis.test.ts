import { expect } from 'chai';
import { Redis } from 'ioredis';
import { listenBuiltIn } from '#platform/embedded/built-in-redis.ts';
import { until } from '../../support/system.ts';

describe('the built-in Redis', () => {
  let server: Awaited<ReturnType<typeof listenBuiltIn>>;
  let admin: Redis;
  const connect = (): Redis => new Redis({ port: server.port, host: '127.0.0.1', password: 'a password', maxRetriesPerRequest: 0 });
  const clients = async (): Promise<number> => String(await admin.call('CLIENT', 'LIST')).trim().split('\n').length;
  before(async () => {
    server = await listenBuiltIn(0, 'a password');
    admin = connect();
  });
  after(async () => {
    admin.disconnect();
    await server.close();
  });

  it('gives no message to a client that went away while it waited for one', async () => {
    const gone = connect();
    const waiting = gone.brpoplpush('waiting', 'active', 0).catch(() => 'cut off');
    // Sent ahead, as bee-queue does: the end of the connection lies behind it.
    const next = gone.brpoplpush('waiting', 'active', 0).catch(() => 'cut off');
    await until('the client to wait', async () => (await clients()) === 2);
    gone.disconnect();
    expect(await Promise.all([waiting, next])).to.deep.equal(['cut off', 'cut off']);
    await until('the client to be gone', async () => (await clients()) === 1, 5_000);
    await admin.lpush('waiting', 'a message');
    expect(await admin.lrange('waiting', 0, -1)).to.deep.equal(['a message']);
    expect(await admin.brpoplpush('waiting', 'active', 1)).to.equal('a message');
  });
});
