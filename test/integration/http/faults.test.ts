import { expect } from 'chai';
import { drain } from '#http/server.ts';
import { startFixture, useFixture } from './fixture/app.ts';

describe('http: when something goes wrong', () => {
  const fixture = useFixture({ deps: { deadlines: { takeLong: 60 } } });

  it('tells the caller nothing of an unexpected error, and the log everything but secrets', async () => {
    const { call, person, logLines } = fixture.current;
    logLines.length = 0;
    const reply = await call('GET', '/wrong?how=throw', { headers: { ...person().headers, 'x-request-id': 'wrong-0001' } });
    expect([reply.status, reply.json.error?.code, reply.json.error?.details]).to.deep.equal([500, 'INTERNAL_ERROR', null]);
    expect(reply.text).not.to.contain('hunter2').and.not.to.contain('/srv').and.not.to.contain('stack');
    const line = logLines.find(({ event_type }) => event_type === 'http.failed');
    expect(line).to.include({ severity: 'error', request_id: 'wrong-0001' });
    expect(JSON.stringify(line)).to.contain('stack');
  });

  it('keeps SQL, constraint and table names to itself', async () => {
    const { call, person } = fixture.current;
    const ada = person();
    await call('POST', '/things', { headers: ada.headers, json: { title: 'a' } });
    for (const how of ['sql', 'unique']) {
      const reply = await call('GET', `/wrong?how=${how}`, { headers: ada.headers });
      expect([reply.status, reply.json.error?.code], how).to.deep.equal([500, 'INTERNAL_ERROR']);
      expect(reply.text).not.to.match(/no_such_table|things|duplicate|select/);
    }
  });

  it('says 503 with Retry-After where a part does not answer in time', async () => {
    const { call, person } = fixture.current;
    const reply = await call('GET', '/wrong?how=timeout', { headers: person().headers });
    expect([reply.status, reply.json.error?.code, reply.headers.get('retry-after')]).to.deep.equal([503, 'SERVICE_UNAVAILABLE', '2']);
  });

  it('answers 503 at the deadline, aborts the call, and gives the key back when the work ends', async () => {
    const { call, person, intervene } = fixture.current;
    const ada = person();
    const gate = Promise.withResolvers<undefined>();
    intervene.long = () => gate.promise;
    const request = { headers: { ...ada.headers, 'idempotency-key': 'slow-0001' }, json: { word: 'a' } };
    const reply = await call('POST', '/long', request);
    expect([reply.status, reply.json.error?.code]).to.deep.equal([503, 'SERVICE_UNAVAILABLE']);
    expect((await call('POST', '/long', request)).json.error?.code).to.equal('REQUEST_IN_PROGRESS');
    intervene.long = null;
    gate.resolve(undefined);
    const endAt = Date.now() + 5_000;
    let again = await call('POST', '/long', request);
    while (again.status === 409 && Date.now() < endAt) again = await call('POST', '/long', request);
    // The work went on after the client was told; its answer is what a repeat gets.
    expect([again.status, again.headers.get('idempotency-replayed')]).to.deep.equal([200, 'true']);
  });

  it('refuses to start with two handlers for one operation', async () => {
    const { createApp } = await import('../../../src/app.ts');
    const one = { openDoor: () => Promise.resolve({ status: 200 }) };
    let message = '';
    await createApp({ handlers: [one, one], deps: { env: fixture.current.database.env, subscriber: null, redis: fixture.current.redis.redis } as never }).catch((error: unknown) => { message = String(error); });
    expect(message).to.contain('openDoor');
  });
});

describe('http: the referee', () => {
  const fixture = useFixture();

  it('turns an answer that the contract does not allow into a 500, logs it and tells the tests', async () => {
    const { call, person, disagreements, logLines } = fixture.current;
    const reply = await call('GET', '/wrong?how=serialise', { headers: person().headers });
    expect([reply.status, reply.json.error?.code]).to.deep.equal([500, 'INTERNAL_ERROR']);
    expect(reply.text).not.to.contain('42');
    expect(disagreements.splice(0).map(({ about }) => about)).to.deep.equal(['response']);
    expect(logLines.some(({ event_type }) => event_type === 'referee.disagreed')).to.equal(true);
  });

  it('is not even asked where a handler answers a status that the contract gives no body', async () => {
    const { call, person } = fixture.current;
    expect((await call('GET', '/wrong?how=status', { headers: person().headers })).status).to.equal(500);
  });

  it('notices a request that the generated validators judge otherwise than it does', async () => {
    const { fixtureContract } = await import('./fixture/contract.ts');
    const validators = fixtureContract.validators['createThing'];
    const body = validators?.body;
    if (validators === undefined || body === undefined) throw new Error('The fixture has no such validator.');
    const { call, person, disagreements } = fixture.current;
    const lenient = { ...fixtureContract, validators: { ...fixtureContract.validators, createThing: { ...validators, body: () => true } } };
    const other = await startFixture({ share: fixture.current, contract: lenient });
    try {
      const reply = await other.call('POST', '/things', { headers: other.person().headers, json: { title: '' } });
      expect(reply.status).to.equal(500);
      expect(other.disagreements.map(({ about }) => about)).to.deep.equal(['request']);
    } finally {
      await other.close();
    }
    expect((await call('POST', '/things', { headers: person().headers, json: { title: '' } })).status).to.equal(400);
    expect(disagreements).to.deep.equal([]);
  });
});

describe('http: the server', () => {
  it('answers what it has begun before it goes down, and takes nothing new', async () => {
    const own = await startFixture();
    const gate = Promise.withResolvers<undefined>();
    const started = Promise.withResolvers<undefined>();
    own.intervene.long = () => {
      started.resolve(undefined);
      return gate.promise;
    };
    const begun = own.call('POST', '/long', { headers: own.person().headers, json: { word: 'a' } });
    await started.promise;
    const drained = drain(own.server, 5_000);
    expect(await own.call('GET', '/health').then(() => 'taken', () => 'refused')).to.equal('refused');
    gate.resolve(undefined);
    expect((await begun).status).to.equal(200);
    await drained;
    await own.redis.close();
    await own.database.drop();
  });

  it('cuts what does not end in time', async () => {
    const own = await startFixture({ deps: { deadlines: { takeLong: 60_000 } } });
    const started = Promise.withResolvers<undefined>();
    const gate = Promise.withResolvers<undefined>();
    own.intervene.long = () => {
      started.resolve(undefined);
      return gate.promise;
    };
    const begun = own.call('POST', '/long', { headers: own.person().headers, json: { word: 'a' } }).then(() => 'answered', () => 'cut');
    await started.promise;
    await drain(own.server, 100);
    expect(await begun).to.equal('cut');
    gate.resolve(undefined);
    await own.redis.close();
    await own.database.drop();
  });
});
