/** Prism in this process: it finds the example of an answer, and says what a request has wrong. */
import { createInstance, getHttpOperationsFromSpec, type IHttpConfig, type ProblemJsonError } from '@stoplight/prism-http';
import type { Contract, Method } from '../contract.ts';
import { faultOf, invalid, Refusal } from './refusal.ts';

export interface Asked {
  readonly method: Method;
  /** Below the server base. */
  readonly path: string;
  readonly query: Readonly<Record<string, string | string[]>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** What `Prefer` asks for: another documented status, a named example, made-up values in place of examples. */
  readonly prefer: { readonly code?: number; readonly example?: string; readonly dynamic: boolean };
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export type Prism = (asked: Asked) => Promise<Answered>;

type Logger = Parameters<typeof createInstance>[1]['logger'];
const silent = (): void => undefined;
/** Prism tells every step at some level; the refusals say what matters. */
function silentLogger(): Logger {
  const logger: Record<string, unknown> = {};
  for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'success', 'silent']) logger[level] = silent;
  logger['child'] = () => logger;
  return logger as unknown as Logger;
}

/** Prism keeps what a request accepts in the configuration it is given: a new one each time. */
const configuration = ({ prefer }: Asked): IHttpConfig => ({
  checkSecurity: true,
  validateRequest: true,
  validateResponse: true,
  errors: false,
  upstreamProxy: undefined,
  isProxy: false,
  mock: {
    dynamic: prefer.dynamic,
    ...(prefer.code === undefined ? {} : { code: prefer.code }),
    ...(prefer.example === undefined ? {} : { exampleKey: prefer.example }),
  },
});

function refusalOf(error: Error, { prefer }: Asked): Refusal {
  const { status, detail } = error as Partial<ProblemJsonError>;
  if (status === 406) return new Refusal('NOT_ACCEPTABLE', 'This operation answers no media type that the request accepts.');
  if (prefer.code !== undefined || prefer.example !== undefined) {
    return invalid([{ pointer: '#/headers/prefer', message: detail ?? error.message, rule: 'documented' }]);
  }
  return new Refusal('INTERNAL_ERROR', `The mock has no answer: ${detail ?? error.message}`);
}

/** Reads the contract (0.7 s); the returned function throws a Refusal where the real server would refuse. */
export async function openPrism(contract: Contract): Promise<Prism> {
  const operations = await getHttpOperationsFromSpec(structuredClone(contract));
  return async (asked) => {
    const config = configuration(asked);
    const instance = createInstance(config, { logger: silentLogger() });
    const result = await instance.request(
      { method: asked.method, url: { path: asked.path, query: asked.query as Record<string, string | string[]> }, headers: asked.headers, body: asked.body },
      operations,
      config,
    )();
    if (result._tag === 'Left') throw refusalOf(result.left, asked);
    const { output, validations } = result.right;
    if (validations.input.some(({ code }) => code === 401)) throw new Refusal('AUTH_INVALID', 'Sign in first.', null, { 'WWW-Authenticate': 'Bearer' });
    if (validations.input.length > 0) throw invalid(validations.input.map(faultOf));
    return { status: output.statusCode, headers: output.headers ?? {}, body: output.body };
  };
}
