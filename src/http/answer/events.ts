import { setImmediate } from 'node:timers/promises';
import type { Clock } from '#platform/clock.ts';
import type { Logger } from '#platform/log.ts';
import type { Credential, Exchange } from '../exchange.ts';
import type { StreamEvent } from '../route.ts';
import type { StaticHeaders } from '../headers.ts';
import type { Answer } from './answer.ts';
import { headOf, settle } from './send.ts';
import type { LiveStreams } from './live-streams.ts';
import type { StreamSlot } from './stream-slots.ts';

export interface EventsOptions {
  /** Whether what the stream was opened with is no more, or opens something else now. */
  readonly isOver: (credential: Credential) => Promise<boolean>;
  /** Where the stream hears that it should look at once. */
  readonly liveStreams: LiveStreams;
  readonly log: Logger;
  readonly slot: StreamSlot;
  readonly clock: Clock;
  /** Aborted when the process goes down: streams end, so that their clients go on elsewhere. */
  readonly shutdown: AbortSignal | null;
  readonly heartbeatMs?: number;
  readonly recheckMs?: number;
}

/** Why a stream ends before its source does: the last event says it. */
type Closing = 'credential_expired' | 'credential_revoked' | 'shutting_down' | 'too_slow';

/** A client this far behind is cut: it resumes by Last-Event-ID. 64 KB would cut healthy ones in a burst. */
const maxWaitingBytes = 1024 * 1024;
/** So long it has to take what waits for it, and be told why it was cut. */
const slowGraceMs = 2_000;
const yieldAboveBytes = 64 * 1024;
const streamHeaders = [
  'Content-Type', 'text/event-stream; charset=utf-8',
  // no-transform: no proxy may compress this, since a compressor holds events back.
  'Cache-Control', 'no-store, no-transform',
  'X-Accel-Buffering', 'no',
];

/**
 * Sends events as they come, until they end, the client goes, falls too far behind, or its credential ends: by itself
 * (its own time), revoked (heard at once) or changed (both looked at every `recheckMs`). What ends a stream from outside is
 * told as the event `closed`. 10,000 of these take 19 KB each.
 */
export async function sendEvents(
  exchange: Exchange, answer: Answer & { readonly events: AsyncIterable<StreamEvent> }, statics: StaticHeaders, options: EventsOptions,
): Promise<void> {
  const { res, req, abort, credential } = exchange;
  const { log, isOver, liveStreams, slot, clock, shutdown, heartbeatMs = 15_000, recheckMs = 15_000 } = options;
  const source = answer.events[Symbol.asyncIterator]();
  if (!settle(exchange)) {
    await source.return?.();
    return;
  }
  res.writeHead(answer.status, headOf(exchange, { ...answer, headers: [...streamHeaders, ...answer.headers] }, statics));
  if (req.method === 'HEAD') {
    res.end();
    await source.return?.();
    return;
  }
  res.socket?.setNoDelay(true);
  // The client sees at once that the stream stands, before the first event.
  res.write(': open\n\n');

  let hasEnded = false;
  let closing: Closing | null = null;
  let wakeUp = (): void => undefined;
  const end = (why: Closing | null): void => {
    if (hasEnded) return;
    hasEnded = true;
    closing = why;
    clearInterval(heartbeat);
    clearInterval(recheck);
    leave();
    if (expiry !== null) clearTimeout(expiry);
    abort.signal.removeEventListener('abort', leftAlone);
    shutdown?.removeEventListener('abort', goDown);
    wakeUp();
  };
  const leftAlone = (): void => end(null);
  const goDown = (): void => end('shutting_down');
  const tooSlow = (): void => end('too_slow');
  const heartbeat = setInterval(() => {
    write(exchange, ': beat\n\n', tooSlow);
    void slot.renew();
  }, heartbeatMs);
  const look = (): void => {
    if (credential === null || hasEnded) return;
    isOver(credential).then(
      (gone) => { if (gone) end('credential_revoked'); },
      // Neither Redis nor PostgreSQL could say: asked again at the next turn; the credential's own end still holds.
      (error: unknown) => log.warn('events.not_rechecked', 'A stream\'s credential could not be looked at again', { error }),
    );
  };
  const recheck = setInterval(look, recheckMs);
  const leave = credential === null ? (): void => undefined : liveStreams.add(credential, look);
  const leftMs = credential?.expiresAtMs === null || credential === null ? null : Math.max(0, credential.expiresAtMs - clock.now());
  // setTimeout fires at once beyond 2^31 ms; an API key may end in years.
  const expiry = leftMs === null || leftMs > 2_147_483_647 ? null : setTimeout(() => end('credential_expired'), leftMs);
  abort.signal.addEventListener('abort', leftAlone, { once: true });
  shutdown?.addEventListener('abort', goDown, { once: true });
  if (abort.signal.aborted) leftAlone();
  else if (shutdown?.aborted === true) goDown();

  try {
    while (!hasEnded) {
      // Not Promise.race with one long-lived promise: every turn would hang another reaction on it.
      const next = await new Promise<IteratorResult<StreamEvent, unknown> | null>((resolve, reject) => {
        wakeUp = () => resolve(null);
        source.next().then(resolve, reject);
      });
      if (next === null || next.done === true) break;
      write(exchange, format(next.value), tooSlow);
      // A source that has much at hand must not fill the buffer before the socket has had its turn, nor hold up others.
      if (res.writableLength > yieldAboveBytes) await setImmediate();
    }
  } catch (error) {
    if (!abort.signal.aborted) log.error('events.failed', 'An event stream broke off', { operation_id: exchange.route?.operationId ?? null, error });
  } finally {
    end(null);
    if (closing !== null) res.write(format({ event: 'closed', data: { reason: closing } }));
    res.end();
    // A source that waits for its next event hears of the end by the call's signal, and lets go of its subscriptions.
    abort.abort();
    // Not awaited: one that does not listen must not keep the caller's place.
    void Promise.resolve(source.return?.()).catch((error: unknown) => log.warn('events.not_released', 'An event source did not let go', { error }));
  }
}

/** Bounded: whoever does not read is cut, or its events would pile up in our memory. */
function write({ res }: Exchange, text: string, tooSlow: () => void): void {
  if (res.destroyed || res.writableEnded) return;
  res.write(text);
  if (res.writableLength <= maxWaitingBytes) return;
  tooSlow();
  const cut = setTimeout(() => res.destroy(), slowGraceMs);
  res.once('close', () => clearTimeout(cut));
}

/** JSON has no raw line feeds, so one `data:` line holds it; ids and types are stripped of what would break the frame. */
export function format({ id, event, data }: StreamEvent): string {
  const head = id === undefined ? '' : `id: ${plain(id)}\n`;
  if (event === null) return `${head}\n`;
  return `${head}event: ${plain(event)}\ndata: ${JSON.stringify(data) ?? 'null'}\n\n`;
}

const plain = (text: string): string => text.replaceAll(/[\r\n\0]/g, '');
