import type { Logger } from '#platform/log.ts';
import { errorEnvelope, type Answer } from '../answer/answer.ts';
import type { Contract, ResponseValidators } from '../contract.ts';
import type { Exchange } from '../exchange.ts';
import type { Route } from '../route.ts';
import { openSecondOpinion, type SecondOpinion } from './second-opinion.ts';

/** Where two readings of the contract differ. */
export interface Disagreement {
  readonly operationId: string;
  readonly status: number;
  /** `request`: the generated validators and the referee judged a request differently. */
  readonly about: 'request' | 'response';
  readonly message: string;
}

/**
 * Stands behind the generated validators: a second, independent reading of the contract (express-openapi-validator)
 * judges every request and answer again, and so do the generated response validators. A disagreement is an error of
 * ours: it is logged, handed to the listener, and the caller gets a 500 in place of the answer.
 */
export interface Referee {
  /** The answer as it may be sent: the same, or the 500. */
  judge(exchange: Exchange, route: Route, answer: Answer): Promise<Answer>;
  /** Streams have no body to judge: the request and the status are. Logs and tells, but lets the stream pass. */
  judgeStream(exchange: Exchange, route: Route, status: number): Promise<void>;
}

export interface RefereeOptions {
  readonly contract: Contract;
  readonly basePath: string;
  readonly responseValidators: ResponseValidators;
  readonly log: Logger;
  /** Tests collect here: any disagreement fails the run. */
  readonly onDisagreement?: ((disagreement: Disagreement) => void) | undefined;
}

export function createReferee(options: RefereeOptions): Referee {
  const { log, responseValidators, onDisagreement } = options;
  const opinion = openSecondOpinion(options.contract.document, options.basePath);

  function tell(disagreement: Disagreement): void {
    log.error('referee.disagreed', `The referee disagrees about a ${disagreement.about} of ${disagreement.operationId}`, { ...disagreement });
    onDisagreement?.(disagreement);
  }

  async function disagreementOn(exchange: Exchange, route: Route, answer: Answer): Promise<Disagreement | null> {
    const found = (about: Disagreement['about'], message: string): Disagreement =>
      ({ operationId: route.operationId, status: answer.status, about, message });
    const aboutRequest = await requestFault(opinion, exchange, route, answer);
    if (aboutRequest !== null) return found('request', aboutRequest);
    if (route.responses[answer.status] === undefined) return found('response', `the contract does not know status ${answer.status} here`);
    // The answer to HEAD is that to GET; it is judged when GET is asked.
    if (exchange.req.method === 'HEAD') return null;
    const body = answer.text === null ? undefined : JSON.parse(answer.text) as unknown;
    const generated = responseValidators[route.operationId]?.[answer.status];
    if (body !== undefined && generated !== undefined && !generated(body)) {
      return found('response', `the generated validator refuses the body: ${JSON.stringify((generated as { errors?: unknown }).errors ?? null).slice(0, 600)}`);
    }
    const aboutResponse = await opinion.ofResponse(exchange, route, answer.status, body);
    return aboutResponse === null ? null : found('response', aboutResponse);
  }

  return {
    async judge(exchange, route, answer) {
      const disagreement = await disagreementOn(exchange, route, answer);
      if (disagreement === null) return answer;
      tell(disagreement);
      exchange.errorCode = 'INTERNAL_ERROR';
      return { status: 500, headers: [], text: errorEnvelope('INTERNAL_ERROR', 'The contract was not kept. The request id helps us find it.', null) };
    },
    async judgeStream(exchange, route, status) {
      if (route.responses[status] === undefined) {
        tell({ operationId: route.operationId, status, about: 'response', message: `the contract does not know status ${status} here` });
      }
    },
  };
}

/**
 * Rules of ours that a schema cannot say (see faults.ts, json.ts, query.ts and the generated runtime): only we refuse
 * these. `type` is among them for parameters: we take `10`, the referee also `1e1` and `" 10"`. So is `required` for a
 * whole body: one that is absent is nothing to the referee where its schema names no type.
 */
const ownRules = new Set(['text', 'number', 'depth', 'json', 'key', 'cursor', 'encoding', 'entityTag', 'absent', 'timeout', 'maxProperties']);

async function requestFault(opinion: SecondOpinion, exchange: Exchange, route: Route, answer: Answer): Promise<string | null> {
  // Not judged: what never got to the validators, and bodies that only the handler reads.
  if (exchange.isValid === null || route.requestBody === 'stream' || exchange.req.method === 'HEAD') return null;
  if (!exchange.isValid && onlyWeRefuse(answer)) return null;
  const theirs = await opinion.ofRequest(exchange, route);
  if (exchange.isValid) return theirs === null ? null : `we took what the referee refuses: ${theirs}`;
  return theirs === null ? 'we refused what the referee takes' : null;
}

function onlyWeRefuse({ text }: Answer): boolean {
  const details = text === null ? null : (JSON.parse(text) as { error?: { details?: unknown } | null }).error?.details;
  if (!Array.isArray(details)) return false;
  return details.every((detail: { rule?: unknown; pointer?: unknown }) => typeof detail.rule === 'string' && (
    ownRules.has(detail.rule) || (detail.rule === 'type' && !String(detail.pointer).startsWith('#/body'))
    || (detail.rule === 'required' && detail.pointer === '#/body')
  ));
}
