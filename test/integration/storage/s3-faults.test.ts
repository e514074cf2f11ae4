import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import { openS3Storage } from '#platform/storage/s3-storage.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';
import { openS3, type OpenedS3 } from './backends.ts';
import { expectKind } from './kinds.ts';

const plain = { contentType: 'text/plain', maxBytes: 10_000_000 };
const timeoutMs = 400;

describe('an S3 store with faults', () => {
  let opened: OpenedS3;
  let storage: ObjectStorage;
  let spoolDir: string;
  before(async () => {
    spoolDir = await mkdtemp(join(tmpdir(), 'hivesync-spool-'));
    opened = await openS3({ timeoutMs, spoolDir });
    storage = opened.storage;
    await storage.put('a', Buffer.alloc(300_000, 'a'), plain);
  });
  afterEach(async () => await opened.server.setFault(null));
  after(async () => {
    await opened.close();
    await rm(spoolDir, { recursive: true });
  });
  const seen = async (operation: string): Promise<number> => (await opened.server.counts())[operation] ?? 0;

  for (const fault of [{ mode: 'status', status: 503 }, { mode: 'status', status: 500 }, { mode: 'cut' }] as const) {
    const name = JSON.stringify(fault);
    it(`gets over two failures in a row: ${name}`, async () => {
      await opened.server.setFault({ ...fault, times: 2 });
      expect((await storage.head('a')).sizeBytes).to.equal(300_000);
      await opened.server.setFault({ ...fault, times: 2 });
      const big = Buffer.alloc(2_000_000, 'b');
      await storage.put('big', Readable.from([big.subarray(0, 1_500_000), big.subarray(1_500_000)], { objectMode: false }), plain);
      await opened.server.setFault(null);
      expect((await buffer((await storage.get('big')).stream)).equals(big)).to.equal(true);
    });
    it(`gives up after the third: ${name}`, async () => {
      await opened.server.setFault(fault);
      const before = await seen('HeadObject');
      await expectKind('unavailable', storage.head('a'));
      expect(await seen('HeadObject')).to.equal(before + 3);
    });
  }

  it('does not repeat what was refused', async () => {
    const before = await seen('GetObject');
    await expectKind('unavailable', opened.stranger.get('a'));
    expect(await seen('GetObject')).to.equal(before + 1);
    await expectKind('not_found', storage.get('missing'));
    expect(await seen('GetObject')).to.equal(before + 2);
  });

  it('waits for a store that hangs no longer than its deadline, and only once', async () => {
    await opened.server.setFault({ mode: 'hang' });
    const before = await seen('HeadObject');
    const started = performance.now();
    await expectKind('unavailable', storage.head('a'));
    expect(performance.now() - started).to.be.within(timeoutMs - 20, timeoutMs * 2.5);
    expect(await seen('HeadObject')).to.equal(before + 1);
    await expectKind('unavailable', storage.get('a'));
    await expectKind('unavailable', storage.list(''));
    await expectKind('unavailable', storage.delete('a'));
  });

  for (const mode of ['stall', 'truncate'] as const) {
    it(`fails a download that is cut short, in place of ending it: ${mode}`, async () => {
      await opened.server.setFault({ mode, operation: 'GetObjectBody', afterBytes: 1000 });
      const { stream, sizeBytes } = await storage.get('a');
      expect(sizeBytes).to.equal(300_000);
      await expectKind('unavailable', buffer(stream));
    });
  }

  it('does not hurry a reader that is slow itself', async () => {
    const { stream } = await storage.get('a');
    let length = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      length += chunk.length;
      // Longer than the store may keep silent; the store is not being waited for meanwhile.
      if (length === chunk.length) await new Promise((resolve) => setTimeout(resolve, timeoutMs * 1.5));
    }
    expect(length).to.equal(300_000);
  });

  it('keeps a move safe to repeat when it breaks between copy and delete', async () => {
    await storage.put('staging/m', Buffer.from('x'), plain);
    await opened.server.setFault({ mode: 'status', operation: 'DeleteObject' });
    await expectKind('unavailable', storage.move('staging/m', 'final/m'));
    await opened.server.setFault(null);
    await storage.move('staging/m', 'final/m');
    await storage.move('staging/m', 'final/m');
    expect((await storage.list('staging/')).objects).to.deep.equal([]);
  });

  it('leaves no spooled file behind, whatever happened', async () => {
    await opened.server.setFault({ mode: 'cut' });
    await expectKind('unavailable', storage.put('big', Readable.from([Buffer.alloc(2_000_000)], { objectMode: false }), plain));
    await expectKind('checksum_mismatch', storage.put('big', Readable.from([Buffer.alloc(2_000_000)], { objectMode: false }), { ...plain, sha256: '0'.repeat(64) }));
    expect(await readdir(spoolDir)).to.deep.equal([]);
  });

  it('is found out by its check when a step of the round trip fails', async () => {
    for (const operation of ['PutObject', 'GetObject', 'DeleteObject']) {
      await opened.server.setFault({ mode: 'status', operation });
      await expectKind('unavailable', storage.check());
      await opened.server.setFault(null);
      await storage.check();
    }
  });

  it('reports a store that is not there', async () => {
    const nowhere = openS3Storage({ endpoint: 'http://127.0.0.1:1', bucket: 'b', region: 'auto', accessKey: 'a', secretKey: 's', timeoutMs, transferTimeoutMs: 1000 });
    await expectKind('unavailable', nowhere.check());
    nowhere.close();
  });

  it('signs URLs for the address that clients use', async () => {
    const outside = openS3Storage({ endpoint: 'http://inside:9000', publicEndpoint: 'https://storage.example.com', bucket: 'b', region: 'auto', accessKey: 'a', secretKey: 's', timeoutMs, transferTimeoutMs: 1000 });
    expect(await outside.presignGet('k', { expiresSeconds: 1 })).to.match(/^https:\/\/storage\.example\.com\/b\/k\?/);
    outside.close();
  });

  it('puts no secret into its errors', async () => {
    const error = await expectKind('unavailable', opened.stranger.head('a'));
    expect(error.message).not.to.match(/Signature=|Credential|secret/i);
  });
});
