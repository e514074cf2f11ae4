/** Archives that are not what they say: nothing of them is stored but contents that were asked for, under their own hash. */
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { type Header, pack } from 'tar-stream';
import { newId } from '#platform/ids.ts';
import { eachObject } from '#platform/storage/storage.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { request, type Source, sourceOf } from '../../support/preview-jobs.ts';
import { refusalOf } from '../../support/refusals.ts';

describe('an uploaded archive', () => {
  const backend = useBackend();
  let ada: Person;
  let projectId: string;
  before(async () => {
    ada = await backend.current.person();
    projectId = await backend.current.project(ada);
  });

  const tarWith = async (...entries: readonly (readonly [Partial<Header> & { name: string }, Buffer?])[]): Promise<Buffer> => {
    const tar = pack();
    for (const [header, content] of entries) tar.entry(header, content ?? Buffer.alloc(0));
    tar.finalize();
    const chunks: Buffer[] = [];
    for await (const chunk of tar) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  };

  const tricks: Readonly<Record<string, (wanted: Source) => Promise<Buffer>>> = {
    'a symbolic link by the name of a content': ({ sha256 }) => tarWith([{ name: sha256, type: 'symlink', linkname: '/etc/passwd' }]),
    'a hard link by the name of a content': ({ sha256, content }) => tarWith([{ name: 'other', size: content.length }, content], [{ name: sha256, type: 'link', linkname: 'other' }]),
    'a device': ({ sha256 }) => tarWith([{ name: sha256, type: 'character-device', devmajor: 1, devminor: 5 }]),
    'a FIFO': ({ sha256 }) => tarWith([{ name: sha256, type: 'fifo' }]),
    'a folder': ({ sha256 }) => tarWith([{ name: sha256, type: 'directory' }]),
    'a path that climbs to the name': ({ sha256, content }) => tarWith([{ name: `../../blobs/${sha256}`, size: content.length }, content]),
    'an absolute path': ({ sha256, content }) => tarWith([{ name: `/${sha256}`, size: content.length }, content]),
    'the name in other letters': ({ sha256, content }) => tarWith([{ name: sha256.toUpperCase(), size: content.length }, content]),
    'a name that a PAX header changes into the wanted one, with another content': ({ sha256, content }) =>
      tarWith([{ name: 'harmless', size: content.length, pax: { path: sha256 } }, Buffer.alloc(content.length, 'x')]),
    'an archive that ends inside its content': async ({ sha256, content }) => (await tarWith([{ name: sha256, size: content.length }, content])).subarray(0, 512 + content.length - 1),
    'a header with a wrong checksum': async ({ sha256, content }) => {
      const tar = await tarWith([{ name: sha256, size: content.length }, content]);
      tar.write('7777777', 148, 'latin1');
      return tar;
    },
    'a size of eight gigabytes': async ({ sha256, content }) => {
      const tar = await tarWith([{ name: sha256, size: content.length }, content]);
      tar.write('77777777777\0', 124, 'latin1');
      tar.fill(' ', 148, 156);
      const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
      tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
      return tar;
    },
    'a thousand entries of one name': ({ sha256, size }) =>
      tarWith(...Array.from({ length: 1_000 }, () => [{ name: sha256, size }, Buffer.alloc(size, 'x')] as const)),
    'a PAX header of eight megabytes': ({ sha256, content }) => tarWith([{ name: sha256, size: content.length, pax: { comment: 'x'.repeat(8_000_000) } }, content]),
    'four thousand PAX headers that rename what nobody asked for': ({ content }) =>
      tarWith(...Array.from({ length: 4_000 }, (_, nth) => [{ name: `n${nth}`, size: content.length, pax: { path: `p${nth}` } }, content] as const)),
    'a PAX header that says another size': ({ sha256, content }) => tarWith([{ name: sha256, size: content.length, pax: { size: '99999999999999' } }, content]),
    'a PAX header that reaches for prototypes': ({ content }) => tarWith([{ name: 'x', size: content.length, pax: { ['__proto__']: 'x', constructor: 'x' } }, content]),
    'a name of a prototype': ({ content }) => tarWith([{ name: '__proto__', size: content.length }, content], [{ name: 'constructor', size: content.length }, content]),
    'the name behind a dot, and one that a zero ends': ({ sha256, content }) => tarWith([{ name: `./${sha256}`, size: content.length }, content], [{ name: `${sha256}\0.js`, size: content.length }, Buffer.alloc(content.length, 'x')]),
    'a sparse file by the name of a content': async ({ sha256, content }) => {
      const tar = await tarWith([{ name: sha256, size: content.length }, content]);
      tar.write('S', 156, 'latin1');
      tar.fill(' ', 148, 156);
      const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
      tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
      return tar;
    },
    'itself compressed': async ({ sha256, content }) => gzipSync(await tarWith([{ name: sha256, size: content.length }, content])),
    'a quarter of a gigabyte of zeros, compressed': () => Promise.resolve(gzipSync(Buffer.alloc(256 * 1024 * 1024), { level: 1 })),
    'nothing but zeros': () => Promise.resolve(Buffer.alloc(10_240)),
  };

  for (const [what, make] of Object.entries(tricks)) {
    it(`brings nothing with ${what}`, async () => {
      const source = sourceOf('index.js', `export default '${newId()}';`);
      const { data } = await request(backend.current, ada, projectId, [source]);
      const staging = `projects/${projectId}/staging/${data.job.id}/pack.tar`;
      await backend.current.storage.put(staging, await make(source), { contentType: 'application/x-tar', maxBytes: 10_000_000 });
      const refusal = await refusalOf(backend.current.run('startPreviewJob', ada, { path: { job_id: data.job.id } }));
      expect(refusal.code).to.equal('CONFLICT');
      expect(refusal.details).to.deep.include({ missing_count: 1, missing: [source.sha256] });
      const stored: string[] = [];
      for await (const { key } of eachObject(backend.current.storage, `projects/${projectId}/`)) if (!key.includes('/staging/')) stored.push(key);
      expect(stored).to.deep.equal([]);
    });
  }
});
