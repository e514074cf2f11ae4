import { expect } from 'chai';
import { JobWatch } from '#jobs/watch.ts';
import { newId } from '#platform/ids.ts';
import { createLogger } from '#platform/log.ts';
import { openSubscriber, type Subscriber } from '#platform/redis.ts';
import { useRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

describe('watching a job', () => {
  const redis = useRedis();
  let subscriber: Subscriber;
  let watch: JobWatch;
  let leaving: AbortController;
  beforeEach(() => {
    leaving = new AbortController();
    subscriber = openSubscriber(redis.current.env);
    watch = new JobWatch(redis.current.redis, subscriber, createLogger({ level: 'silent', sinks: [] }));
  });
  afterEach(() => {
    leaving.abort();
    subscriber.close();
  });

  /** Counts the looks that somebody is given who pauses so long between them. */
  const follow = (jobId: string, pauseMs: number): { looks: number; ended: Promise<void> } => {
    const seen = { looks: 0, ended: Promise.resolve() };
    seen.ended = (async () => { for await (const _ of watch.follow(jobId, leaving.signal, pauseMs)) seen.looks += 1; })();
    return seen;
  };
  it('gives the first look at once, and tells an end at once to who pauses between two looks', async () => {
    const jobId = newId();
    const patient = follow(jobId, 60_000);
    await until('the first look', () => patient.looks === 1);
    // Said until it is heard: the subscription may not stand yet.
    await until('the look at the end', () => {
      watch.changed(jobId, 'ended');
      return patient.looks >= 2;
    });
  });

  it('gives who pauses no second look however often the job changes, and ends with its signal', async () => {
    const jobId = newId();
    const [patient, eager] = [follow(jobId, 60_000), follow(jobId, 0)];
    for (let looks = 2; looks < 6; looks += 1) {
      watch.changed(jobId);
      await until('a look of who does not pause', () => eager.looks >= looks);
    }
    expect(patient.looks).to.equal(1);
    leaving.abort();
    await Promise.all([patient.ended, eager.ended]);
  });
});
