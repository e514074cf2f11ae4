/** ZIP archives as a reader of another make sees them. */
import { buffer } from 'node:stream/consumers';
import { fromBuffer, type Entry } from 'yauzl';

/** Every entry of an archive by its name, its checksum verified. */
export async function entriesOf(archive: Buffer): Promise<Map<string, Buffer>> {
  const entries = new Map<string, Buffer>();
  const zip = await new Promise<import('yauzl').ZipFile>((resolve, reject) => {
    fromBuffer(archive, { lazyEntries: true, strictFileNames: true, validateEntrySizes: true }, (error, opened) => (error === null ? resolve(opened) : reject(error)));
  });
  await new Promise<void>((resolve, reject) => {
    zip.on('error', reject);
    zip.on('end', resolve);
    zip.on('entry', (entry: Entry) => {
      zip.openReadStream(entry, (error, stream) => {
        if (error !== null) return reject(error);
        buffer(stream).then((content) => {
          entries.set(entry.fileName, content);
          zip.readEntry();
        }, reject);
      });
    });
    zip.readEntry();
  });
  return entries;
}

export const jsonIn = <T = Record<string, unknown>[]>(entries: ReadonlyMap<string, Buffer>, name: string): T => {
  const content = entries.get(name);
  if (content === undefined) throw new Error(`The archive has no ${name}: ${[...entries.keys()].join(', ')}`);
  return JSON.parse(content.toString('utf8')) as T;
};
