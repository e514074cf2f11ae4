import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { type Contract, dataOf, operationsOf, resolve, type Schema } from '../../../codegen/contract.ts';
import { valueOf } from './arbitraries.ts';
import { changed, set, smallContract } from './contract.ts';
import { loadSerializers, type Serializers } from './load.ts';

const noteId = '01920000-0000-7000-8000-000000000301';
const text = { type: 'text', text: 'Grey.' };
const note = (more: object = {}) => ({ id: noteId, title: 'Lichen', body: null, kind: text, labels: ['moss'], links: { home: 'a' }, extra: { any: [1] }, replies: [], ...more });
const secret = { password_hash: 'argon2id' };

/** A copy with a field too many in every object that is not a JSON field or a map. */
function withExtras(contract: Contract, schema: Schema, value: unknown): unknown {
  const found = resolve(contract, schema);
  if (found['x-json'] === true || typeof value !== 'object' || value === null) return value;
  if (found.oneOf !== undefined) {
    const branch = found.oneOf.map((one) => resolve(contract, one)).find((one) => fits(contract, one, value));
    return branch === undefined ? value : withExtras(contract, branch, value);
  }
  if (Array.isArray(value)) return value.map((item) => withExtras(contract, found.items ?? {}, item));
  if (found.properties === undefined) return value;
  const fields = Object.entries(value).map(([name, field]) => [name, withExtras(contract, found.properties?.[name] ?? {}, field)]);
  return { ...Object.fromEntries(fields), ...secret, nested_secret: { deep: secret } };
}

function fits(contract: Contract, schema: Schema, value: object): boolean {
  if (schema.oneOf !== undefined) return schema.oneOf.some((branch) => fits(contract, resolve(contract, branch), value));
  if (Array.isArray(value)) return schema.type === 'array';
  if (schema['x-json'] === true) return true;
  if (schema.properties === undefined) return false;
  return (schema.required ?? []).every((name) => name in value) && Object.entries(value).every(([name, field]) => {
    const property = schema.properties?.[name];
    if (property === undefined) return false;
    const found = resolve(contract, property);
    return (found.const === undefined || found.const === field) && (found.enum === undefined || found.enum.includes(field as string));
  });
}

describe('generated serialisers', () => {
  let serializers: Serializers;
  before(async () => { serializers = await loadSerializers(smallContract()); });
  const write = (id: string, status: number, data: unknown): string => {
    const serialize = serializers[id]?.[status];
    if (serialize === undefined) throw new Error(`no serialiser for ${id} ${status}`);
    return serialize(data);
  };
  const dataIn = (answer: string): unknown => (JSON.parse(answer) as { data: unknown }).data;

  it('write the whole envelope', () => {
    expect(write('getHealth', 200, { status: 'ok' })).to.equal('{"ok":true,"data":{"status":"ok"},"error":null}');
  });

  it('leave behind what the contract does not name, at any depth', () => {
    const answer = write('getNote', 200, { ...note({ replies: [{ ...note(), ...secret }], kind: { ...text, ...secret } }), ...secret });
    expect(answer).not.to.include('argon2id');
    expect(dataIn(answer)).to.deep.equal(note({ replies: [note()] }));
  });

  it('pass JSON fields through as they are', () => {
    expect(dataIn(write('getNote', 200, note({ extra: { a: [{ b: null }], __proto: 1 } })))).to.deep.equal(note({ extra: { a: [{ b: null }], __proto: 1 } }));
  });

  it('keep any name in a map', () => {
    const links = JSON.parse('{"__proto__":"a","constructor":"b"}') as unknown;
    expect(write('getNote', 200, note({ links }))).to.include('"links":{"__proto__":"a","constructor":"b"}');
  });

  it('leave out optional fields that are absent or undefined', () => {
    expect(dataIn(write('getNote', 200, note({ weight: undefined, due: null })))).to.deep.equal(note({ due: null }));
  });

  it('write the branch of a union that was meant, and nothing of the others', () => {
    expect(dataIn(write('getNote', 200, note({ kind: { type: 'image', url: 'https://a.example', text: 'no' } })))).to.deep.equal(note({ kind: { type: 'image', url: 'https://a.example' } }));
    expect(dataIn(write('getNote', 200, note({ source: { path: 'a', content: 'b', owner: 'x' } })))).to.deep.equal(note({ source: { path: 'a', content: 'b' } }));
    expect(dataIn(write('getNote', 200, note({ details: [{ ...text, ...secret }] })))).to.deep.equal(note({ details: [text] }));
    expect(dataIn(write('getNote', 200, note({ details: { free: 1 } })))).to.deep.equal(note({ details: { free: 1 } }));
  });

  class Row { readonly id = 1; toJSON(): unknown { return secret; } }
  const wrong: readonly (readonly [string, object, RegExp])[] = [
    ['a missing required field', { title: undefined }, /Note\.title must be string and is undefined/],
    ['null where none is allowed', { title: null }, /Note\.title must be string and is null/],
    ['an object for a string', { title: secret }, /Note\.title must be string and is an object \(Object\)/],
    ['a Date for a string', { title: new Date() }, /Note\.title must be string and is an object \(Date\)/],
    ['an object that writes itself', { title: new Row() }, /Note\.title must be string/],
    ['a number for a string', { title: 5 }, /Note\.title must be string and is number/],
    ['text for an integer', { version: '5' }, /Note\.version must be integer/],
    ['a fraction for an integer', { version: 1.5 }, /Note\.version must be integer/],
    ['NaN for a number', { weight: Number.NaN }, /Note\.weight must be number/],
    ['infinity for a number', { weight: Infinity }, /Note\.weight must be number/],
    ['text for a boolean', { is_open: 'false' }, /Note\.is_open must be boolean/],
    ['an object for a list', { labels: {} }, /Note\.labels must be an array/],
    ['an object in a list of text', { labels: [secret] }, /Note\.labels\[\] must be string/],
    ['a list for an object', { replies: [[]] }, /Note must be an object and is an array/],
    ['an object in a map of text', { links: { a: secret } }, /Note\.links\.\* must be string/],
    ['an unknown branch', { kind: { type: 'video', url: 'x' } }, /NoteKind must be an object with a known type/],
    ['a JSON field that is an instance', { extra: new Row() }, /Note\.extra must be JSON/],
    ['a JSON field that writes itself', { extra: { toJSON: () => secret } }, /Note\.extra must be JSON/],
    ['a JSON field that is a list where an object is due', { extra: [1] }, /Note\.extra must be object/],
  ];
  for (const [what, more, says] of wrong) {
    it(`refuse ${what}, naming the field`, () => {
      expect(() => write('getNote', 200, note(more))).to.throw(says);
    });
  }

  it('cannot be made where the contract leaves open what may go out', async () => {
    const failing = async (path: readonly string[], value: unknown): Promise<string> => {
      try {
        await loadSerializers(changed((contract) => { set(contract, ['components', 'schemas', ...path], value); }));
      } catch (error) {
        return (error as Error).message;
      }
      return 'made';
    };
    expect(await failing(['Note', 'properties', 'title'], {})).to.match(/Note\.title has no type/);
    expect(await failing(['Note', 'properties', 'extra'], { type: 'object' })).to.match(/without properties/);
    expect(await failing(['Note', 'additionalProperties'], true)).to.match(/not closed/);
    expect(await failing(['Note', 'properties', 'labels', 'items'], undefined)).to.match(/array without items/);
    expect(await failing(['NoteKind'], { oneOf: [{ $ref: '#/components/schemas/Note' }, { $ref: '#/components/schemas/NoteCreate' }] })).to.match(/nobody can tell apart/);
    expect(await failing(['Note', 'properties', 'extra', 'properties'], { a: { type: 'string' } })).to.match(/names fields/);
  });
});

describe('serialisers of every operation of the contract', () => {
  let contract: Contract;
  let serializers: Serializers;
  before(async () => {
    contract = JSON.parse(await readFile(join(import.meta.dirname, '../../../generated/openapi.json'), 'utf8')) as Contract;
    serializers = await loadSerializers(contract);
  });

  it('give back what they are given, without what the contract does not name, and refuse an object in place of the data', () => {
    let checked = 0;
    for (const operation of operationsOf(contract)) {
      for (const [status, serialize] of Object.entries(serializers[operation.id] ?? {})) {
        const answer = operation.answers.get(Number(status));
        if (answer === undefined) throw new Error(`${operation.id} has a serialiser for ${status}, which it does not document`);
        const schema = dataOf(answer);
        fc.assert(fc.property(valueOf(contract, schema), (data) => {
          const same: unknown = JSON.parse(JSON.stringify(data));
          expect(JSON.parse(serialize(withExtras(contract, schema, data)))).to.deep.equal({ ok: true, data: same, error: null });
        }), { numRuns: 8, seed: 42 });
        expect(() => serialize({ constructor: secret }), `${operation.id} ${status}`).to.throw();
        checked += 1;
      }
    }
    expect(checked).to.be.greaterThan(100);
  });
});
