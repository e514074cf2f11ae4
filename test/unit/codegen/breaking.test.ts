import { expect } from 'chai';
import { breakingChanges, judgeChanges } from '../../../codegen/breaking.ts';
import { changed, type Part, set, smallContract } from './contract.ts';

type Change = (contract: Part) => void;
const at = (path: readonly (string | number)[], value: unknown): Change => (contract) => { set(contract, path, value); };
const schema = (...path: string[]): readonly string[] => ['components', 'schemas', ...path];
const list = ['paths', '/notes', 'get'] as const;
const create = ['paths', '/notes', 'post'] as const;
const short = { type: 'string', maxLength: 5 };
const both = (...changes: readonly Change[]): Change => (contract) => { for (const change of changes) change(contract); };

const breaking: Readonly<Record<string, Change>> = {
  'an operation that is gone': at(['paths', '/notes/{note_id}', 'delete'], undefined),
  'a path that is gone': at(['paths', '/health'], undefined),
  'a field that is gone from an answer': both(at(schema('Note', 'properties', 'labels'), undefined), at(schema('Note', 'required'), ['id', 'title', 'body', 'kind', 'links', 'extra', 'replies'])),
  'an optional field that is gone from an answer': at(schema('Note', 'properties', 'weight'), undefined),
  'a field of an answer that may be null now': at(schema('Note', 'properties', 'title', 'type'), ['string', 'null']),
  'a field of an answer of another type': at(schema('Note', 'properties', 'version', 'type'), 'string'),
  'a field of an answer that may be absent now': at(schema('Note', 'required'), ['id', 'title', 'body', 'kind', 'labels', 'links', 'extra']),
  'a value more in an answer': at(['paths', '/health', 'get', 'responses', '200', 'content', 'application/json', 'schema', 'properties', 'data', 'properties', 'status', 'enum'], ['ok', 'down', 'asleep']),
  'a required field more in a request': both(at(schema('NoteCreate', 'properties', 'color'), short), at(schema('NoteCreate', 'required'), ['title', 'kind', 'color'])),
  'a field that a request may not have any more': at(schema('NoteCreate', 'properties', 'priority'), undefined),
  'a field of a request that may not be null any more': at(schema('NoteUpdate', 'properties', 'body', 'type'), 'string'),
  'a tighter bound in a request': at(schema('NoteCreate', 'properties', 'title', 'maxLength'), 10),
  'a required parameter more': at([...list, 'parameters', 6], { name: 'team', in: 'query', required: true, schema: short }),
  'a parameter that is gone': (contract) => { set(contract, [...list, 'parameters'], (smallContract().paths['/notes']?.get?.parameters ?? []).slice(0, 5)); },
  'a success that is gone': at([...create, 'responses', '201'], undefined),
  'a header that is gone from an answer': at([...create, 'responses', '201', 'headers'], undefined),
  'API keys that are refused': at([...list, 'security'], [{ accessToken: [] }]),
  'another scope': at([...list, 'x-scope'], 'account:read'),
  'another caller': at([...list, 'x-auth'], 'admin'),
  'a higher role': at(['paths', '/notes/{note_id}', 'get', 'x-roles'], 'project:owner'),
  'a smaller body': at([...create, 'x-max-body'], 1024),
  'another base path': at(['servers', 0, 'url'], '/api/v2'),
};

const harmless: Readonly<Record<string, Change>> = {
  'an operation more': (contract) => { set(contract, ['paths', '/notes/all'], { get: { ...smallContract().paths['/notes']?.get, operationId: 'listAllNotes' } }); },
  'a field more in an answer': at(schema('Note', 'properties', 'color'), short),
  'an optional field more in a request': at(schema('NoteCreate', 'properties', 'color'), short),
  'an optional parameter more': at([...list, 'parameters', 6], { name: 'team', in: 'query', schema: short }),
  'a looser bound in a request': at(schema('NoteCreate', 'properties', 'title', 'maxLength'), 100),
  'a field of a request that may be null too': at(schema('NoteCreate', 'properties', 'title', 'type'), ['string', 'null']),
  'a field of an answer that is never null any more': at(schema('Note', 'properties', 'body', 'type'), 'string'),
  'a larger body': at([...create, 'x-max-body'], 131_072),
  'other words': at([...list, 'description'], 'Newest first.'),
};

describe('the comparison with the last released contract', () => {
  it('finds nothing where nothing changed', () => {
    expect(breakingChanges(smallContract(), smallContract())).to.deep.equal([]);
  });
  for (const [what, change] of Object.entries(breaking)) {
    it(`finds ${what}`, () => {
      expect(breakingChanges(smallContract(), changed(change))).to.have.length.greaterThan(0);
    });
  }
  for (const [what, change] of Object.entries(harmless)) {
    it(`lets pass ${what}`, () => {
      expect(breakingChanges(smallContract(), changed(change))).to.deep.equal([]);
    });
  }

  it('reads a webhook\'s body as an answer: what receivers read may not go', () => {
    const webhook = { post: { operationId: 'onNote', requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Message' } } } }, responses: { 204: { description: 'Taken.' } } } };
    const before = (fields: object): Change => both(at(['webhooks'], { 'note.created': webhook }), at(schema('Message'), { type: 'object', additionalProperties: false, properties: fields }));
    const one = changed(before({ a: short, b: short }));
    expect(breakingChanges(one, changed(before({ a: short })))).to.have.length.greaterThan(0);
    expect(breakingChanges(one, changed(before({ a: short, b: short, c: short })))).to.deep.equal([]);
  });

  it('lets pass what an entry allows, by its whole line or by a pattern', () => {
    const changes = breakingChanges(smallContract(), changed(at([...list, 'x-scope'], 'account:read')));
    expect(changes).to.deep.equal(['GET /notes x-scope: "tasks:read" → "account:read"']);
    expect(judgeChanges(changes, [{ change: 'GET /notes x-scope: "tasks:read" → "account:read"', reason: 'It reads the account.' }]).refused).to.deep.equal([]);
    expect(judgeChanges(changes, [{ change: '* x-scope: *', reason: 'It reads the account.' }]).refused).to.deep.equal([]);
    expect(judgeChanges(changes, [{ change: 'GET /notes x-auth*', reason: 'It reads the account.' }]).refused).to.deep.equal(changes);
  });

  it('wants a reason, and no entry that allows nothing', () => {
    expect(judgeChanges([], [{ change: 'GET /notes*', reason: 'It reads the account.' }]).stale).to.deep.equal(['GET /notes*']);
    expect(judgeChanges(['GET /notes removed'], [{ change: 'GET /notes*', reason: ' ' }]).unreasoned).to.deep.equal(['GET /notes*']);
  });
});
