/**
 * Every mounted operation that leaves an audit event: one row for each call that did something, in its transaction, and
 * none for one that was refused.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { routes } from '#generated/server/routes.gen.ts';
import { freshAddress, type WireAnswer } from '../../support/properties/wire.ts';
import { type Column, expectations } from '../matrix/expectations.ts';
import type { OperationRoute } from '../matrix/routes.ts';
import { columnOf, type Prepared, type Stage, useStage } from './stage.ts';

const audited = routes.filter((route) => route.audit !== null);

/** Events about something that has no id of its own. */
const withoutEntity: Readonly<Record<string, string>> = {
  updateScalingRules: 'a rule goes by its class',
  updateTierLimits: 'a tier goes by its name',
};
/** Told by a job that the call leaves behind: the caller is not to learn whether there was anything to do. */
const byJob: Readonly<Record<string, string>> = {
  forgotPassword: 'whether there is such an account is found out later',
};
/** What is kept although the call came to nothing: not an effect of it, and used by its repeat. */
const keptBefore: Readonly<Record<string, readonly string[]>> = {
  buildPreview: ['source_blobs'],
  startPreviewJob: ['source_blobs'],
};

interface AuditRow {
  readonly event_type: string;
  readonly user_id: string | null;
  readonly entity_type: string;
  readonly entity_id: string | null;
  readonly ip: string | null;
}

/** Callers of the matrix that are refused for what they are. */
const refusedColumns = ['nobody', 'stranger', 'member', 't_member', 'admin', 'key_less', 'key_else', 'suspended', 'revoked', 'expired'] as const;

describe('the audit trail', function () {
  this.timeout(60_000);
  const stage = useStage();

  const rowsOf = (on: Stage, requestId: string): Promise<AuditRow[]> => on.world.sql<AuditRow>(
    'select event_type, user_id, entity_type, entity_id, host(ip_address) as ip from audit_logs where request_id = $1 order by id', [requestId]);

  /** Sends under a request id of its own. */
  async function sent(on: Stage, prepared: Prepared, headers: Readonly<Record<string, string>> = {}): Promise<{ answer: WireAnswer; requestId: string; address: string }> {
    const [requestId, address] = [randomUUID(), freshAddress()];
    const answer = await on.send(prepared, { ...headers, 'x-request-id': requestId, 'x-forwarded-for': address });
    return { answer, requestId, address };
  }

  for (const route of audited) {
    const { operationId, audit } = route;

    it(`has one ${audit} for ${operationId}: who, from where, on what, under which request`, async () => {
      const on = stage.current;
      const prepared = await on.prepare(route);
      const { answer, requestId, address } = await sent(on, prepared);
      expect(answer.status, answer.text).to.be.within(200, 299);
      await on.settled();
      const rows = (await rowsOf(on, requestId)).filter(({ event_type }) => event_type === audit);
      expect(rows, `audit rows of ${operationId}`).to.have.length(1);
      const [row] = rows;
      expect(row?.ip).to.equal(address);
      expect(row?.entity_type).to.match(/^[a-z_]+$/);
      if (withoutEntity[operationId] === undefined) expect(row?.entity_id, 'what it was done to').to.match(/^[0-9a-f-]{36}$/);
      if (route.auth === 'worker') expect(row?.user_id, 'no person did it').to.equal(null);
      // Whoever was nobody before is known by what it proved itself by.
      else if (route.auth === 'none' || route.auth === 'preview') expect(row?.user_id).to.match(/^[0-9a-f-]{36}$/);
      else expect(row?.user_id).to.equal(prepared.caller.scene.self.id);
    });

    if (byJob[operationId] === undefined) {
      it(`and what ${operationId} does stand or fall together`, async () => {
        const on = stage.current;
        const prepared = await on.prepare(route);
        await on.settled();
        const before = await on.contents(keptBefore[operationId]);
        await on.world.sql(`create function refuse() returns trigger language plpgsql as $$ begin raise exception 'No such event is taken.'; end $$;
          create trigger refuse before insert on audit_logs for each row when (new.event_type = '${audit}') execute function refuse()`);
        try {
          const { answer, requestId } = await sent(on, prepared);
          expect(answer.status, answer.text).to.equal(500);
          expect(answer.text).to.not.contain('No such event');
          expect(await rowsOf(on, requestId)).to.deep.equal([]);
          expect(await on.contents(keptBefore[operationId]), 'what is left of it').to.deep.equal(before);
        } finally {
          await on.world.sql('drop trigger refuse on audit_logs; drop function refuse');
        }
        // A worker's signature is good once.
        const anew = { ...prepared, request: await on.signed(route, prepared.caller, prepared.asked, prepared.request) };
        const { answer } = await sent(on, anew);
        expect(answer.status, 'the same once more, with nothing in its way').to.be.within(200, 299);
      });
    }

    const refused = refusedColumns.filter((column) => expectations.get(operationId)?.[column].code !== null);
    if (refused.length > 0 || route.ifMatch) {
      it(`has nothing for ${operationId} where it was refused`, async () => {
        const on = stage.current;
        const seen: string[] = [];
        for (const column of refused) await expectNothing(on, route, column, {}, seen);
        if (route.ifMatch) await expectNothing(on, route, columnOf(route), { 'if-match': '"another"' }, seen);
        expect(seen).to.not.deep.equal([]);
      });
    }
  }

  async function expectNothing(on: Stage, route: OperationRoute, column: Column, headers: Readonly<Record<string, string>>, seen: string[]): Promise<void> {
    const { answer, requestId } = await sent(on, await on.prepare(route, column), headers);
    expect(answer.status, `${column}: ${answer.text}`).to.be.within(400, 499);
    expect(await rowsOf(on, requestId), column).to.deep.equal([]);
    seen.push(`${column} ${answer.status}`);
  }

  it('and events, jobs and logs hold nothing secret of all that was sent and answered', () => stage.current.world.expectSecretsKept());
});
