/** Something outside did not answer in time. `what` names it for the log. */
export class DeadlineError extends Error {
  readonly what: string;
  readonly timeoutMs: number;

  constructor(what: string, timeoutMs: number) {
    super(`${what} took longer than ${timeoutMs} ms.`);
    this.name = 'DeadlineError';
    this.what = what;
    this.timeoutMs = timeoutMs;
  }
}

/**
 * Runs `work` and gives its result, or rejects with a DeadlineError after `timeoutMs`. The work gets a signal that is
 * aborted at that moment (and when `outer` is), so that what can be stopped is stopped; what cannot goes on unseen, and
 * its late failure is dropped because the caller was told already.
 */
export async function withDeadline<T>(
  work: (signal: AbortSignal) => Promise<T>,
  timeoutMs: number,
  what: string,
  outer?: AbortSignal,
): Promise<T> {
  outer?.throwIfAborted();
  const controller = new AbortController();
  return await new Promise<T>((resolve, reject) => {
    const fail = (error: unknown): void => {
      reject(error);
      controller.abort(error);
    };
    const onOuterAbort = (): void => fail(outer?.reason);
    const timer = setTimeout(() => fail(new DeadlineError(what, timeoutMs)), timeoutMs);
    outer?.addEventListener('abort', onOuterAbort, { once: true });
    const settled = (): void => {
      clearTimeout(timer);
      outer?.removeEventListener('abort', onOuterAbort);
    };
    // An async wrapper, so that a synchronous throw of `work` rejects like any other.
    (async () => await work(controller.signal))().then(resolve, reject).finally(settled);
  });
}

/** Waits, and ends early (rejecting with the signal's reason) when the signal is aborted. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
