import { expect } from 'chai';
import { sweepIdempotencyKeys } from '#http/idempotency/sweep.ts';
import { newId } from '#platform/ids.ts';
import { until } from '../../support/until.ts';
import { useFixture, type Reply } from './fixture/app.ts';

const outcome = ({ status, json }: Reply): string => `${status} ${json.error?.code ?? 'ok'}`;

describe('http: Idempotency-Key', () => {
  const fixture = useFixture({ deps: { deadlines: { takeLong: 60_000 } } });
  afterEach('nobody intervenes', () => {
    Object.assign(fixture.current.intervene, { insideTransaction: null, afterCommit: null, long: null });
  });
  const things = async (ownerId: string): Promise<number> =>
    Number((await fixture.current.database.db.knex('things').where({ owner_id: ownerId }).count<{ count: string }[]>('*'))[0]?.count);
  const create = (headers: Record<string, string>, key: string, title = 'One'): Promise<Reply> =>
    fixture.current.call('POST', '/things', { headers: { ...headers, 'idempotency-key': key }, json: { title } });
  const rows = async (): Promise<{ state: string; answer: Buffer | null; key_hash: Buffer }[]> =>
    await fixture.current.database.db.knex<{ state: string; answer: Buffer | null; key_hash: Buffer }>('idempotency_keys').select('state', 'answer', 'key_hash').orderBy('created_at');

  it('answers a repeat byte for byte with status, Location and the mark, and does nothing twice', async () => {
    const ada = fixture.current.person();
    const first = await create(ada.headers, 'key-0001');
    const again = await create(ada.headers, 'key-0001');
    expect(first.status).to.equal(201);
    expect(first.headers.get('idempotency-replayed')).to.equal(null);
    expect([again.status, again.text, again.headers.get('location'), again.headers.get('idempotency-replayed')])
      .to.deep.equal([201, first.text, first.headers.get('location'), 'true']);
    expect(again.headers.get('x-request-id')).not.to.equal(first.headers.get('x-request-id'));
    expect(await things(ada.userId)).to.equal(1);
    expect(fixture.current.logLines.some(({ event_type }) => event_type === 'idempotency.sealed_otherwise')).to.equal(false);
  });

  it('takes the same meaning in other bytes for the same request, and another body for a conflict', async () => {
    const ada = fixture.current.person();
    const send = (body: string): Promise<Reply> => fixture.current.call('POST', '/things', {
      headers: { ...ada.headers, 'idempotency-key': 'key-order', 'content-type': 'application/json' }, body,
    });
    const first = await send('{"title":"a","size":1}');
    expect((await send('{ "size": 1, "title": "a" }')).text).to.equal(first.text);
    expect(outcome(await send('{"title":"b","size":1}'))).to.equal('409 IDEMPOTENCY_CONFLICT');
  });

  it('keeps callers and operations apart', async () => {
    const [ada, ben] = [fixture.current.person(), fixture.current.person()];
    const first = await create(ada.headers, 'key-shared');
    const other = await create(ben.headers, 'key-shared', 'Other');
    expect([other.status, other.text === first.text]).to.deep.equal([201, false]);
    const secret = await fixture.current.call('POST', '/secrets', { headers: { ...ada.headers, 'idempotency-key': 'key-shared' }, json: { word: 'x' } });
    expect(secret.status).to.equal(201);
  });

  it('lets one of many that come at once act; the others are told to wait or get its answer', async () => {
    const ada = fixture.current.person();
    const replies = await Promise.all(Array.from({ length: 12 }, () => create(ada.headers, 'key-race')));
    expect(await things(ada.userId)).to.equal(1);
    expect(new Set(replies.filter(({ status }) => status === 201).map(({ text }) => text)).size).to.equal(1);
    for (const reply of replies.filter(({ status }) => status !== 201)) {
      expect(outcome(reply)).to.equal('409 REQUEST_IN_PROGRESS');
      expect(Number(reply.headers.get('retry-after'))).to.be.within(1, 5);
    }
  });

  it('replays what was sealed with the effect when the process dies between commit and answer', async () => {
    const { intervene, person, call } = fixture.current;
    const ada = person();
    // The commit is done, the answer never comes: what a kill leaves behind, as far as the database can tell.
    intervene.afterCommit = () => Promise.reject(new Error('killed'));
    expect((await create(ada.headers, 'key-killed')).status).to.equal(500);
    intervene.afterCommit = null;
    const again = await create(ada.headers, 'key-killed');
    expect([again.status, again.headers.get('idempotency-replayed')]).to.deep.equal([201, 'true']);
    expect(again.headers.get('location')).to.equal(`/api/v1/things/${String(again.json.data?.['id'])}`);
    expect((await call('GET', String(again.headers.get('location')).replace('/api/v1', ''), { headers: ada.headers })).status).to.equal(200);
    expect(await things(ada.userId)).to.equal(1);
  });

  it('forgets the key when the transaction fails, so that a repeat acts', async () => {
    const { intervene, person } = fixture.current;
    const ada = person();
    intervene.insideTransaction = () => Promise.reject(new Error('broken'));
    expect((await create(ada.headers, 'key-rolled')).status).to.equal(500);
    expect(await things(ada.userId)).to.equal(0);
    intervene.insideTransaction = null;
    const again = await create(ada.headers, 'key-rolled');
    expect([again.status, again.headers.get('idempotency-replayed')]).to.deep.equal([201, null]);
  });

  it('keeps refusals of the rules, and not those that a repeat may pass: validation, limits, faults of ours', async () => {
    const { limits, person } = fixture.current;
    const ada = person();
    expect(outcome(await create(ada.headers, 'key-quota', 'too many'))).to.equal('402 QUOTA_EXCEEDED');
    const replay = await create(ada.headers, 'key-quota', 'too many');
    expect([outcome(replay), replay.headers.get('idempotency-replayed')]).to.deep.equal(['402 QUOTA_EXCEEDED', 'true']);
    expect(outcome(await create(ada.headers, 'key-odd1', 'odd'))).to.equal('400 VALIDATION_ERROR');
    expect((await create(ada.headers, 'key-odd1', 'odd')).headers.get('idempotency-replayed')).to.equal(null);
    expect(outcome(await create(ada.headers, 'key-limit', ''))).to.equal('400 VALIDATION_ERROR');
    limits.set('write', { quota: 1, windowSeconds: 60 });
    try {
      const ben = person();
      await create(ben.headers, 'key-before');
      expect(outcome(await create(ben.headers, 'key-limit'))).to.equal('429 RATE_LIMITED');
      limits.clear();
      expect((await create(ben.headers, 'key-limit')).headers.get('idempotency-replayed')).to.equal(null);
    } finally {
      limits.clear();
    }
  });

  it('tells a repeat that the first is still running, and takes over from one whose lease ran out', async () => {
    const { intervene, person, call, database } = fixture.current;
    const ada = person();
    const long = (word: string): Promise<Reply> => call('POST', '/long', { headers: { ...ada.headers, 'idempotency-key': 'key-long' }, json: { word } });
    const started = Promise.withResolvers<undefined>();
    const goOn = Promise.withResolvers<undefined>();
    intervene.long = () => {
      started.resolve(undefined);
      return goOn.promise;
    };
    const first = long('a');
    await started.promise;
    expect(outcome(await long('a'))).to.equal('409 REQUEST_IN_PROGRESS');
    expect(outcome(await long('b'))).to.equal('409 IDEMPOTENCY_CONFLICT');
    await database.db.knex('idempotency_keys').where({ operation_id: 'takeLong' }).update({ lease_until: database.db.knex.raw(`now() - interval '1 second'`) });
    intervene.long = null;
    const second = await long('a');
    expect([second.status, second.headers.get('idempotency-replayed')]).to.deep.equal([200, null]);
    goOn.resolve(undefined);
    // Who lost the lease answers its own client, and leaves the kept answer alone.
    expect((await first).status).to.equal(200);
    expect((await long('a')).headers.get('idempotency-replayed')).to.equal('true');
  });

  it('keeps a key for a few seconds beyond the life of its process, and for as long as its request runs', async () => {
    const { intervene, person, call, database } = fixture.current;
    const ada = person();
    const started = Promise.withResolvers<undefined>();
    const goOn = Promise.withResolvers<undefined>();
    intervene.long = () => {
      started.resolve(undefined);
      return goOn.promise;
    };
    const lease = async (): Promise<number> => Number((await database.db.knex('idempotency_keys').where({ operation_id: 'takeLong', state: 'in_progress' })
      .first<{ left: number }>(database.db.knex.raw('extract(epoch from lease_until - clock_timestamp())::float8 as left'))).left);
    const first = call('POST', '/long', { headers: { ...ada.headers, 'idempotency-key': 'key-alive' }, json: { word: 'a' } });
    await started.promise;
    expect(await lease(), 'of a request that may take a minute').to.be.within(5, 10);
    await database.db.knex('idempotency_keys').where({ operation_id: 'takeLong', state: 'in_progress' }).update({ lease_until: database.db.knex.raw(`now() + interval '1 second'`) });
    await until('the lease to be extended', async () => (await lease()) > 5);
    goOn.resolve(undefined);
    expect((await first).status).to.equal(200);
  });

  it('rolls an effect back whose lease was taken over meanwhile', async () => {
    const { intervene, person, database } = fixture.current;
    const ada = person();
    intervene.insideTransaction = async () => {
      intervene.insideTransaction = null;
      await database.db.knex('idempotency_keys').where({ operation_id: 'createThing', state: 'in_progress' }).update({ lease_until: database.db.knex.raw(`now() - interval '1 second'`) });
      expect((await create(ada.headers, 'key-lost')).status).to.equal(201);
    };
    expect((await create(ada.headers, 'key-lost')).status).to.equal(500);
    expect(await things(ada.userId)).to.equal(1);
  });

  it('stores neither the key nor the answer in the clear', async () => {
    const ada = fixture.current.person();
    await fixture.current.call('POST', '/secrets', { headers: { ...ada.headers, 'idempotency-key': 'a-very-private-key' }, json: { word: 'sesame' } });
    const stored = Buffer.concat((await rows()).flatMap(({ answer, key_hash }) => [answer ?? Buffer.alloc(0), key_hash])).toString('latin1');
    expect(stored).not.to.contain('sesame').and.not.to.contain('a-very-private-key');
  });

  it('lets expired keys be used anew and sweeps them, leaving the others', async () => {
    const { database, person } = fixture.current;
    const ada = person();
    const first = await create(ada.headers, 'key-expired');
    await database.db.knex('idempotency_keys').update({ expires_at: database.db.knex.raw(`now() - interval '1 second'`) });
    const again = await create(ada.headers, 'key-expired', 'Another');
    expect([again.status, again.text === first.text]).to.deep.equal([201, false]);
    const before = (await rows()).length;
    expect(await sweepIdempotencyKeys(database.db)).to.equal(before - 1);
    expect(await rows()).to.have.length(1);
  });

  it('works for an operation without a key as before, and refuses a key that the contract does not take', async () => {
    const ada = fixture.current.person();
    expect((await create(ada.headers, 'x')).status).to.equal(400);
    expect((await fixture.current.call('POST', '/things', { headers: ada.headers, json: { title: newId().slice(0, 8) } })).status).to.equal(201);
  });
});
