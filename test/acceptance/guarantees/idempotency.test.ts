/** Every mounted operation that takes an Idempotency-Key, over two API processes. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { routes } from '#generated/server/routes.gen.ts';
import { Wire, type WireAnswer } from '../../support/properties/wire.ts';
import { useStage } from './stage.ts';

const idempotent = routes.filter((route) => route.idempotent);
const atOnce = 20;

/** What of an answer has to come again. */
const kept = ({ status, text, headers }: WireAnswer): unknown => ({
  status, text, location: headers['location'] ?? null, etag: headers['etag'] ?? null, type: headers['content-type'] ?? null, cache: headers['cache-control'] ?? null,
});
const codeOf = ({ text }: WireAnswer): string | undefined => (JSON.parse(text) as { error: { code: string } | null }).error?.code;

/** No other request than the one could be sent with the key: no body, and no id in the path. */
const withoutOther: readonly string[] = ['createSessionToken', 'requestDataExport'];

describe('an Idempotency-Key', function () {
  this.timeout(60_000);
  const stage = useStage({ apis: 2 });
  const wires: Wire[] = [];
  // Eight requests at once through each.
  before(() => { for (const api of [0, 1, 0, 1]) wires.push(new Wire(stage.system.urlOf(api))); });
  after(() => { for (const wire of wires) wire.close(); });
  const wire = (at: number): Wire => wires[at % wires.length] ?? expect.fail('There is no wire.');

  for (const route of idempotent) {
    const { operationId } = route;

    it(`lets ${operationId} be repeated, at another process too: the same bytes, nothing done twice, and no other request under it`, async () => {
      const on = stage.current;
      const prepared = await on.prepare(route);
      const headers = { ...prepared.request.headers, 'idempotency-key': randomUUID() };
      const { result: answer, rows: done } = await on.rowsLeftBy(() => on.during(prepared.asked, () => wire(0).send({ ...prepared.request, headers })));
      expect(answer.status, answer.text).to.be.within(200, 299);
      expect(answer.headers['idempotency-replayed']).to.equal(undefined);
      expect(done, 'it has an effect to be repeated').to.not.deep.equal({});
      const other = await on.other(route, prepared);
      if (withoutOther.includes(operationId)) expect(other).to.equal(null);
      else expect(other, `the recipe of ${operationId} names no other request`).to.not.equal(null);
      const repeats = await on.rowsLeftBy(async () => {
        for (const at of [1, 0]) {
          const again = await wire(at).send({ ...prepared.request, headers });
          expect(kept(again)).to.deep.equal(kept(answer));
          expect(again.headers['idempotency-replayed']).to.equal('true');
        }
        if (other === null) return;
        const conflict = await wire(1).send({ ...other, headers: { ...other.headers, 'idempotency-key': headers['idempotency-key'] } });
        expect([conflict.status, codeOf(conflict)], conflict.text).to.deep.equal([409, 'IDEMPOTENCY_CONFLICT']);
      });
      expect(repeats.rows, 'what the repeats did').to.deep.equal({});
    });

    it(`lets one of ${atOnce} of ${operationId} at once act, over two processes`, async () => {
      const on = stage.current;
      const alone = await on.prepare(route);
      const { rows: once } = await on.rowsLeftBy(() => on.send(alone));
      const prepared = await on.prepare(route);
      const request = { ...prepared.request, headers: { ...prepared.request.headers, 'idempotency-key': randomUUID() } };
      await on.world.forgetLimits();
      const { result: answers, rows: done } = await on.rowsLeftBy(() => on.during(prepared.asked, () =>
        Promise.all(Array.from({ length: atOnce }, (_, at) => wire(at).send(request)))));
      const taken = answers.filter(({ status }) => status < 300);
      expect(taken.filter(({ headers }) => headers['idempotency-replayed'] === undefined), 'those that acted').to.have.length(1);
      expect(new Set(taken.map((answer) => JSON.stringify(kept(answer)))).size).to.equal(1);
      for (const answer of answers.filter(({ status }) => status >= 300)) {
        expect([answer.status, codeOf(answer)], answer.text).to.deep.equal([409, 'REQUEST_IN_PROGRESS']);
        expect(Number(answer.headers['retry-after'])).to.be.within(1, 5);
      }
      expect(done).to.deep.equal(once);
    });
  }

  it('keeps what is answered under it for whoever holds it: nothing secret is written down as it is', () => stage.current.world.expectSecretsKept());
});
