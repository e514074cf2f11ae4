/**
 * The log: one JSON object a line (`timestamp, severity, event_type, message, metadata, service, request_id, user_id`)
 * to standard output and, with LOG_FILE, to a rotated file. The line is built by hand around pino's destination: a
 * tenth of the cost of a logging middleware (hot path: pino-http +10–15 µs a request, this about 1–2 µs).
 */
import type { Environment } from '#config/environment.ts';
import { systemClock, type Clock } from './clock.ts';
import { loggable, redactText, strikeSecrets } from './log/redact.ts';
import { descriptorSink, fileSink, type Sink } from './log/sinks.ts';

export type Severity = 'debug' | 'info' | 'warn' | 'error';
export type Metadata = Readonly<Record<string, unknown>>;

/** What every line of a logger carries beside its own. */
export interface LogContext {
  readonly service?: string;
  readonly requestId?: string | null;
  readonly userId?: string | null;
}

export interface Logger {
  /** `eventType` is dotted and stable (`job.claimed`): people search for it. Metadata is redacted and bounded. */
  debug(eventType: string, message: string, metadata?: Metadata): void;
  info(eventType: string, message: string, metadata?: Metadata): void;
  warn(eventType: string, message: string, metadata?: Metadata): void;
  error(eventType: string, message: string, metadata?: Metadata): void;
  /** Whether a line of this severity would be written: ask before building costly metadata. */
  writes(severity: Severity): boolean;
  /** The same log with more context. Costs one small object: made per request. */
  child(context: LogContext): Logger;
  /** Resolves when everything written so far is with the operating system. */
  flush(): Promise<void>;
  /** The same, blocking: for the moment before a crash ends the process. */
  flushSync(): void;
}

const ranks = { debug: 10, info: 20, warn: 30, error: 40, silent: 100 } as const;

export interface LogOptions {
  readonly level: keyof typeof ranks;
  readonly sinks: readonly Sink[];
  readonly clock?: Clock;
  /** Applied to every finished line: strikes out known secrets by their very text. */
  readonly strike?: (line: string) => string;
}

/** The log of one process, as the environment asks for it. */
export function openLog(env: Pick<Environment, 'logLevel' | 'logFile' | 'secrets'>, service: string): Logger {
  const sinks = [descriptorSink(1), ...(env.logFile === null ? [] : [fileSink(env.logFile)])];
  return createLogger({ level: env.logLevel, sinks, strike: strikeSecrets(env.secrets) }, { service });
}

/** A logger over given sinks. */
export function createLogger(options: LogOptions, context: LogContext = {}): Logger {
  const { sinks, clock = systemClock, strike = (line: string) => line } = options;
  const rank = ranks[options.level];
  // The constant end of every line, built once per context.
  const tail = `,"service":${JSON.stringify(context.service ?? 'hivesync')}`
    + `,"request_id":${JSON.stringify(context.requestId ?? null)},"user_id":${JSON.stringify(context.userId ?? null)}}\n`;

  function write(severity: Severity, eventType: string, message: string, metadata: Metadata | undefined): void {
    if (ranks[severity] < rank) return;
    const line = strike(
      `{"timestamp":"${timestampOf(clock.now())}","severity":"${severity}","event_type":${JSON.stringify(eventType)}`
      + `,"message":${JSON.stringify(redactText(message))},"metadata":${metadataText(metadata)}${tail}`,
    );
    for (const sink of sinks) sink.write(line);
  }

  return {
    debug: (eventType, message, metadata) => write('debug', eventType, message, metadata),
    info: (eventType, message, metadata) => write('info', eventType, message, metadata),
    warn: (eventType, message, metadata) => write('warn', eventType, message, metadata),
    error: (eventType, message, metadata) => write('error', eventType, message, metadata),
    writes: (severity) => ranks[severity] >= rank,
    child: (more) => createLogger(options, { ...context, ...more }),
    flush: async () => {
      await Promise.all(sinks.map((sink) => sink.flush()));
    },
    flushSync: () => {
      for (const sink of sinks) sink.flushSync();
    },
  };
}

function metadataText(metadata: Metadata | undefined): string {
  if (metadata === undefined) return '{}';
  try {
    return JSON.stringify(loggable(metadata));
  } catch (error) {
    // A getter that throws, or the like: the line still goes out, and says what is missing from it.
    return JSON.stringify({ unloggable: error instanceof Error ? redactText(error.message) : 'unknown' });
  }
}

let secondStart = NaN;
let secondText = '';

/** RFC 3339 with milliseconds; the part up to the second is kept, since lines come in bursts. */
function timestampOf(ms: number): string {
  const second = Math.floor(ms / 1000) * 1000;
  if (second !== secondStart) {
    secondStart = second;
    secondText = new Date(second).toISOString().slice(0, 20);
  }
  return `${secondText}${String(Math.floor(ms - second)).padStart(3, '0')}Z`;
}
