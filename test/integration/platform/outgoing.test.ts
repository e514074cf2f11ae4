import { execFile } from 'node:child_process';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSocketServer, type AddressInfo, type Server as SocketServer } from 'node:net';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { createOutgoing, type Outgoing, OutgoingFailure, type OutgoingPost } from '#platform/outgoing/client.ts';
import type { Resolve } from '#platform/outgoing/resolve.ts';
import { outgoingRules } from '#platform/outgoing/rules.ts';

/** Loopback has many addresses: here 127.0.0.2 stands for a public one, and 127.0.0.1 is private as ever. */
const rules = outgoingRules({ production: false, outgoingAllowedRanges: ['127.0.0.2/32'] });
const open: (Server | SocketServer)[] = [];

const portOf = async (server: Server | SocketServer): Promise<number> => {
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  return (server.address() as AddressInfo).port;
};
const serve = (listener: RequestListener): Promise<number> => portOf(createServer(listener));
const post = (outgoing: Outgoing, url: string, more: Partial<OutgoingPost> = {}): ReturnType<Outgoing['post']> =>
  outgoing.post({ url, headers: { 'content-type': 'application/json' }, body: '{"a":"é"}', timeoutMs: 5_000, maxAnswerBytes: 20_480, ...more });
const faultOf = async (answer: Promise<unknown>): Promise<string> => {
  try {
    await answer;
    return 'none';
  } catch (error) {
    if (error instanceof OutgoingFailure) return error.fault;
    throw error;
  }
};

describe('what is sent to addresses that users name', () => {
  afterEach(() => {
    for (const server of open.splice(0)) {
      if ('closeAllConnections' in server) server.closeAllConnections();
      server.close();
    }
  });

  it('arrives with its bytes and headers, and brings back status, headers and body', async () => {
    let seen = '';
    const port = await serve((request, response) => {
      void (async () => {
        for await (const chunk of request) seen += String(chunk);
        response.writeHead(201, { 'x-told': `${request.method} ${request.url} ${request.headers['content-type']} ${request.headers['content-length']} ${request.headers.host}` }).end('thank you');
      })();
    });
    const answer = await post(createOutgoing(rules), `http://127.0.0.2:${port}/in?x=1`);
    expect([answer.status, String(answer.body), seen]).to.deep.equal([201, 'thank you', '{"a":"é"}']);
    expect(answer.headers['x-told']).to.equal(`POST /in?x=1 application/json 10 127.0.0.2:${port}`);
  });

  it('never reaches a private address, be it written, resolved, or one of several a name has', async () => {
    let requests = 0;
    const port = await serve((_request, response) => { requests += 1; response.end(); });
    const named = (...addresses: string[]): Outgoing => createOutgoing(rules, () => Promise.resolve(addresses));
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '2130706433']) expect(await faultOf(post(createOutgoing(rules), `http://${host}:${port}/`)), host).to.equal('address_refused');
    expect(await faultOf(post(named('127.0.0.1'), `http://a.example:${port}/`))).to.equal('address_refused');
    expect(await faultOf(post(named('127.0.0.2', '127.0.0.1'), `http://a.example:${port}/`))).to.equal('address_refused');
    expect(await faultOf(post(named('::ffff:127.0.0.2'), `http://a.example:${port}/`))).to.equal('address_refused');
    expect(requests).to.equal(0);
  });

  it('never reaches a private address that a name moves to after it was public: each request judges what its own socket connects to', async () => {
    const requests: string[] = [];
    const port = await serve((request, response) => { requests.push(request.socket.localAddress ?? ''); response.end(); });
    let asked = 0;
    const rebinding: Resolve = () => Promise.resolve([(asked += 1) === 1 ? '127.0.0.2' : '127.0.0.1']);
    const outgoing = createOutgoing(rules, rebinding);
    expect((await post(outgoing, `http://rebound.example:${port}/`)).status).to.equal(200);
    expect(await faultOf(post(outgoing, `http://rebound.example:${port}/`))).to.equal('address_refused');
    expect({ asked, requests }).to.deep.equal({ asked: 2, requests: ['127.0.0.2'] });
  });

  it('is sent to the next address of a name where the first does not answer', async () => {
    const port = await serve((_request, response) => { response.end('here'); });
    const wide = outgoingRules({ production: false, outgoingAllowedRanges: ['127.0.0.0/8', '::1/128'] });
    const answer = await post(createOutgoing(wide, () => Promise.resolve(['::1', '127.0.0.2'])), `http://two.example:${port}/`);
    expect(String(answer.body)).to.equal('here');
  });

  it('follows no redirect', async () => {
    let followed = 0;
    const port = await serve((request, response) => {
      if (request.url === '/to') followed += 1;
      response.writeHead(302, { location: '/to' }).end();
    });
    expect((await post(createOutgoing(rules), `http://127.0.0.2:${port}/`)).status).to.equal(302);
    expect(followed).to.equal(0);
  });

  it('goes through no proxy of the environment, behind which nobody would judge the address', async () => {
    let proxied = 0;
    const proxy = await serve((_request, response) => { proxied += 1; response.end('proxy'); });
    const port = await serve((_request, response) => { response.end('direct'); });
    const source = `
      import { once } from 'node:events';
      import http from 'node:http';
      import { createOutgoing } from '${new URL('../../../src/platform/outgoing/client.ts', import.meta.url).href}';
      const rules = { allowsHttp: true, admits: (address) => address === '127.0.0.2' };
      const url = 'http://127.0.0.2:${port}/';
      const answer = await createOutgoing(rules).post({ url, headers: {}, body: '{}', timeoutMs: 5000, maxAnswerBytes: 100 });
      const [response] = await once(http.get(url), 'response');
      console.log(String(answer.body), (await response.toArray()).join(''));`;
    const env = { ...process.env, NODE_USE_ENV_PROXY: '1', HTTP_PROXY: `http://127.0.0.1:${proxy}`, NO_PROXY: '', no_proxy: '' };
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', source], { env, timeout: 10_000 });
    // That another request goes by it shows that there is one.
    expect([stdout.trim(), proxied]).to.deep.equal(['direct proxy', 1]);
  });

  it('reads no more of an answer than it keeps, and ends in time whoever answers slowly', async () => {
    let sent = 0;
    const endless = await serve((_request, response) => {
      const write = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 97))) sent += 65_536;
        sent += 65_536;
        response.once('drain', write);
      };
      write();
    });
    const { body } = await post(createOutgoing(rules), `http://127.0.0.2:${endless}/`);
    expect([body.length, sent < 50_000_000]).to.deep.equal([20_480, true]);

    const trickling = await serve((_request, response) => { response.writeHead(200); response.write('begun'); });
    const begun = await post(createOutgoing(rules), `http://127.0.0.2:${trickling}/`, { timeoutMs: 300 });
    expect([begun.status, String(begun.body)]).to.deep.equal([200, 'begun']);

    const silent = await portOf(createSocketServer());
    expect(await faultOf(post(createOutgoing(rules), `http://127.0.0.2:${silent}/`, { timeoutMs: 200 }))).to.equal('timeout');
    const never: Resolve = () => new Promise(() => undefined);
    expect(await faultOf(post(createOutgoing(rules, never), 'http://slow.example/', { timeoutMs: 200 }))).to.equal('timeout');
  });

  it('says what was in its way', async () => {
    const port = await serve((_request, response) => { response.end(); });
    const nobody = createOutgoing(rules, () => Promise.reject(new Error('ENOTFOUND')));
    expect(await faultOf(post(nobody, 'http://nobody.example/'))).to.equal('dns');
    expect(await faultOf(post(createOutgoing(rules, () => Promise.resolve([])), 'http://nobody.example/'))).to.equal('dns');
    expect(await faultOf(post(createOutgoing(rules), `https://127.0.0.2:${port}/`))).to.equal('tls');
    const garbled = await portOf(createSocketServer((socket) => { socket.once('data', () => socket.end('SSH-2.0-x\r\n')); }));
    expect(await faultOf(post(createOutgoing(rules), `http://127.0.0.2:${garbled}/`))).to.equal('connection');
    const closed = await serve(() => undefined);
    const [last] = open.slice(-1);
    await new Promise((resolve) => last?.close(resolve));
    expect(await faultOf(post(createOutgoing(rules), `http://127.0.0.2:${closed}/`))).to.equal('connection');
    const switching = await portOf(createSocketServer((socket) => { socket.once('data', () => socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')); }));
    expect((await post(createOutgoing(rules), `http://127.0.0.2:${switching}/`)).status).to.equal(101);
  });

  it('ends when its caller does', async () => {
    const silent = await portOf(createSocketServer());
    const stop = new AbortController();
    const answer = post(createOutgoing(rules), `http://127.0.0.2:${silent}/`, { signal: stop.signal });
    stop.abort(new Error('The process is going down.'));
    let reason = '';
    await answer.catch((error: unknown) => { reason = String(error); });
    expect(reason).to.equal('Error: The process is going down.');
  });
});
