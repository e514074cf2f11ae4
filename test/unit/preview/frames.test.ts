import { expect } from 'chai';
import fc from 'fast-check';
import { encodeFrame, FrameReader, FrameTooLarge } from '#workers/preview/child/frames.ts';
import { encodePack, Pack, RecordingStore } from '#workers/preview/child/transform-cache.ts';

describe('frames between worker and build process', () => {
  it('arrive whole however the stream is cut', () => {
    const frame = fc.record({ name: fc.string(), body: fc.uint8Array({ maxLength: 300 }) });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), fc.integer({ min: 1, max: 64 }), (frames, step) => {
        const bytes = Buffer.concat(frames.flatMap(({ name, body }) => encodeFrame({ type: 'x', name }, body)));
        const reader = new FrameReader(10_000);
        const got: { name: unknown; body: number[] }[] = [];
        for (let at = 0; at < bytes.length; at += step) {
          for (const { header, body } of reader.push(bytes.subarray(at, at + step))) got.push({ name: header['name'], body: [...body] });
        }
        expect(got).to.deep.equal(frames.map(({ name, body }) => ({ name, body: [...body] })));
      }),
    );
  });

  it('are refused once they carry more than allowed in all, before the bytes are there', () => {
    const reader = new FrameReader(100);
    reader.push(Buffer.concat(encodeFrame({ type: 'x' }, Buffer.alloc(60))));
    const [head] = encodeFrame({ type: 'x' }, Buffer.alloc(60));
    expect(() => reader.push(head)).to.throw(FrameTooLarge);
  });

  it('are refused also when nothing but headers comes, without end', () => {
    const reader = new FrameReader(10_000);
    const [head] = encodeFrame({ type: 'asset', path: 'assets/a.png' });
    expect(() => { for (let sent = 0; sent < 1_000; sent += 1) reader.push(head); }).to.throw(FrameTooLarge);
  });

  it('are refused without a type', () => {
    const [head] = encodeFrame({ type: 'x' });
    const bytes = Buffer.from(head);
    bytes.write('{"nope":"x"}'.slice(0, bytes.length - 8).padEnd(bytes.length - 8), 8);
    expect(() => new FrameReader(1_000).push(bytes)).to.throw('a frame without a type');
  });
});

describe('transform packs', () => {
  const key = Buffer.from('00ff', 'hex');

  it('give back what was put in, and nothing for damaged ones', () => {
    const pack = encodePack([['a', Buffer.from('1')], ['b', Buffer.from('"two"')]]);
    expect(Pack.ofBytes(pack).get('b')?.toString()).to.equal('"two"');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: pack.length - 1 }), fc.nat(255), (at, value) => {
        const damaged = Buffer.from(pack);
        damaged[at] = value;
        expect(() => Pack.ofBytes(damaged).get('a')).to.not.throw();
        expect(() => Pack.ofBytes(pack.subarray(0, at)).get('a')).to.not.throw();
      }),
    );
  });

  it('keep what the last build used and forget the rest', () => {
    const first = new RecordingStore(Pack.ofBytes(Buffer.alloc(0)), 'salt');
    first.set(key, { output: [{ type: 'js/module' }] });
    first.set(Buffer.from('other'), { output: [{ type: 'js/module' }] });
    const second = new RecordingStore(Pack.ofBytes(first.encode()), 'salt');
    expect(second.get(key)).to.deep.equal({ output: [{ type: 'js/module' }] });
    expect(Pack.ofBytes(second.encode()).index.size).to.equal(1);
  });

  it('answer nothing under another environment, and hold no asset', () => {
    const first = new RecordingStore(Pack.ofBytes(Buffer.alloc(0)), 'staging');
    first.set(key, { output: [{ type: 'js/module' }] });
    first.set(Buffer.from('image'), { output: [{ type: 'js/module/asset' }] });
    expect(Pack.ofBytes(first.encode()).index.size).to.equal(1);
    expect(new RecordingStore(Pack.ofBytes(first.encode()), 'production').get(key)).to.equal(null);
  });
});
