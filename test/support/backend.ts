/**
 * The backend of one process over real parts: a cloned database, a fresh Redis database, files in a folder of the run.
 * Operations are called two ways: `run` calls a handler as the pipeline would, with every request and answer held to the
 * contract and nothing in between; `http` goes over the wire through the whole pipeline, with the referee.
 */
import { mkdtempSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { createApp } from '../../src/app.ts';
import { rateLimits } from '../../src/rate-limits.ts';
import { createServices, type Services } from '../../src/services.ts';
import type { Environment } from '#config/environment.ts';
import { serializers } from '#generated/serializers/serializers.gen.js';
import { responseValidators } from '#generated/validators/responses.gen.ts';
import { routes } from '#generated/server/routes.gen.ts';
import type { Handlers } from '#generated/server/handlers.gen.ts';
import { validators, type Validator } from '#generated/validators/requests.gen.ts';
import type { Disagreement } from '#http/referee/referee.ts';
import { isAllowed } from '#http/policy-mark.ts';
import type { StreamEvent } from '#http/route.ts';
import { createServer, drain, listen } from '#http/server.ts';
import { Reconciler } from '#jobs/reconciler.ts';
import { OutboxRelay } from '#jobs/relay.ts';
import { SystemRunner, type SystemJobOutcome } from '#jobs/system-runner.ts';
import type { Call, Caller, Tier, UserCaller, WorkerCaller } from '#platform/call.ts';
import { newId } from '#platform/ids.ts';
import { createLogger, type Logger } from '#platform/log.ts';
import { openMailer } from '#platform/mail/open-mailer.ts';
import { JobProducer } from '#platform/queue.ts';
import { openSubscriber, redisOptions, type Subscriber } from '#platform/redis.ts';
import { openStorage } from '#platform/storage/open-storage.ts';
import type { ObjectStorage } from '#platform/storage/storage.ts';
import { cloneDatabase, type TestDatabase } from './database.ts';
import { mailsIn, type SentMail } from './mails.ts';
import { freshRedis, type TestRedis } from './redis.ts';
import { testFolder } from './services.ts';
import { until } from './until.ts';

type Operation = keyof Handlers;
type RequestOf<Id extends Operation> = Parameters<Handlers[Id]>[0];
type ReplyOf<Id extends Operation> = Awaited<ReturnType<Handlers[Id]>>;
export type DataOf<Id extends Operation> = Extract<ReplyOf<Id>, { body: unknown }>['body'];

/** A body as it is sent: what has a default may be left out. */
type Unfilled<Body> = Body extends { readonly wait_ms: number } ? Omit<Body, 'wait_ms'>
  : Body extends { readonly title: string; readonly status: unknown } ? Omit<Body, 'status'> & Partial<Pick<Body, 'status'>>
  : Body;

export interface Input<Id extends Operation> {
  readonly path?: RequestOf<Id>['path'];
  readonly query?: Partial<RequestOf<Id>['query']>;
  readonly headers?: Partial<RequestOf<Id>['headers']>;
  readonly body?: Unfilled<RequestOf<Id>['body']>;
}

export interface CallOptions {
  readonly ifMatch?: string;
  /** The Idempotency-Key. */
  readonly key?: string;
  readonly signal?: AbortSignal;
}

export interface Ran<Id extends Operation> {
  readonly status: number;
  readonly data: DataOf<Id>;
  readonly etag: string | null;
  readonly events: AsyncIterable<StreamEvent>;
}

export interface Person extends UserCaller {
  readonly username: string;
  readonly headers: { readonly authorization: string };
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly data: Record<string, unknown>;
  readonly error: { readonly code: string; readonly message: string; readonly details: unknown } | null;
}

export interface HttpOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly body?: Buffer;
  readonly signal?: AbortSignal;
}

export interface Backend {
  readonly env: Environment;
  readonly database: TestDatabase;
  readonly redis: TestRedis;
  readonly storage: ObjectStorage;
  readonly producer: JobProducer;
  readonly subscriber: Subscriber;
  readonly log: Logger;
  readonly services: Services;
  /** Real time, moved on by what a test says. */
  readonly clock: { now(): number; advance(ms: number): void };
  readonly url: string;
  /** Warnings and errors logged so far, a JSON line each. */
  readonly logLines: readonly string[];
  run<Id extends Operation>(operationId: Id, caller: Caller, input?: Input<Id>, options?: CallOptions): Promise<Ran<Id>>;
  http(method: string, path: string, options?: HttpOptions): Promise<Reply>;
  /** An account with a session, straight into the database: it has no password that fits. */
  person(tier?: Tier): Promise<Person>;
  project(owner: Caller, more?: { readonly team_id?: string; readonly name?: string }): Promise<string>;
  /** A registered worker node. */
  worker(name?: string): Promise<WorkerCaller>;
  relay(): OutboxRelay;
  reconciler(): Reconciler;
  /**
   * Runs every system job that is due with the real runner, one after the other, until nothing is due any more (jobs that
   * those add included); answers how each ended. A job that failed waits for its next time; `later: true` makes that and
   * every delayed job due first. Nothing else runs system jobs here, so a test decides when mails go out.
   */
  runSystemJobs(options?: { readonly later?: boolean }): Promise<{ kind: string; outcome: SystemJobOutcome; error: string | null }[]>;
  /**
   * Tells consumers of what happened, then sends every delivery of webhooks that is due, and what becomes due by it; answers
   * how many attempts that were. `later: true` makes those that wait to be repeated due first.
   */
  sendWebhooks(options?: { readonly later?: boolean }): Promise<number>;
  /** Runs the due system jobs, then answers the mails sent so far (to one address, if given), the oldest first. */
  mails(to?: string): Promise<SentMail[]>;
  /** Rows of the last query, for looking behind the services. */
  sql<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

const isOk = (validator: Validator | undefined, data: unknown, what: string): void => {
  if (validator === undefined || validator(data)) return;
  throw new Error(`A test asks for what the contract refuses (${what}): ${JSON.stringify(validator.errors)}`);
};

/** Starts one. `variables` are set in its environment. */
export async function startBackend(variables: Readonly<Record<string, string>> = {}): Promise<Backend> {
  let app: RequestListener = () => undefined;
  const server = createServer((request, response) => app(request, response));
  const url = `http://127.0.0.1:${await listen(server, 0, '127.0.0.1')}`;
  const set = { BASE_URL: url, DATA_DIR: mkdtempSync(join(testFolder(), 'data-')), STORAGE_DIR: mkdtempSync(join(testFolder(), 'files-')), ...variables };
  const redis = await freshRedis();
  const database = await cloneDatabase({ ...set, REDIS_URL: redis.url });
  const { env, db } = database;
  const logLines: string[] = [];
  const log = createLogger({
    level: 'warn',
    sinks: [{ write: (line) => void logLines.push(line), flush: () => Promise.resolve(), flushSync: () => undefined, close: () => undefined }],
  });
  const subscriber = openSubscriber(env, log);
  const opened = await openStorage(env, (error) => log.error('storage.route', 'A storage request failed', { error }));
  const producer = new JobProducer(redisOptions(env, 'producer'), log);
  const mailer = openMailer(env, log, () => undefined);
  let ahead = 0;
  const clock = { now: () => Date.now() + ahead, advance: (ms: number) => { ahead += ms; } };
  const services = createServices({ env, clock, log, db, redis: redis.redis, subscriber, storage: opened.storage, producer, mailer, isStopping: () => false }, '0.0.0-test');
  const disagreements: Disagreement[] = [];
  const limits = rateLimits(services.tiers);
  const api = await createApp({
    handlers: [services.handlers],
    deps: {
      env, db, redis: redis.redis, subscriber, log, clock,
      tokens: services.accessTokens,
      previewTokens: services.previewTokens,
      credentials: services.credentials,
      workerKeys: (nodeId, operationId) => services.nodeKeys.signingKey(nodeId, operationId),
      // Sign-ins by the dozen from one address are what these tests do.
      limitsFor: async (caller, rateClass) => (await limits.limitsFor(caller, rateClass)).filter(({ name }) => name !== 'strict'),
      streamCap: limits.streamCap,
      deadlines: { buildPreview: env.previewMaxTimeoutMs + 10_000 },
      onDisagreement: (disagreement) => void disagreements.push(disagreement),
    },
  });
  app = (request, response) => {
    if (request.url?.startsWith('/storage/') !== true) return void api(request, response);
    request.url = request.url.slice('/storage'.length);
    opened.routes?.(request, response);
  };

  const backend: Backend = {
    env, database, redis, producer, subscriber, log, services, clock, url, logLines,
    storage: opened.storage,
    async run(operationId, caller, input = {}, options = {}) {
      const route = routes.find((one) => one.operationId === operationId);
      if (route === undefined) throw new Error(`${operationId} is not mounted.`);
      const request = { path: { ...input.path }, query: { ...input.query }, headers: { ...input.headers }, body: input.body, stream: null, rawBody: null };
      const { path, query, headers, body } = validators[operationId];
      isOk(path, request.path, 'path');
      isOk(query, request.query, 'query');
      isOk(headers, request.headers, 'headers');
      isOk(body, request.body, 'body');
      const call: Call = {
        requestId: newId(), operationId, caller, ip: '127.0.0.1', userAgent: 'tests', roles: route.roles, policy: { allowed: false },
        signal: options.signal ?? new AbortController().signal,
        ifMatch: options.ifMatch ?? null,
        idempotency: options.key === undefined ? null : { key: options.key, seal: () => Promise.resolve() },
      };
      const handler = services.handlers[operationId] as unknown as (request: unknown, call: Call) => Promise<{
        status: number; body?: unknown; etag?: string; events?: AsyncIterable<StreamEvent>;
      }>;
      const reply = await handler(request, call);
      if (!isAllowed(route, call.policy)) throw new Error(`${operationId} did not ask the policy.`);
      return {
        status: reply.status,
        data: onWire(operationId, reply.status, reply.body) as DataOf<typeof operationId>,
        etag: reply.etag ?? null,
        events: reply.events ?? none(),
      };
    },
    async http(method, path, { headers = {}, json, body, signal } = {}) {
      const sent = json === undefined ? body : JSON.stringify(json);
      const answer = await fetch(path.startsWith('http') ? path : `${url}/api/v1${path}`, {
        method, redirect: 'manual', signal: signal ?? AbortSignal.timeout(15_000),
        headers: { ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(sent === undefined ? {} : { body: sent }),
      });
      const text = await answer.text();
      const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true && text !== '';
      const envelope = (isJson ? JSON.parse(text) : {}) as { data?: Record<string, unknown> | null; error?: Reply['error'] };
      return { status: answer.status, headers: answer.headers, text, data: envelope.data ?? {}, error: envelope.error ?? null };
    },
    async person(tier = 'premium') {
      const userId = newId();
      const sessionId = newId();
      const username = `p${userId.slice(-12)}`;
      await db.knex('users').insert({ id: userId, email: `${username}@example.com`, username, password_hash: 'none', tier, email_verified_at: db.knex.fn.now() });
      await db.knex('user_profiles').insert({ user_id: userId });
      await db.knex('sessions').insert({ id: sessionId, user_id: userId, ip_address: '127.0.0.1' });
      const { token } = services.accessTokens.sign({ userId, sessionId, tier, authenticatedAtMs: clock.now() });
      return { kind: 'user', userId, sessionId, tier, isVerified: true, authenticatedAtMs: clock.now(), username, headers: { authorization: `Bearer ${token}` } };
    },
    async project(owner, { team_id, name = 'Field Notes' } = {}) {
      const { data } = await backend.run('createProject', owner, { body: { name, ...(team_id === undefined ? {} : { team_id }) } });
      return data.id;
    },
    async worker(name = `node-${newId().slice(-8)}`) {
      const { data } = await backend.run('registerWorker', { kind: 'worker', nodeId: name }, {
        body: {
          name, type: 'cpu', concurrency: 2, version: '1.0.0',
          capabilities: { kinds: ['preview', 'live_session'], sdk_versions: ['0.88.1', '57.0.26'], sandbox: 'bubblewrap', local_model: false },
        },
      });
      return { kind: 'worker', nodeId: data.worker.id };
    },
    relay: () => new OutboxRelay(db, producer, services.consumers, log),
    reconciler: () => new Reconciler({ db, redis: redis.redis, producer, kinds: services.kinds, systemKinds: services.systemKinds, log, everyMs: 3_600_000 }),
    async runSystemJobs({ later = false } = {}) {
      // Times are kept to the millisecond, rounded: now would stand half of one ahead.
      if (later) await backend.sql("update system_jobs set run_after = now() - interval '1 millisecond' where status = 'queued'");
      const runner = new SystemRunner({ db, kinds: services.systemKinds, log });
      const runs: { kind: string; outcome: SystemJobOutcome; error: string | null }[] = [];
      for (;;) {
        const [due] = await backend.sql<{ id: string; epoch: number; kind: string }>(
          "select id, epoch, kind from system_jobs where status = 'queued' and run_after <= now() order by run_after, id limit 1",
        );
        if (due === undefined) return runs;
        if (runs.length === 1_000) throw new Error('System jobs add system jobs without end.');
        const outcome = await runner.run(due.id, due.epoch);
        const [ended] = await backend.sql<{ error_message: string | null }>('select error_message from system_jobs where id = ?', [due.id]);
        runs.push({ kind: due.kind, outcome, error: ended?.error_message ?? null });
      }
    },
    async sendWebhooks({ later = false } = {}) {
      const relay = backend.relay();
      relay.start();
      await until('events to be told', async () => (await backend.sql("select id from outbox where kind = 'event' and sent_at is null and run_after <= now() limit 1")).length === 0);
      await relay.stop();
      if (later) await backend.sql("update webhook_deliveries set next_attempt_at = now() - interval '1 millisecond' where status = 'pending'");
      return services.webhookSender.sendDue();
    },
    async mails(to) {
      await backend.runSystemJobs();
      return mailsIn(env.dataDir, to);
    },
    async sql<Row>(text: string, values: readonly unknown[] = []) {
      const { rows } = await db.knex.raw<{ rows: Row[] }>(text, values as never);
      return rows;
    },
    async close() {
      await drain(server, 2_000);
      await mailer.close();
      await producer.close();
      subscriber.close();
      opened.storage.close();
      await redis.close();
      await database.drop();
      if (disagreements.length > 0) throw new Error(`The referee disagreed: ${JSON.stringify(disagreements)}`);
    },
  };
  return backend;
}

/** What a client would get to see of an answer; fails where it is not what the contract says. */
function onWire(operationId: Operation, status: number, body: unknown): unknown {
  const serialize = serializers[operationId][status];
  if (serialize === undefined || body === undefined) return undefined;
  const envelope = JSON.parse(serialize(body)) as { data: unknown };
  const validate = responseValidators[operationId][status];
  if (validate !== undefined && !validate(envelope)) {
    throw new Error(`The answer of ${operationId} is not what the contract says: ${JSON.stringify((validate as { errors?: unknown }).errors)}`);
  }
  return envelope.data;
}

async function* none(): AsyncGenerator<StreamEvent> {
  // No events: only streams have some.
}

/** One backend for the tests of a file (or of a describe). Read it inside tests and hooks only. */
export function useBackend(variables: Readonly<Record<string, string>> = {}): { readonly current: Backend } {
  let present: Backend | null = null;
  before('start the backend', async () => {
    present = await startBackend(variables);
  });
  after('stop the backend', async () => {
    const ended = present;
    present = null;
    await ended?.close();
  });
  return {
    get current() {
      if (present === null) throw new Error('The backend is there inside tests and hooks only.');
      return present;
    },
  };
}
