import { readFileSync } from 'node:fs';
import express, { type Express } from 'express';
import type { Environment, Secret } from '#config/environment.ts';
import { basePath, routes } from '#generated/server/routes.gen.ts';
import type { Handlers } from '#generated/server/handlers.gen.ts';
import { serializers } from '#generated/serializers/serializers.gen.js';
import { validators } from '#generated/validators/requests.gen.ts';
import { Gate } from '#http/gate/gate.ts';
import type { LimitsFor } from '#http/gate/limits.ts';
import { sendDocument } from '#http/answer/document.ts';
import { LiveStreams } from '#http/answer/live-streams.ts';
import { StreamSlots, type StreamCap } from '#http/answer/stream-slots.ts';
import type { CredentialStore, WorkerKeys } from '#http/authenticate/credentials.ts';
import { Identities } from '#http/authenticate/identities.ts';
import { createReplayStore } from '#http/authenticate/replays.ts';
import type { Contract, HandlerTable, ResponseValidators } from '#http/contract.ts';
import type { Deadlines } from '#http/deadline.ts';
import { answerErrors, enter } from '#http/enter.ts';
import { answerNotFound, mountRoutes } from '#http/mount.ts';
import { compileProxies } from '#http/proxies.ts';
import { createReferee, type Disagreement } from '#http/referee/referee.ts';
import { systemClock, type Clock } from '#platform/clock.ts';
import { deriveKey } from '#platform/crypto.ts';
import type { Database } from '#platform/database.ts';
import type { Logger } from '#platform/log.ts';
import type { Redis, Subscriber } from '#platform/redis.ts';
import { inRequestContext } from '#platform/request-context.ts';
import { accountChangedChannel, revokedChannel } from '#platform/revocations.ts';
import type { AccessTokens } from '#platform/tokens/access-tokens.ts';
import type { PreviewTokens } from '#platform/tokens/preview-tokens.ts';

export interface AppDeps {
  readonly env: Pick<Environment, 'trustedProxies' | 'corsOrigins' | 'contractReferee' | 'jwtSecret'>;
  readonly db: Database;
  readonly redis: Redis;
  /** Hears of changed accounts and ended sessions; null where there is nobody to hear from: then a change holds within three seconds. */
  readonly subscriber: Pick<Subscriber, 'subscribe' | 'onReconnect'> | null;
  readonly log: Logger;
  readonly tokens: AccessTokens;
  readonly previewTokens: PreviewTokens;
  readonly credentials: CredentialStore;
  readonly workerKeys: WorkerKeys;
  readonly limitsFor: LimitsFor;
  readonly streamCap: StreamCap;
  /** For operations that wait on purpose, in milliseconds by operation id. */
  readonly deadlines?: Deadlines;
  readonly clock?: Clock;
  readonly heartbeatMs?: number;
  /** How often the credential of an open stream is looked at again, in milliseconds. */
  readonly recheckMs?: number;
  /** The longest the gate waits for Redis before it does without; 300 unless told. */
  readonly gateTimeoutMs?: number;
  /** METRICS_TOKEN. */
  readonly operatorToken?: Secret | null;
  /** Aborted when the process begins to go down: event streams end. */
  readonly shutdown?: AbortSignal;
  readonly onDisagreement?: (disagreement: Disagreement) => void;
  /** Tests hand in a small one of their own. */
  readonly contract?: { readonly contract: Contract; readonly responseValidators: ResponseValidators };
}

export interface AppOptions {
  /** The handlers of each domain; an operation that none of them has is not mounted. Two that claim one operation are a fault. */
  readonly handlers: readonly (Partial<Handlers> | HandlerTable)[];
  readonly deps: AppDeps;
}

/** Makes the Express application out of the route table, the handlers and what stands below them. */
export async function createApp({ handlers, deps }: AppOptions): Promise<Express> {
  const { env, db, redis, credentials, clock = systemClock } = deps;
  const log = inRequestContext(deps.log);
  const { contract, responseValidators } = deps.contract ?? await generatedContract(env.contractReferee);
  const identities = new Identities(credentials, clock);
  const liveStreams = new LiveStreams();
  await hearOfChanges(deps.subscriber, identities, liveStreams, log);

  const mounted = mountRoutes({
    contract, basePath, db, clock, log, identities,
    tokens: deps.tokens,
    previewTokens: deps.previewTokens,
    store: credentials,
    workerKeys: deps.workerKeys,
    replays: createReplayStore(redis, log),
    gate: new Gate({ redis, store: credentials, limitsFor: deps.limitsFor, log, ...(deps.gateTimeoutMs === undefined ? {} : { timeoutMs: deps.gateTimeoutMs }) }),
    slots: new StreamSlots(redis, deps.streamCap, log),
    liveStreams,
    idempotencyPepper: deriveKey(env.jwtSecret, 'idempotency'),
    deadlines: deps.deadlines ?? {},
    referee: env.contractReferee
      ? createReferee({ contract, basePath, responseValidators, log, onDisagreement: deps.onDisagreement })
      : null,
    heartbeatMs: deps.heartbeatMs ?? 15_000,
    recheckMs: deps.recheckMs ?? 15_000,
    operatorToken: deps.operatorToken ?? null,
    shutdown: deps.shutdown ?? null,
  }, tableOf(handlers));

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  // Parsed by the pipeline, which refuses what is badly encoded.
  app.set('query parser', false);
  app.use(enter({ log, proxies: compileProxies(env.trustedProxies), corsOrigins: new Set(env.corsOrigins) }));
  app.get('/openapi.json', sendDocument(contract.document));
  app.use(basePath, mounted);
  // Orchestrators ask for health at the root.
  app.use((req, res, next) => {
    if (/^\/health(?:[/?]|$)/.test(req.url)) mounted(req, res, next);
    else next();
  });
  app.use(answerNotFound);
  app.use(answerErrors(log));
  return app;
}

function tableOf(groups: AppOptions['handlers']): HandlerTable {
  const table: Record<string, HandlerTable[string]> = {};
  for (const group of groups) {
    for (const [operationId, handler] of Object.entries({ ...group } as HandlerTable)) {
      if (table[operationId] !== undefined) throw new Error(`Two domains handle ${operationId}.`);
      table[operationId] = handler;
    }
  }
  return table;
}

/** Read once: the referee knows by it what it has compiled already. */
let document: Contract['document'] | undefined;

/** The response validators and their 60 ms of loading are for the referee alone. */
async function generatedContract(withReferee: boolean): Promise<NonNullable<AppDeps['contract']>> {
  document ??= JSON.parse(readFileSync(new URL('../generated/openapi.json', import.meta.url), 'utf8')) as Contract['document'];
  const responseValidators = withReferee ? (await import('#generated/validators/responses.gen.ts')).responseValidators : {};
  return { contract: { routes, validators, serializers, document }, responseValidators };
}

async function hearOfChanges(subscriber: AppDeps['subscriber'], identities: Identities, liveStreams: LiveStreams, log: Logger): Promise<void> {
  if (subscriber === null) return;
  // Messages of the time we were away are lost: everything is read anew.
  subscriber.onReconnect(() => identities.forgetAll());
  try {
    await Promise.all([
      subscriber.subscribe(accountChangedChannel, (userId) => identities.forget(userId)),
      subscriber.subscribe(revokedChannel, (ids) => { for (const id of ids.split(' ')) liveStreams.lookAgain(id); }),
    ]);
  } catch (error) {
    log.warn('accounts.not_heard', 'Changes of accounts are not heard of at once; they hold within three seconds, open streams end within fifteen', { error });
  }
}
