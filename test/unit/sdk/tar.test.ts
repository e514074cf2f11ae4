import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import fc from 'fast-check';
import { extract } from 'tar-stream';
import { tar, tarHeader, tarSizeBytes } from '#sdk/tar.ts';

async function unpack(packed: Blob): Promise<{ name: string; type: string | null | undefined; content: Buffer }[]> {
  const found: { name: string; type: string | null | undefined; content: Buffer }[] = [];
  const reader = extract();
  Readable.from([Buffer.from(await packed.arrayBuffer())]).pipe(reader);
  for await (const entry of reader) found.push({ name: entry.header.name, type: entry.header.type, content: await buffer(entry) });
  return found;
}

describe('the tar of a pack', () => {
  it('is read by another implementation, and is as long as was said beforehand', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 1600 }), { maxLength: 8 }), async (contents) => {
      const entries = contents.map((content) => ({ name: createHash('sha256').update(content).digest('hex'), content: new Blob([new Uint8Array(content)]) }));
      const packed = tar(entries);
      expect(packed.size).to.equal(tarSizeBytes(contents.map((content) => content.length)));
      const found = await unpack(packed);
      expect(found.map((entry) => entry.name)).to.deep.equal(entries.map((entry) => entry.name));
      for (const [index, entry] of found.entries()) {
        expect(entry.type).to.equal('file');
        expect(entry.content.equals(Buffer.from(contents[index] ?? []))).to.equal(true);
      }
    }), { numRuns: 40 });
  });
  it('has lengths that every content of a block\'s edge keeps', () => {
    expect(tarSizeBytes([])).to.equal(1024);
    expect(tarSizeBytes([0])).to.equal(1536);
    expect(tarSizeBytes([1])).to.equal(2048);
    expect(tarSizeBytes([512])).to.equal(2048);
    expect(tarSizeBytes([513])).to.equal(2560);
  });
  it('refuses what its headers cannot say', () => {
    expect(() => tarHeader('x'.repeat(101), 0)).to.throw(RangeError);
    expect(() => tarHeader('ü', 0)).to.throw(RangeError);
    expect(() => tarHeader('', 0)).to.throw(RangeError);
    expect(() => tarHeader('x', 8 ** 11)).to.throw(RangeError);
    expect(() => tarHeader('x', -1)).to.throw(RangeError);
  });
});
