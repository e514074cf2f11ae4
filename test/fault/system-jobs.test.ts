/** What mails and periodic work survive. Counted is what a real mail server accepted, and what was run. */
import { expect } from 'chai';
import { startSmtpPeer, type SmtpPeer } from '../support/smtp-peer.ts';
import { System, until } from '../support/system.ts';

describe('mails and periodic work under faults', function () {
  this.timeout(180_000);
  let peer: SmtpPeer;
  let system: System;
  before('start the system with a mail server', async () => {
    peer = await startSmtpPeer();
    system = await System.start({
      apis: 2,
      variables: { EMAIL_PROVIDER: 'smtp', SMTP_URL: `smtp://127.0.0.1:${peer.port}`, EMAIL_FROM: 'HiveSync <no-reply@hive.example.com>' },
    });
  });
  after('stop both', async () => {
    await system.stop();
    await peer.close();
  });
  beforeEach(() => {
    peer.received.length = 0;
    peer.on = {};
  });
  const received = (): string[] => peer.received.flatMap(({ to }) => to);
  const openJobs = async (): Promise<number> => (await system.sql("select 1 from system_jobs where kind = 'mail.send' and status in ('queued', 'running')", [])).length;
  const allEnded = (): Promise<void> => until('every mail to be dealt with', async () => (await openJobs()) === 0);

  it('mails are sent once each, however many processes there are to send them', async () => {
    const people = await Promise.all(Array.from({ length: 12 }, () => system.person()));
    await allEnded();
    expect(received().sort()).to.deep.equal(people.map(({ tokens }) => tokens.user.email).sort());
    expect(new Set(peer.received.map(({ headers }) => headers.get('message-id'))).size).to.equal(12);
  });

  it('mails are sent by another process, once, when theirs was killed while the server had not answered yet', async () => {
    const asked = Promise.withResolvers<void>();
    peer.on.content = () => { asked.resolve(); return new Promise(() => undefined); };
    const person = await system.person();
    await asked.promise;
    await system.killApis();
    peer.on = {};
    await system.restartApi();
    expect(await openJobs()).to.equal(1);
    // As if the thirty seconds of the lease had passed; the reconciler finds out by itself.
    await system.sql("update system_jobs set lease_expires_at = now() where status = 'running'", []);
    await allEnded();
    expect(received()).to.deep.equal([person.tokens.user.email]);
    expect(await system.sql("select status, attempt from system_jobs where attempt > 1", [])).to.deep.equal([{ status: 'succeeded', attempt: 2 }]);
  });

  it('mails that were asked for while Redis was being wiped are sent, once each', async () => {
    const wiping = setInterval(() => void system.redis.flushdb(), 5);
    const people = await Promise.all(Array.from({ length: 4 }, () => system.person())).finally(() => clearInterval(wiping));
    await allEnded();
    expect(received().sort()).to.deep.equal(people.map(({ tokens }) => tokens.user.email).sort());
  });

  it('periodic work is done once when it is due, however many processes look', async () => {
    await system.startApi();
    const runs = async (): Promise<number> => Number((await system.sql("select count(*)::int as runs from system_jobs where kind = 'sweep.outbox' and status = 'succeeded'", []))[0]?.['runs']);
    const before = await runs();
    for (let round = 1; round <= 2; round += 1) {
      await system.sql("update schedules set next_run_at = now() where name = 'sweep.outbox'", []);
      await until(`run ${round}`, async () => (await runs()) >= before + round);
    }
    expect(await runs()).to.equal(before + 2);
  });

  it('mails are in no log: neither what they say nor their links', () => {
    for (const log of system.logs()) expect(log).not.to.match(/verify-email|token=/i);
  });
});
