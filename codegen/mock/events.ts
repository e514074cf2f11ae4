/** Plays the example of an event stream, one event after the other. */
import type { ServerResponse } from 'node:http';

/** The events of an example, each with its closing blank line. */
export const eventsOf = (example: string): string[] => example.replaceAll('\r\n', '\n').split(/\n{2,}/).filter((event) => event.trim() !== '').map((event) => `${event.trimEnd()}\n\n`);

const idOf = (event: string): string | null => /^id: ?(.*)$/m.exec(event)?.[1] ?? null;

/** What comes after the last event a client has seen; all of it where that is not known. */
export function after(events: readonly string[], lastEventId: string | undefined): readonly string[] {
  const seen = events.findLastIndex((event) => idOf(event) === lastEventId && lastEventId !== undefined);
  return events.slice(seen + 1);
}

/** Sends the events with a pause before each but the first, then ends the answer. Stops when the client goes. */
export async function play(response: ServerResponse, events: readonly string[], pauseMs: number): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => { gone.abort(); });
  for (const [index, event] of events.entries()) {
    if (index > 0) await new Promise<void>((done) => {
      const timer = setTimeout(done, pauseMs);
      gone.signal.addEventListener('abort', () => { clearTimeout(timer); done(); }, { once: true });
    });
    if (gone.signal.aborted) return;
    response.write(event);
  }
  response.end();
}
