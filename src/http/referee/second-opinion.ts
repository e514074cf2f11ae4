import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { middleware } from 'express-openapi-validator';
import type { OpenAPIV3 } from 'express-openapi-validator/dist/framework/types.js';
import type { Exchange } from '../exchange.ts';
import type { Route } from '../route.ts';
import { contractOf } from './one-path.ts';

/** express-openapi-validator's reading of the contract. Each answers null, or why it refuses. */
export interface SecondOpinion {
  ofRequest(exchange: Exchange, route: Route): Promise<string | null>;
  ofResponse(exchange: Exchange, route: Route, status: number, body: unknown): Promise<string | null>;
}

interface Reading {
  ofRequest(exchange: Exchange): Promise<string | null>;
  ofResponse(exchange: Exchange, status: number, body: unknown): Promise<string | null>;
}

/** By document, since what a contract says is the same for every application of a process, of which tests make many. */
const readings = new WeakMap<object, Map<string, Reading>>();

/** Each path is read when it is first asked for. */
export function openSecondOpinion(document: Readonly<Record<string, unknown>>, basePath: string): SecondOpinion {
  const known = readings.get(document) ?? new Map<string, Reading>();
  readings.set(document, known);
  const readingOf = ({ template }: Route): Reading => {
    const reading = known.get(template) ?? read(contractOf(template, document), basePath);
    known.set(template, reading);
    return reading;
  };
  return {
    ofRequest: (exchange, route) => readingOf(route).ofRequest(exchange),
    ofResponse: (exchange, route, status, body) => readingOf(route).ofResponse(exchange, status, body),
  };
}

/**
 * Runs the validator's middlewares by hand on stand-ins for request and response: as ordinary middleware it would judge
 * answers only when they are sent by `res.json`, which we never call, and could change what it judges (it coerces and
 * fills defaults in place).
 */
function read(document: Record<string, unknown>, basePath: string): Reading {
  const app = express();
  app.enable('strict routing');
  app.enable('case sensitive routing');
  const middlewares = middleware({
    apiSpec: document as unknown as OpenAPIV3.DocumentV3_1,
    validateApiSpec: false,
    validateRequests: { allowUnknownQueryParameters: false },
    validateResponses: true,
    validateSecurity: false,
    // As ours judge them; left to itself it takes any text without a space behind a scheme for a URI, a NUL in it too.
    ajvFormats: { mode: 'full' },
    fileUploader: false,
    // Answers are judged as the JSON they are sent as: dates are text by then.
    serDes: ['date-time', 'date'].map((format) => ({ format, serialize: (value: unknown) => value as string, deserialize: (value: string) => value })),
  }) as unknown as RequestHandler[];
  const prepare = middlewares.filter(({ name }) => name === 'pathParamsMiddleware' || name === 'metadataMiddleware');
  const judgeRequest = namely(middlewares, 'requestMiddleware');
  const judgeResponse = namely(middlewares, 'responseMiddleware');

  const standIn = ({ req, body, isValid }: Exchange): Request => {
    const asked = withoutReserved(req.originalUrl);
    const url = asked.startsWith(`${basePath}/`) ? asked : `${basePath}${asked}`;
    // What was refused nobody reads any more, and may be nested deeper than a copy can be made of.
    const copy = isValid === true && body !== undefined ? structuredClone(body) : body;
    return Object.assign(Object.create(app.request) as Request, {
      method: req.method, url, originalUrl: url, baseUrl: '', headers: { ...req.headers }, params: {}, body: copy,
    });
  };

  return {
    async ofRequest(exchange) {
      const req = standIn(exchange);
      const res = Object.create(app.response) as Response;
      for (const step of [...prepare, judgeRequest]) {
        const refusal = await outcome(step, req, res);
        if (refusal !== null) return refusal;
      }
      return null;
    },
    async ofResponse(exchange, status, body) {
      const req = standIn(exchange);
      // It compiles its validators of answers anew for each content type a request names: 200 ms, and kept for good.
      req.headers['content-type'] = 'application/json';
      const { promise, resolve } = Promise.withResolvers<string | null>();
      const res = Object.assign(Object.create(app.response) as Response, {
        statusCode: status,
        getHeaders: () => ({ 'content-type': 'application/json' }),
        // The validator calls the json that was here before it once it is content.
        json: () => {
          resolve(null);
          return res;
        },
      });
      Object.defineProperty(res, 'headersSent', { value: false });
      for (const step of prepare) {
        const refusal = await outcome(step, req, res);
        if (refusal !== null) return refusal;
      }
      judgeResponse(req, res, ((error?: unknown) => {
        if (error !== undefined && error !== null) resolve(reason(error));
        else res.json(body);
      }) as NextFunction);
      return await promise;
    },
  };
}

/**
 * It refuses values of the query in which `:`, `!` or `*` stand as they are, which a URL may have there (RFC 3986, 3.4)
 * and clients send: here they are percent-encoded. A comma stays, since it divides lists.
 */
function withoutReserved(url: string): string {
  const start = url.indexOf('?');
  if (start === -1) return url;
  const pairs = url.slice(start + 1).split('&').map((pair) => {
    const [name = '', ...value] = pair.split('=');
    if (value.length === 0) return pair;
    return `${name}=${value.join('=').replace(/[:/?#[\]@!$'()*;=+]/g, (one) => (one === '+' ? '%20' : `%${one.charCodeAt(0).toString(16).toUpperCase()}`))}`;
  });
  return `${url.slice(0, start)}?${pairs.join('&')}`;
}

const outcome = async (step: RequestHandler, req: Request, res: Response): Promise<string | null> =>
  await new Promise((resolve) => {
    step(req, res, ((error?: unknown) => resolve(error === undefined || error === null ? null : reason(error))) as NextFunction);
  });

const reason = (error: unknown): string => (error instanceof Error ? error.message : JSON.stringify(error)).slice(0, 600);

function namely(middlewares: readonly RequestHandler[], name: string): RequestHandler {
  const found = middlewares.find((one) => one.name === name);
  if (found === undefined) throw new Error(`express-openapi-validator has no ${name}: its version is not the one this was written for.`);
  return found;
}
