import type { KeyObject } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Secret } from '#config/environment.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { failurePageOf } from '#platform/failure-pages.ts';
import type { Logger } from '#platform/log.ts';
import type { PreviewTokens } from '#platform/tokens/preview-tokens.ts';
import type { AccessTokens } from '#platform/tokens/access-tokens.ts';
import type { Answer } from './answer/answer.ts';
import { sendEvents } from './answer/events.ts';
import { failureAnswer, logFailure, serviceErrorOf } from './answer/failure.ts';
import { send } from './answer/send.ts';
import { sendStream } from './answer/stream.ts';
import type { LiveStreams } from './answer/live-streams.ts';
import type { StreamSlot, StreamSlots } from './answer/stream-slots.ts';
import type { CredentialStore, WorkerKeys } from './authenticate/credentials.ts';
import type { Identities } from './authenticate/identities.ts';
import { authenticatePreview } from './authenticate/preview.ts';
import type { ReplayStore } from './authenticate/replays.ts';
import { authenticateUser, judgeCaller, noticeUser } from './authenticate/user.ts';
import { authenticateWorker } from './authenticate/worker.ts';
import { declaredBody } from './body/declared.ts';
import { parseJson } from './body/json.ts';
import { ClientGone, readBody, streamBody } from './body/read.ts';
import { noneMatchHolds, quoteEntityTag } from './conditional.ts';
import type { Contract, Serializer } from './contract.ts';
import { deadlineOf, type Deadlines } from './deadline.ts';
import { callOf, type Exchange, type Step } from './exchange.ts';
import type { Gate } from './gate/gate.ts';
import { staticHeadersOf, type StaticHeaders } from './headers.ts';
import { beginIdempotent } from './idempotency/begin.ts';
import type { Foretell } from './idempotency/claim.ts';
import type { KeptAnswer } from './idempotency/sealed-answer.ts';
import { locationOf } from './location.ts';
import { isAllowed, refuseUnasked } from './policy-mark.ts';
import type { Referee } from './referee/referee.ts';
import type { AnyHandler, HandlerReply, HandlerRequest, Route } from './route.ts';
import { isBodyRequired } from './validation/body-required.ts';
import { validate } from './validation/validate.ts';

/** Everything the steps are made of; put together once, in `createApp`. */
export interface Parts {
  readonly contract: Contract;
  readonly basePath: string;
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly tokens: AccessTokens;
  readonly previewTokens: PreviewTokens;
  readonly store: CredentialStore;
  readonly identities: Identities;
  readonly workerKeys: WorkerKeys;
  readonly replays: ReplayStore;
  readonly gate: Gate;
  readonly slots: StreamSlots;
  readonly liveStreams: LiveStreams;
  readonly idempotencyPepper: KeyObject;
  readonly deadlines: Deadlines;
  /** null in production unless asked for. */
  readonly referee: Referee | null;
  readonly heartbeatMs: number;
  readonly recheckMs: number;
  /** What a monitor shows to be told the details; null where there is none. */
  readonly operatorToken: Secret | null;
  readonly shutdown: AbortSignal | null;
}

/** A request of one route, from its first step to its answer. Never rejects. */
export type Pipeline = (exchange: Exchange) => Promise<void>;

/** Answers that are not kept under an Idempotency-Key: a repeat shall try again. */
const isKept = (status: number): boolean => status < 500 && status !== 400 && status !== 401 && status !== 429;

/** Builds the way of one route; steps it has no use for are not in it. */
export function buildPipeline(route: Route, handler: AnyHandler, parts: Parts): Pipeline {
  const { log, referee } = parts;
  const statics = staticHeadersOf(route);
  const deadlineMs = deadlineOf(route, parts.deadlines);
  const steps = stepsOf(route, parts);
  const replyWith = replier(route, parts);
  const begin = route.idempotent
    ? beginIdempotent(route, deadlineMs, (exchange) => foretell(exchange), { db: parts.db, pepper: parts.idempotencyPepper, log })
    : null;
  const foretell = foreteller(route, parts);
  const failurePage = failurePageOf(handler);
  const hasEvents = Object.values(route.responses).includes('events');
  const work = handler as (request: HandlerRequest<unknown, unknown, unknown, unknown>, call: ReturnType<typeof callOf>) => Promise<HandlerReply>;

  async function run(exchange: Exchange): Promise<void> {
    for (const step of steps) {
      const waiting = step(exchange);
      if (waiting !== undefined) await waiting;
    }
    const kept = begin === null ? null : await begin(exchange);
    if (kept !== null) {
      await deliver(exchange, { ...kept, headers: [...kept.headers, 'Idempotency-Replayed', 'true'], text: kept.text === '' ? null : kept.text });
      return;
    }
    if (!hasEvents) {
      await answerBy(exchange, null);
      return;
    }
    const slot = await parts.slots.take(exchange.caller, exchange.ip);
    try {
      await answerBy(exchange, slot);
    } finally {
      // However it went: a place is free when its request is over.
      await slot.release();
    }
  }

  async function answerBy(exchange: Exchange, slot: StreamSlot | null): Promise<void> {
    const { path, query, headers, body, stream, rawBody } = exchange;
    const reply = await work({ path, query, headers, body, stream, rawBody: route.auth === 'hook' ? rawBody : null, accept: exchange.req.headers.accept }, callOf(exchange, route));
    refuseUnasked(route, exchange, reply, log);
    const answer = replyWith(exchange, reply);
    if (exchange.claim !== null) await exchange.claim.keep(keptOf(answer));
    if (referee !== null && (answer.events !== undefined || answer.stream !== undefined)) await referee.judgeStream(exchange, route, answer.status);
    if (answer.events !== undefined && slot !== null) {
      await sendEvents(exchange, { ...answer, events: answer.events }, statics, {
        isOver: async (credential) => (await parts.gate.isRevoked(credential)) || (await credential.hasChanged?.()) === true,
        liveStreams: parts.liveStreams, log, slot, clock: parts.clock, shutdown: parts.shutdown, heartbeatMs: parts.heartbeatMs, recheckMs: parts.recheckMs,
      });
    } else if (answer.stream !== undefined) {
      await sendStream(exchange, { ...answer, stream: answer.stream }, statics, log);
    } else {
      await deliver(exchange, answer);
    }
  }

  /** Everything with a whole body passes here, so that the referee sees every answer there is. */
  async function deliver(exchange: Exchange, answer: Answer): Promise<void> {
    const judged = referee === null || exchange.isAnswered ? answer : await referee.judge(exchange, route, answer);
    send(exchange, judged, statics);
  }

  async function fail(exchange: Exchange, thrown: unknown): Promise<void> {
    if (thrown instanceof ClientGone || (exchange.res.destroyed && exchange.abort.signal.aborted)) {
      await giveBack(exchange);
      return;
    }
    const error = serviceErrorOf(thrown);
    logFailure(log, exchange, error);
    const answer = failureAnswer(error);
    if (exchange.claim !== null) {
      if (isKept(error.status)) await exchange.claim.keep(keptOf(answer));
      else await giveBack(exchange);
    }
    if (failurePage !== null && /\btext\/html\b/i.test(exchange.req.headers.accept ?? '')) {
      const { headers, html } = failurePage(error);
      if (referee !== null) await referee.judgeStream(exchange, route, answer.status);
      await sendStream(exchange, { status: answer.status, headers: [...answer.headers, ...Object.entries(headers).flat()], text: null, stream: Readable.from([Buffer.from(html)]) }, statics, log);
      return;
    }
    await deliver(exchange, answer);
  }

  async function giveBack({ claim }: Exchange): Promise<void> {
    try {
      await claim?.release();
    } catch (error) {
      // Its lease ends it.
      log.warn('idempotency.not_released', 'An idempotency key could not be given back', { error });
    }
  }

  return async (exchange) => {
    exchange.route = route;
    exchange.deadlineTimer = setTimeout(() => expire(exchange, log, deadlineMs, statics), deadlineMs);
    try {
      try {
        await run(exchange);
      } catch (error) {
        await fail(exchange, error);
      }
    } catch (error) {
      // The failure itself could not be told as it should be (its key not kept, say): it still has to be answered.
      const last = serviceErrorOf(error);
      logFailure(log, exchange, last);
      send(exchange, failureAnswer(last), statics);
    } finally {
      if (exchange.deadlineTimer !== null) clearTimeout(exchange.deadlineTimer);
      exchange.claim?.rest();
    }
  };
}

function expire(exchange: Exchange, log: Logger, deadlineMs: number, statics: StaticHeaders): void {
  const error = new ServiceError('SERVICE_UNAVAILABLE', 'This took too long. Try again shortly.', {
    internal: `no answer within ${deadlineMs} ms`, retryAfterSeconds: 2,
  });
  logFailure(log, exchange, error);
  send(exchange, failureAnswer(error), statics);
  exchange.abort.abort(error);
}

function stepsOf(route: Route, parts: Parts): readonly Step[] {
  const { tokens, identities, store, clock, gate } = parts;
  const auth = { tokens, identities, store, clock, log: parts.log };
  const steps: Step[] = [declaredBody(route)];
  const isRead = route.requestBody === 'json' || route.auth === 'worker' || route.auth === 'hook';
  switch (route.auth) {
    case 'user':
    case 'jwt':
    case 'admin':
      steps.push(authenticateUser(route, auth));
      break;
    case 'preview':
      steps.push(authenticatePreview(parts.previewTokens, identities));
      break;
    case 'worker': {
      const worker = authenticateWorker(route, { keys: parts.workerKeys, replays: parts.replays, clock });
      steps.push(worker.before, readBody(route), worker.after);
      break;
    }
    case 'none':
      if (route.method === 'get') steps.push(noticeUser(route, auth, parts.operatorToken));
      break;
    case 'hook':
      break;
  }
  if (route.rateLimit !== null || route.auth === 'user' || route.auth === 'jwt' || route.auth === 'admin' || route.auth === 'preview') {
    steps.push(gate.step(route));
  }
  if (route.auth === 'user' || route.auth === 'jwt' || route.auth === 'admin') steps.push(judgeCaller(route));
  if (isRead && route.auth !== 'worker') steps.push(readBody(route));
  if (route.requestBody === 'json') steps.push(parseJson);
  else if (route.requestBody === 'stream') steps.push(streamBody(route));
  steps.push(validate(route, parts.contract.validators[route.operationId] ?? {}, isBodyRequired(parts.contract, route)));
  return steps;
}

/** Makes the answer out of what a handler replied. */
function replier(route: Route, parts: Parts): (exchange: Exchange, reply: HandlerReply) => Answer {
  const serializers = parts.contract.serializers[route.operationId] ?? {};
  return (exchange, reply) => {
    const headers: string[] = [];
    for (const [name, value] of Object.entries(reply.headers ?? {})) headers.push(name, value);
    if (reply.etag !== undefined) headers.push('ETag', quoteEntityTag(reply.etag));
    if (reply.stream !== undefined) return { status: reply.status, headers, text: null, stream: reply.stream };
    if (reply.events !== undefined) return { status: reply.status, headers, text: null, events: reply.events };
    const isRead = exchange.req.method === 'GET' || exchange.req.method === 'HEAD';
    if (reply.status === 200 && isRead && reply.etag !== undefined && noneMatchHolds(exchange.req.headers['if-none-match'], reply.etag)) {
      return { status: 304, headers, text: null };
    }
    if (reply.body === undefined) return { status: reply.status, headers, text: null };
    return { status: reply.status, headers, text: serialise(route, serializers, reply.status, reply.body) };
  };
}

function serialise(route: Route, serializers: Readonly<Record<number, Serializer>>, status: number, body: unknown): string {
  const serializer = serializers[status];
  if (serializer === undefined) {
    throw new ServiceError('INTERNAL_ERROR', 'Something went wrong on our side. The request id helps us find it.', {
      internal: `${route.operationId} answered ${status}, which the contract gives no JSON body`,
    });
  }
  return serializer(body);
}

/** The answer that the data of a running transaction will become: the operation's one success, its Location derived. */
function foreteller(route: Route, parts: Parts): (exchange: Exchange) => Foretell {
  const status = Number(Object.keys(route.responses).find((one) => one.startsWith('2')) ?? 200);
  const kind = route.responses[status];
  const locate = locationOf(route, parts.contract.routes, parts.basePath);
  const serializers = parts.contract.serializers[route.operationId] ?? {};
  return (exchange) => (data, etag) => {
    if (!isAllowed(route, exchange.policy)) throw new Error('An effect was about to commit that no policy call allowed.');
    const place = locate(data, exchange.path);
    return {
      status,
      headers: [...(place === null ? [] : ['Location', place]), ...(etag === undefined ? [] : ['ETag', quoteEntityTag(etag)])],
      text: kind === 'json' ? serialise(route, serializers, status, data) : '',
    };
  };
}

const keptOf = ({ status, headers, text }: Answer): KeptAnswer => ({ status, headers: [...headers], text: text ?? '' });
