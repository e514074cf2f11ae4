import { createSocket, type Socket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import { hostname } from 'node:os';
import { expect } from 'chai';
import { createOutgoing, OutgoingFailure } from '#platform/outgoing/client.ts';
import { resolverOf } from '#platform/outgoing/resolve.ts';
import { outgoingRules } from '#platform/outgoing/rules.ts';

const types: Readonly<Record<number, 4 | 6>> = { 1: 4, 28: 6 };

/** Four groups are enough for the addresses here. */
const bytesOf = (address: string): Buffer => {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = address.split('::').map((side) => side.split(':').filter((group) => group !== '').map((group) => group.padStart(4, '0')).join(''));
  return Buffer.from(head + '0'.repeat(32 - head.length - tail.length) + tail, 'hex');
};

/** A name server that knows these names; others do not exist, and of `silent.` it says nothing. */
async function nameServer(names: Readonly<Record<string, readonly string[]>>): Promise<{ readonly socket: Socket; readonly address: string; readonly asked: string[] }> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (query, from) => {
    const labels: string[] = [];
    let at = 12;
    for (; query[at] !== 0; at += 1 + (query[at] ?? 0)) labels.push(query.toString('latin1', at + 1, at + 1 + (query[at] ?? 0)));
    const name = labels.join('.').toLowerCase();
    asked.push(name);
    if (name.startsWith('silent.')) return;
    const family = types[query.readUInt16BE(at + 1)];
    const answers = (names[name] ?? []).filter((address) => (isIPv4(address) ? 4 : 6) === family).map(bytesOf);
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(names[name] === undefined ? 0x8183 : 0x8180, 2);
    header.writeUInt16BE(answers.length, 6);
    header.writeUInt32BE(0, 8);
    const records = answers.map((data) => Buffer.concat([Buffer.from([0xc0, 12, 0, data.length === 4 ? 1 : 28, 0, 1, 0, 0, 0, 60, 0, data.length]), data]));
    socket.send(Buffer.concat([header, query.subarray(12, at + 5), ...records]), from.port, from.address);
  });
  await new Promise<void>((resolve) => { socket.bind(0, '127.0.0.1', resolve); });
  return { socket, address: `127.0.0.1:${socket.address().port}`, asked };
}

describe('names that users name', () => {
  const signal = new AbortController().signal;
  let server: Awaited<ReturnType<typeof nameServer>>;
  const failed = async (work: Promise<unknown>): Promise<unknown> => work.then(() => null, (error: unknown) => error);

  before(async () => {
    server = await nameServer({
      'both.example': ['203.0.112.7', '2606:4700::1111'], 'four.example': ['1.1.1.1', '8.8.8.8'], 'six.example': ['2606:4700::1111'], 'none.example': [],
      'many.example': Array.from({ length: 20 }, (_, nth) => `1.1.1.${nth + 1}`), 'private.example': ['10.0.0.1'], 'mixed.example': ['1.1.1.1', 'fd12::1'],
      [hostname().toLowerCase()]: ['1.1.1.1'],
    });
  });
  after(() => { server.socket.close(); });

  it('are asked of the name servers, for addresses of both kinds, eight at most', async () => {
    const resolve = resolverOf([server.address]);
    expect(await resolve('both.example', signal)).to.deep.equal(['203.0.112.7', '2606:4700::1111']);
    expect((await resolve('four.example', signal)).toSorted()).to.deep.equal(['1.1.1.1', '8.8.8.8']);
    expect(await resolve('six.example', signal)).to.deep.equal(['2606:4700::1111']);
    expect(await resolve('many.example', signal)).to.have.length(8);
  });

  it('are asked of them alone: what this machine calls itself, and what its hosts file says, counts for nothing', async () => {
    expect(await resolverOf([server.address])(hostname(), signal)).to.deep.equal(['1.1.1.1']);
    expect(server.asked).to.include(hostname().toLowerCase());
  });

  it('that nobody has, or that have no address, are a failure', async () => {
    for (const name of ['nobody.example', 'none.example']) expect(await failed(resolverOf([server.address])(name, signal)), name).to.be.instanceOf(Error);
  });

  it('are given up at once with whoever asks', async () => {
    const stop = new AbortController();
    const asking = failed(resolverOf([server.address])('silent.example', stop.signal));
    const startedAt = performance.now();
    setImmediate(() => stop.abort());
    expect(await asking).to.be.instanceOf(Error);
    expect(performance.now() - startedAt).to.be.lessThan(1_000);
  });

  it('are connected to only where every address they have is public', async () => {
    const outgoing = createOutgoing(outgoingRules({ production: false, outgoingAllowedRanges: [] }), resolverOf([server.address]));
    const faults: unknown[] = [];
    for (const name of ['private.example', 'mixed.example', 'nobody.example']) {
      const error = await failed(outgoing.post({ url: `http://${name}/`, headers: {}, body: '{}', timeoutMs: 5_000, maxAnswerBytes: 10 }));
      faults.push(error instanceof OutgoingFailure ? error.fault : error);
    }
    expect(faults).to.deep.equal(['address_refused', 'address_refused', 'dns']);
  });
});
