import { expect } from 'chai';
import fc from 'fast-check';
import { fold } from '#domains/search/folding.ts';
import { SearchService } from '#domains/search/service.ts';
import type { Call, Caller } from '#platform/call.ts';
import { newId } from '#platform/ids.ts';
import { openRedis } from '#platform/redis.ts';
import { type DataOf, type Person, useBackend } from '../../support/backend.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';
import { taskIn } from '../../support/tasks.ts';

type Result = DataOf<'search'>['items'][number];
type Query = Parameters<ReturnType<typeof useBackend>['current']['services']['handlers']['search']>[0]['query'];

describe('search', () => {
  const backend = useBackend();
  let ada: Person;
  let projectId: string;
  beforeEach(async () => {
    ada = await backend.current.person();
    projectId = await backend.current.project(ada, { name: 'Field Notes' });
  });

  const search = async (who: Caller, q: string, more: Partial<Query> = {}): Promise<DataOf<'search'>> =>
    (await backend.current.run('search', who, { query: { q, ...more } })).data;
  const found = async (who: Caller, q: string, more: Partial<Query> = {}): Promise<Result[]> => (await search(who, q, more)).items;
  const titles = async (who: Caller, q: string, more: Partial<Query> = {}): Promise<string[]> => (await found(who, q, more)).map(({ title }) => title);
  const task = (title: string, description: string | null = null, at = projectId): Promise<{ id: string }> => taskIn(backend.current, ada, at, { title, description });
  const comment = async (body: string, on: Record<string, unknown> = {}, at = projectId): Promise<string> =>
    (await backend.current.run('createComment', ada, { path: { project_id: at }, body: { entity_type: 'project', body, ...on } as never })).data.id;
  const key = async (only: string[] | null): Promise<Caller> => ({ kind: 'api_key', userId: ada.userId, keyId: newId(), tier: 'premium', isVerified: true, scopes: ['search:read'], projectIds: only });

  describe('what it answers', () => {
    it('is one list of projects, tasks and comments, each with what it is and where', async () => {
      const maps = await backend.current.project(ada, { name: 'Offline maps' });
      await backend.current.run('updateProject', ada, { path: { project_id: maps }, body: { description: 'Tiles for the field.' } });
      const drawn = await task('Draw the map offline');
      const onTask = await comment('An offline map is large.', { entity_type: 'task', entity_id: drawn.id });
      const onCode = await comment('Offline is not told here.', { entity_type: 'code', anchor: { path: 'src/Map.tsx', line_start: 3, line_end: 4 } });
      const results = await found(ada, 'offline');
      expect(results.map(({ type, title, project_name }) => [type, title, project_name])).to.have.deep.members([
        ['project', 'Offline maps', 'Offline maps'], ['task', 'Draw the map offline', 'Field Notes'], ['comment', 'Draw the map offline', 'Field Notes'], ['comment', 'src/Map.tsx', 'Field Notes'],
      ]);
      const [project, aTask, aComment, code] = [maps, drawn.id, onTask, onCode].map((id) => results.find((one) => one.id === id));
      expect(project).to.deep.include({ project_id: maps, excerpt: null, highlights: [{ field: 'title', start: 0, end: 7 }], commented_on: null });
      expect(aTask).to.deep.include({ project_id: projectId, excerpt: null, highlights: [{ field: 'title', start: 13, end: 20 }], commented_on: null });
      expect(aComment).to.deep.include({ excerpt: 'An offline map is large.', highlights: [{ field: 'excerpt', start: 3, end: 10 }], commented_on: { entity_type: 'task', entity_id: drawn.id } });
      expect(code).to.deep.include({ commented_on: { entity_type: 'code', entity_id: projectId } });
      expect(results.every(({ score, updated_at }) => score > 0 && score <= 1 && !Number.isNaN(Date.parse(updated_at)))).to.equal(true);
    });

    it('is ordered by how well it matches: titles before text, whole words before parts, words that stand together before others', async () => {
      await task('Something else', 'in which a quokka is named');
      await task('Quokkas abound');
      await task('Feed the quokka');
      await task('Quokka');
      await task('Aquokka');
      expect(await titles(ada, 'quokka')).to.deep.equal(['Quokka', 'Feed the quokka', 'Quokkas abound', 'Aquokka', 'Something else']);
      await task('Noodle strap');
      await task('Strap the noodle');
      expect(await titles(ada, 'noodle strap')).to.deep.equal(['Noodle strap', 'Strap the noodle']);
      const scores = (await found(ada, 'quokka')).map(({ score }) => score);
      expect(scores).to.deep.equal([...scores].sort((a, b) => b - a));
    });

    it('holds every word that is asked for, whether it stands in the title or in the text', async () => {
      await task('Sunscreen lotion', 'for the beach');
      await task('Sunscreen');
      expect(await titles(ada, 'beach sunscreen')).to.deep.equal(['Sunscreen lotion']);
      expect(await titles(ada, 'beach sunscreen mountain')).to.deep.equal([]);
    });

    it('finds parts of words, and words of one or two letters where a word begins', async () => {
      await task('useDeferredState in app');
      await task('Snapping');
      expect(await titles(ada, 'deferredst')).to.deep.equal(['useDeferredState in app']);
      expect(await titles(ada, 'in app')).to.deep.equal(['useDeferredState in app']);
      expect(await titles(ada, 'u i a')).to.deep.equal(['useDeferredState in app']);
    });

    it('forgives one typing fault in a word of four letters or more, after what needs no forgiving', async () => {
      await task('Press the button');
      await task('A navigation bar');
      await task('Buton, as some write it');
      expect(await titles(ada, 'buton')).to.deep.equal(['Buton, as some write it', 'Press the button']);
      for (const q of ['navigaton', 'navigattion', 'navigatoin', 'navvigation', 'nivigation', 'navigation baar', 'avigatio']) {
        expect(await titles(ada, q), q).to.deep.equal(['A navigation bar']);
      }
      const [fault] = await found(ada, 'navigatoin');
      expect(fault?.highlights).to.deep.equal([{ field: 'title', start: 2, end: 12 }]);
      expect(fault?.score).to.be.below(0.4);
      expect(await titles(ada, 'navigtaoin'), 'two faults').to.deep.equal([]);
    });

    it('knows no difference of case, accents, forms of Unicode and signs, in any script', async () => {
      await task('Cafe\u0301 — Überblick: STRASSE');
      await task('Привет, мир');
      await task('地図を検索する');
      await task('Ship it 🚀🚀🚀');
      for (const q of ['café', 'CAFE', 'cafe\u0301', 'uberblick', 'Straße', 'strasse']) expect(await titles(ada, q), q).to.deep.equal(['Cafe\u0301 — Überblick: STRASSE']);
      for (const q of ['ПРИВЕТ', 'мир привет', 'превет']) expect(await titles(ada, q), q).to.deep.equal(['Привет, мир']);
      for (const q of ['検索する', '地図 検索', '図を検']) expect(await titles(ada, q), q).to.deep.equal(['地図を検索する']);
      expect(await titles(ada, '🚀🚀🚀')).to.deep.equal(['Ship it 🚀🚀🚀']);
    });

    it('takes every character for itself, and finds nothing by signs alone', async () => {
      await task('100% of under_score');
      for (const q of ['%%%', '___', '???', '\\\\\\', '\'; drop table tasks; --%', '.*.']) expect(await titles(ada, q), q).to.deep.equal([]);
      expect(await titles(ada, '100%')).to.deep.equal(['100% of under_score']);
      expect(await titles(ada, 'under_score')).to.deep.equal(['100% of under_score']);
    });

    it('finds in the longest texts, with the part of them around the match', async () => {
      const long = `${'Nothing here. '.repeat(700)}But the wombat is. ${'Nothing here. '.repeat(600)}`;
      await task('A long one', long);
      const [result] = await found(ada, 'wombat');
      expect(result?.excerpt).to.match(/^….*But the wombat is\. Nothing.*…$/);
      expect((result?.excerpt ?? '').length).to.be.at.most(320);
      for (const { start, end } of result?.highlights ?? []) expect(result?.excerpt?.slice(start, end)).to.equal('wombat');
    });

    it('says what changed as it is now, and forgets what it said before', async () => {
      const { id } = await task('Pelican crossing');
      await comment('A pelican was here.');
      expect(await found(ada, 'pelican')).to.have.length(2);
      await backend.current.run('updateTask', ada, { path: { task_id: id }, body: { title: 'Zebra crossing' } });
      expect(await titles(ada, 'zebra')).to.deep.equal(['Zebra crossing']);
      expect((await found(ada, 'pelicans or pelican')).map(({ type }) => type)).to.deep.equal([]);
      await backend.current.run('updateProject', ada, { path: { project_id: projectId }, body: { name: 'Flamingo park' } });
      expect(await titles(ada, 'flamingo')).to.deep.equal(['Flamingo park']);
    });

    it('takes three characters at least, white space at both ends not counted', async () => {
      for (const q of ['  a  ', ' ab\t', '   ']) {
        expect(await refusalOf(search(ada, q)), q).to.deep.include({ code: 'VALIDATION_ERROR' });
      }
      expect(await titles(ada, 'a b')).to.deep.equal([]);
      const { status, error } = await backend.current.http('GET', '/search?q=%20%20ab', { headers: ada.headers });
      expect(status).to.equal(400);
      expect(error?.details).to.deep.include.members([{ pointer: '#/query/q', message: 'must NOT have fewer than 3 characters, white space at both ends not counted', rule: 'minLength' }]);
    });
  });

  describe('its pages', () => {
    const walk = async (q: string, limit: number): Promise<string[]> => {
      const ids: string[] = [];
      let cursor: string | null = null;
      do {
        const { items, page }: DataOf<'search'> = await search(ada, q, { limit, ...(cursor === null ? {} : { cursor }) });
        ids.push(...items.map(({ id }) => id));
        cursor = page.next_cursor;
      } while (cursor !== null);
      return ids;
    };

    it('hold everything once, by offset and by cursor alike, also where many match alike and where faults are forgiven', async () => {
      for (let at = 0; at < 23; at += 1) await task(`Pangolin ${at % 3 === 0 ? 'hut' : at}`);
      for (let at = 0; at < 7; at += 1) await task(`Armadillo ${at}`);
      for (const [q, total] of [['pangolin', 23], ['armadilo', 7]] as const) {
        const whole = await search(ada, q, { limit: 200 });
        expect(whole.page).to.include({ total, next_cursor: null, offset: 0 });
        const ids = whole.items.map(({ id }) => id);
        expect(await walk(q, 5), q).to.deep.equal(ids);
        const byOffset: string[] = [];
        for (let offset = 0; offset < total; offset += 4) byOffset.push(...(await search(ada, q, { limit: 4, offset })).items.map(({ id }) => id));
        expect(byOffset, q).to.deep.equal(ids);
        expect((await search(ada, q, { offset: 9_999 })).items).to.deep.equal([]);
      }
    });

    it('hold all there is of who has many projects with little in them', async () => {
      const ben = await backend.current.person();
      await backend.current.sql("insert into projects (id, owner_id, name) select gen_random_uuid(), ?, 'Walrus ' || n from generate_series(1, 1050) as n", [ben.userId]);
      expect((await search(ben, 'walrus')).page.total).to.equal(1_050);
      expect((await search(ben, 'walrus', { limit: 200, offset: 1_000 })).items).to.have.length(50);
      expect((await search(ben, 'walrsu', { limit: 1 })).page.total).to.equal(1_050);
    });

    it('of another search are not walked on by a cursor of this one', async () => {
      for (let at = 0; at < 3; at += 1) await task(`Ocelot ${at}`);
      const { page } = await search(ada, 'ocelot', { limit: 1 });
      const cursor = page.next_cursor ?? '';
      expect((await search(ada, 'OCELOT ', { limit: 1, cursor })).page).to.include({ offset: null, total: null });
      const others: [string, Partial<Query>][] = [['ocelots', {}], ['ocelot', { types: ['task'] }], ['ocelot', { project_id: projectId }]];
      for (const [q, more] of others) {
        expect(await codeOf(search(ada, q, { limit: 1, cursor, ...more }))).to.equal('VALIDATION_ERROR');
      }
    });

    it('hold only the kinds that are asked for, in one project if it is named', async () => {
      const other = await backend.current.project(ada, { name: 'Lemur house' });
      await task('Lemur food');
      await comment('No lemur today.');
      await task('Lemur bed', null, other);
      const kinds = async (more: Partial<Query>): Promise<string[]> => (await found(ada, 'lemur', more)).map(({ type }) => type).sort();
      expect(await kinds({})).to.deep.equal(['comment', 'project', 'task', 'task']);
      expect(await kinds({ types: ['comment'] })).to.deep.equal(['comment']);
      expect(await kinds({ types: ['task', 'project'] })).to.deep.equal(['project', 'task', 'task']);
      expect(await kinds({ project_id: other })).to.deep.equal(['project', 'task']);
      expect(await kinds({ project_id: other.toUpperCase(), types: ['task'] })).to.deep.equal(['task']);
    });
  });

  describe('who sees what', () => {
    it('is decided by ownership, membership of the project and of its team, each while it is active', async () => {
      const [member, invited, inTeam, invitedToTeam, stranger, admin] = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => backend.current.person(n === 6 ? 'admin' : 'free')));
      if (member === undefined || invited === undefined || inTeam === undefined || invitedToTeam === undefined || stranger === undefined || admin === undefined) throw new Error('There are six.');
      const { sql } = backend.current;
      const teamId = (await backend.current.run('createTeam', ada, { body: { name: 'Mappers' } })).data.id;
      const ofTeam = await backend.current.project(ada, { team_id: teamId, name: 'Of the team' });
      await task('Axolotl alone');
      await task('Axolotl of the team', null, ofTeam);
      for (const [userId, status] of [[member.userId, 'active'], [invited.userId, 'invited']]) {
        await sql("insert into project_members (id, project_id, user_id, role, status) values (gen_random_uuid(), ?, ?, 'Member', ?)", [projectId, userId, status]);
      }
      for (const [userId, status] of [[inTeam.userId, 'active'], [invitedToTeam.userId, 'invited']]) {
        await sql("insert into team_members (id, team_id, user_id, role, status) values (gen_random_uuid(), ?, ?, 'Member', ?)", [teamId, userId, status]);
      }
      expect(await titles(ada, 'axolotl')).to.have.members(['Axolotl alone', 'Axolotl of the team']);
      expect(await titles(member, 'axolotl')).to.deep.equal(['Axolotl alone']);
      expect(await titles(inTeam, 'axolotl')).to.deep.equal(['Axolotl of the team']);
      for (const nobody of [invited, invitedToTeam, stranger, admin]) {
        expect((await search(nobody, 'axolotl')).page.total).to.equal(0);
        expect(await refusalOf(search(nobody, 'axolotl', { project_id: projectId }))).to.deep.equal(await refusalOf(search(nobody, 'axolotl', { project_id: newId() })));
        expect(await codeOf(search(nobody, 'axolotl', { project_id: projectId }))).to.equal('NOT_FOUND');
      }
      expect(await titles(member, 'axolotl', { project_id: projectId })).to.deep.equal(['Axolotl alone']);
    });

    it('ends for a restricted key at its projects', async () => {
      const other = await backend.current.project(ada, { name: 'Other' });
      await task('Capybara one');
      await task('Capybara two', null, other);
      expect(await titles(await key(null), 'capybara')).to.have.length(2);
      expect(await titles(await key([other]), 'capybara')).to.deep.equal(['Capybara two']);
      expect(await titles(await key([]), 'capybara')).to.deep.equal([]);
      expect(await codeOf(search(await key([other]), 'capybara', { project_id: projectId }))).to.equal('NOT_FOUND');
    });

    it('includes archived projects, and neither deleted things nor things of deleted projects', async () => {
      const [archived, deleted] = [await backend.current.project(ada, { name: 'Narwhal archive' }), await backend.current.project(ada, { name: 'Narwhal grave' })];
      await backend.current.run('updateProject', ada, { path: { project_id: archived }, body: { archived: true } });
      await task('Narwhal past', null, archived);
      await task('Narwhal lost', null, deleted);
      const gone = await task('Narwhal gone');
      const said = await comment('A narwhal said.');
      const parent = await comment('A narwhal asked.');
      await comment('Answered.', { parent_id: parent });
      await backend.current.run('deleteProject', ada, { path: { project_id: deleted } });
      await backend.current.run('deleteTask', ada, { path: { task_id: gone.id } });
      for (const id of [said, parent]) await backend.current.run('deleteComment', ada, { path: { comment_id: id } });
      expect(await titles(ada, 'narwhal')).to.have.members(['Narwhal archive', 'Narwhal past']);
      const kept = await backend.current.sql('select id from search_entries where id = any(?::uuid[])', [[deleted, gone.id, said, parent]]);
      expect(kept).to.deep.equal([]);
    });

    it('is not moved by what others have: neither results nor scores', async () => {
      const ben = await backend.current.person();
      const bens = await backend.current.project(ben, { name: 'Tapir heaven' });
      await task('One tapir');
      const before = await search(ada, 'tapir');
      for (let at = 0; at < 30; at += 1) await taskIn(backend.current, ben, bens, { title: 'Tapir tapir' });
      expect(await search(ada, 'tapir', { limit: 49 })).to.deep.equal({ ...before, page: { ...before.page, limit: 49 } });
    });
  });

  describe('what is kept for a moment', () => {
    it('answers the same search again without finding anew', async () => {
      await task('Gibbon');
      const first = await countStatements(() => search(ada, 'gibbon'));
      const second = await countStatements(() => search(ada, 'gibbon'));
      expect([first, second]).to.deep.equal([3, 2]);
      await backend.current.redis.redis.flushdb();
      expect(await countStatements(() => search(ada, 'gibbon', { project_id: projectId }))).to.equal(4);
    });

    it('is forgotten at once where the caller lost access, or gained some', async () => {
      const ben = await backend.current.person();
      await task('Manatee');
      expect(await titles(ben, 'manatee')).to.deep.equal([]);
      await backend.current.sql("insert into project_members (id, project_id, user_id, role) values (gen_random_uuid(), ?, ?, 'Member')", [projectId, ben.userId]);
      expect(await titles(ben, 'manatee')).to.deep.equal(['Manatee']);
      await backend.current.run('removeProjectMember', ada, { path: { project_id: projectId, user_id: ben.userId } });
      const lost = await search(ben, 'manatee');
      expect([lost.items, lost.page.total]).to.deep.equal([[], 0]);
    });

    it('shows nothing that was deleted meanwhile, and texts as they are now', async () => {
      const [one, two] = [await task('Okapi one'), await task('Okapi two')];
      expect(await found(ada, 'okapi')).to.have.length(2);
      await backend.current.run('deleteTask', ada, { path: { task_id: one.id } });
      await backend.current.run('updateTask', ada, { path: { task_id: two.id }, body: { title: 'Okapi changed' } });
      expect(await titles(ada, 'okapi')).to.deep.equal(['Okapi changed']);
    });

    it('is nobody else\'s, and no other key\'s', async () => {
      const ben = await backend.current.person();
      await task('Dugong');
      expect(await titles(ada, 'dugong')).to.deep.equal(['Dugong']);
      expect(await titles(ben, 'dugong')).to.deep.equal([]);
      expect(await titles(await key([]), 'dugong')).to.deep.equal([]);
    });

    it('is nothing while Redis is away, and nothing fails', async () => {
      const { database: { db, env } } = backend.current;
      if (env.redis === null) throw new Error('Tests have a Redis.');
      await task('Tamarin');
      const away = openRedis({ redis: { ...env.redis, port: 1 } });
      try {
        const call: Call = {
          requestId: newId(), operationId: 'search', caller: ada, ip: '127.0.0.1', userAgent: 'tests', signal: new AbortController().signal, policy: { allowed: false }, roles: null, idempotency: null, ifMatch: null,
        };
        const service = new SearchService(db, away);
        for (let time = 0; time < 2; time += 1) expect((await service.search(call, { q: 'tamarin', limit: 50 })).items.map(({ title }) => title)).to.deep.equal(['Tamarin']);
      } finally {
        away.disconnect();
      }
    });

    it('has an end of its own within seconds, and holds no text', async () => {
      await task('Quetzal secret', 'Nobody reads this in Redis.');
      await search(ada, 'quetzal');
      const { redis } = backend.current.redis;
      const keys = await redis.keys('cache:search:*');
      expect(keys).to.not.deep.equal([]);
      for (const name of keys) {
        expect(await redis.ttl(name)).to.be.within(1, 5);
        expect(`${name} ${await redis.get(name)}`).to.not.match(/quetzal|secret|Nobody/i);
      }
    });
  });

  it('compares stored words as it compares those that are asked for', async () => {
    const units = fc.constantFrom(...'aZ0 éßẞæŒøĐłıİςΣñÜ№½﹏_-/%\'"“”—…\t\n·・、。！？ａＺ７ﬁǅЖёЇ한글漢かガｶ🚀👨‍👩‍👧🗺️اعשלไทยहिন্দ\u0301\u0308\u00a0\u2028\u3000\u007f');
    const texts = fc.sample(fc.string({ unit: units, maxLength: 12 }), { numRuns: 2_000, seed: 7 }).map((text) => text.toWellFormed());
    const rows = await backend.current.sql<{ folded: string }>('select search_fold(text) as folded from unnest(?::text[]) with ordinality as t (text, n) order by n', [texts]);
    const different = texts.flatMap((text, at) => (fold(text).text === rows[at]?.folded ? [] : [{ text, here: fold(text).text, there: rows[at]?.folded }]));
    expect(different.slice(0, 5)).to.deep.equal([]);
  });
});
