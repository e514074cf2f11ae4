/** A small contract that keeps every rule, and a way to break a copy of it. */
import type { Contract } from '../../../codegen/contract.ts';

const id = { type: 'string', format: 'uuid', minLength: 36, maxLength: 36 };
const noteId = '01920000-0000-7000-8000-000000000301';
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const envelope = (data: object) => ({
  type: 'object', additionalProperties: false, required: ['ok', 'data', 'error'],
  properties: { ok: { type: 'boolean', const: true }, data, error: { type: 'null' } },
});
const success = (data: object, value: unknown, headers?: object) => ({
  description: 'Done.', ...(headers === undefined ? {} : { headers }),
  content: { 'application/json': { schema: envelope(data), examples: { default: { value: { ok: true, data: value, error: null } } } } },
});
const failures = (...statuses: number[]) => Object.fromEntries([...statuses, 500, 503].map((status) => [String(status), { $ref: '#/components/responses/Failure' }]));
const body = (name: string, value: unknown) => ({ required: true, content: { 'application/json': { schema: ref(name), examples: { default: { value } } } } });
const etag = { ETag: { required: true, description: 'Version.', schema: { type: 'string', maxLength: 200 } } };
const location = { Location: { required: true, description: 'Where it is.', schema: { type: 'string', maxLength: 500 } } };
const header = (name: string) => ({ name, in: 'header', schema: { type: 'string', minLength: 3, maxLength: 200 } });
const user = { 'x-auth': 'user', security: [{ accessToken: [] }, { apiKey: [] }] };

const note = { id: noteId, title: 'Lichen', body: null, kind: { type: 'text', text: 'Grey.' }, labels: ['moss'], links: { home: 'a' }, extra: { any: [1] }, replies: [] };

const written = {
  openapi: '3.1.1',
  info: { title: 'Notes', version: '1.0.0' },
  servers: [{ url: '/api/v1' }],
  tags: [{ name: 'Notes' }, { name: 'Health' }],
  paths: {
    '/notes': {
      get: {
        operationId: 'listNotes', tags: ['Notes'], summary: 'List notes', description: 'Newest first, ties by id.', ...user, 'x-scope': 'tasks:read', 'x-rate-limit': 'read',
        parameters: [
          { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 } },
          { name: 'is_open', in: 'query', schema: { type: 'boolean' } },
          { name: 'ratio', in: 'query', schema: { type: 'number', minimum: 0, maximum: 1 } },
          { name: 'ids', in: 'query', schema: { type: 'array', maxItems: 3, items: ref('Id') } },
          { name: 'sizes', in: 'query', explode: false, schema: { type: 'array', maxItems: 3, items: { type: 'integer', minimum: 0, maximum: 9 } } },
          { name: 'q', in: 'query', schema: { type: 'string', minLength: 1, maxLength: 20 } },
        ],
        responses: { 200: success({ type: 'object', additionalProperties: false, required: ['items'], properties: { items: { type: 'array', maxItems: 200, items: ref('Note') } } }, { items: [note] }), ...failures(400, 401, 403, 429) },
      },
      post: {
        operationId: 'createNote', tags: ['Notes'], summary: 'Create a note', description: 'Keeps it.', ...user, 'x-scope': 'tasks:write', 'x-rate-limit': 'write', 'x-audit': 'note.created', 'x-max-body': 65536, 'x-no-store': true,
        parameters: [header('Idempotency-Key')],
        requestBody: body('NoteCreate', { title: 'Lichen', kind: { type: 'text', text: 'Grey.' }, source: { path: 'a', sha256: 'b' } }),
        responses: { 201: success(ref('Note'), note, location), ...failures(400, 401, 403, 409, 413, 415, 429) },
      },
    },
    '/notes/{note_id}': {
      parameters: [{ name: 'note_id', in: 'path', required: true, schema: ref('Id') }],
      get: {
        operationId: 'getNote', tags: ['Notes'], summary: 'Get a note', description: 'One note.', ...user, 'x-scope': 'tasks:read', 'x-rate-limit': 'read', 'x-roles': 'project:member', 'x-resource': 'path.note_id',
        parameters: [header('If-None-Match')],
        responses: { 200: success(ref('Note'), note, etag), 304: { description: 'It stands.' }, ...failures(400, 401, 403, 404, 429) },
      },
      patch: {
        operationId: 'updateNote', tags: ['Notes'], summary: 'Change a note', description: 'Merges.', 'x-auth': 'jwt', security: [{ accessToken: [] }], 'x-rate-limit': 'write', 'x-max-body': 65536,
        parameters: [header('If-Match')],
        requestBody: body('NoteUpdate', { title: 'Moss' }),
        responses: { 200: success(ref('Note'), note, etag), ...failures(400, 401, 404, 412, 413, 415, 429) },
      },
      delete: {
        operationId: 'deleteNote', tags: ['Notes'], summary: 'Delete a note', description: 'Gone.', 'x-auth': 'admin', security: [{ accessToken: [] }], 'x-rate-limit': 'admin',
        responses: { 204: { description: 'Gone.' }, ...failures(400, 401, 403, 404, 429) },
      },
    },
    '/notes/stream': {
      get: {
        operationId: 'streamNotes', tags: ['Notes'], summary: 'Follow notes', description: 'As they come.', 'x-auth': 'jwt', security: [{ accessToken: [] }], 'x-rate-limit': 'stream',
        responses: {
          200: { description: 'Events.', content: { 'text/event-stream': { schema: { type: 'string' }, examples: { default: { value: 'id: 1\nevent: note\ndata: {"n":1}\n\nid: 2\nevent: note\ndata: {"n":2}\n\n' } } } } },
          ...failures(401, 429),
        },
      },
    },
    '/notes/archive': {
      put: {
        operationId: 'uploadNotes', tags: ['Notes'], summary: 'Upload notes', description: 'All of them.', 'x-auth': 'worker', security: [{ workerSignature: [] }], 'x-rate-limit': 'worker', 'x-max-body': 1048576,
        requestBody: { required: true, content: { 'application/zip': { schema: { type: 'string', format: 'binary' } } } },
        responses: { 200: { description: 'The archive.', content: { 'application/zip': { schema: { type: 'string', format: 'binary' } } } }, ...failures(400, 401, 413, 415, 429) },
      },
    },
    '/health': {
      get: {
        operationId: 'getHealth', tags: ['Health'], summary: 'Health', description: 'Whether it answers.', 'x-auth': 'none', security: [],
        responses: { 200: success({ type: 'object', additionalProperties: false, required: ['status'], properties: { status: { type: 'string', enum: ['ok', 'down'] } } }, { status: 'ok' }), ...failures() },
      },
    },
  },
  components: {
    securitySchemes: {
      accessToken: { type: 'http', scheme: 'bearer' },
      apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
      workerSignature: { type: 'apiKey', in: 'header', name: 'X-Signature' },
    },
    responses: {
      Failure: { description: 'It failed.', content: { 'application/json': { schema: ref('ErrorEnvelope'), examples: { default: { value: { ok: false, data: null, error: { code: 'NOT_FOUND', message: 'Nothing.' } } } } } } },
    },
    schemas: {
      Id: id,
      Note: {
        type: 'object', additionalProperties: false, required: ['id', 'title', 'body', 'kind', 'labels', 'links', 'extra', 'replies'],
        properties: {
          id: ref('Id'),
          title: { type: 'string', minLength: 1, maxLength: 20 },
          body: { type: ['string', 'null'], maxLength: 100 },
          kind: ref('NoteKind'),
          labels: { type: 'array', maxItems: 5, uniqueItems: true, items: { type: 'string', maxLength: 10 } },
          links: { type: 'object', maxProperties: 5, additionalProperties: { type: 'string', maxLength: 10 } },
          extra: { type: 'object', 'x-json': true, maxProperties: 5 },
          replies: { type: 'array', maxItems: 5, items: ref('Note') },
          due: { oneOf: [{ type: 'string', format: 'date-time', maxLength: 30 }, { type: 'null' }] },
          weight: { type: 'number' },
          version: { type: 'integer', minimum: 0, maximum: 1000 },
          is_open: { type: 'boolean' },
          details: { oneOf: [{ type: 'array', maxItems: 3, items: ref('TextNote') }, { type: 'object', 'x-json': true, maxProperties: 5 }, { type: 'null' }] },
          source: ref('NoteSource'),
        },
      },
      NoteKind: { oneOf: [ref('TextNote'), ref('LinkNote')] },
      TextNote: { type: 'object', additionalProperties: false, required: ['type', 'text'], properties: { type: { type: 'string', const: 'text' }, text: { type: 'string', maxLength: 100 } } },
      LinkNote: { type: 'object', additionalProperties: false, required: ['type', 'url'], properties: { type: { type: 'string', enum: ['link', 'image'] }, url: { type: 'string', format: 'uri', maxLength: 100 } } },
      NoteSource: { oneOf: [ref('StoredSource'), ref('InlineSource'), { type: 'null' }] },
      StoredSource: { type: 'object', additionalProperties: false, required: ['path', 'sha256'], properties: { path: { type: 'string', maxLength: 10 }, sha256: { type: 'string', maxLength: 64 } } },
      InlineSource: { type: 'object', additionalProperties: false, required: ['path', 'content'], properties: { path: { type: 'string', maxLength: 10 }, content: { type: 'string', maxLength: 64 } } },
      NoteCreate: {
        type: 'object', additionalProperties: false, required: ['title', 'kind'],
        properties: {
          title: { type: 'string', minLength: 1, maxLength: 20 },
          kind: ref('NoteKind'),
          priority: { type: 'integer', minimum: 0, maximum: 9, default: 3 },
          source: ref('NoteSource'),
          extra: { type: 'object', 'x-json': true, maxProperties: 5 },
          contact: { type: 'string', format: 'email', maxLength: 100 },
        },
      },
      NoteUpdate: {
        type: 'object', additionalProperties: false, minProperties: 1, anyOf: [{ required: ['title'] }, { required: ['body'] }],
        properties: { title: { type: 'string', minLength: 1, maxLength: 20 }, body: { type: ['string', 'null'], maxLength: 100 } },
      },
      ErrorCode: { type: 'string', enum: ['NOT_FOUND', 'VALIDATION_ERROR'], 'x-statuses': { NOT_FOUND: 404, VALIDATION_ERROR: 400 } },
      ErrorEnvelope: {
        type: 'object', additionalProperties: false, required: ['ok', 'data', 'error'],
        properties: {
          ok: { type: 'boolean', const: false }, data: { type: 'null' },
          error: { type: 'object', additionalProperties: false, required: ['code', 'message'], properties: { code: ref('ErrorCode'), message: { type: 'string', maxLength: 100 } } },
        },
      },
    },
  },
};

/** A fresh copy of it. */
export const smallContract = (): Contract => structuredClone(written) as unknown as Contract;

/** Any part of a contract, for changing a copy of it in ways its type does not allow. */
export interface Part { [name: string]: Part }

/** A copy with something changed. */
export function changed(change: (contract: Part) => void): Contract {
  const copy = structuredClone(written) as unknown as Part;
  change(copy);
  return copy as unknown as Contract;
}

/** Sets `a/b/c` below a part; undefined takes it away. */
export function set(part: Part, path: readonly (string | number)[], value: unknown): void {
  let at = part;
  for (const name of path.slice(0, -1)) {
    const next = at[String(name)];
    if (next === undefined) throw new Error(`${path.join(' ')} is not there`);
    at = next;
  }
  const last = String(path.at(-1));
  if (value === undefined) delete at[last];
  else Object.assign(at, { [last]: value });
}
