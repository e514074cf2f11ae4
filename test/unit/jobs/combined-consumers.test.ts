import { expect } from 'chai';
import { combineConsumers } from '#jobs/combined-consumers.ts';
import type { DomainEvent } from '#jobs/outbox.ts';
import type { EventConsumer } from '#jobs/relay.ts';

const event = (entityId: string): DomainEvent => ({ type: 'a.happened', entityId, data: {} });

describe('several consumers of one type of event', () => {
  const heard: string[] = [];
  const consumer = (name: string, fails = false): EventConsumer => ({ entityId }) => {
    heard.push(`${name} ${entityId}`);
    return fails ? Promise.reject(new Error(name)) : Promise.resolve();
  };
  const many = (name: string): EventConsumer => Object.assign(consumer(name), {
    together: (events: readonly DomainEvent[]) => { heard.push(`${name} ${events.map(({ entityId }) => entityId).join()}`); return Promise.resolve(); },
  });
  beforeEach(() => { heard.length = 0; });

  it('are told one after the other, also where one before fails, and then it counts as not told', async () => {
    const combined = combineConsumers(new Map([['a.happened', consumer('first', true)]]), new Map([['a.happened', consumer('second')], ['b.happened', consumer('other')]]));
    expect([...combined.keys()]).to.deep.equal(['a.happened', 'b.happened']);
    let failure = '';
    await combined.get('a.happened')?.(event('1')).catch((error: unknown) => { failure = String(error); });
    expect([failure, heard]).to.deep.equal(['Error: first', ['first 1', 'second 1']]);
  });

  it('are told of several events together only where each of them takes them so', async () => {
    const all = combineConsumers(new Map([['a.happened', many('first')]]), new Map([['a.happened', many('second')]]));
    await all.get('a.happened')?.together?.([event('1'), event('2')]);
    expect(heard).to.deep.equal(['first 1,2', 'second 1,2']);
    expect(combineConsumers(new Map([['a.happened', many('first')]]), new Map([['a.happened', consumer('second')]])).get('a.happened')?.together).to.equal(undefined);
    expect(combineConsumers(new Map([['a.happened', many('only')]])).get('a.happened')?.together).not.to.equal(undefined);
  });
});
