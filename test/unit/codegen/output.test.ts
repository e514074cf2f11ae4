import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeFiles } from '../../../codegen/make.ts';
import { differences, writeFiles } from '../../../codegen/output.ts';
import { smallContract } from './contract.ts';

describe('what npm run generate writes', () => {
  let folder: string;
  beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'codegen-output-')); });
  afterEach(async () => { await rm(folder, { recursive: true }); });

  it('is the same bytes for the same contract', async () => {
    const once = await makeFiles(smallContract(), ['deleteNote']);
    const again = await makeFiles(smallContract(), ['deleteNote']);
    expect([...again]).to.deep.equal([...once]);
  });

  it('names no folder of this machine and no time', async () => {
    for (const [path, text] of await makeFiles(smallContract(), [])) {
      expect(text, path).not.to.include(process.cwd());
      expect(text, path).not.to.include(tmpdir());
      expect(text, path).not.to.match(new RegExp(`${new Date().getUTCFullYear()}-\\d\\d-\\d\\d`));
    }
  });

  it('leaves what is pending out of handlers, validators and serialisers, and keeps it in the SDK', async () => {
    const files = await makeFiles(smallContract(), ['getNote']);
    for (const [path, text] of files) {
      if (path.startsWith('validators/') || path.startsWith('serializers/')) expect(text, path).not.to.include('getNote');
    }
    expect(files.get('server/handlers.gen.ts')).to.include("export type PendingOperationId =\n  | 'getNote';").and.not.to.include('readonly getNote:');
    expect(files.get('sdk/sdk.gen.ts')).to.include('export const getNote =');
  });

  it('touches only what changed, and removes what is not generated any more', async () => {
    await writeFiles(folder, new Map([['a/one.ts', '1'], ['two.ts', '2'], ['three.ts', '3']]));
    const before = await stat(join(folder, 'two.ts'));
    expect(await writeFiles(folder, new Map([['a/one.ts', 'one'], ['two.ts', '2']]))).to.deep.equal({ written: 1, removed: 1 });
    expect((await stat(join(folder, 'two.ts'))).mtimeMs).to.equal(before.mtimeMs);
    expect(await readFile(join(folder, 'a/one.ts'), 'utf8')).to.equal('one');
  });

  it('is compared file by file: changed, missing and left over', async () => {
    const files = new Map([['one.ts', '1'], ['two.ts', '2']]);
    await writeFiles(folder, files);
    expect(await differences(folder, files)).to.deep.equal([]);
    await writeFile(join(folder, 'one.ts'), 'edited');
    await writeFile(join(folder, 'three.ts'), '3');
    await rm(join(folder, 'two.ts'));
    expect(await differences(folder, files)).to.have.members(['one.ts differs', 'two.ts is missing', 'three.ts should not be there']);
  });
});
