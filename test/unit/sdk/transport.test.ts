import { expect } from 'chai';
import { HiveSyncError } from '#sdk/index.ts';
import { backOffMs } from '#sdk/transport.ts';
import { failureOf, inTurn, openFixture, sendData, sendError, type Answer, type Fixture } from './fixture.ts';

const id = '01920000-0000-7000-8000-000000000201';
const good: Answer = (_asked, response) => sendData(response, { id, name: 'Field Notes' });
const failing = (status: number, code: string, headers: Record<string, string> = {}): Answer => (_asked, response) => sendError(response, status, code, headers);
const cut: Answer = (_asked, response) => void response.destroy();
const cutInBody: Answer = (_asked, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"ok":true,', () => response.destroy());
};
const hang: Answer = () => undefined;

describe('the SDK on its way to the API', () => {
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await openFixture();
  });
  afterEach(async () => await fixture.close());

  const get = async (hive = fixture.client()): Promise<unknown> => await hive.api.getProject({ path: { project_id: id } });
  const create = async (hive = fixture.client()): Promise<unknown> => await hive.api.createProject({ body: { name: 'Field Notes' } });
  const failed = async (work: Promise<unknown>): Promise<HiveSyncError> => {
    const error = await failureOf(work);
    if (!(error instanceof HiveSyncError)) throw error;
    return error;
  };

  it('answers the data of the envelope, typed by the contract', async () => {
    fixture.answer = good;
    const project = await fixture.client().api.getProject({ path: { project_id: id } });
    const name: string = project.name;
    expect(name).to.equal('Field Notes');
    expect(fixture.asked[0]).to.include({ method: 'GET', target: `/api/v1/projects/${id}` });
    expect(fixture.asked[0]?.headers.authorization).to.equal('Bearer token-1');
  });

  it('sends an API key in its own header, and no credentials where none are asked for', async () => {
    fixture.answer = good;
    const hive = fixture.client({ accessToken: undefined, apiKey: 'hsk_x' } as object);
    await get(hive);
    expect(fixture.asked[0]?.headers).to.include({ 'x-api-key': 'hsk_x' }).and.not.have.property('authorization');
    await hive.api.getHealth();
    expect(fixture.asked[1]?.headers).not.to.have.any.keys('x-api-key', 'authorization');
  });

  it('throws the code, message, details and request id of an error', async () => {
    fixture.answer = (_asked, response) => sendError(response, 402, 'QUOTA_EXCEEDED', {}, { limit: 3 });
    expect(await failed(get())).to.deep.include({ code: 'QUOTA_EXCEEDED', status: 402, message: 'It is QUOTA_EXCEEDED.', details: { limit: 3 }, requestId: 'req-1' });
    expect(fixture.asked).to.have.length(1);
  });

  it('says so when the answer comes from something else', async () => {
    fixture.answer = (_asked, response) => void response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>nginx</h1>');
    expect(await failed(get())).to.include({ code: 'BAD_ANSWER', status: 404 });
  });

  for (const [name, bad] of [['503', failing(503, 'SERVICE_UNAVAILABLE')], ['500', failing(500, 'INTERNAL_ERROR')], ['a lost connection', cut], ['a body that breaks off', cutInBody]] as const) {
    it(`repeats a read after ${name}`, async () => {
      fixture.answer = inTurn(bad, bad, good);
      expect(await get()).to.include({ name: 'Field Notes' });
      expect(fixture.asked).to.have.length(3);
      expect(fixture.pauses).to.have.length(2);
    });
    it(`repeats a create after ${name} under one key, so that it happens once`, async () => {
      fixture.answer = inTurn(bad, bad, good);
      await create();
      const keys = fixture.asked.map((asked) => asked.headers['idempotency-key']);
      expect(new Set(keys).size).to.equal(1);
      expect(keys[0]).to.match(/^[0-9a-f-]{36}$/);
      expect(fixture.asked.map((asked) => asked.body.toString())).to.deep.equal(Array.from({ length: 3 }, () => '{"name":"Field Notes"}'));
    });
    it(`does not repeat a POST without a key after ${name}`, async () => {
      fixture.answer = bad;
      await failed(fixture.client().api.loginUser({ body: { username: 'ada', password: 'correct horse battery' } }));
      expect(fixture.asked).to.have.length(1);
      expect(fixture.asked[0]?.headers).not.to.have.property('idempotency-key');
    });
  }

  it('gives up after the last repeat with what the API said last', async () => {
    fixture.answer = inTurn(cut, failing(503, 'SERVICE_UNAVAILABLE'));
    expect(await failed(get(fixture.client({ maxRetries: 2 })))).to.include({ code: 'SERVICE_UNAVAILABLE' });
    expect(fixture.asked).to.have.length(3);
  });

  it('repeats nothing that was refused for good, nor a build that takes too long', async () => {
    for (const [status, code] of [[400, 'VALIDATION_ERROR'], [403, 'FORBIDDEN'], [404, 'NOT_FOUND'], [409, 'CONFLICT'], [412, 'PRECONDITION_FAILED'], [504, 'PREVIEW_TIMEOUT']] as const) {
      fixture.answer = failing(status, code);
      expect(await failed(create())).to.include({ code });
    }
    expect(fixture.asked).to.have.length(6);
  });

  it('waits as long as Retry-After says, and repeats a refused POST too', async () => {
    fixture.answer = inTurn(failing(429, 'RATE_LIMITED', { 'retry-after': '7' }), good);
    await fixture.client().api.loginUser({ body: { username: 'ada', password: 'correct horse battery' } });
    expect(fixture.pauses).to.deep.equal([7000]);
  });

  it('takes a key that is still in progress for a reason to wait', async () => {
    fixture.answer = inTurn(failing(409, 'REQUEST_IN_PROGRESS', { 'retry-after': '1' }), good);
    await create();
    expect(fixture.pauses).to.deep.equal([1000]);
  });

  it('does not wait past its deadline: the clear answer is worth more', async () => {
    fixture.answer = failing(429, 'RATE_LIMITED', { 'retry-after': '3600' });
    expect(await failed(get())).to.include({ code: 'RATE_LIMITED', retryAfterSeconds: 3600 });
    expect(fixture.pauses).to.deep.equal([]);
  });

  it('ends at its deadline, the call\'s own before the client\'s', async () => {
    fixture.answer = hang;
    expect(await failed(get(fixture.client({ timeoutMs: 60 })))).to.include({ code: 'DEADLINE_EXCEEDED', status: 0 });
    expect(await failed(fixture.client().api.getProject({ path: { project_id: id } }, { timeoutMs: 60 }))).to.include({ code: 'DEADLINE_EXCEEDED' });
  });

  it('is broken off by its caller', async () => {
    const controller = new AbortController();
    fixture.answer = () => controller.abort();
    expect(await failed(fixture.client().api.getProject({ path: { project_id: id } }, { signal: controller.signal }))).to.include({ code: 'ABORTED' });
    expect(fixture.asked).to.have.length(1);
  });

  it('reports a server that is not there', async () => {
    await fixture.close();
    const { baseUrl } = fixture;
    fixture = await openFixture();
    expect(await failed(get(fixture.client({ baseUrl })))).to.include({ code: 'CONNECTION_FAILED', status: 0 });
    expect(fixture.pauses).to.have.length(3);
  });

  it('gets a new token once for all the calls that were refused, and sends each again', async () => {
    fixture.answer = (asked, response) => {
      if (asked.headers.authorization === 'Bearer token-2') sendData(response, { id });
      else sendError(response, 401, 'AUTH_EXPIRED');
    };
    let refreshes = 0;
    const hive = fixture.client({
      refreshAccessToken: async () => {
        refreshes += 1;
        await new Promise((resolve) => setTimeout(resolve, 30));
        return 'token-2';
      },
    });
    await Promise.all([get(hive), get(hive), create(hive)]);
    expect(refreshes).to.equal(1);
    expect(fixture.asked).to.have.length(6);
    await get(hive);
    expect(fixture.asked).to.have.length(7);
  });

  it('throws the 401 when no new token can be had or the new one is refused too', async () => {
    fixture.answer = failing(401, 'AUTH_EXPIRED');
    expect(await failed(get(fixture.client({ refreshAccessToken: async () => null })))).to.include({ code: 'AUTH_EXPIRED' });
    expect(await failed(get(fixture.client({ refreshAccessToken: async () => 'token-2' })))).to.include({ code: 'AUTH_EXPIRED' });
    expect(fixture.asked).to.have.length(3);
  });

  it('keeps to one credential', () => {
    expect(() => fixture.client({ apiKey: 'hsk_x' })).to.throw(HiveSyncError).with.property('code', 'BAD_OPTIONS');
  });

  it('backs off longer each time, never beyond eight seconds, never in step', () => {
    for (let attempt = 1; attempt < 40; attempt += 1) {
      const whole = Math.min(8000, 500 * 2 ** (attempt - 1));
      expect(backOffMs(attempt)).to.be.within(whole / 2, whole);
    }
    expect(new Set(Array.from({ length: 20 }, () => backOffMs(3))).size).to.be.above(10);
  });

  it('walks a list by cursor, a page at a time, with the filters on every page', async () => {
    fixture.answer = inTurn(
      (_asked, response) => sendData(response, { items: [{ id: 'a' }, { id: 'b' }], page: { next_cursor: 'c1' } }),
      (_asked, response) => sendData(response, { items: [], page: { next_cursor: 'c2' } }),
      (_asked, response) => sendData(response, { items: [{ id: 'c' }], page: { next_cursor: null } }),
    );
    const hive = fixture.client();
    const ids: string[] = [];
    for await (const job of hive.paginate(hive.api.listPreviewJobs, { query: { status: 'failed' } })) {
      ids.push(job.id);
      if (ids.length === 1) expect(fixture.asked).to.have.length(1);
    }
    expect(ids).to.deep.equal(['a', 'b', 'c']);
    expect(fixture.asked.map((asked) => new URLSearchParams(asked.target.split('?')[1]).toString())).to.deep.equal(['limit=200&status=failed', 'limit=200&status=failed&cursor=c1', 'limit=200&status=failed&cursor=c2']);
  });
});
