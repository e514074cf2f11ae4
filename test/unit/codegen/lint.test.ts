import { expect } from 'chai';
import { rules, lint } from '../../../codegen/lint/rules.ts';
import { changed, set, smallContract } from './contract.ts';

type Path = readonly (string | number)[];
interface Break { readonly rule: string; readonly what: string; readonly path: Path; readonly value: unknown; readonly says?: RegExp }

const list: Path = ['paths', '/notes', 'get'];
const create: Path = ['paths', '/notes', 'post'];
const get: Path = ['paths', '/notes/{note_id}', 'get'];
const health: Path = ['paths', '/health', 'get'];
const schemas: Path = ['components', 'schemas'];
const note: Path = [...schemas, 'Note', 'properties'];

const breaks: readonly Break[] = [
  { rule: 'words', what: 'an operation without an id', path: [...list, 'operationId'], value: undefined },
  { rule: 'words', what: 'an id that is not camelCase', path: [...list, 'operationId'], value: 'list-notes' },
  { rule: 'words', what: 'no tag', path: [...list, 'tags'], value: [] },
  { rule: 'words', what: 'two tags', path: [...list, 'tags'], value: ['Notes', 'Health'] },
  { rule: 'words', what: 'a tag that is not listed', path: [...list, 'tags'], value: ['Elsewhere'] },
  { rule: 'words', what: 'no summary', path: [...list, 'summary'], value: undefined },
  { rule: 'words', what: 'an empty description', path: [...list, 'description'], value: ' ' },
  { rule: 'uniqueIds', what: 'an id twice', path: [...get, 'operationId'], value: 'listNotes' },
  { rule: 'emptyPaths', what: 'a path without operations', path: ['paths', '/nothing'], value: { parameters: [] } },
  { rule: 'auth', what: 'no x-auth', path: [...list, 'x-auth'], value: undefined },
  { rule: 'auth', what: 'an unknown x-auth', path: [...list, 'x-auth'], value: 'somebody' },
  { rule: 'auth', what: 'security that disagrees with x-auth', path: [...list, 'security'], value: [{ accessToken: [] }] },
  { rule: 'auth', what: 'security inherited in silence', path: [...health, 'security'], value: undefined },
  { rule: 'auth', what: 'an unknown scope', path: [...list, 'x-scope'], value: 'notes:read' },
  { rule: 'auth', what: 'API keys without a scope', path: [...list, 'x-scope'], value: undefined },
  { rule: 'auth', what: 'a scope where no API key comes in', path: [...health, 'x-scope'], value: 'tasks:read' },
  { rule: 'rateLimit', what: 'no rate class', path: [...list, 'x-rate-limit'], value: undefined },
  { rule: 'rateLimit', what: 'an unknown rate class', path: [...list, 'x-rate-limit'], value: 'fast' },
  { rule: 'policy', what: 'an unknown role', path: [...get, 'x-roles'], value: 'project:reader' },
  { rule: 'policy', what: 'a role on nothing', path: [...get, 'x-resource'], value: undefined },
  { rule: 'policy', what: 'a resource that is no parameter', path: [...get, 'x-resource'], value: 'path.task_id' },
  { rule: 'policy', what: 'a resource that is no field of the body', path: [...create, 'x-resource'], value: 'body.project_id' },
  { rule: 'otherTraits', what: 'an audit event without a verb', path: [...create, 'x-audit'], value: 'created' },
  { rule: 'otherTraits', what: 'a body without x-max-body', path: [...create, 'x-max-body'], value: undefined },
  { rule: 'otherTraits', what: 'x-max-body without a body', path: [...list, 'x-max-body'], value: 100 },
  { rule: 'otherTraits', what: 'x-no-store: false', path: [...create, 'x-no-store'], value: false },
  { rule: 'otherTraits', what: 'a GET with a body', path: [...list, 'requestBody'], value: { content: { 'application/json': { schema: { $ref: '#/components/schemas/NoteCreate' } } } } },
  { rule: 'extensions', what: 'an unknown extension of an operation', path: [...list, 'x-ratelimit'], value: 'read' },
  { rule: 'extensions', what: 'an unknown extension of a schema', path: [...note, 'title', 'x-max'], value: 3 },
  { rule: 'extensions', what: 'an operation\'s extension on a schema', path: [...note, 'title', 'x-scope'], value: 'tasks:read' },
  { rule: 'statuses', what: 'no 500', path: [...list, 'responses', '500'], value: undefined },
  { rule: 'statuses', what: 'a credential without 401', path: [...list, 'responses', '401'], value: undefined },
  { rule: 'statuses', what: 'a scope without 403', path: [...list, 'responses', '403'], value: undefined },
  { rule: 'statuses', what: 'parameters without 400', path: [...list, 'responses', '400'], value: undefined },
  { rule: 'statuses', what: 'a path parameter without 404', path: [...get, 'responses', '404'], value: undefined },
  { rule: 'statuses', what: 'If-None-Match without 304', path: [...get, 'responses', '304'], value: undefined },
  { rule: 'statuses', what: 'If-Match without 412', path: ['paths', '/notes/{note_id}', 'patch', 'responses', '412'], value: undefined },
  { rule: 'statuses', what: 'Idempotency-Key without 409', path: [...create, 'responses', '409'], value: undefined },
  { rule: 'statuses', what: 'a body without 413', path: [...create, 'responses', '413'], value: undefined },
  { rule: 'statuses', what: 'a body without 415', path: [...create, 'responses', '415'], value: undefined },
  { rule: 'statuses', what: 'a rate class without 429', path: [...list, 'responses', '429'], value: undefined },
  { rule: 'statuses', what: 'no success', path: [...list, 'responses', '200'], value: undefined },
  { rule: 'envelopes', what: 'a success outside the envelope', path: [...list, 'responses', '200', 'content', 'application/json', 'schema'], value: { $ref: '#/components/schemas/Note' } },
  { rule: 'envelopes', what: 'an envelope with a fourth key', path: [...list, 'responses', '200', 'content', 'application/json', 'schema', 'properties', 'meta'], value: { type: 'null' } },
  { rule: 'envelopes', what: 'an open envelope', path: [...list, 'responses', '200', 'content', 'application/json', 'schema', 'additionalProperties'], value: true },
  { rule: 'envelopes', what: 'an error in a shape of its own', path: [...list, 'responses', '400'], value: { description: 'No.', content: { 'application/json': { schema: { $ref: '#/components/schemas/Note' } } } } },
  { rule: 'envelopes', what: 'JSON and CSV at one status', path: [...list, 'responses', '200', 'content', 'text/csv'], value: { schema: { type: 'string' } } },
  { rule: 'envelopes', what: 'a 204 with a body', path: ['paths', '/notes/{note_id}', 'delete', 'responses', '204', 'content'], value: { 'text/plain': { schema: { type: 'string' } } } },
  { rule: 'examples', what: 'a JSON success without an example', path: [...list, 'responses', '200', 'content', 'application/json', 'examples'], value: undefined },
  { rule: 'examples', what: 'a body without an example', path: [...create, 'requestBody', 'content', 'application/json', 'examples'], value: undefined },
  { rule: 'examples', what: 'a stream without an example', path: ['paths', '/notes/stream', 'get', 'responses', '200', 'content', 'text/event-stream', 'examples'], value: undefined },
  { rule: 'locations', what: 'a 201 without Location', path: [...create, 'responses', '201', 'headers'], value: undefined },
  { rule: 'language', what: 'a keyword nobody reads', path: [...note, 'title', 'nullable'], value: true },
  { rule: 'language', what: 'allOf', path: [...schemas, 'Both'], value: { allOf: [{ $ref: '#/components/schemas/Note' }] } },
  { rule: 'language', what: 'a schema without a type', path: [...note, 'title'], value: { maxLength: 5 } },
  { rule: 'language', what: 'bounds beside a reference', path: [...note, 'id', 'maxLength'], value: 5 },
  { rule: 'language', what: 'anyOf over shapes', path: [...note, 'due'], value: { type: 'string', maxLength: 5, anyOf: [{ type: 'string', maxLength: 3 }] } },
  { rule: 'language', what: 'a format nothing checks', path: [...note, 'title', 'format'], value: 'title' },
  { rule: 'bounds', what: 'a string without a bound', path: [...note, 'title', 'maxLength'], value: undefined },
  { rule: 'bounds', what: 'a uuid without maxLength', path: [...schemas, 'Id', 'maxLength'], value: undefined },
  { rule: 'bounds', what: 'an array without maxItems', path: [...note, 'labels', 'maxItems'], value: undefined },
  { rule: 'bounds', what: 'a map without maxProperties', path: [...note, 'links', 'maxProperties'], value: undefined },
  { rule: 'bounds', what: 'an integer without a maximum', path: [...note, 'version', 'maximum'], value: undefined },
  { rule: 'bounds', what: 'an integer without a minimum', path: [...note, 'version', 'minimum'], value: undefined },
  { rule: 'bounds', what: 'a maximum past what a double holds', path: [...note, 'version', 'maximum'], value: 2 ** 60 },
  { rule: 'closedness', what: 'an open object', path: [...schemas, 'Note', 'additionalProperties'], value: undefined },
  { rule: 'closedness', what: 'an object without properties', path: [...note, 'extra', 'x-json'], value: undefined },
  { rule: 'closedness', what: 'an array without items', path: [...note, 'labels', 'items'], value: undefined },
  { rule: 'requiredFields', what: 'a required field that is not there', path: [...schemas, 'NoteCreate', 'required'], value: ['title', 'kind', 'color'] },
  { rule: 'requiredFields', what: 'a choice of fields that are not there', path: [...schemas, 'NoteUpdate', 'anyOf'], value: [{ required: ['color'] }] },
  { rule: 'schemaNames', what: 'a name that hides another', path: [...schemas, 'Event'], value: { type: 'string', maxLength: 5 } },
  { rule: 'schemaNames', what: 'two schemas of one name', path: [...schemas, 'Note-2'], value: { type: 'string', maxLength: 5 }, says: /two schemas are called Note/ },
  { rule: 'schemaNames', what: 'a name that is not PascalCase', path: [...schemas, 'note_kind'], value: { type: 'string', maxLength: 5 } },
  { rule: 'unions', what: 'objects nothing tells apart', path: [...schemas, 'NoteKind', 'oneOf'], value: [{ $ref: '#/components/schemas/Note' }, { $ref: '#/components/schemas/NoteCreate' }] },
  { rule: 'unions', what: 'two branches of one type', path: [...note, 'due', 'oneOf'], value: [{ type: 'string', maxLength: 5 }, { type: 'string', maxLength: 6 }] },
  { rule: 'unions', what: 'oneOf beside a shape', path: [...note, 'due', 'type'], value: 'string' },
  { rule: 'uniqueItems', what: 'uniqueItems over objects', path: [...note, 'replies', 'uniqueItems'], value: true },
  { rule: 'defaults', what: 'a default in a body that merges', path: [...schemas, 'NoteUpdate', 'properties', 'title', 'default'], value: 'Untitled' },
  { rule: 'errorCodes', what: 'a code without a status', path: [...schemas, 'ErrorCode', 'enum'], value: ['NOT_FOUND', 'VALIDATION_ERROR', 'LOST'] },
  { rule: 'errorCodes', what: 'a status of no code', path: [...schemas, 'ErrorCode', 'x-statuses', 'LOST'], value: 404 },
  { rule: 'errorCodes', what: 'no error codes', path: [...schemas, 'ErrorCode'], value: undefined },
  { rule: 'pathNames', what: 'a path in snake_case', path: ['paths', '/old_notes'], value: { get: smallContract().paths['/health']?.get } },
  { rule: 'pathNames', what: 'a path parameter in camelCase', path: ['paths', '/old/{noteId}'], value: { get: smallContract().paths['/health']?.get } },
  { rule: 'parameterNames', what: 'a query parameter in camelCase', path: [...list, 'parameters', 1, 'name'], value: 'isOpen' },
  { rule: 'parameterNames', what: 'a cookie', path: [...list, 'parameters', 1, 'in'], value: 'cookie' },
  { rule: 'parameterNames', what: 'a style nobody reads', path: [...list, 'parameters', 3, 'style'], value: 'deepObject' },
  { rule: 'fieldNames', what: 'a field in camelCase', path: [...note, 'isOpen'], value: { type: 'boolean' } },
  { rule: 'exampleValues', what: 'an example that its schema refuses', path: [...list, 'responses', '200', 'content', 'application/json', 'examples', 'default', 'value', 'data', 'items', 0, 'title'], value: '' },
  { rule: 'exampleValues', what: 'an example with a field too many', path: [...create, 'requestBody', 'content', 'application/json', 'examples', 'default', 'value', 'color'], value: 'red' },
  { rule: 'exampleValues', what: 'an example of a shared answer that its schema refuses', path: ['components', 'responses', 'Failure', 'content', 'application/json', 'examples', 'default', 'value', 'ok'], value: true },
  { rule: 'exampleValues', what: 'a default that its schema refuses', path: [...list, 'parameters', 0, 'schema', 'default'], value: 500 },
  { rule: 'exampleValues', what: 'a field\'s example that its schema refuses', path: [...note, 'title', 'examples'], value: [''] },
];

describe('the rules of the contract', () => {
  it('find nothing in a contract that keeps them', () => {
    expect(lint(smallContract())).to.deep.equal([]);
  });

  for (const { rule, what, path, value, says } of breaks) {
    it(`${rule} finds ${what}`, () => {
      const check = rules[rule];
      if (check === undefined) throw new Error(`there is no rule ${rule}`);
      const faults = check(changed((contract) => { set(contract, path, value); }));
      expect(faults, 'faults').to.have.length.greaterThan(0);
      expect(faults.every((fault) => fault.rule === rule && fault.pointer.startsWith('#/'))).to.equal(true);
      if (says !== undefined) expect(faults.map(({ message }) => message).join('\n')).to.match(says);
    });
  }

  it('are each broken by some case here', () => {
    expect([...new Set(breaks.map(({ rule }) => rule))].sort()).to.deep.equal(Object.keys(rules).sort());
  });

  it('are all told at once', () => {
    const faults = lint(changed((contract) => {
      set(contract, [...list, 'summary'], undefined);
      set(contract, [...note, 'title', 'maxLength'], undefined);
      set(contract, [...schemas, 'Event'], { type: 'string', maxLength: 5 });
    }));
    expect(new Set(faults.map(({ rule }) => rule))).to.deep.equal(new Set(['words', 'bounds', 'schemaNames']));
  });

  it('let a shape that others have fixed keep its names', () => {
    const faults = lint(changed((contract) => {
      set(contract, [...schemas, 'Manifest'], { type: 'object', 'x-foreign-names': true, additionalProperties: false, properties: { createdAt: { type: 'string', maxLength: 30 } } });
    }));
    expect(faults).to.deep.equal([]);
  });
});
