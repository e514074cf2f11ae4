/** HiveSync's event streams: events with JSON data. */
import { HiveSyncError } from './errors.ts';
import { readEvents } from './sse.ts';

export interface ApiEvent {
  readonly id: string | null;
  /** The type, `job` or `log` or `task.created`. */
  readonly event: string;
  readonly data: unknown;
}

/** Three of the comments that the API sends every 15 s. */
export const silenceMs = 45_000;

/** @throws HiveSyncError CONNECTION_FAILED when the stream breaks off, BAD_ANSWER when an event is not JSON */
export async function* parseEvents(response: Response, signal?: AbortSignal, idleMs = silenceMs): AsyncGenerator<ApiEvent> {
  if (response.body === null) return;
  for await (const { id, event, data } of readEvents(response.body, idleMs, signal)) {
    let parsed: unknown;
    try {
      parsed = JSON.parse(data);
    } catch (cause) {
      throw new HiveSyncError('BAD_ANSWER', `An event of type ${event} does not carry JSON.`, { cause });
    }
    yield { id, event, data: parsed };
  }
}
