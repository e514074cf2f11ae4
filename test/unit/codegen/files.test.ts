import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { Origins, printed } from '../../../codegen/lint/origin.ts';
import { bundle, lintByRedocly } from '../../../codegen/redocly.ts';

const answer = (schema: string): string => `{ '200': { description: Done., content: { application/json: { schema: { $ref: '${schema}' } } } } }`;
const files: Readonly<Record<string, string>> = {
  'openapi.yaml': [
    'openapi: 3.1.1',
    'info: { title: Notes, version: 1.0.0, license: { name: MIT, identifier: MIT } }',
    'servers: [{ url: /api/v1 }]',
    'tags: [{ name: Notes, description: Notes. }]',
    'security: []',
    'paths:',
    "  /notes: { $ref: 'paths/notes.yaml#/~1notes' }",
    "  /tasks: { $ref: 'paths/tasks.yaml#/~1tasks' }",
  ].join('\n'),
  'paths/notes.yaml': `/notes:\n  get: { operationId: listNotes, tags: [Notes], summary: Notes, responses: ${answer('../components/schemas/notes.yaml#/Note')} }\n`,
  'paths/tasks.yaml': `/tasks:\n  get: { operationId: listTasks, tags: [Notes], summary: Tasks, responses: ${answer('../components/schemas/tasks.yaml#/Task')} }\n`,
  'components/schemas/notes.yaml': 'Note: { type: string, maxLength: 5 }\n',
  'components/schemas/tasks.yaml': 'Task: { type: string, maxLength: 6 }\n',
};

describe('the files of the contract', () => {
  let folder: string;
  const write = async (more: Readonly<Record<string, string>> = {}): Promise<string> => {
    for (const [path, text] of Object.entries({ ...files, ...more })) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    return join(folder, 'openapi.yaml');
  };
  beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'codegen-files-')); });
  afterEach(async () => { await rm(folder, { recursive: true }); });

  it('come together into one document', async () => {
    const root = await write();
    expect(await lintByRedocly(root)).to.equal(null);
    expect(Object.keys((await bundle(root)).components?.schemas ?? {})).to.have.members(['Note', 'Task']);
    expect((await Origins.read(root)).faults).to.deep.equal([]);
  });

  it('do not come together where two schemas share a name', async () => {
    const root = await write({ 'components/schemas/tasks.yaml': 'Note: { type: string, maxLength: 6 }\n', 'paths/tasks.yaml': (files['paths/tasks.yaml'] ?? '').replace('#/Task', '#/Note') });
    const error: unknown = await bundle(root).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(Error).with.property('message').that.matches(/same name but different content/);
    expect(printed((await Origins.read(root)).faults, await Origins.read(root))).to.match(/Note is defined in components\/schemas\/tasks\.yaml and in components\/schemas\/notes\.yaml/);
  });

  it('do not come together where a reference leads nowhere', async () => {
    const root = await write({ 'components/schemas/tasks.yaml': 'Chore: { type: string, maxLength: 6 }\n' });
    expect(await lintByRedocly(root)).to.match(/tasks\.yaml.*\n.*no-unresolved-refs/);
    const error: unknown = await bundle(root).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(Error);
  });

  it('have every path listed', async () => {
    const root = await write({ 'paths/tasks.yaml': `${files['paths/tasks.yaml'] ?? ''}/chores:\n  get: { operationId: listChores }\n` });
    expect((await Origins.read(root)).faults.map(({ rule, message }) => `${rule} ${message}`)).to.deep.equal(['files /chores stands in paths/tasks.yaml and is not listed in openapi.yaml']);
  });

  it('are named with each fault: file, pointer, rule and message on one line', async () => {
    const origins = await Origins.read(await write());
    const faults = [
      { rule: 'bounds', pointer: '#/components/schemas/Task/properties/title', message: 'a string needs maxLength' },
      { rule: 'words', pointer: '#/paths/~1notes/get', message: 'listNotes needs a description' },
    ];
    expect(printed(faults, origins).split('\n')).to.deep.equal([
      'components/schemas/tasks.yaml#/Task/properties/title  bounds  a string needs maxLength',
      'paths/notes.yaml#/~1notes/get  words  listNotes needs a description',
    ]);
  });
});
