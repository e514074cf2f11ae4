/** Several consumers of one type of event, as the one that the relay knows. */
import type { DomainEvent } from './outbox.ts';
import type { EventConsumer } from './relay.ts';

/**
 * Every consumer of the maps under its type. Where a type has several, each is told, one after the other, also where one
 * before it fails; then all are told again, which every consumer bears. They take several events together where all do.
 */
export function combineConsumers(...maps: readonly ReadonlyMap<string, EventConsumer>[]): Map<string, EventConsumer> {
  const byType = Map.groupBy(maps.flatMap((map) => [...map]), ([type]) => type);
  return new Map([...byType].map(([type, entries]) => [type, combine(entries.map(([, consumer]) => consumer))]));
}

function combine(consumers: readonly EventConsumer[]): EventConsumer {
  const [only] = consumers;
  if (consumers.length === 1 && only !== undefined) return only;
  const each = (event: DomainEvent): Promise<void> => tellAll(consumers.map((consumer) => () => consumer(event)));
  const together = consumers.flatMap((consumer) => (consumer.together === undefined ? [] : [consumer.together]));
  if (together.length < consumers.length) return each;
  return Object.assign(each, { together: (events: readonly DomainEvent[]) => tellAll(together.map((tell) => () => tell(events))) });
}

async function tellAll(tells: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const tell of tells) {
    try {
      await tell();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
