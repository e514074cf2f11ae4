import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { useFixture, type Reply } from './fixture/app.ts';

interface Fault { pointer: string; message: string; rule: string }
const faults = (reply: Reply): Fault[] => (reply.json.error?.details ?? []) as Fault[];

/** Sends raw bytes and gives everything that came back until the server closed or answered whole. */
async function raw(port: number, text: string | Buffer, until: (got: string) => boolean): Promise<string> {
  return await new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let got = '';
    const end = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(got);
    };
    const timer = setTimeout(() => reject(new Error(`No answer, only: ${got}`)), 8_000);
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1');
      if (until(got)) end();
    });
    socket.on('close', end);
    socket.on('error', end);
  });
}

describe('http: bodies and parameters', () => {
  const fixture = useFixture();
  const post = (body: string | Uint8Array, headers: Record<string, string> = {}): Promise<Reply> =>
    fixture.current.call('POST', '/things', { headers: { 'content-type': 'application/json', ...fixture.current.person().headers, ...headers }, body });

  it('points at every fault of a body at once', async () => {
    const reply = await post(JSON.stringify({ title: 'x'.repeat(21), size: 0, extra: 1, 'a/b~c': 2 }));
    expect(reply.status).to.equal(400);
    expect(faults(reply).map(({ pointer, rule }) => `${pointer} ${rule}`)).to.have.members([
      '#/body/title maxLength', '#/body/size minimum', '#/body/extra additionalProperties', '#/body/a~1b~0c additionalProperties',
    ]);
  });

  it('points at what is missing, and at the whole where there is no body', async () => {
    expect(faults(await post('{}'))).to.deep.equal([{ pointer: '#/body/title', message: 'is required', rule: 'required' }]);
    expect(faults(await post(''))).to.deep.equal([{ pointer: '#/body', message: 'is required', rule: 'required' }]);
  });

  it('refuses malformed JSON, JSON that is not UTF-8, and the key __proto__ however it is written', async () => {
    for (const bad of ['{', '{"title":}', 'title', '{"title":"a"}x', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])]) {
      const reply = await post(bad);
      expect([reply.status, faults(reply)[0]?.pointer, faults(reply)[0]?.rule], String(bad)).to.deep.equal([400, '#/body', 'json']);
    }
    for (const key of ['__proto__', '_\\u005fproto__', '\\u005f\\u005Fproto__']) {
      const reply = await post(`{"title":"a","metadata":{"${key}":{"polluted":true}}}`);
      expect([reply.status, faults(reply)[0]?.pointer], key).to.deep.equal([400, '#/body/metadata/__proto__']);
    }
  });

  it('takes the last of a key given twice, for validator and handler alike', async () => {
    const reply = await post('{"title":"","title":"good"}');
    expect(reply.json.data?.['title']).to.equal('good');
    expect((await post('{"title":"good","title":""}')).status).to.equal(400);
  });

  it('takes a body that may be absent, absent', async () => {
    const { call, person } = fixture.current;
    expect((await call('POST', '/optional', { headers: person().headers })).json.data?.['word']).to.equal('none');
    expect((await call('POST', '/optional', { headers: person().headers, json: { word: 'here' } })).json.data?.['word']).to.equal('here');
  });

  it('refuses a body where none is taken', async () => {
    const { call, person } = fixture.current;
    const reply = await call('POST', '/sign-out', { headers: person().headers, json: {} });
    expect([reply.status, faults(reply)[0]?.rule]).to.deep.equal([400, 'absent']);
    expect((await call('POST', '/sign-out', { headers: person().headers })).status).to.equal(204);
  });

  it('refuses another media type, charset or encoding with 415', async () => {
    for (const type of ['text/plain', 'application/xml', 'application/json; charset=latin1', 'multipart/form-data; boundary=x', '']) {
      expect((await post('{"title":"a"}', { 'content-type': type })).status, type).to.equal(415);
    }
    expect((await post('{"title":"a"}', { 'content-encoding': 'gzip' })).status).to.equal(415);
    expect((await post('{"title":"a"}', { 'content-type': 'application/json; charset=UTF-8' })).status).to.equal(201);
  });

  it('refuses a body that says it is too long before reading it, and lets the client read the answer', async () => {
    const reply = await post(JSON.stringify({ title: 'x'.repeat(70_000) }));
    expect([reply.status, reply.json.error?.code]).to.deep.equal([413, 'PAYLOAD_TOO_LARGE']);
    expect(reply.json.error?.details).to.deep.equal({ max_bytes: 65_536 });
  });

  it('counts a chunked body and cuts it off at the bound', async () => {
    const { port, person } = fixture.current;
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    const got = await raw(port, [
      'POST /api/v1/things HTTP/1.1', 'Host: x', `Authorization: ${person().headers.authorization}`, 'Content-Type: application/json', 'Transfer-Encoding: chunked', '', '',
    ].join('\r\n') + chunk.repeat(5), (text) => text.includes('PAYLOAD_TOO_LARGE'));
    expect(got).to.match(/^HTTP\/1\.1 413 /);
    expect(got.toLowerCase()).to.contain('connection: close');
  });

  it('asks for the body of an Expect: 100-continue only when it will take it', async () => {
    const { port, person } = fixture.current;
    const request = (authorization: string): string => [
      'POST /api/v1/things HTTP/1.1', 'Host: x', `Authorization: ${authorization}`, 'Content-Type: application/json', 'Content-Length: 13', 'Expect: 100-continue', '', '',
    ].join('\r\n');
    expect(await raw(port, request('Bearer nonsense'), (text) => text.includes('AUTH_INVALID'))).to.match(/^HTTP\/1\.1 401 /);
    expect(await raw(port, request(person().headers.authorization), (text) => text.includes('100 Continue'))).to.match(/^HTTP\/1\.1 100 /);
  });

  it('takes no body in from a worker that nobody knows or that signed nothing', async () => {
    const { port } = fixture.current;
    const request = (...signing: string[]): string => [
      'POST /api/v1/reports HTTP/1.1', 'Host: x', 'Content-Type: application/json', 'Content-Length: 13', 'Expect: 100-continue', ...signing, '', '',
    ].join('\r\n');
    const signedBy = (node: string): string[] => [`X-HiveSync-Node: ${node}`, `X-HiveSync-Timestamp: ${Math.floor(Date.now() / 1000)}`, `X-HiveSync-Signature: v1=${'0'.repeat(64)}`];
    for (const signing of [[], signedBy('node-2')]) {
      expect(await raw(port, request(...signing), (text) => text.includes('AUTH_INVALID')), signing[0]).to.match(/^HTTP\/1\.1 401 /);
    }
    expect(await raw(port, request(...signedBy('node-1')), (text) => text.includes('100 Continue'))).to.match(/^HTTP\/1\.1 100 /);
  });

  it('refuses unknown, repeated and malformed query parameters, each by its own pointer', async () => {
    const { call, person } = fixture.current;
    const { headers } = person();
    const pointers = async (query: string): Promise<string[]> => {
      const reply = await call('GET', `/things${query}`, { headers });
      expect(reply.status, query).to.equal(400);
      return faults(reply).map(({ pointer }) => pointer);
    };
    expect(await pointers('?colour=red&limit=0')).to.have.members(['#/query/colour', '#/query/limit']);
    expect(await pointers('?limit=1&limit=2')).to.deep.equal(['#/query/limit']);
    expect(await pointers('?limit=ten')).to.deep.equal(['#/query/limit']);
    expect(await pointers('?cursor=a&offset=1')).to.deep.equal(['#/query/offset']);
    expect(await pointers('?cursor=%E0%A4%A')).to.deep.equal(['#/query/cursor']);
    expect(await pointers('?cursor=%00')).to.deep.equal(['#/query/cursor']);
    expect(await pointers('?__proto__=1')).to.deep.equal(['#/query/__proto__']);
    expect(await pointers(`?${Array.from({ length: 101 }, (_, at) => `a${at}=1`).join('&')}`)).to.deep.equal(['#/query']);
  });

  it('refuses a path that does not decode or does not fit', async () => {
    const { call, person } = fixture.current;
    const { headers } = person();
    const undecodable = await call('GET', '/things/%E0%A4%A', { headers });
    expect([undecodable.status, faults(undecodable)[0]?.pointer]).to.deep.equal([400, '#/path']);
    expect(faults(await call('GET', '/things/42', { headers })).map(({ pointer }) => pointer)).to.include('#/path/thing_id');
    expect((await call('GET', `/things/${newId().toUpperCase()}x`, { headers })).status).to.equal(400);
  });

  it('hands a stream on whole, and cuts it off with 413 at its bound however it comes', async () => {
    const { call, person, url } = fixture.current;
    const { headers } = person();
    const bytes = Buffer.alloc(100_000, 'a');
    const sent = await call('PUT', '/uploads', { headers: { ...headers, 'content-type': 'application/octet-stream' }, body: bytes });
    expect(sent.json.data?.['word']).to.equal(`100000 ${createHash('sha256').update(bytes).digest('hex')}`);
    expect((await call('PUT', '/uploads', { headers: { ...headers, 'content-type': 'application/octet-stream' }, body: Buffer.alloc(100_001) })).status).to.equal(413);
    const streamed = await fetch(`${url}/api/v1/uploads`, {
      method: 'PUT', headers: { ...headers, 'content-type': 'application/octet-stream' }, duplex: 'half',
      body: Readable.toWeb(Readable.from((function* many() { for (let at = 0; at < 20; at += 1) yield Buffer.alloc(8_000); })())) as ReadableStream<Uint8Array>,
    } as RequestInit);
    expect([streamed.status, await streamed.text()].join(' ')).to.match(/^413 .*PAYLOAD_TOO_LARGE/);
  });

  it('says nothing and logs no error when the client goes away in the middle of its body', async () => {
    const { port, person, logLines } = fixture.current;
    logLines.length = 0;
    const socket = connect(port, '127.0.0.1');
    socket.write([
      'POST /api/v1/things HTTP/1.1', 'Host: x', `Authorization: ${person().headers.authorization}`, 'Content-Type: application/json', 'Content-Length: 100', '', '{"title"',
    ].join('\r\n'));
    await new Promise<void>((resolve) => socket.once('connect', () => setImmediate(resolve)));
    socket.end();
    socket.destroy();
    const endAt = Date.now() + 5_000;
    while (!logLines.some(({ event_type }) => event_type === 'http.request') && Date.now() < endAt) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(logLines.map(({ severity }) => severity)).to.deep.equal(['info']);
    expect(logLines[0]?.metadata['status']).to.equal(499);
  });

  it('refuses headers beyond 16 KiB in our envelope', async () => {
    const got = await raw(fixture.current.port, `GET /health HTTP/1.1\r\nHost: x\r\nX-Long: ${'y'.repeat(20_000)}\r\n\r\n`, (text) => text.includes('}}'));
    expect(got).to.match(/^HTTP\/1\.1 400 /).and.to.contain('"code":"VALIDATION_ERROR"');
  });
});
