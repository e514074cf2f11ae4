import { expect } from 'chai';
import type { Validator, ValidatorFault } from '../../../codegen/validators/runtime.ts';
import { smallContract } from './contract.ts';
import { loadRequestValidators, loadResponseValidators, type RequestValidators, type ResponseValidators } from './load.ts';

const noteId = '01920000-0000-7000-8000-000000000301';

describe('generated validators of requests', () => {
  let validators: RequestValidators;
  before(async () => { validators = await loadRequestValidators(smallContract()); });

  const of = (id: string, part: 'path' | 'query' | 'headers' | 'body'): Validator => {
    const validator = validators[id]?.[part];
    if (validator === undefined) throw new Error(`${id} has no validator of its ${part}`);
    return validator;
  };
  const faults = (validator: Validator, data: unknown): readonly ValidatorFault[] => {
    expect(validator(data), 'valid').to.equal(false);
    return validator.errors ?? [];
  };
  const told = (validator: Validator, data: unknown): string[] => faults(validator, data).map(({ instancePath, keyword }) => `${instancePath} ${keyword}`);

  it('fill in defaults and turn text into what the contract says', () => {
    const query = { is_open: 'false', ratio: '0.25', ids: noteId, sizes: '1,2', q: '7' };
    expect(of('listNotes', 'query')(query)).to.equal(true);
    expect(query).to.deep.equal({ limit: 50, is_open: false, ratio: 0.25, ids: [noteId], sizes: [1, 2], q: '7' });
  });

  it('take a repeated parameter for a list and nothing else', () => {
    expect(of('listNotes', 'query')({ ids: [noteId, noteId] })).to.equal(true);
    expect(told(of('listNotes', 'query'), { limit: ['1', '2'] })).to.deep.equal(['/limit type']);
  });

  for (const text of ['0x10', '1e2', ' 5', '5 ', '5.0', '+5', '', '05', 'Infinity', '99999999999999999999']) {
    it(`refuse ${JSON.stringify(text)} as an integer`, () => {
      expect(told(of('listNotes', 'query'), { limit: text })).to.deep.equal(['/limit type']);
    });
  }

  for (const text of ['1', 'TRUE', 'yes', '']) {
    it(`refuse ${JSON.stringify(text)} as a boolean`, () => {
      expect(told(of('listNotes', 'query'), { is_open: text })).to.deep.equal(['/is_open type']);
    });
  }

  it('refuse a query parameter the contract does not name, also where it names none', () => {
    expect(told(of('listNotes', 'query'), { offset: '1' })).to.deep.equal([' additionalProperties']);
    expect(told(of('getHealth', 'query'), { verbose: '1' })).to.deep.equal([' additionalProperties']);
  });

  it('tell the bound that a parameter breaks', () => {
    expect(told(of('listNotes', 'query'), { limit: '201' })).to.deep.equal(['/limit maximum']);
    expect(told(of('getNote', 'path'), { note_id: 'x'.repeat(36) })).to.deep.equal(['/note_id format']);
    expect(told(of('getNote', 'path'), { note_id: `urn:uuid:${noteId}` })).to.deep.equal(['/note_id maxLength']);
  });

  it('read headers by their names in lower case and leave the others alone', () => {
    expect(of('createNote', 'headers')({ 'idempotency-key': 'abc', 'user-agent': 'x' })).to.equal(true);
    expect(told(of('createNote', 'headers'), { 'idempotency-key': 'a' })).to.deep.equal(['/idempotency-key minLength']);
  });

  it('never coerce in a body', () => {
    expect(told(of('createNote', 'body'), { title: 5, kind: { type: 'text', text: 'a' }, priority: '3' })).to.have.members(['/title type', '/priority type']);
  });

  it('fill in the defaults of a body', () => {
    const note = { title: 'a', kind: { type: 'text', text: 'a' } };
    expect(of('createNote', 'body')(note)).to.equal(true);
    expect(note).to.include({ priority: 3 });
  });

  it('point into the branch of a union that was meant, and nowhere else', () => {
    expect(told(of('createNote', 'body'), { title: 'a', kind: { type: 'text', url: 'x' } })).to.have.members(['/kind required', '/kind additionalProperties']);
    expect(told(of('createNote', 'body'), { title: 'a', kind: { type: 'image', url: 'no' } })).to.deep.equal(['/kind/url format']);
    expect(told(of('createNote', 'body'), { title: 'a', kind: { type: 'video' } })).to.deep.equal(['/kind/type enum']);
    expect(told(of('createNote', 'body'), { title: 'a', kind: 'text' })).to.include('/kind type');
  });

  it('tell apart objects by the field that only one of them has', () => {
    const body = (source: unknown) => ({ title: 'a', kind: { type: 'text', text: 'a' }, source });
    expect(of('createNote', 'body')(body({ path: 'a', content: 'b' }))).to.equal(true);
    expect(of('createNote', 'body')(body(null))).to.equal(true);
    expect(told(of('createNote', 'body'), body({ path: 'a', content: 5 }))).to.deep.equal(['/source/content type']);
    expect(of('createNote', 'body')(body({ path: 'a', content: 'b', sha256: 'c' }))).to.equal(false);
    expect(of('createNote', 'body')(body({ path: 'a' }))).to.equal(false);
  });

  it('hold a choice of required fields', () => {
    expect(of('updateNote', 'body')({ body: null })).to.equal(true);
    expect(of('updateNote', 'body')({})).to.equal(false);
  });

  it('refuse NUL and half surrogate pairs wherever text stands, names of JSON fields too', () => {
    const body = (more: object) => ({ title: 'a', kind: { type: 'text', text: 'a' }, ...more });
    expect(told(of('createNote', 'body'), body({ title: 'a\0' }))).to.deep.equal(['/title text']);
    expect(told(of('createNote', 'body'), body({ title: '\ud800' }))).to.deep.equal(['/title text']);
    expect(told(of('createNote', 'body'), body({ extra: { deep: [{ '\0': 1 }] } }))).to.deep.equal(['/extra/deep/0/\0 text']);
    expect(told(of('listNotes', 'query'), { q: '\0' })).to.deep.equal(['/q text']);
    expect(of('createNote', 'body')(body({ title: '🌿' }))).to.equal(true);
  });

  it('refuse a number that no double holds, which would be kept as null', () => {
    const body = JSON.parse('{"title": "a", "kind": {"type": "text", "text": "a"}, "extra": {"most": 1e308, "deep": [-1e400]}}') as unknown;
    expect(told(of('createNote', 'body'), body)).to.deep.equal(['/extra/deep/0 number']);
  });

  it('refuse JSON nested deeper than a database takes', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 10_000; level += 1) deep = [deep];
    expect(faults(of('createNote', 'body'), { title: 'a', kind: { type: 'text', text: 'a' }, extra: { deep } }).map(({ keyword }) => keyword)).to.deep.equal(['depth']);
  });

  it('tell at most a hundred faults', () => {
    const body = { title: 'a', kind: { type: 'text', text: 'a' }, ...Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`x${index}`, 1])) };
    expect(faults(of('createNote', 'body'), body)).to.have.lengthOf(100);
  });

  it('do not run a pattern or format over text longer than its bound', () => {
    expect(told(of('createNote', 'body'), { title: 'a', kind: { type: 'text', text: 'a' }, contact: 'a'.repeat(60_000) })).to.deep.equal(['/contact maxLength']);
  });

  it('have no validator where an operation takes nothing', () => {
    expect(validators['listNotes']).to.have.keys('query');
    expect(validators['uploadNotes']).to.have.keys('query');
    expect(validators['updateNote']).to.have.keys('path', 'query', 'headers', 'body');
  });
});

describe('generated validators of answers', () => {
  let validators: ResponseValidators;
  before(async () => { validators = await loadResponseValidators(smallContract()); });

  it('take what is documented and refuse a field too many', () => {
    const check = validators['getHealth']?.[200];
    expect(check?.({ ok: true, data: { status: 'ok' }, error: null })).to.equal(true);
    expect(check?.({ ok: true, data: { status: 'ok', host: 'a' }, error: null })).to.equal(false);
    expect(check?.({ ok: true, data: { status: 'sleepy' }, error: null })).to.equal(false);
  });

  it('have errors checked by their own schema', () => {
    const check = validators['getNote']?.[404];
    expect(check?.({ ok: false, data: null, error: { code: 'NOT_FOUND', message: 'x' } })).to.equal(true);
    expect(check?.({ ok: false, data: null, error: { code: 'LOST', message: 'x' } })).to.equal(false);
  });

  it('have none for a status that is not documented or not JSON', () => {
    expect(validators['getNote']?.[418]).to.equal(undefined);
    expect(validators['deleteNote']?.[204]).to.equal(undefined);
    expect(validators['streamNotes']?.[200]).to.equal(undefined);
  });
});
