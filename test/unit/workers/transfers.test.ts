import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import { TransferFailed, TransferRefused, upload } from '#workers/transfers.ts';

describe('a file that is sent to a URL', () => {
  let server: Server;
  let dir: string;
  let url: string;
  const received: { method: string | undefined; headers: IncomingHttpHeaders; body: Buffer }[] = [];
  const sockets = new Set<unknown>();
  /** What is done in place of an answer 200, call by call. */
  let answers: (number | 'cut' | 'hang')[];
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'hivesync-transfers-'));
    server = createServer((request, response) => {
      void (async () => {
        sockets.add(request.socket);
        const answer = answers.shift() ?? 200;
        if (answer === 'cut') return void request.socket.destroy();
        if (answer === 'hang') return;
        const body = await buffer(request);
        received.push({ method: request.method, headers: request.headers, body });
        response.writeHead(answer, answer === 302 ? { location: '/elsewhere' } : {}).end('a body that nobody reads');
      })().catch(() => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/key?signature=secret`;
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(dir, { recursive: true });
  });
  beforeEach(() => {
    answers = [];
    received.length = 0;
    sockets.clear();
  });
  const send = async (content: Buffer, signal = new AbortController().signal, retryForMs = 0): Promise<void> => {
    const path = join(dir, 'file');
    await writeFile(path, content);
    await upload(url, { 'content-type': 'image/png' }, path, content.length, { what: 'a picture', signal, retryForMs });
  };
  const failureOf = async (sending: Promise<void>): Promise<unknown> => {
    const error: unknown = await sending.then(() => null, (caught: unknown) => caught);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error ?? {}))).not.to.contain('secret');
    return error;
  };

  for (const bytes of [0, 1, 70_000, 8 * 1024 * 1024, 8 * 1024 * 1024 + 1]) {
    it(`arrives whole, with its length and headers, and over one connection: ${bytes} bytes`, async () => {
      const content = randomBytes(bytes);
      for (let time = 0; time < 2; time += 1) await send(content);
      expect(received.map(({ method, headers, body }) => [method, headers['content-type'], headers['content-length'], headers['transfer-encoding'], body.equals(content)]))
        .to.deep.equal([['PUT', 'image/png', String(bytes), undefined, true], ['PUT', 'image/png', String(bytes), undefined, true]]);
      expect(sockets.size).to.equal(1);
    });
  }

  it('is refused for good, told apart from what may go better', async () => {
    for (const status of [403, 400, 302]) {
      answers = [status];
      expect(await failureOf(send(Buffer.from('x')))).to.be.instanceOf(TransferRefused).with.property('status', status);
    }
    answers = [503];
    expect(await failureOf(send(Buffer.from('x')))).to.be.instanceOf(TransferFailed);
    answers = [503];
    await send(Buffer.from('again'), undefined, 10_000);
    expect(received.at(-1)?.body.toString()).to.equal('again');
  });

  it('is sent again at once over a new connection where the kept one was let go', async () => {
    await send(Buffer.from('first'));
    answers = ['cut'];
    await send(Buffer.from('second'));
    expect(received.map(({ body }) => body.toString())).to.deep.equal(['first', 'second']);
    server.closeAllConnections();
    answers = ['cut', 'cut'];
    expect(await failureOf(send(Buffer.from('third')))).to.be.instanceOf(TransferFailed);
  });

  it('ends with the reason of the signal', async () => {
    const stop = new AbortController();
    answers = ['hang'];
    const sending = failureOf(send(Buffer.from('x'), stop.signal));
    stop.abort(new Error('stopped'));
    expect(await sending).to.have.property('message', 'stopped');
  });

  it('that is not there is an error, not a wait', async () => {
    for (const bytes of [1, 9 * 1024 * 1024]) {
      const sending = upload(url, {}, join(dir, 'nothing'), bytes, { what: 'a picture', signal: new AbortController().signal, retryForMs: 0 });
      expect(await failureOf(sending)).to.be.instanceOf(Error);
    }
  });
});
