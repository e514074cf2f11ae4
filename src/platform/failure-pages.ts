import type { ServiceError } from './errors.ts';

/** How a failure is told to a browser, where a person opens an operation's address; everybody else gets the envelope. */
export type FailurePage = (error: ServiceError) => { readonly headers: Readonly<Record<string, string>>; readonly html: string };

const pages = new WeakMap<object, FailurePage>();

/** The same handler, whose failures are pages for whoever accepts text/html. */
export function withFailurePage<Handler extends object>(handler: Handler, page: FailurePage): Handler {
  pages.set(handler, page);
  return handler;
}

export const failurePageOf = (handler: object): FailurePage | null => pages.get(handler) ?? null;
