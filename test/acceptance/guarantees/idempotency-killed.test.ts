/**
 * An API process that is killed after the effect was committed and before its answer is out, for every operation that
 * takes an Idempotency-Key: the repeat at another process is answered with the very bytes, and nothing is done twice.
 *
 * The requests go through a proxy that swallows every answer. Whatever the process would still write about an answer
 * after the commit is held back by a trigger, so that what the repeat finds is what was sealed in the effect's own
 * transaction. When all have come so far, the process gets SIGKILL.
 */
import { randomUUID } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { routes } from '#generated/server/routes.gen.ts';
import { Wire } from '../../support/properties/wire.ts';
import { until } from '../../support/system.ts';
import type { OperationRoute } from '../matrix/routes.ts';
import { type Prepared, useStage } from './stage.ts';

/** Answered anew for the same job, since what it answers (a URL, a token) is made when the build is over, outside the effect's transaction. */
const answeredAnew: readonly string[] = ['buildPreview'];
const idempotent = routes.filter((route) => route.idempotent);

/** Takes requests to a port and lets no answer out; keeps what it swallowed of each connection. */
class Swallowing {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** What each connection would have been answered. */
  readonly answers: Buffer[][] = [];

  private constructor(port: number) {
    this.#server = createServer((client) => {
      const upstream = connect(port, '127.0.0.1');
      const swallowed: Buffer[] = [];
      this.answers.push(swallowed);
      client.pipe(upstream);
      upstream.on('data', (chunk) => swallowed.push(chunk));
      for (const [one, other] of [[client, upstream], [upstream, client]] as const) {
        this.#sockets.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => other.destroy());
      }
    });
  }

  static async to(port: number): Promise<Swallowing> {
    const proxy = new Swallowing(port);
    await new Promise<void>((resolve) => { proxy.#server.listen(0, '127.0.0.1', resolve); });
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  /** The bodies that were swallowed whole. */
  bodies(): string[] {
    return this.answers.map((chunks) => Buffer.concat(chunks).toString('utf8')).filter((text) => text.includes('\r\n\r\n')).map((text) => text.slice(text.indexOf('\r\n\r\n') + 4));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => { this.#server.close(resolve); });
  }
}

/** Held exclusively by the test while nothing may be written about an answer any more. */
const lock = 20_251_121;

/**
 * A transaction has no id until it has written something. An update without one is the first of its transaction: what a
 * process writes about an answer after the effect, and not in its transaction. (That its request runs still says nothing of the answer.)
 */
const holdBack = `
  create function hold_back() returns trigger language plpgsql as $$
  begin
    if pg_current_xact_id_if_assigned() is null and current_query() ~ '^\\s*update' and current_query() !~ 'set lease_until' then
      perform pg_advisory_xact_lock(${lock});
    end if;
    return null;
  end $$;
  create trigger hold_back before update on idempotency_keys for each statement execute function hold_back()`;

interface Sent {
  readonly route: OperationRoute;
  readonly prepared: Prepared;
  readonly key: string;
  readonly effectsBefore: number;
}

describe('a process that is killed between commit and answer', function () {
  this.timeout(120_000);
  const stage = useStage({ apis: 1 });
  const sent = new Map<string, Sent>();
  let proxy: Swallowing;

  /** Told by its audit event, of previews and webhooks about the one that is meant; where there is none, by the row of the token or the revision. */
  const effectsOf = async (route: OperationRoute, { asked: { target }, caller: { scene } }: Prepared): Promise<number> => {
    const { self } = scene;
    const [text, values] = route.audit === null
      ? route.operationId === 'pushLiveChanges'
        ? ['select 1 from live_revisions where session_id = $1', [target]]
        : ['select 1 from preview_sessions where user_id = $1 and job_id = $2', [self.id, target]]
      : ['select 1 from audit_logs where user_id = $1 and event_type = $2 and ($3::uuid is null or $3 in (entity_id, project_id) or $3::text in (data ->> \'job_id\', data ->> \'redelivered\'))',
        [self.id, route.audit, /^\/(preview|webhook)/.test(route.template) ? target : null]];
    return (await stage.current.world.sql(text, values)).length;
  };

  before('every operation comes to its commit, and the process is killed', async () => {
    const on = stage.current;
    const victim = await stage.system.startApi();
    proxy = await Swallowing.to(Number(new URL(stage.system.urlOf(1)).port));
    const wires = idempotent.map(() => new Wire(proxy.url));
    await on.world.sql(holdBack);
    const building = new AbortController();
    const builders: Promise<void>[] = [];
    try {
      await on.world.holding(lock, async () => {
        const lost = await Promise.all(idempotent.map(async (route, at) => {
          const prepared = await on.prepare(route);
          const key = randomUUID();
          sent.set(route.operationId, { route, prepared, key, effectsBefore: await effectsOf(route, prepared) });
          if (prepared.asked.meanwhile !== undefined) builders.push(prepared.asked.meanwhile(building.signal));
          const request = { ...prepared.request, headers: { ...prepared.request.headers, 'idempotency-key': key } };
          return { answer: (wires[at] ?? expect.fail()).send(request).then((answer) => answer.text, () => 'lost') };
        }));
        const waiting = `select pid from pg_locks where locktype = 'advisory' and objid = ${lock} and not granted`;
        await until('every effect to be committed', async () => (await on.world.sql(waiting)).length + proxy.bodies().length >= idempotent.length, 30_000);
        building.abort();
        await Promise.all(builders);
        await victim.kill();
        // Its connections outlive it while they wait; nothing of theirs may be written after its death.
        await on.world.sql(`select pg_terminate_backend(pid) from (${waiting}) as w`);
        await until('its connections to end', async () => (await on.world.sql(waiting)).length === 0);
        await proxy.close();
        expect(await Promise.all(lost.map(({ answer }) => answer)), 'nobody was answered').to.deep.equal(idempotent.map(() => 'lost'));
      });
    } finally {
      await on.world.sql('drop trigger hold_back on idempotency_keys; drop function hold_back');
      for (const wire of wires) wire.close();
    }
  });

  for (const route of idempotent) {
    const isAnew = answeredAnew.includes(route.operationId);
    it(`leaves to ${route.operationId} its one effect, and to the repeat ${isAnew ? 'an answer about it' : 'the answer it would have given'}`, async () => {
      const on = stage.current;
      const { prepared, key, effectsBefore } = sent.get(route.operationId) ?? expect.fail('It was not sent.');
      // A key whose holder died is free when its lease is over, in ten seconds.
      if (isAnew) await on.world.sql("update idempotency_keys set lease_until = now() where operation_id = $1 and state = 'in_progress'", [route.operationId]);
      const again = await on.world.send({ ...prepared.request, headers: { ...prepared.request.headers, 'idempotency-key': key } });
      expect(again.status, again.text).to.be.within(200, 299);
      expect(await effectsOf(route, prepared) - effectsBefore, 'effects in all').to.equal(1);
      if (isAnew) return;
      expect(again.headers['idempotency-replayed']).to.equal('true');
      expect(proxy.bodies(), 'what the killed process was about to say').to.include(again.text);
    });
  }
});
