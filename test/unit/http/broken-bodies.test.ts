import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { readBody, streamBody } from '../../../src/http/body/read.ts';
import type { Exchange } from '../../../src/http/exchange.ts';
import type { Route } from '../../../src/http/route.ts';

describe('a request whose connection breaks', () => {
  const route = { maxBodyBytes: 10 } as Route;
  const exchangeOf = (): Exchange & { req: PassThrough } =>
    ({ req: Object.assign(new PassThrough({ autoDestroy: false }), { headers: { 'transfer-encoding': 'chunked' } }), res: {}, stream: null, rawBody: null }) as never;
  /** As Node does it: an error that nobody listens for is thrown, and ends the process. */
  const breaks = async ({ req }: Exchange): Promise<void> => {
    // Not by `once` of events: that listens for errors itself.
    const closed = new Promise<void>((resolve) => req.once('close', () => resolve()));
    req.destroy(new Error('aborted'));
    await closed;
  };

  it('ends nothing after the reader of its stream went', async () => {
    const exchange = exchangeOf();
    await streamBody(route)(exchange);
    const { stream } = exchange;
    stream?.on('data', () => undefined);
    exchange.req.write('12345');
    stream?.destroy();
    if (stream !== null) await once(stream, 'close');
    await breaks(exchange);
  });

  it('ends nothing after its stream was cut off at its bound', async () => {
    const exchange = exchangeOf();
    await streamBody(route)(exchange);
    const refused = new Promise((resolve) => exchange.stream?.on('error', resolve));
    exchange.stream?.resume();
    exchange.req.write('more than ten bytes');
    expect(await refused).to.have.property('code', 'PAYLOAD_TOO_LARGE');
    await breaks(exchange);
  });

  it('ends nothing after its body was read whole, or refused', async () => {
    for (const [body, code] of [['short', null], ['more than ten bytes', 'PAYLOAD_TOO_LARGE']] as const) {
      const exchange = exchangeOf();
      const reading = Promise.resolve(readBody(route)(exchange)).then(() => null, (error: unknown) => Reflect.get(error as object, 'code') as unknown);
      exchange.req.end(body);
      expect(await reading).to.equal(code);
      await breaks(exchange);
    }
  });
});
