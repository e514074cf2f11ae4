/** Every mounted operation that answers a strong validator, or takes one: what changed is seen, no change is lost. */
import { expect } from 'chai';
import { routes } from '#generated/server/routes.gen.ts';
import { Wire, type WireAnswer } from '../../support/properties/wire.ts';
import type { OperationRoute } from '../matrix/routes.ts';
import { routeOf } from '../matrix/routes.ts';
import { basePath, jsonType } from '../matrix/world.ts';
import { type Prepared, type Stage, useStage } from './stage.ts';

const writersAtOnce = 6;
const strong = /^"[\x21\x23-\x7e]+"$/;
const codeOf = ({ text }: WireAnswer): string | undefined => (text === '' ? undefined : (JSON.parse(text) as { error: { code: string } | null }).error?.code);

const reading = routes.filter((route) => route.etag && route.method === 'get');
const guarded = routes.filter((route) => route.ifMatch);
const writing = routes.filter((route) => route.etag && route.method !== 'get');

/** What changes an entity that no PATCH of its own does. */
const changedBy: Readonly<Record<string, { readonly method: string; readonly below: string; readonly json?: unknown; readonly isMakers?: true }>> = {
  getPreviewJob: { method: 'POST', below: '/cancel', isMakers: true },
  getUser: { method: 'POST', below: '/suspend', json: { reason: 'Sends spam.' } },
};

/** The PATCH on the same path. */
const patchOf = ({ template }: OperationRoute): OperationRoute | undefined => routes.find((one) => one.method === 'patch' && one.template === template);
const readOf = ({ template }: OperationRoute): OperationRoute | undefined => reading.find((one) => one.template === template);

describe('a version', function () {
  this.timeout(60_000);
  const stage = useStage({ apis: 2 });
  const wires: Wire[] = [];
  before(() => { for (const api of [0, 1]) wires.push(new Wire(stage.system.urlOf(api))); });
  after(() => { for (const wire of wires) wire.close(); });

  /** Reads what the request is about, as its caller. */
  async function read(on: Stage, route: OperationRoute, prepared: Prepared, headers: Readonly<Record<string, string>> = {}): Promise<WireAnswer> {
    const { request: { path }, caller, asked } = prepared;
    const request = await on.signed(route, caller, asked, { method: 'GET', path });
    return on.world.send({ ...request, headers: { ...request.headers, ...headers } });
  }

  /** What a PATCH of what the request is about is answered. */
  async function writtenTo(on: Stage, route: OperationRoute, { request: { path }, caller, asked }: Prepared): Promise<WireAnswer> {
    const patch = patchOf(route) ?? expect.fail(`Nothing is known to change what ${route.operationId} is about: say it in changedBy.`);
    const { asked: { json } } = await on.prepare(patch);
    return on.world.send(await on.signed(route, caller, asked, { method: 'PATCH', path, body: JSON.stringify(json), headers: jsonType }));
  }

  /** Changes what the request is about. */
  async function change(on: Stage, route: OperationRoute, prepared: Prepared): Promise<void> {
    const { request: { path }, caller, asked } = prepared;
    const other = changedBy[(readOf(route) ?? route).operationId];
    if (other?.isMakers === true) {
      await on.world.data(other.method, `${path.slice(basePath.length)}${other.below}`, { as: on.world.maker });
      return;
    }
    const answer = other === undefined ? await writtenTo(on, route, prepared) : await on.world.send(await on.signed(route, caller, asked, {
      method: other.method, path: `${path}${other.below}`, body: JSON.stringify(other.json), headers: jsonType,
    }));
    expect(answer.status, answer.text).to.equal(200);
  }

  /** The version of what the request is about: as its recipe knows it, as it is read, or as another write of it says where it is read in lists alone. */
  async function tagOf(on: Stage, route: OperationRoute, prepared: Prepared): Promise<string> {
    if (prepared.asked.etag !== undefined) return prepared.asked.etag;
    const readable = readOf(route);
    const other = await on.other(route, prepared);
    const written = (): Promise<WireAnswer> => (other === null ? writtenTo(on, route, prepared) : on.world.send(other));
    const answer = readable === undefined ? await written() : await read(on, readable, prepared);
    expect(answer.status, answer.text).to.be.within(200, 299);
    return String(answer.headers['etag']);
  }

  for (const route of reading) {
    it(`of ${route.operationId} is strong, spares whoever holds it the answer, and is another after a change`, async () => {
      const on = stage.current;
      const prepared = await on.prepare(route);
      const first = await read(on, route, prepared);
      const tag = String(first.headers['etag']);
      expect(tag).to.match(strong);
      for (const held of [tag, `W/${tag}`, `"another", ${tag}`, '*']) {
        const known = await read(on, route, prepared, { 'if-none-match': held });
        expect([known.status, known.text, known.headers['etag'], known.headers['content-type']], held).to.deep.equal([304, '', tag, undefined]);
      }
      const again = await read(on, route, prepared, { 'if-none-match': '"another"' });
      expect([again.status, again.text, again.headers['etag']]).to.deep.equal([200, first.text, tag]);
      await change(on, route, prepared);
      const changed = await read(on, route, prepared, { 'if-none-match': tag });
      expect(changed.status).to.equal(200);
      expect(changed.text).to.not.equal(first.text);
      expect(changed.headers['etag']).to.match(strong).and.to.not.equal(tag);
    });
  }

  for (const route of writing) {
    it(`that ${route.operationId} answers is the one it is read by, or a strong one where it is read in lists alone`, async () => {
      const on = stage.current;
      const prepared = await on.prepare(route);
      const answer = await on.send(prepared);
      expect(answer.status, answer.text).to.be.within(200, 299);
      expect(answer.headers['etag']).to.match(strong);
      const place = answer.status === 201 ? String(answer.headers['location']) : prepared.request.path;
      const readable = reading.find(({ template }) => new RegExp(`^${basePath}${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(place));
      if (readable === undefined) return;
      const request = await on.signed(readable, prepared.caller, prepared.asked, { method: 'GET', path: place });
      expect((await on.world.send(request)).headers['etag'], place).to.equal(answer.headers['etag']);
    });
  }

  for (const route of guarded) {
    const { operationId } = route;

    it(`that is no more stops ${operationId}, which then changes nothing`, async () => {
      const on = stage.current;
      const prepared = await on.prepare(route);
      const stale = await tagOf(on, route, prepared);
      await change(on, route, prepared);
      const readable = readOf(route);
      const before = readable === undefined ? '' : (await read(on, readable, prepared)).text;
      const left = await on.rowsLeftBy(async () => {
        for (const held of [stale, '"another"', `W/${stale}`]) {
          const refused = await on.send(prepared, { 'if-match': held });
          expect([refused.status, codeOf(refused)], held).to.deep.equal([412, 'PRECONDITION_FAILED']);
        }
      });
      expect(left.rows).to.deep.equal({});
      if (readable !== undefined) expect((await read(on, readable, prepared)).text).to.equal(before);
    });

    it(`that holds lets ${operationId} through, and so does *`, async () => {
      const on = stage.current;
      for (const held of [(tag: string): string => tag, (): string => '*']) {
        const prepared = await on.prepare(route);
        const answer = await on.send(prepared, { 'if-match': held(await tagOf(on, route, prepared)) });
        expect(answer.status, answer.text).to.be.within(200, 299);
      }
    });

    it(`lets one of ${writersAtOnce} of ${operationId} through that hold it at once, over two processes`, async () => {
      const on = stage.current;
      const prepared = await on.prepare(route);
      const tag = await tagOf(on, route, prepared);
      const request = { ...prepared.request, headers: { ...prepared.request.headers, 'if-match': tag } };
      const answers = await Promise.all(Array.from({ length: writersAtOnce }, (_, at) => (wires[at % 2] ?? expect.fail()).send(request)));
      const outcomes = answers.map((answer) => (answer.status < 300 ? 'through' : `${answer.status} ${codeOf(answer)}`)).sort();
      // Of what one has deleted the others may hear either: it changed, or it is not there.
      const isGone = (outcome: string): boolean => route.method === 'delete' && outcome === '404 NOT_FOUND';
      expect(outcomes.map((outcome) => (isGone(outcome) ? '412 PRECONDITION_FAILED' : outcome)).sort())
        .to.deep.equal([...Array.from({ length: writersAtOnce - 1 }, () => '412 PRECONDITION_FAILED'), 'through']);
    });
  }

  it('is asked for by every operation that has one to ask for: the tests above are of all of them', () => {
    expect(reading.length).to.be.greaterThan(0);
    expect(routeOf('updateProject')).to.include({ etag: true, ifMatch: true });
  });
});
