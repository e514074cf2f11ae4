import { expect } from 'chai';
import type { ApiKeyScope } from '#generated/sdk/types.gen.ts';
import { newId } from '#platform/ids.ts';
import { type Person, type Reply, useBackend } from '../../support/backend.ts';
import { queuedJob } from '../../support/preview-jobs.ts';

describe('what API keys reach', () => {
  const backend = useBackend();
  const person = (): Promise<Person> => backend.current.person();
  const make = async (who: Person, terms: { scopes: ApiKeyScope[]; project_ids?: string[] }): Promise<{ key: string }> =>
    (await backend.current.run('createApiKey', who, { body: { name: 'CI', ...terms } })).data;
  const by = ({ key }: { key: string }): Record<string, string> => ({ 'x-api-key': key });
  const outcome = ({ status, error }: Reply): string => `${status} ${error?.code ?? 'ok'}`;
  const get = (path: string, made: { key: string }): Promise<Reply> => backend.current.http('GET', path, { headers: by(made) });

  describe('restricted to projects', () => {
    it('see those alone: in lists, by id, and among preview jobs', async () => {
      const { project } = backend.current;
      const ada = await person();
      const [inside, outside] = [await project(ada, { name: 'inside' }), await project(ada, { name: 'outside' })];
      const [seen, hidden] = [await queuedJob(backend.current, ada, inside), await queuedJob(backend.current, ada, outside)];
      const fenced = await make(ada, { project_ids: [inside], scopes: ['projects:read', 'previews:read'] });
      const { data } = await get('/projects', fenced);
      expect((data['items'] as { id: string }[]).map(({ id }) => id)).to.deep.equal([inside]);
      expect((data['page'] as { total: number }).total).to.equal(1);
      expect(outcome(await get(`/projects/${inside}`, fenced))).to.equal('200 ok');
      const none = await get(`/projects/${newId()}`, fenced);
      const other = await get(`/projects/${outside}`, fenced);
      expect([other.status, other.text]).to.deep.equal([404, none.text]);
      const jobs = (await get('/preview/jobs', fenced)).data['items'] as { id: string }[];
      expect(jobs.map(({ id }) => id)).to.deep.equal([seen]);
      expect(outcome(await get(`/preview/jobs/${seen}`, fenced))).to.equal('200 ok');
      expect(outcome(await get(`/preview/jobs/${hidden}`, fenced))).to.equal('404 NOT_FOUND');
    });

    it('change none outside, ask for no preview there, and make no new one', async () => {
      const { project, http } = backend.current;
      const ada = await person();
      const [inside, outside] = [await project(ada), await project(ada)];
      const fenced = await make(ada, { project_ids: [inside], scopes: ['projects:read', 'projects:write', 'previews:write'] });
      const rename = async (id: string) => outcome(await http('PATCH', `/projects/${id}`, { headers: by(fenced), json: { name: 'by CI' } }));
      expect([await rename(inside), await rename(outside)]).to.deep.equal(['200 ok', '404 NOT_FOUND']);
      const preview = { project_id: outside, target_platform: 'ios', entry_file: 'index.js', files: [{ path: 'index.js', sha256: 'a'.repeat(64), size: 1 }] };
      expect(outcome(await http('POST', '/preview/request', { headers: by(fenced), json: preview }))).to.equal('404 NOT_FOUND');
      expect(outcome(await http('POST', '/projects', { headers: by(fenced), json: { name: 'new' } }))).to.equal('403 FORBIDDEN');
    });

    it('see no more than their owner does now', async () => {
      const { project, database: { db } } = backend.current;
      const [ada, ben] = [await person(), await person()];
      const shared = await project(ben);
      const member = { project_id: shared, user_id: ada.userId };
      await db.knex('project_members').insert({ id: newId(), ...member, role: 'Member' });
      const fenced = await make(ada, { project_ids: [shared], scopes: ['projects:read'] });
      expect(outcome(await get(`/projects/${shared}`, fenced))).to.equal('200 ok');
      await db.knex('project_members').where(member).delete();
      expect(outcome(await get(`/projects/${shared}`, fenced))).to.equal('404 NOT_FOUND');
    });
  });

  it('name the scope they lack, and are refused where only a person may act', async () => {
    const { http } = backend.current;
    const made = await make(await person(), { scopes: ['projects:read'] });
    const lacking = await http('POST', '/projects', { headers: by(made), json: { name: 'x' } });
    expect([outcome(lacking), lacking.error?.details], 'a read is no write').to.deep.equal(['403 FORBIDDEN', { scope: 'projects:write' }]);
    for (const [method, path] of [['GET', '/api-keys'], ['POST', '/auth/logout'], ['GET', '/admin/tiers']] as const) {
      expect(outcome(await http(method, path, { headers: by(made) })), path).to.equal('403 FORBIDDEN');
    }
  });
});
