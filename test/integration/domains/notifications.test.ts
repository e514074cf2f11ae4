import { expect } from 'chai';
import type { NotificationChannels, NotificationType } from '#generated/sdk/types.gen.ts';
import { NotificationService, type Notice } from '#domains/notifications/service.ts';
import { transact } from '#platform/database.ts';
import { newId } from '#platform/ids.ts';
import { type Backend, type Person, startBackend, useBackend } from '../../support/backend.ts';
import { countStatements } from '../../support/statements.ts';
import { until } from '../../support/until.ts';

describe('notifications', () => {
  const backend = useBackend();
  const person = (tier: Person['tier'] = 'pro'): Promise<Person> => backend.current.person(tier);
  const serviceOf = ({ database: { db }, services }: Backend): NotificationService => new NotificationService({
    db, tiers: services.tiers, members: { activeMembers: (_projectId, userIds) => Promise.resolve(new Set(userIds)), activeAmong: () => Promise.resolve(() => true) }, feed: { changed: () => undefined },
  });
  const notify = (on: Backend, notice: Notice): Promise<void> => serviceOf(on).tell(notice);
  const suspicion = (who: Person, eventKey = newId()): Notice => ({
    userIds: [who.userId], type: 'account.suspicious_sign_in', eventKey,
    payload: { session_id: newId(), reason: 'many_failures', ip_address: '203.0.113.9', user_agent: 'Mozilla/5.0 (bees)', device_name: null },
  });
  const choose = (who: Person, type: NotificationType, channels: NotificationChannels) =>
    backend.current.run('updatePreferences', who, { body: { notifications: { [type]: channels } } });
  const rowsOf = (who: Person) =>
    backend.current.sql<{ type: string; in_app: boolean; payload: Record<string, unknown> }>('select type, in_app, payload from notifications where user_id = ? order by id', [who.userId]);
  const mailsTo = (who: Person) => backend.current.mails(`${who.username}@example.com`);
  const event = (who: Person, sessionId: string, reason = 'new_device_and_network') => ({
    type: 'session.suspicious', entityId: sessionId, userId: who.userId,
    data: { session_id: sessionId, reason, ip_address: '203.0.113.9', user_agent: 'Mozilla/5.0 (bees)', device_name: 'Ada\'s <b>phone</b>' },
  });
  const consume = async (what: ReturnType<typeof event>): Promise<void> => {
    const consumer = backend.current.services.consumers.get('session.suspicious');
    if (consumer === undefined) throw new Error('Nobody hears of suspicious sign-ins.');
    await consumer(what);
  };

  describe('of a strange sign-in', () => {
    it('are listed and mailed once each, however often and however many at once hear of it', async () => {
      const ada = await person();
      const sessionId = newId();
      for (let round = 0; round < 3; round += 1) {
        await Promise.all(Array.from({ length: 5 }, () => consume(event(ada, sessionId))));
        // Whether the mail has left or not.
        expect(await mailsTo(ada)).to.have.length(1);
      }
      expect(await rowsOf(ada)).to.deep.equal([{
        type: 'account.suspicious_sign_in', in_app: true,
        payload: { session_id: sessionId, reason: 'new_device_and_network', ip_address: '203.0.113.9', user_agent: 'Mozilla/5.0 (bees)', device_name: 'Ada\'s <b>phone</b>' },
      }]);
    });

    it('say in the mail what is known of it and what to do, with nothing of it read as HTML', async () => {
      const ada = await person();
      await consume(event(ada, newId()));
      const [mail] = await mailsTo(ada);
      expect(mail?.subject).to.equal('A sign-in to HiveSync that may not be yours');
      for (const part of [ada.username, '203.0.113.9', 'Mozilla/5.0 (bees)', 'Ada\'s <b>phone</b>', 'a device and a network', 'UTC', 'Forgot your password']) expect(mail?.text).to.contain(part);
      expect(mail?.html).not.to.contain('<b>phone</b>');
    });

    it('are told for each reason and each session of its own', async () => {
      const ada = await person();
      const [one, other] = [newId(), newId()];
      for (const what of [event(ada, one), event(ada, one, 'refresh_token_reused'), event(ada, other)]) await consume(what);
      expect(await rowsOf(ada)).to.have.length(3);
    });

    it('come out of a real sign-in that looks strange, by the outbox', async () => {
      const { http, relay, sql } = backend.current;
      const username = `eve${newId().slice(-10)}`;
      const account = { email: `${username}@example.com`, username, password: 'forty bees in a garden' };
      const registered = await http('POST', '/auth/register', { json: { ...account, device: { device_id: 'first-device-of-eve', name: 'Laptop', platform: 'web' } } });
      const first = String(registered.data['refresh_token']);
      await http('POST', '/auth/refresh', { json: { refresh_token: first } });
      // Used again, by nobody that is known: taken for theft.
      expect((await http('POST', '/auth/refresh', { json: { refresh_token: first } })).status).to.equal(401);
      const running = relay();
      running.start();
      try {
        const userId = (registered.data['user'] as { id: string }).id;
        await until('the event to be told', async () => (await sql('select id from notifications where user_id = ?', [userId])).length > 0);
        const rows = await sql<{ payload: { reason: string; session_id: string } }>('select payload from notifications where user_id = ?', [userId]);
        expect(rows.map(({ payload }) => [payload.reason, payload.session_id])).to.deep.equal([['refresh_token_reused', registered.data['session_id']]]);
      } finally {
        await running.stop();
      }
    });

    it('go to a confirmed address alone where addresses are to be confirmed', async () => {
      const strict = await startBackend({ EMAIL_VERIFICATION: 'required' });
      try {
        const [ada, ben] = [await strict.person(), await strict.person()];
        await strict.sql('update users set email_verified_at = null where id = ?', [ben.userId]);
        for (const who of [ada, ben]) await notify(strict, suspicion(who));
        expect((await strict.mails()).map(({ to }) => to)).to.deep.equal([`${ada.username}@example.com`]);
        expect(await strict.sql('select user_id from notifications order by id')).to.have.length(2);
      } finally {
        await strict.close();
      }
    });
  });

  describe('by the channels that somebody chose', () => {
    it('are mailed alone, listed alone, both or neither', async () => {
      for (const [inApp, email] of [[true, true], [true, false], [false, true], [false, false]] as const) {
        const ada = await person();
        await choose(ada, 'account.suspicious_sign_in', { in_app: inApp, email });
        const key = newId();
        for (let told = 0; told < 3; told += 1) await notify(backend.current, suspicion(ada, key));
        expect((await rowsOf(ada)).filter((row) => row.in_app), `in_app ${inApp}`).to.have.length(inApp ? 1 : 0);
        expect(await mailsTo(ada), `email ${email}`).to.have.length(email ? 1 : 0);
        await notify(backend.current, suspicion(ada, key));
        expect(await mailsTo(ada), 'told again after the mail has left').to.have.length(email ? 1 : 0);
      }
    });

    it('leave nothing behind when the transaction that tells fails', async () => {
      const { database: { db } } = backend.current;
      const ada = await person();
      const failed = await transact(db, null, async (trx) => {
        await serviceOf(backend.current).notifyAll(trx, suspicion(ada));
        throw new Error('on purpose');
      }).then(() => 'went through', () => 'failed');
      expect([failed, await rowsOf(ada), await mailsTo(ada)]).to.deep.equal(['failed', [], []]);
    });

    it('tell nobody whose account is gone, and mail nobody who went meanwhile', async () => {
      const { sql } = backend.current;
      const [gone, going] = [await person(), await person()];
      await sql('update users set deleted_at = now() where id = ?', [gone.userId]);
      await notify(backend.current, suspicion(gone));
      await notify(backend.current, { ...suspicion(gone), userIds: [newId()] });
      await notify(backend.current, suspicion(going));
      await sql('update users set deleted_at = now() where id = ?', [going.userId]);
      expect([await rowsOf(gone), await mailsTo(gone), await mailsTo(going)]).to.deep.equal([[], [], []]);
    });
  });

  describe('of a day', () => {
    const shared = (who: Person): Notice => ({ userIds: [who.userId], type: 'preview.shared', eventKey: newId(), payload: { job_id: newId(), share_id: newId(), shared_by: null } });

    it('are no more than the tier allows, also when the last place is raced for', async () => {
      const { sql, run } = backend.current;
      const ada = await person('free');
      await sql(`insert into notifications (id, user_id, type, payload, event_key, in_app)
        select gen_random_uuid(), ?, 'account.tier_changed', '{}', 'filling ' || n, true from generate_series(1, 199) n`, [ada.userId]);
      await Promise.all(Array.from({ length: 6 }, () => notify(backend.current, shared(ada))));
      expect(await rowsOf(ada)).to.have.length(200);
      const { data } = await run('getUsage', ada);
      const item = data.items.find(({ name }) => name === 'notifications_per_day');
      expect([item?.used, item?.limit]).to.deep.equal([200, 200]);
      expect(await sql('select id from notifications where user_id = ? and awaits_digest', [ada.userId]), 'what is not made is not mailed').to.have.length(1);
    });

    it('never keep the mail of a strange sign-in away, and begin anew at midnight, UTC', async () => {
      const { sql } = backend.current;
      const ada = await person('free');
      await sql(`insert into notifications (id, user_id, type, payload, event_key, in_app)
        select gen_random_uuid(), ?, 'account.tier_changed', '{}', 'filling ' || n, true from generate_series(1, 200) n`, [ada.userId]);
      await notify(backend.current, suspicion(ada));
      expect(await mailsTo(ada)).to.have.length(1);
      expect((await rowsOf(ada)).filter(({ in_app: listed }) => listed)).to.have.length(200);
      await sql("update notifications set created_at = date_trunc('day', now()) - interval '1 millisecond' where user_id = ?", [ada.userId]);
      await notify(backend.current, suspicion(ada));
      expect((await rowsOf(ada)).filter(({ in_app: listed }) => listed)).to.have.length(201);
    });
  });

  it('cost five statements with a mail, three without', async () => {
    const ada = await person();
    const listed: Notice = { userIds: [ada.userId], type: 'account.tier_changed', eventKey: newId(), payload: { from: 'free', to: 'pro' } };
    await backend.current.services.tiers.limitsOf('pro');
    expect(await countStatements(() => notify(backend.current, listed))).to.equal(3);
    expect(await countStatements(() => notify(backend.current, suspicion(ada)))).to.equal(5);
  });
});
