/**
 * What three hundred jobs of three tiers survive while everything they lean on is struck once: an API, a worker, a relay,
 * Redis, PostgreSQL and storage. Counted at the end are jobs and their effects, by SQL and over the wire, and what came
 * to the webhooks of their projects.
 */
import { expect } from 'chai';
import { Webhook } from 'standardwebhooks';
import { eachObject } from '#platform/storage/storage.ts';
import { openStorage } from '#platform/storage/open-storage.ts';
import type { BuiltPreview, HiveSync } from '#sdk/index.ts';
import { startOwnPostgres, startOwnRedis, type OwnPostgres } from '../support/own-services.ts';
import { startS3Server } from '../support/s3-server/start.ts';
import { testEnvironment } from '../support/services.ts';
import { System, until } from '../support/system.ts';
import { startTcpSwitch, type TcpSwitch } from '../support/tcp-switch.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

const tiers = ['free', 'pro', 'premium'] as const;
const peopleOfTier = 5;
const jobsOfPerson = 20;
const jobCount = tiers.length * peopleOfTier * jobsOfPerson;
/** Of one person: asked for one after the other by so many at once. */
const asksAtOnce = 3;
const storageAwayMs = 10_000;
/** From the first request to the last end. Two are waited out: a lost lease (20 s and a round of 15), storage. */
const endWithinMs = 120_000;

interface Owner { readonly hive: HiveSync; readonly userId: string; readonly tier: string; readonly projectId: string; readonly webhookId: string; readonly secret: string }
interface Built { readonly owner: Owner; readonly source: string; readonly preview: BuiltPreview }

describe('three hundred jobs under faults', function () {
  this.timeout(240_000);
  let postgres: OwnPostgres;
  let s3: Awaited<ReturnType<typeof startS3Server>>;
  let road: TcpSwitch;
  let system: System;
  let storageVariables: Record<string, string>;
  const receiver = new WebhookReceiver();
  const quick = (api: number) => ({ variables: { BASE_URL: system.urlOf(api) }, how: { entry: 'test/support/quick-worker.ts', concurrency: 6, name: `worker-quick-${api}` } });
  const startWorker = (api: number) => system.startWorker(quick(api).variables, quick(api).how);

  before('start the system on services of its own', async () => {
    s3 = await startS3Server();
    road = await startTcpSwitch(Number(new URL(s3.endpoint).port));
    storageVariables = {
      R2_ENDPOINT: `http://127.0.0.1:${road.port}`, R2_BUCKET: s3.bucket, R2_ACCESS_KEY: s3.accessKey, R2_SECRET_KEY: s3.secretKey, R2_REGION: s3.region,
    };
    postgres = await startOwnPostgres('postgres-of-300');
    await receiver.listen();
    // Of what comes for the first time a fifth is refused.
    receiver.answers = ({ id }, times) => (times === 1 && parseInt(id.slice(-4), 16) % 5 === 0 ? { status: 500 } : undefined);
    system = await System.start({ apis: 2, variables: { ...storageVariables, OUTGOING_ALLOWED_RANGES: '127.0.0.0/8' }, database: postgres, redis: await startOwnRedis('redis-of-300') });
    await Promise.all([startWorker(0), startWorker(1)]);
  });
  after('stop all of it', async () => {
    await system.stop();
    await receiver.close();
    await road.off();
    await s3.stop();
  });

  it('end once each, with one set of effects, though API, worker, relay, Redis, PostgreSQL and storage are struck meanwhile', async () => {
    const owners = await signUp(system, receiver);
    const startedAt = performance.now();
    const asked = Promise.all(owners.map((owner, nth) => buildAll(owner, nth)));
    // A failure is thrown below, where it is awaited.
    asked.catch(() => undefined);
    const struck = await strike([
      ['a worker', 15, async () => {
        // Its jobs are short: one that had just ended them all when it was killed has lost none, and another is.
        for (let lost = 0; lost === 0;) {
          const [worker] = system.workers();
          const inHand = () => number(`
            select count(*) from preview_jobs j join worker_nodes n on n.id = j.worker_id where j.status = 'running' and n.name = '${worker?.name ?? ''}'`);
          await until('it to be at work', async () => await inHand() >= 3);
          await worker?.kill();
          lost = await inHand();
          await startWorker(0);
        }
      }],
      ['an API', 40, () => system.restartApi(0)],
      ['a relay', 70, () => system.restartApi(1)],
      ['Redis', 100, async () => { await system.redis.flushall(); }],
      ['PostgreSQL', 130, () => postgres.restart()],
      ['storage', 160, async () => {
        await road.off();
        await new Promise((resolve) => { setTimeout(resolve, storageAwayMs); });
        await road.on();
      }],
    ]);
    const built = (await asked).flat();
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    await until('the outbox to be drained', async () => (await number('select count(*) from outbox where sent_at is null')) === 0);

    await until('every delivery to have ended', async () => (await number("select count(*) from webhook_deliveries where status = 'pending'")) === 0, endWithinMs);

    for (const { what, endedBefore } of struck) expect(endedBefore, `${what} was struck while jobs ran`).to.be.lessThan(jobCount);
    const counts = await countEffects();
    const wire = await countByWire(owners, built);
    const objects = await countObjects();
    const webhooks = await countDeliveries(owners);
    console.log(`      ${JSON.stringify({ seconds, ...counts, ...wire, ...objects, ...webhooks, struckAfter: Object.fromEntries(struck.map(({ what, endedBefore }) => [what, endedBefore])) })}`);
    const { attempts, ...once } = counts;
    expect(once).to.deep.equal({
      jobs: jobCount, succeeded: jobCount, endedByTheirLease: jobCount, heldStill: 0, dead: 0,
      bundles: jobCount, jobsWithBundle: jobCount, notified: jobCount, jobsNotified: jobCount, notifiedOthers: 0,
      requestedAudits: jobCount, startedAudits: jobCount, succeededAudits: jobCount, otherEnds: 0, endEvents: jobCount, unsent: 0,
    });
    expect(attempts, 'somebody began anew').to.be.greaterThan(jobCount);
    expect(wire).to.deep.equal({ listedSucceeded: jobCount, toldOnce: jobCount, bundlesRight: jobCount });
    expect({ missing: objects.missing, unexplained: objects.unexplained }).to.deep.equal({ missing: 0, unexplained: 0 });
    const { refused, repeated, ...delivered } = webhooks;
    expect(delivered).to.deep.equal({
      deliveries: jobCount, arrived: jobCount, jobsDelivered: jobCount, deliveriesOfOthers: 0, listedDelivered: jobCount, came: jobCount, cameSame: jobCount, signed: jobCount, cameUnasked: 0,
    });
    expect(refused, 'some were refused at first').to.be.greaterThan(0);
    expect(repeated, 'what an API had in hand when it was killed came again, and no more').to.be.lessThan(20);
  });

  /** Strikes one after the other, each when so many jobs have ended. */
  async function strike(faults: readonly (readonly [what: string, after: number, fault: () => Promise<unknown>])[]): Promise<{ what: string; endedBefore: number }[]> {
    const struck: { what: string; endedBefore: number }[] = [];
    for (const [what, after, fault] of faults) {
      let ended = 0;
      await until(`${after} jobs to end, to strike ${what}`, async () => {
        ended = await number('select count(*) from preview_jobs where completed_at is not null').catch(() => 0);
        return ended >= after;
      }, endWithinMs);
      await fault();
      struck.push({ what, endedBefore: ended });
    }
    return struck;
  }

  async function number(sql: string): Promise<number> {
    const [row] = await system.sql(sql, []);
    return Number(Object.values(row ?? {})[0]);
  }

  async function countEffects() {
    const [row] = await system.sql(`
      select count(*)::int as jobs,
             count(*) filter (where status = 'succeeded')::int as succeeded,
             count(*) filter (where ended_lease_hash is not null and attempt between 1 and max_attempts)::int as "endedByTheirLease",
             count(*) filter (where lease_token_hash is not null)::int as "heldStill",
             count(*) filter (where died_at is not null)::int as dead,
             sum(attempt)::int as attempts,
             (select count(*)::int from preview_artifacts where kind = 'bundle' and encoding = 'identity') as bundles,
             (select count(distinct job_id)::int from preview_artifacts where kind = 'bundle' and encoding = 'identity') as "jobsWithBundle",
             (select count(*)::int from notifications where type like 'preview.%') as notified,
             (select count(distinct n.payload ->> 'job_id')::int from notifications n join preview_jobs j on j.id::text = n.payload ->> 'job_id' and j.requested_by = n.user_id where n.type = 'preview.succeeded') as "jobsNotified",
             (select count(*)::int from notifications n left join preview_jobs j on j.id::text = n.payload ->> 'job_id' and j.requested_by = n.user_id where n.type like 'preview.%' and j.id is null) as "notifiedOthers",
             (select count(*)::int from audit_logs where event_type = 'preview.requested') as "requestedAudits",
             (select count(*)::int from audit_logs where event_type = 'preview.started') as "startedAudits",
             (select count(*)::int from audit_logs where event_type = 'preview.succeeded') as "succeededAudits",
             (select count(*)::int from audit_logs where event_type in ('preview.failed', 'preview.cancelled')) as "otherEnds",
             (select count(*)::int from outbox where topic = 'preview.succeeded') as "endEvents",
             (select count(*)::int from outbox where sent_at is null) as unsent
        from preview_jobs`, []);
    return row as Record<string, number>;
  }

  /** What people see: their lists, what they were told, and the bundles themselves. */
  async function countByWire(owners: readonly Owner[], built: readonly Built[]) {
    let [listedSucceeded, toldOnce, bundlesRight] = [0, 0, 0];
    for (const { hive, userId } of owners) {
      const own = new Set(built.filter(({ owner }) => owner.userId === userId).map(({ preview }) => preview.job.id));
      for await (const job of hive.paginate(hive.api.listPreviewJobs, {})) if (own.has(job.id) && job.status === 'succeeded') listedSucceeded += 1;
      const told: unknown[] = [];
      for await (const { type, payload } of hive.paginate(hive.api.listNotifications, {})) if (type === 'preview.succeeded') told.push(Reflect.get(payload, 'job_id'));
      toldOnce += [...own].filter((id) => told.filter((one) => one === id).length === 1).length;
    }
    for (const { owner: { hive }, preview, source } of built) {
      // The URLs of the builds' own answers may be older than their ten minutes on a slow machine.
      const { items } = await hive.api.listPreviewArtifacts({ path: { job_id: preview.job.id } });
      const bundles = items.filter(({ kind, encoding }) => kind === 'bundle' && encoding === 'identity');
      if (bundles.length === 1 && await (await fetch(bundles[0]?.url ?? '')).text() === source) bundlesRight += 1;
    }
    return { listedSucceeded, toldOnce, bundlesRight };
  }

  /** What was to be sent, what came, and whether it is the same. */
  async function countDeliveries(owners: readonly Owner[]) {
    const [row] = await system.sql(`
      select count(*)::int as deliveries,
             count(*) filter (where d.status = 'succeeded' and d.trigger = 'occurrence')::int as arrived,
             count(distinct j.id) filter (where d.event_type = 'preview.succeeded')::int as "jobsDelivered",
             count(*) filter (where j.id is null or d.event_type <> 'preview.succeeded')::int as "deliveriesOfOthers",
             (select count(*)::int from webhook_attempts where failure is not null) as refused,
             (select count(*)::int from webhook_attempts) as attempts
        from webhook_deliveries d
        join webhook_endpoints e on e.id = d.webhook_id
        join webhook_messages m on m.id = d.event_id
        left join preview_jobs j on j.id = (m.body::json -> 'data' ->> 'job_id')::uuid and j.project_id = e.project_id and m.project_id = e.project_id`, []);
    const { attempts, ...counted } = row as { deliveries: number; arrived: number; jobsDelivered: number; deliveriesOfOthers: number; refused: number; attempts: number };
    const cameTo = Map.groupBy(receiver.received, ({ path, id }) => `${path} ${id}`);
    let [listedDelivered, came, cameSame, signed] = [0, 0, 0, 0];
    for (const { hive, projectId, webhookId, secret } of owners) {
      for await (const { event_id: id, status } of hive.paginate(hive.api.listDeliveries, { path: { webhook_id: webhookId } })) {
        if (status === 'succeeded') listedDelivered += 1;
        const times = cameTo.get(`/${projectId} ${id}`) ?? [];
        cameTo.delete(`/${projectId} ${id}`);
        if (times.length > 0) came += 1;
        if (new Set(times.map(({ body }) => body)).size === 1) cameSame += 1;
        if (times.every(({ body, headers }) => headers['webhook-signature'] === new Webhook(secret).sign(id, new Date(Number(headers['webhook-timestamp']) * 1000), body))) signed += 1;
      }
    }
    return { ...counted, listedDelivered, came, cameSame, signed, cameUnasked: cameTo.size, repeated: receiver.received.length - attempts };
  }

  /** Of what storage holds of previews, all that a row names is there; the rest lies under attempts that were lost. */
  async function countObjects() {
    const named = new Set((await system.sql('select object_key from preview_artifacts', [])).map(({ object_key: key }) => String(key)));
    const lastAttempt = new Map((await system.sql('select id, attempt from preview_jobs', [])).map(({ id, attempt }) => [String(id), Number(attempt)]));
    const { storage } = await openStorage(await testEnvironment(storageVariables), () => undefined);
    let [found, ofLostAttempts, unexplained] = [0, 0, 0];
    try {
      for await (const { key } of eachObject(storage, 'projects/')) {
        const [, jobId, attempt] = /\/previews\/([^/]+)\/(\d+)\//.exec(key) ?? [];
        if (jobId === undefined) continue;
        if (named.delete(key)) found += 1;
        else if (Number(attempt) < (lastAttempt.get(jobId) ?? 0)) ofLostAttempts += 1;
        else unexplained += 1;
      }
    } finally {
      storage.close();
    }
    return { objects: found, ofLostAttempts, missing: named.size, unexplained };
  }
});

/** Half of them speak to each API. Their limits are lifted: what is tested is not whether they may ask, but what comes of it. */
async function signUp(system: System, receiver: WebhookReceiver): Promise<Owner[]> {
  await system.sql(`
    update tier_limits set preview_jobs_per_minute = null, preview_jobs_per_day = null, preview_jobs_at_once = null,
                           api_requests_per_minute = null, streams_at_once = null, notifications_per_day = null`, []);
  const owners: Owner[] = [];
  for (const [nth, tier] of Array.from({ length: peopleOfTier }, () => tiers).flat().entries()) {
    const { tokens } = await system.person(tier);
    const hive = system.anonymous({ baseUrl: system.urlOf(nth % 2), accessToken: tokens.access_token, maxRetries: 8, timeoutMs: 60_000 });
    const { id: projectId } = await hive.api.createProject({ body: { name: `Of ${tier}` } });
    const { webhook, secret } = await hive.api.createWebhook({
      path: { project_id: projectId }, body: { url: receiver.url(`/${projectId}`), event_types: ['preview.succeeded', 'preview.failed'] },
    });
    owners.push({ hive, userId: tokens.user.id, tier, projectId, webhookId: webhook.id, secret });
  }
  return owners;
}

/** Builds all of one person's previews, each of a source of its own. The next is asked for when one before is on its queue. */
async function buildAll(owner: Owner, person: number): Promise<Built[]> {
  const sources = Array.from({ length: jobsOfPerson }, (_, nth) => `console.log('job ${nth} of person ${person}');\n`);
  const builds: Promise<Built>[] = [];
  const left = [...sources];
  await Promise.all(Array.from({ length: asksAtOnce }, async () => {
    for (let source = left.shift(); source !== undefined; source = left.shift()) {
      const queued = Promise.withResolvers<void>();
      const content = source;
      const build = owner.hive.previews.build([{ path: 'index.js', content }], {
        projectId: owner.projectId, platform: 'ios', entryFile: 'index.js', timeoutMs: endWithinMs,
        onProgress: ({ stage }) => { if (stage !== 'hashing' && stage !== 'uploading') queued.resolve(); },
      }).then((preview) => ({ owner, source: content, preview }));
      builds.push(build);
      await Promise.race([queued.promise, build]);
    }
  }));
  return await Promise.all(builds);
}
