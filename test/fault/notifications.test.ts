/** What notifications survive. Counted is what a person was told, in the list and by a stream that goes on wherever it can. */
import { expect } from 'chai';
import type { ApiEvent } from '#sdk/index.ts';
import { System, until } from '../support/system.ts';

describe('notifications under faults', function () {
  this.timeout(180_000);
  let system: System;
  before('start the system', async () => { system = await System.start({ apis: 2 }); });
  after('stop it', async () => { await system.stop(); });

  it('are told once each, and by the stream in their order, though processes are killed while they tell and while they stream', async () => {
    const [ada, ben] = [await system.person(), await system.person()];
    const at = (api: number, token: string) => system.anonymous({ baseUrl: system.urlOf(api), accessToken: token });
    const projectId = (await ada.hive.api.createProject({ body: { name: 'Field Notes' } })).id;
    await system.sql("insert into project_members (id, project_id, user_id, role) values (gen_random_uuid(), $1, $2, 'Member')", [projectId, ben.tokens.user.id]);

    const events: ApiEvent[] = [];
    const stopped = new AbortController();
    /** Begins again with the last id, on the other process. */
    const following = (async () => {
      let lastEventId = new Date(Date.now() - 60_000).toISOString();
      for (let round = 0; !stopped.signal.aborted; round += 1) {
        try {
          for await (const event of at(round % 2, ben.tokens.access_token).events('/notifications/stream', { lastEventId, signal: stopped.signal })) {
            if (event.event === 'closed') continue;
            events.push(event);
            lastEventId = event.id ?? lastEventId;
          }
        } catch {
          // The process is gone: the other one is tried.
          await new Promise((resolve) => { setTimeout(resolve, 20); });
        }
      }
    })();

    const titles: string[] = [];
    const assign = async (api: number, count: number): Promise<void> => {
      for (let made = 0; made < count; made += 1) {
        const title = `task ${titles.length}`;
        await at(api, ada.tokens.access_token).api.createTask({ path: { project_id: projectId }, body: { title, assignee_id: ben.tokens.user.id } });
        titles.push(title);
      }
    };
    for (let kills = 0; kills < 3; kills += 1) await Promise.all([assign(1, 8), system.restartApi()]);
    await assign(1, 4);
    // What they had not told yet is told by whoever comes up.
    await system.killApis();
    await system.restartApi();
    await assign(0, 4);
    const titleOf = (payload: unknown): string => (payload as { title: string }).title;
    await until('all to be told', async () => (await at(0, ben.tokens.access_token).api.countUnreadNotifications()).unread >= titles.length, 60_000);
    await until('all to be streamed', () => events.length >= titles.length, 60_000);
    const listed = (await at(0, ben.tokens.access_token).api.listNotifications({ query: { limit: 200 } })).items.toReversed();
    stopped.abort();
    await following;
    expect(listed.map(({ payload }) => titleOf(payload)).toSorted(), 'each once').to.deep.equal(titles.toSorted());
    expect(events.map(({ data }) => (data as { id: string }).id), 'the stream').to.deep.equal(listed.map(({ id }) => id));
  });
});
