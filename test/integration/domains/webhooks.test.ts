import { expect } from 'chai';
import { secretContext } from '#domains/webhooks/secrets.ts';
import { createVault } from '#platform/crypto.ts';
import { newId } from '#platform/ids.ts';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { eventsOf, joinProject, joinTeam, teamOf } from '../../support/belonging.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';
import { until } from '../../support/until.ts';
import { deliveryTo } from '../../support/webhooks.ts';

const url = 'https://hooks.example.com/hivesync?key=of-mine';
const types = ['preview.succeeded', 'preview.failed'] as const;

describe('webhooks', () => {
  const backend = useBackend();
  const person = (tier?: Person['tier']): Promise<Person> => backend.current.person(tier);
  const create = async (who: Person, projectId: string, more: { url?: string; is_active?: boolean } = {}): Promise<DataOf<'createWebhook'>> =>
    (await backend.current.run('createWebhook', who, { path: { project_id: projectId }, body: { url, event_types: [...types], is_active: true, ...more } })).data;
  const auditsOf = (id: string): Promise<unknown[]> =>
    backend.current.sql('select event_type, entity_type, user_id, data from audit_logs where entity_id = ? order by id', [id]);
  const opened = async (id: string): Promise<{ now: string; before: string | null }> => {
    const vault = createVault(backend.current.env.encryptionKey, backend.current.env.encryptionKeyPrevious);
    const [row] = await backend.current.sql<Record<string, Buffer & string>>('select * from webhook_endpoints where id = ?', [id]);
    const open = (data: Buffer, keyId: string): string => vault.open({ data, keyId }, secretContext(id)).toString();
    return {
      now: open(row?.['secret'] as Buffer, row?.['secret_key_id'] ?? ''),
      before: row?.['previous_secret'] == null ? null : open(row['previous_secret'], row['previous_secret_key_id'] ?? ''),
    };
  };
  const statusOf = async (deliveryId: string): Promise<string | undefined> =>
    (await backend.current.sql<{ status: string }>('select status from webhook_deliveries where id = ?', [deliveryId]))[0]?.status;

  it('are made with a secret that is shown once and stored sealed, changed under a version and deleted; each leaves its audit without secret or path', async () => {
    const { run, project, sql } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    const { webhook, secret } = await create(ada, projectId);
    expect(webhook).to.deep.include({
      project_id: projectId, url, event_types: [...types], is_active: true, disabled_reason: null, disabled_at: null, failing_since: null, created_by: ada.userId,
    });
    expect(Buffer.from(secret.slice('whsec_'.length), 'base64')).to.have.length(32);
    expect(await opened(webhook.id)).to.deep.equal({ now: secret, before: null });
    const path = { webhook_id: webhook.id };
    const got = await run('getWebhook', ada, { path });
    expect([got.data, got.etag]).to.deep.equal([webhook, '1']);
    const changed = await run('updateWebhook', ada, { path, body: { url: 'https://other.example.com/x', is_active: false } }, { ifMatch: '1' });
    expect([changed.data.url, changed.data.event_types, changed.data.is_active, changed.data.disabled_reason, changed.etag]).to.deep.equal(['https://other.example.com/x', [...types], false, 'switched_off', '2']);
    expect(changed.data.disabled_at).to.be.a('string');
    expect((await run('updateWebhook', ada, { path, body: { is_active: false } })).etag, 'nothing changed').to.equal('2');
    for (const call of [() => run('updateWebhook', ada, { path, body: { is_active: true } }, { ifMatch: '1' }), () => run('deleteWebhook', ada, { path }, { ifMatch: '1' })]) {
      expect(await codeOf(call())).to.equal('PRECONDITION_FAILED');
    }
    expect((await run('deleteWebhook', ada, { path }, { ifMatch: '2' })).status).to.equal(204);
    expect(await codeOf(run('getWebhook', ada, { path }))).to.equal('NOT_FOUND');
    expect(await sql('select secret, previous_secret from webhook_endpoints where id = ?', [webhook.id])).to.deep.equal([{ secret: null, previous_secret: null }]);
    const origin = 'https://hooks.example.com';
    expect(await auditsOf(webhook.id)).to.deep.equal([
      { event_type: 'webhook.created', entity_type: 'webhook', user_id: ada.userId, data: { origin, event_types: [...types], is_active: true } },
      { event_type: 'webhook.updated', entity_type: 'webhook', user_id: ada.userId, data: { changes: { origin: { from: origin, to: 'https://other.example.com' }, is_active: { from: true, to: false } } } },
      { event_type: 'webhook.deleted', entity_type: 'webhook', user_id: ada.userId, data: { origin: 'https://other.example.com', event_types: [...types] } },
    ]);
  });

  it('refuse a URL that holds a user name or names an address that is not public, when they are made and when they are changed', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    const { webhook } = await create(ada, projectId);
    const refused = ['https://ada@example.com/', 'https://:pw@example.com/', 'https://127.0.0.1/', 'https://0x7f.1/', 'https://[::1]/', 'https://169.254.169.254/latest', 'https://[::ffff:10.0.0.1]/', 'https://localhost/', 'https://example.com:25/'];
    for (const bad of refused) {
      for (const call of [() => create(ada, projectId, { url: bad }), () => run('updateWebhook', ada, { path: { webhook_id: webhook.id }, body: { url: bad } })]) {
        const refusal = await refusalOf(call());
        expect([refusal.code, (refusal.details as { pointer: string }[])[0]?.pointer], bad).to.deep.equal(['VALIDATION_ERROR', '#/body/url']);
      }
    }
    await create(ada, projectId, { url: 'http://hooks.example.com/outside-production' });
  });

  it('are kept by the owner and the Admins of the project\'s team; members see that they may not, others nothing', async () => {
    const { run, project } = backend.current;
    const [ada, ben, cleo, dora] = [await person(), await person(), await person(), await person()];
    const team = await teamOf(backend.current, ada);
    await joinTeam(backend.current, team, ada, ben, 'admin');
    const projectId = await project(ada, { team_id: team });
    await joinProject(backend.current, projectId, ada, cleo);
    const { webhook } = await create(ben, projectId);
    const deliveryId = (await deliveryTo(backend.current, webhook.id, projectId, 'failed')).id;
    const path = { webhook_id: webhook.id };
    for (const [who, code] of [[cleo, 'FORBIDDEN'], [dora, 'NOT_FOUND']] as const) {
      for (const call of [
        () => run('listWebhooks', who, { path: { project_id: projectId } }), () => create(who, projectId), () => run('getWebhook', who, { path }),
        () => run('updateWebhook', who, { path, body: { is_active: false } }), () => run('deleteWebhook', who, { path }), () => run('rotateWebhookSecret', who, { path, body: { overlap_seconds: 0 } }),
        () => run('testWebhook', who, { path }), () => run('redeliverSince', who, { path, body: { since: '2026-03-01T00:00:00.000Z', include_succeeded: false } }), () => run('listDeliveries', who, { path }),
        () => run('getDelivery', who, { path: { delivery_id: deliveryId } }), () => run('redeliverDelivery', who, { path: { delivery_id: deliveryId } }),
      ]) expect(await codeOf(call())).to.equal(code);
    }
    expect((await run('listWebhooks', ada, { path: { project_id: projectId } })).data.items.map(({ id }) => id)).to.deep.equal([webhook.id]);
    expect((await refusalOf(run('createWebhook', { ...ada, isVerified: false }, { path: { project_id: projectId }, body: { url, event_types: [...types], is_active: true } }))).details).to.deep.equal({ reason: 'email_not_verified' });
  });

  it('are as many as the tier of the project\'s owner allows, those that are off too, also under a race; the owner is told near the end', async () => {
    const { run, project } = backend.current;
    const [ada, ben] = [await person('pro'), await person('free')];
    const team = await teamOf(backend.current, ada);
    await joinTeam(backend.current, team, ada, ben, 'admin');
    const projectId = await project(ada, { team_id: team });
    const first = await create(ada, projectId, { is_active: false });
    expect([first.webhook.is_active, first.webhook.disabled_reason]).to.deep.equal([false, 'switched_off']);
    const race = await Promise.allSettled(Array.from({ length: 12 }, () => create(ben, projectId)));
    expect(race.filter(({ status }) => status === 'fulfilled')).to.have.length(9);
    const refusal = await refusalOf(create(ben, projectId));
    expect([refusal.code, refusal.details]).to.deep.equal(['QUOTA_EXCEEDED', { limit: 'webhooks_per_project', allowed: 10, used: 10, tier: 'pro', upgrade_to: 'premium' }]);
    expect(refusal.message).to.contain('The owner\'s tier (pro)');
    expect((await refusalOf(create(ada, projectId))).message).to.contain('Your tier (pro)');
    expect(await eventsOf(backend.current, ['account.quota_near'], ada.userId)).to.deep.equal([
      { type: 'account.quota_near', projectId: null, data: { limit: 'webhooks_per_project', used: 8, allowed: 10, tier: 'pro' } },
    ]);
    await run('deleteWebhook', ada, { path: { webhook_id: first.webhook.id } });
    await create(ben, projectId);
    const another = await project(ada);
    expect((await create(ada, another)).webhook.project_id, 'each project has its own').to.equal(another);
  });

  it('are not made by somebody who lost the role while waiting', async () => {
    const { run, project, database: { db } } = backend.current;
    const [ada, ben] = [await person(), await person()];
    const team = await teamOf(backend.current, ada);
    await joinTeam(backend.current, team, ada, ben, 'admin');
    const projectId = await project(ada, { team_id: team });
    const trx = await db.knex.transaction();
    await trx('projects').where({ id: projectId }).forUpdate().first('id');
    const waiting = codeOf(create(ben, projectId));
    await until('it to wait for the project', async () =>
      (await backend.current.sql("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%for no key update of p%'")).length > 0);
    await run('removeTeamMember', ada, { path: { team_id: team, user_id: ben.userId } });
    await trx.commit();
    expect(await waiting).to.equal('NOT_FOUND');
  });

  it('are listed newest first and walked by cursor, those that are on or off', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const path = { project_id: await project(ada) };
    const made: string[] = [];
    for (let at = 0; at < 5; at += 1) made.unshift((await create(ada, path.project_id, { is_active: at % 2 === 0 })).webhook.id);
    const { data } = await run('listWebhooks', ada, { path });
    expect(data.items.map(({ id }) => id)).to.deep.equal(made);
    expect(data.page).to.deep.equal({ limit: 50, offset: 0, total: 5, next_cursor: null });
    expect((await run('listWebhooks', ada, { path, query: { is_active: false } })).data.items.map(({ id }) => id)).to.deep.equal([made[1], made[3]]);
    const walked: string[] = [];
    let cursor: string | null = null;
    do {
      const page: { data: DataOf<'listWebhooks'> } = await run('listWebhooks', ada, { path, query: { limit: 2, ...(cursor === null ? {} : { cursor }) } });
      walked.push(...page.data.items.map(({ id }) => id));
      cursor = page.data.page.next_cursor;
    } while (cursor !== null);
    expect(walked).to.deep.equal(made);
    const { data: { page: { next_cursor: ofAll } } } = await run('listWebhooks', ada, { path, query: { limit: 2 } });
    expect(await codeOf(run('listWebhooks', ada, { path, query: { is_active: true, cursor: ofAll ?? '' } }))).to.equal('VALIDATION_ERROR');
    expect(await codeOf(run('listWebhooks', ada, { path: { project_id: await project(ada) }, query: { cursor: ofAll ?? '' } })), 'another project').to.equal('VALIDATION_ERROR');
  });

  it('change their secret with an overlap in which the former one is kept, one at most', async () => {
    const { run, http, project, sql, clock } = backend.current;
    const ada = await person();
    const { webhook, secret: first } = await create(ada, await project(ada));
    const path = { webhook_id: webhook.id };
    const { data: { secret: second, previous_expires_at: endsAt } } = await run('rotateWebhookSecret', ada, { path, body: { overlap_seconds: 3_600 } });
    expect(Date.parse(endsAt)).to.be.within(clock.now() + 3_590_000, clock.now() + 3_600_000);
    expect(await opened(webhook.id)).to.deep.equal({ now: second, before: first });
    const reply = await http('POST', `/webhooks/${webhook.id}/rotate-secret`, { headers: ada.headers });
    const { secret: third, previous_expires_at: aDayLater } = reply.data as DataOf<'rotateWebhookSecret'>;
    expect(reply.headers.get('cache-control')).to.equal('no-store');
    expect(Date.parse(aDayLater), 'a day where nothing is said, without a body').to.be.within(clock.now() + 86_390_000, clock.now() + 86_400_000);
    expect(await opened(webhook.id)).to.deep.equal({ now: third, before: second });
    const { data: { secret: fourth, webhook: after } } = await run('rotateWebhookSecret', ada, { path, body: { overlap_seconds: 0 } });
    expect(await opened(webhook.id)).to.deep.equal({ now: fourth, before: null });
    expect(after.is_active).to.equal(true);
    expect(await auditsOf(webhook.id)).to.deep.include({ event_type: 'webhook.secret_rotated', entity_type: 'webhook', user_id: ada.userId, data: { overlap_seconds: 3_600 } });
    const said = JSON.stringify(await sql('select data from audit_logs where user_id = ?', [ada.userId])) + JSON.stringify(await sql('select payload from outbox'));
    for (const secret of [first, second, third, fourth]) expect(said).not.to.contain(secret.slice(6));
  });

  it('cancel what waits when they are switched off or deleted, but not a test; switched on they begin anew', async () => {
    const { run, project, sql } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    const { webhook } = await create(ada, projectId);
    const path = { webhook_id: webhook.id };
    const waiting = (await deliveryTo(backend.current, webhook.id, projectId, 'pending')).id;
    await sql("update webhook_endpoints set failing_since = '2026-03-01T00:00:00.000Z' where id = ?", [webhook.id]);
    const { data: test } = await run('testWebhook', ada, { path });
    const { data: off } = await run('updateWebhook', ada, { path, body: { is_active: false } });
    expect(off.failing_since).to.equal('2026-03-01T00:00:00.000Z');
    expect([await statusOf(waiting), await statusOf(test.id)]).to.deep.equal(['cancelled', 'pending']);
    const { data: cancelled } = await run('getDelivery', ada, { path: { delivery_id: waiting } });
    expect([cancelled.next_attempt_at, typeof cancelled.completed_at]).to.deep.equal([null, 'string']);
    const { data: on } = await run('updateWebhook', ada, { path, body: { is_active: true } });
    expect([on.disabled_reason, on.disabled_at, on.failing_since]).to.deep.equal([null, null, null]);
    expect(await statusOf(waiting), 'brings nothing back').to.equal('cancelled');
    await run('deleteWebhook', ada, { path });
    expect(await statusOf(test.id)).to.equal('cancelled');
    expect(await codeOf(run('getDelivery', ada, { path: { delivery_id: waiting } }))).to.equal('NOT_FOUND');
  });

  it('keep why they are off when they are told to be off again, and what failed', async () => {
    const { run, project, sql } = backend.current;
    const ada = await person();
    const { webhook } = await create(ada, await project(ada));
    await sql("update webhook_endpoints set is_active = false, disabled_reason = 'gone', disabled_at = now() where id = ?", [webhook.id]);
    const { data } = await run('updateWebhook', ada, { path: { webhook_id: webhook.id }, body: { is_active: false, url: 'https://other.example.com/' } });
    expect([data.disabled_reason, data.url]).to.deep.equal(['gone', 'https://other.example.com/']);
  });

  it('go with their deliveries by a sweep when they are deleted, and former secrets when their overlap is over', async () => {
    const { run, project, sql, services } = backend.current;
    const ada = await person();
    const projectId = await project(ada);
    const [{ webhook: gone }, { webhook: kept, secret }] = [await create(ada, projectId), await create(ada, projectId)];
    const [of, other] = [(await deliveryTo(backend.current, gone.id, projectId, 'failed')).id, (await deliveryTo(backend.current, kept.id, projectId, 'failed')).id];
    await sql("insert into webhook_attempts (delivery_id, number, attempted_at, duration_ms) values (?, 1, now(), 5)", [of]);
    await run('deleteWebhook', ada, { path: { webhook_id: gone.id } });
    await run('rotateWebhookSecret', ada, { path: { webhook_id: kept.id }, body: { overlap_seconds: 60 } });
    const sweep = async (): Promise<void> => {
      await services.systemKinds.find(({ kind }) => kind === 'sweep.webhooks')?.run({}, { jobId: newId(), attempt: 1, signal: new AbortController().signal });
    };
    await sweep();
    expect(await sql('select id from webhook_endpoints where project_id = ?', [projectId])).to.deep.equal([{ id: kept.id }]);
    expect([await statusOf(of), await statusOf(other)]).to.deep.equal([undefined, 'failed']);
    expect((await opened(kept.id)).before).to.equal(secret);
    await sql("update webhook_endpoints set previous_secret_expires_at = now() - interval '1 second' where id = ?", [kept.id]);
    await sweep();
    expect((await opened(kept.id)).before).to.equal(null);
  });

  it('are read and changed in a bounded number of statements, however many there are', async () => {
    const { run, project } = backend.current;
    const ada = await person();
    const path = { project_id: await project(ada) };
    const counts: Record<string, number> = {};
    const count = async (name: string, work: () => Promise<unknown>): Promise<void> => { counts[name] = await countStatements(work); };
    let made: DataOf<'createWebhook'> | undefined;
    await count('create', async () => { made = await create(ada, path.project_id); });
    for (let at = 0; at < 10; at += 1) await create(ada, path.project_id);
    const one = { webhook_id: made?.webhook.id ?? '' };
    await count('list', () => run('listWebhooks', ada, { path }));
    await count('get', () => run('getWebhook', ada, { path: one }));
    await count('update', () => run('updateWebhook', ada, { path: one, body: { event_types: ['task.created'] } }));
    await count('rotate', () => run('rotateWebhookSecret', ada, { path: one, body: { overlap_seconds: 60 } }));
    await count('off', () => run('updateWebhook', ada, { path: one, body: { is_active: false } }));
    await count('delete', () => run('deleteWebhook', ada, { path: one }));
    expect(counts).to.deep.equal({ create: 6, list: 3, get: 2, update: 4, rotate: 4, off: 5, delete: 5 });
  });
});
