import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { useFixture } from './fixture/app.ts';

describe('http: the way of a request', () => {
  const fixture = useFixture({ variables: { CORS_ORIGINS: 'https://app.example.com' } });

  it('answers an operation in the envelope, without a field the contract does not name', async () => {
    const { call, person } = fixture.current;
    const ada = person();
    const made = await call('POST', '/things', { headers: ada.headers, json: { title: 'One' } });
    expect(made.status).to.equal(201);
    expect(made.json.ok).to.equal(true);
    expect(made.text).not.to.contain('hidden');
    expect(made.headers.get('location')).to.equal(`/api/v1/things/${String(made.json.data?.['id'])}`);
    const list = await call('GET', '/things?limit=10', { headers: ada.headers });
    expect(list.status).to.equal(200);
    expect(list.text).not.to.contain('secret');
    expect(fixture.current.intervene.lastRequest?.query).to.deep.equal({ limit: 10 });
  });

  it('fills in defaults and coerces parameters', async () => {
    const { call, person, intervene } = fixture.current;
    await call('GET', '/things', { headers: person().headers });
    expect(intervene.lastRequest?.query).to.deep.equal({ limit: 50 });
  });

  it('echoes a sane request id, and makes one in place of an insane one', async () => {
    const { call } = fixture.current;
    expect((await call('GET', '/health', { headers: { 'x-request-id': 'trace-12345678' } })).headers.get('x-request-id')).to.equal('trace-12345678');
    for (const bad of ['short', `x${'y'.repeat(200)}`, 'has spaces in it', '"quoted-1234"']) {
      expect((await call('GET', '/health', { headers: { 'x-request-id': bad } })).headers.get('x-request-id')).to.match(/^[0-9a-f-]{36}$/);
    }
  });

  it('carries the security headers on success, failure and unknown paths alike', async () => {
    const { call } = fixture.current;
    for (const path of ['/health', '/things', '/nowhere']) {
      const { headers } = await call('GET', path);
      expect(headers.get('content-security-policy')).to.contain("default-src 'none'");
      expect(headers.get('x-content-type-options')).to.equal('nosniff');
      expect(headers.get('x-frame-options')).to.equal('DENY');
      expect(headers.get('referrer-policy')).to.equal('no-referrer');
      expect(headers.get('vary')).to.contain('Authorization');
      expect(headers.get('x-powered-by')).to.equal(null);
      expect(headers.get('strict-transport-security')).to.equal(null);
    }
  });

  it('lets nothing be stored that holds a secret, and asks for revalidation of the rest', async () => {
    const { call, person } = fixture.current;
    const ada = person();
    expect((await call('GET', '/things', { headers: ada.headers })).headers.get('cache-control')).to.equal('private, no-cache');
    expect((await call('POST', '/secrets', { headers: ada.headers, json: { word: 'w' } })).headers.get('cache-control')).to.equal('no-store');
  });

  it('answers an unknown path with 404 and a known one with another method with 405 and Allow', async () => {
    const { call, person } = fixture.current;
    const nowhere = await call('GET', '/nowhere', { headers: person().headers });
    expect([nowhere.status, nowhere.json.error?.code]).to.deep.equal([404, 'NOT_FOUND']);
    const refused = await call('PUT', '/things');
    expect([refused.status, refused.json.error?.code]).to.deep.equal([405, 'METHOD_NOT_ALLOWED']);
    expect(refused.headers.get('allow')).to.equal('GET, HEAD, POST, OPTIONS');
    for (const path of ['/things/', '/Things', '//things']) expect((await call('GET', path)).status, path).to.equal(404);
  });

  it('gives a hidden thing and a missing one the same bytes', async () => {
    const { call, person } = fixture.current;
    const made = await call('POST', '/things', { headers: person().headers, json: { title: 'Mine' } });
    const stranger = person();
    const hidden = await call('GET', `/things/${String(made.json.data?.['id'])}`, { headers: stranger.headers });
    const missing = await call('GET', `/things/${newId()}`, { headers: stranger.headers });
    expect(hidden.status).to.equal(404);
    expect(hidden.text).to.equal(missing.text);
  });

  it('answers HEAD like GET without the body', async () => {
    const { call, person } = fixture.current;
    const ada = person();
    const [get, head] = [await call('GET', '/things', { headers: ada.headers }), await call('HEAD', '/things', { headers: ada.headers })];
    expect(head.status).to.equal(200);
    expect(head.text).to.equal('');
    expect(head.headers.get('content-length')).to.equal(get.headers.get('content-length'));
  });

  it('answers 304 to a version the client holds, and gives it when it does not', async () => {
    const { call, person } = fixture.current;
    const ada = person();
    const path = String((await call('POST', '/things', { headers: ada.headers, json: { title: 'T' } })).headers.get('location')).replace('/api/v1', '');
    const first = await call('GET', path, { headers: ada.headers });
    expect(first.headers.get('etag')).to.equal('"v1"');
    for (const held of ['"v1"', 'W/"v1"', '"v0", "v1"', '*']) {
      const again = await call('GET', path, { headers: { ...ada.headers, 'if-none-match': held } });
      expect([again.status, again.text, again.headers.get('etag')], held).to.deep.equal([304, '', '"v1"']);
    }
    expect((await call('GET', path, { headers: { ...ada.headers, 'if-none-match': '"v0"' } })).status).to.equal(200);
  });

  it('hands If-Match on unquoted, and refuses a weak or malformed one', async () => {
    const { call, person, intervene } = fixture.current;
    const ada = person();
    const path = String((await call('POST', '/things', { headers: ada.headers, json: { title: 'T' } })).headers.get('location')).replace('/api/v1', '');
    const patch = (tag: string) => call('PATCH', path, { headers: { ...ada.headers, 'if-match': tag }, json: { title: 'U' } });
    expect((await patch('"v1"')).status).to.equal(200);
    expect(intervene.lastCall?.ifMatch).to.equal('v1');
    expect((await patch('"v9"')).status).to.equal(412);
    expect((await patch('W/"v1"')).json.error?.code).to.equal('PRECONDITION_FAILED');
    const malformed = await patch('v1-unquoted');
    expect([malformed.status, (malformed.json.error?.details as { pointer: string }[])[0]?.pointer]).to.deep.equal([400, '#/headers/if-match']);
  });

  it('serves health at the root and the contract at /openapi.json', async () => {
    const { call, url } = fixture.current;
    expect((await call('GET', `${url}/health`)).json.data?.['word']).to.equal('well');
    const document = await call('GET', `${url}/openapi.json`);
    expect(JSON.parse(document.text)).to.have.property('openapi', '3.1.1');
    expect((await call('GET', `${url}/openapi.json`, { headers: { 'if-none-match': document.headers.get('etag') ?? '' } })).status).to.equal(304);
    expect((await call('GET', `${url}/things`)).status).to.equal(404);
  });

  it('answers a preflight for the origins listed and lets a browser read our headers; other origins get no mark', async () => {
    const { call } = fixture.current;
    const ask = (origin: string) => call('OPTIONS', '/things', { headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' } });
    const good = await ask('https://app.example.com');
    expect([good.status, good.headers.get('access-control-allow-origin')]).to.deep.equal([204, 'https://app.example.com']);
    expect(good.headers.get('access-control-allow-headers')).to.contain('Idempotency-Key');
    const bad = await ask('https://evil.example.com');
    expect(bad.headers.get('access-control-allow-origin')).to.equal(null);
    const plain = await call('GET', '/things', { headers: { origin: 'https://app.example.com' } });
    expect(plain.headers.get('access-control-expose-headers')).to.contain('X-Request-Id');
    expect(plain.headers.get('vary')).to.contain('Origin');
  });

  it('refuses an answer that no policy call allowed', async () => {
    const { call, person, logLines } = fixture.current;
    // One whose service asks nobody; one about a thing, where it was asked who calls and not about the thing.
    for (const path of ['/forgetful', `/forgetful/${newId()}`]) {
      logLines.length = 0;
      const leaked = await call('GET', path, { headers: person().headers });
      expect(leaked.status).to.equal(500);
      expect(leaked.text).not.to.contain('leaked');
      expect(logLines.some(({ event_type, severity }) => event_type === 'policy.unasked' && severity === 'error')).to.equal(true);
    }
  });

  it('writes one access line per request with the template in place of the path, and no query or token', async () => {
    const { call, person, logLines } = fixture.current;
    const ada = person();
    const id = newId();
    logLines.length = 0;
    await call('GET', `/things/${id}?secret=query`, { headers: { ...ada.headers, 'x-request-id': 'log-test-1' } });
    const lines = logLines.filter(({ event_type }) => event_type === 'http.request');
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include({ message: 'GET /things/{thing_id} 400', request_id: 'log-test-1', user_id: ada.userId });
    expect(lines[0]?.metadata).to.include({ operation_id: 'getThing', status: 400, error_code: 'VALIDATION_ERROR' });
    expect(JSON.stringify(lines)).not.to.contain(id).and.not.to.contain('query').and.not.to.contain(ada.token);
  });
});
