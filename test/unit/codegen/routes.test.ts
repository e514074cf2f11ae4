import { expect } from 'chai';
import { operationsOf } from '../../../codegen/contract.ts';
import { byPath, routeOf, writeRoutes } from '../../../codegen/server/routes.ts';
import { smallContract } from './contract.ts';

const operation = (id: string) => {
  const found = operationsOf(smallContract()).find((each) => each.id === id);
  if (found === undefined) throw new Error(`there is no ${id}`);
  return found;
};

describe('the generated route table', () => {
  it('says everything the pipeline must know of an operation', () => {
    expect(routeOf(operation('createNote'))).to.deep.equal({
      operationId: 'createNote', method: 'post', path: '/notes', template: '/notes', tag: 'Notes', auth: 'user', scope: 'tasks:write', rateLimit: 'write',
      roles: null, resource: null, audit: 'note.created', maxBodyBytes: 65536, requestBody: 'json', requestTypes: ['application/json'],
      idempotent: true, etag: false, ifMatch: false, noStore: true,
      responses: { 201: 'json', 400: 'json', 401: 'json', 403: 'json', 409: 'json', 413: 'json', 415: 'json', 429: 'json', 500: 'json', 503: 'json' },
    });
  });

  it('knows path parameters, entity tags and conditions', () => {
    expect(routeOf(operation('getNote'))).to.include({ path: '/notes/:note_id', template: '/notes/{note_id}', etag: true, ifMatch: false, roles: 'project:member', resource: 'path.note_id', requestBody: 'none', maxBodyBytes: 0 });
    expect(routeOf(operation('updateNote'))).to.include({ etag: true, ifMatch: true, auth: 'jwt', scope: null });
  });

  it('tells streams, events and empty answers apart', () => {
    expect(routeOf(operation('uploadNotes'))).to.include({ requestBody: 'stream' }).and.to.have.nested.property('responses.200', 'stream');
    expect(routeOf(operation('streamNotes')).responses[200]).to.equal('events');
    expect(routeOf(operation('deleteNote')).responses[204]).to.equal('none');
    expect(routeOf(operation('getNote')).responses[304]).to.equal('none');
  });

  it('has words before parameters, so that no parameter swallows a word', () => {
    const paths = [...operationsOf(smallContract())].sort(byPath).map(({ path }) => path);
    expect(paths.indexOf('/notes/archive')).to.be.lessThan(paths.indexOf('/notes/{note_id}'));
    expect(paths.indexOf('/notes/stream')).to.be.lessThan(paths.indexOf('/notes/{note_id}'));
  });

  it('does not mount what is pending, and still names it', () => {
    const operations = operationsOf(smallContract());
    const text = writeRoutes(smallContract(), operations.filter(({ id }) => id !== 'getNote'), [operation('getNote')]);
    const [mounted = '', pending = ''] = text.split('export const pendingRoutes');
    expect(mounted).not.to.include('getNote');
    expect(pending).to.include('{"operationId":"getNote","method":"get","template":"/notes/{note_id}"}');
  });
});
