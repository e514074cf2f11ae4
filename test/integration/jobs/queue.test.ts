import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { JobConsumer, type JobMessage, MessageHandedBack } from '#platform/queue.ts';
import { redisOptions } from '#platform/redis.ts';
import { useBackend } from '../../support/backend.ts';
import { until } from '../../support/until.ts';

describe('a queue of messages', () => {
  const backend = useBackend();
  const consumers: JobConsumer[] = [];
  beforeEach(async () => { await backend.current.redis.redis.flushdb(); });
  afterEach(async () => { await Promise.all(consumers.splice(0).map((consumer) => consumer.close(2_000))); });

  const take = async (work: (message: JobMessage) => Promise<void>): Promise<void> => {
    const consumer = new JobConsumer();
    consumers.push(consumer);
    await consumer.start({ redis: redisOptions(backend.current.env, 'worker'), queueClass: 'cpu', prefetch: 2, log: backend.current.log, take: work });
  };
  const isEmpty = async (): Promise<boolean> => {
    const { waiting, active } = await backend.current.producer.depth('cpu', 'low');
    return waiting === 0 && active === 0;
  };

  it('hands over the job and the epoch of each message, and has done with it', async () => {
    const messages = Array.from({ length: 20 }, (_, epoch): JobMessage => ({ jobId: newId(), epoch }));
    const taken: JobMessage[] = [];
    await backend.current.producer.send('cpu', 'low', messages);
    await take(async (message) => { taken.push(message); });
    await until('all of them', async () => taken.length === messages.length && await isEmpty());
    expect(taken).to.have.deep.members(messages);
    for (const message of messages) expect(await backend.current.producer.holds('cpu', 'low', message)).to.equal(false);
  });

  it('hands over again, unchanged, what was given back at the end of the queue', async () => {
    const message = { jobId: newId(), epoch: 7 };
    const taken: JobMessage[] = [];
    await backend.current.producer.send('cpu', 'low', [message]);
    await take(async (one) => {
      taken.push(one);
      if (taken.length === 1) throw new MessageHandedBack();
    });
    await until('the second time', async () => taken.length === 2 && await isEmpty());
    expect(taken).to.deep.equal([message, message]);
  });

  it('is sent to again where Redis forgot its scripts on a connection that stood', async () => {
    const { producer, redis: { redis } } = backend.current;
    await producer.send('cpu', 'low', [{ jobId: newId(), epoch: 0 }]);
    await redis.script('FLUSH');
    await until('a message to be sent', () => producer.send('cpu', 'low', [{ jobId: newId(), epoch: 0 }]).then(() => true, () => false));
    expect(await producer.depth('cpu', 'low')).to.include({ waiting: 2 });
  });

  it('hands over a copy whose job has ended meanwhile once, and is rid of it: it does not come back for ever', async () => {
    const message = { jobId: newId(), epoch: 0 };
    await backend.current.redis.redis.lpush('bq:cpu_tasks:low:waiting', `${message.jobId}.${message.epoch}`);
    const taken: JobMessage[] = [];
    await take(async (one) => { taken.push(one); });
    await until('it to be gone', async () => taken.length > 0 && await isEmpty());
    expect(taken).to.deep.equal([message]);
  });
});
