import { expect } from 'chai';
import fc from 'fast-check';
import { HiveSyncError } from '#sdk/index.ts';
import { EventParser, readEvents, type ServerEvent } from '#sdk/sse.ts';
import { failureOf } from './fixture.ts';

const parse = (...pieces: readonly string[]): ServerEvent[] => {
  const parser = new EventParser();
  return pieces.flatMap((piece) => parser.push(piece));
};

describe('server-sent events', () => {
  it('reads id, type and data, and keeps the last id', () => {
    expect(parse('id: 1\nevent: job\ndata: {"a":1}\n\ndata: x\n\n')).to.deep.equal([
      { id: '1', event: 'job', data: '{"a":1}' },
      { id: '1', event: 'message', data: 'x' },
    ]);
  });
  it('joins the lines of data, takes one space off, and needs none', () => {
    expect(parse('data:a\ndata:  b\ndata\n\n').map((event) => event.data)).to.deep.equal(['a\n b\n']);
  });
  it('drops comments, unknown fields, events without data and what is not finished', () => {
    expect(parse(': keep-alive\n\nretry: 5\nfoo: bar\nevent: job\n\ndata: unfinished\n')).to.deep.equal([]);
  });
  it('ends lines at CR, LF and CRLF alike', () => {
    expect(parse('data: a\r\ndata: b\rdata: c\n\r\n').map((event) => event.data)).to.deep.equal(['a\nb\nc']);
  });
  it('reads the same events however the text is cut', () => {
    const line = fc.constantFrom('data: x', 'data: {"a": "ü"}', 'id: 7', 'event: log', ': c', '', '', 'data');
    const end = fc.constantFrom('\n', '\r\n', '\r');
    fc.assert(fc.property(fc.array(fc.tuple(line, end), { maxLength: 30 }), fc.array(fc.nat(400), { maxLength: 30 }), (lines, cuts) => {
      const text = `${lines.map(([words, ending]) => words + ending).join('')}\n\n`;
      const places = [0, ...cuts.map((cut) => cut % text.length).sort((a, b) => a - b), text.length];
      const pieces = places.slice(1).map((place, index) => text.slice(places[index], place));
      expect(parse(...pieces)).to.deep.equal(parse(text));
    }));
  });
  it('reads letters whose bytes arrive apart', async () => {
    const bytes = new TextEncoder().encode('data: 木\n\n');
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    const data: string[] = [];
    for await (const event of readEvents(body, 1000)) data.push(event.data);
    expect(data).to.deep.equal(['木']);
  });
  it('refuses an event without an end', () => {
    expect(() => parse(...Array.from({ length: 5 }, () => `data: ${'x'.repeat(1_000_000)}\n`))).to.throw(HiveSyncError).with.property('code', 'BAD_ANSWER');
    expect(() => parse('x'.repeat(5_000_000))).to.throw(HiveSyncError);
  });
  it('tells a dead connection from a quiet one', async () => {
    let cancelled = false;
    const silent = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode('data: a\n\n')),
      cancel: () => {
        cancelled = true;
      },
    });
    const events = readEvents(silent, 30);
    expect((await events.next()).value).to.include({ data: 'a' });
    expect(await failureOf(events.next())).to.include({ code: 'CONNECTION_FAILED' });
    expect(cancelled).to.equal(true);
  });

  it('ends at once when it is told to, whether or not whoever sends it hears of that, and lets go of it', async () => {
    let isLetGo = false;
    const quiet = new ReadableStream<Uint8Array>({ cancel: () => { isLetGo = true; } });
    const controller = new AbortController();
    const events = readEvents(quiet, 60_000, controller.signal);
    const first = failureOf(events.next());
    controller.abort();
    expect(await first).to.include({ code: 'CONNECTION_FAILED' });
    expect(isLetGo).to.equal(true);
    expect(await failureOf(readEvents(new ReadableStream<Uint8Array>(), 60_000, controller.signal).next())).to.include({ code: 'CONNECTION_FAILED' });
  });
});
