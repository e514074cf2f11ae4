/** A job's sources, from the list in its input to files in the blob cache. */
import { createGunzip } from 'node:zlib';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { JobSource, JobSources } from '#generated/sdk/types.gen.ts';
import { mapBounded } from '#platform/concurrency.ts';
import type { BlobSource, PinnedBlobs } from '../blob-cache.ts';
import { download, retryTransfer, type TransferOptions } from '../transfers.ts';

/** The list, or a file of it, is not what the backend said it would be. */
export class SourcesInvalid extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SourcesInvalid';
  }
}

/** Small files are bound by the round trip, not by the line. */
const fetchesAtOnce = 16;
const retryForMs = 20_000;
const maxSources = 50_000;
/** About 2 KB a line at the most usual, and a bound against a document that never ends. */
const maxListBytes = 256 * 1024 * 1024;
const hashForm = /^[0-9a-f]{64}$/u;

/** The sources a job names, checked in form. */
export async function listSources(sources: JobSources, signal: AbortSignal): Promise<readonly JobSource[]> {
  if (sources.items !== null) return sources.items;
  const { url } = sources;
  if (url === null) throw new SourcesInvalid('The job names no sources.');
  const options: TransferOptions = { what: 'the list of sources', signal, retryForMs };
  const items = await retryTransfer(options, async () => {
    const read: JobSource[] = [];
    const lines = createInterface({ input: Readable.from(plainText(await download(url, maxListBytes, options))), crlfDelay: Infinity });
    for await (const line of lines) {
      if (line === '') continue;
      if (read.length === maxSources) throw new SourcesInvalid(`The list holds more than ${maxSources} sources.`);
      read.push(parseSource(line));
    }
    return read;
  });
  if (items.length !== sources.count) throw new SourcesInvalid(`The list holds ${items.length} sources in place of ${sources.count}.`);
  return items;
}

/**
 * Brings every source into the cache, verified by length and hash, each content once.
 *
 * @returns path in the project → file on this machine; valid until the pins are released.
 */
export async function fetchSources(
  items: readonly JobSource[], blobs: PinnedBlobs, signal: AbortSignal, onProgress: (done: number, total: number) => void,
): Promise<{ files: Map<string, string>; fetchedCount: number; fetchedBytes: number }> {
  const distinct = [...new Map(items.map((item) => [item.sha256, item])).values()];
  const pathOf = new Map<string, string>();
  let fetchedCount = 0;
  let fetchedBytes = 0;
  await mapBounded(distinct, fetchesAtOnce, async (item) => {
    signal.throwIfAborted();
    const options: TransferOptions = { what: 'a source', signal, retryForMs };
    const source: BlobSource = () => download(item.url, item.size, options);
    const { path, wasFetched } = await retryTransfer(options, () => blobs.obtain(item, source, signal));
    pathOf.set(item.sha256, path);
    if (wasFetched) {
      fetchedCount += 1;
      fetchedBytes += item.size;
    }
    onProgress(pathOf.size, distinct.length);
  });
  const files = new Map<string, string>();
  for (const { path, sha256 } of items) {
    if (files.has(path)) throw new SourcesInvalid('The list names a path twice.');
    files.set(path, pathOf.get(sha256) ?? '');
  }
  return { files, fetchedCount, fetchedBytes };
}

/** The document is stored gzipped; whoever serves it with Content-Encoding has it unpacked by fetch already. */
async function* plainText(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const bounded = bound(body);
  const first = await bounded.next();
  if (first.done === true) return;
  const rejoined = (async function* () {
    yield first.value;
    yield* bounded;
  })();
  const isGzip = first.value[0] === 0x1f && first.value[1] === 0x8b;
  yield* isGzip ? bound(Readable.from(rejoined).compose(createGunzip()) as AsyncIterable<Uint8Array>) : rejoined;
}

async function* bound(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxListBytes) throw new SourcesInvalid(`The list is larger than ${maxListBytes} bytes.`);
    yield chunk;
  }
}

function parseSource(line: string): JobSource {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new SourcesInvalid('A line of the list is no JSON.');
  }
  if (typeof value !== 'object' || value === null) throw new SourcesInvalid('A line of the list is no source.');
  const { path, size, sha256, url } = value as Record<string, unknown>;
  if (typeof path !== 'string' || typeof url !== 'string' || typeof sha256 !== 'string' || !hashForm.test(sha256)
    || typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new SourcesInvalid('A line of the list is no source.');
  }
  return { path, size, sha256, url };
}
