/** Server-sent events, by the HTML standard's rules for the stream's text. */
import { HiveSyncError } from './errors.ts';

export interface ServerEvent {
  /** The last id seen so far: send it as `Last-Event-ID` to go on after it. */
  readonly id: string | null;
  readonly event: string;
  /** As sent; HiveSync's events carry JSON. */
  readonly data: string;
}

/** HiveSync's largest event is about 1 MiB; more without an end is no event stream. */
const maxEventChars = 4_194_304;

/** Cuts text that arrives in pieces into events. Comments, fields without meaning and unfinished events are dropped. */
export class EventParser {
  #rest = '';
  #id: string | null = null;
  #event = '';
  #data: string[] = [];
  #chars = 0;

  /** The events that this piece completes. @throws HiveSyncError BAD_ANSWER when one event outgrows 4 MiB */
  push(piece: string): ServerEvent[] {
    const text = this.#rest + piece;
    const events: ServerEvent[] = [];
    let from = 0;
    for (;;) {
      const found = /\r\n|\n|\r/g;
      found.lastIndex = from;
      const end = found.exec(text);
      // A CR at the very end may be the first half of a CRLF.
      if (end === null || (end[0] === '\r' && end.index === text.length - 1)) break;
      const done = this.#line(text.slice(from, end.index));
      if (done !== null) events.push(done);
      from = end.index + end[0].length;
    }
    this.#rest = text.slice(from);
    if (this.#rest.length + this.#chars > maxEventChars) throw new HiveSyncError('BAD_ANSWER', 'An event of the stream has no end.');
    return events;
  }

  #line(line: string): ServerEvent | null {
    if (line === '') {
      const event = this.#data.length === 0 ? null : { id: this.#id, event: this.#event === '' ? 'message' : this.#event, data: this.#data.join('\n') };
      this.#event = '';
      this.#data = [];
      this.#chars = 0;
      return event;
    }
    this.#chars += line.length;
    const colon = line.indexOf(':');
    const [name, raw] = colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1)];
    const value = raw.startsWith(' ') ? raw.slice(1) : raw;
    if (name === 'data') this.#data.push(value);
    else if (name === 'event') this.#event = value;
    else if (name === 'id' && !value.includes('\0')) this.#id = value;
    return null;
  }
}

/**
 * The events of a body, until it ends.
 * @param idleMs the longest silence: the API sends a comment every 15 s, so that a dead connection is told from a quiet one
 * @param signal ends the reading at once. Listened to here as well as by `fetch`: Node's collector takes a request that
 *   nobody holds any more, and with it the way by which the signal reaches the connection
 * @throws HiveSyncError CONNECTION_FAILED when it breaks off, is broken off or falls silent
 */
export async function* readEvents(body: ReadableStream<Uint8Array>, idleMs: number, signal?: AbortSignal): AsyncGenerator<ServerEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new EventParser();
  try {
    for (;;) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      let stop = (): void => undefined;
      const ended = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(new HiveSyncError('CONNECTION_FAILED', `The event stream was silent for ${idleMs} ms.`)), idleMs);
        stop = () => reject(signal?.reason);
        signal?.addEventListener('abort', stop, { once: true });
        if (signal?.aborted === true) stop();
      });
      const step = await Promise.race([reader.read(), ended]).finally(() => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', stop);
      });
      if (step.done) return;
      yield* parser.push(decoder.decode(step.value, { stream: true }));
    }
  } catch (cause) {
    if (cause instanceof HiveSyncError) throw cause;
    throw new HiveSyncError('CONNECTION_FAILED', 'The event stream broke off.', { cause });
  } finally {
    // Whether the connection was lost already does not matter to who stops reading.
    await reader.cancel().catch(() => undefined);
  }
}
