/** Streams that fail, in place of hanging or ending short in silence. */
import { Readable } from 'node:stream';
import { withDeadline } from '#platform/deadline.ts';
import { StorageError } from './storage.ts';

export interface FlowBounds {
  /** How long the source may keep silent while it is being waited for; time in which nobody asks does not count. */
  readonly idleMs: number;
  /** Exactly so many bytes must come; null = as many as there are. */
  readonly expectedBytes: number | null;
  readonly what: string;
}

/**
 * The chunks of `source`, held to the bounds. A source that fails, stalls or ends short throws `unavailable`, and is
 * destroyed whenever the reader stops.
 */
async function* bounded(source: Readable, bounds: FlowBounds): AsyncGenerator<Buffer> {
  const chunks: AsyncIterator<Buffer> = source[Symbol.asyncIterator]();
  let seen = 0;
  try {
    for (;;) {
      const step = await withDeadline(() => chunks.next(), bounds.idleMs, bounds.what);
      if (step.done === true) break;
      seen += step.value.length;
      yield step.value;
    }
  } catch (cause) {
    if (cause instanceof StorageError) throw cause;
    throw new StorageError('unavailable', `${bounds.what} broke off after ${seen} bytes`, cause);
  } finally {
    // Destroying makes a pending next() settle; nobody waits for it any more, so its error has no other listener.
    source.on('error', () => undefined);
    source.destroy();
  }
  if (bounds.expectedBytes !== null && seen !== bounds.expectedBytes) {
    throw new StorageError('unavailable', `${bounds.what} ended after ${seen} of ${bounds.expectedBytes} bytes`);
  }
}

/** A stream of the same bytes that fails, in place of hanging or ending short. */
export const boundedStream = (source: Readable, bounds: FlowBounds): Readable =>
  Readable.from(bounded(source, bounds), { objectMode: false });

/** The same for a reader that pulls with `for await`. */
export const boundedChunks = bounded;
