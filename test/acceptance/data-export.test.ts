import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { entriesOf, jsonIn } from '../support/archives.ts';
import { failureOf } from '../support/failures.ts';
import { type Person, until, useSystem } from '../support/system.ts';

describe('a copy of an account over the wire', () => {
  const system = useSystem({ apis: 2 });
  const atOther = ({ tokens }: Person): Person['hive'] => system.current.anonymous({ baseUrl: system.current.urlOf(1), accessToken: tokens.access_token });

  it('is asked for at one replica, followed at another, told by mail, and read as it is described', async () => {
    const ada = await system.current.person();
    const project = await ada.hive.api.createProject({ body: { name: 'Field Notes' } });
    const queued = await ada.hive.api.requestDataExport({});
    expect(queued).to.include({ status: 'queued', download_url: null });
    const { api } = atOther(ada);
    await until('the export', async () => (await api.getDataExport({ path: { export_id: queued.id } })).status === 'succeeded');
    const told = await api.getDataExport({ path: { export_id: queued.id } });
    const archive = Buffer.from(await (await fetch(told.download_url ?? '')).arrayBuffer());
    expect(told).to.include({ size: archive.length, sha256: createHash('sha256').update(archive).digest('hex') });
    const entries = await entriesOf(archive);
    expect(jsonIn(entries, 'profile.json')[0]).to.include({ id: ada.tokens.user.id, email: ada.tokens.user.email });
    expect(jsonIn(entries, 'projects.json').map(({ id }) => id)).to.deep.equal([project.id]);
    expect((await system.current.mail(ada.tokens.user.email, /data is ready/)).text).to.contain('seven days');
  });

  it('is one at a time, whichever replica is asked', async () => {
    const ada = await system.current.person();
    const asked = await Promise.all(Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? ada.hive : atOther(ada)).api.requestDataExport({}).then(({ id }) => ({ id, conflict: false }), (error: unknown) => {
        const { code, details } = error as { code: string; details: { export_id: string } };
        expect(code).to.equal('CONFLICT');
        return { id: details.export_id, conflict: true };
      })));
    const ids = new Set(asked.map(({ id }) => id));
    // One that ended meanwhile makes room for the next.
    expect(asked.filter(({ conflict }) => !conflict).length).to.equal(ids.size);
    await until('all of them', async () => (await system.current.sql("select id from data_exports where status <> 'succeeded' and user_id = $1", [ada.tokens.user.id])).length === 0);
  });

  it('is nothing to anybody else', async () => {
    const [ada, ben] = [await system.current.person(), await system.current.person()];
    const { id } = await ada.hive.api.requestDataExport({});
    expect(await failureOf(ben.hive.api.getDataExport({ path: { export_id: id } }))).to.include({ code: 'NOT_FOUND', status: 404 });
  });

  it('asks for a recent sign-in', async () => {
    const ada = await system.current.person();
    await system.current.sql("update sessions set authenticated_at = now() - interval '16 minutes' where user_id = $1", [ada.tokens.user.id]);
    const pair = await system.current.anonymous().api.refreshTokens({ body: { refresh_token: ada.tokens.refresh_token } });
    const failure = await failureOf(system.current.anonymous({ accessToken: pair.access_token }).api.requestDataExport({}));
    expect(failure).to.include({ code: 'FORBIDDEN', status: 403 });
    expect(failure.details).to.deep.equal({ reason: 'recent_sign_in_required' });
  });

  it('expires', async () => {
    const ada = await system.current.person();
    const { id } = await ada.hive.api.requestDataExport({});
    await until('the export', async () => (await ada.hive.api.getDataExport({ path: { export_id: id } })).status === 'succeeded');
    await system.current.sql("update data_exports set expires_at = now() - interval '1 second' where id = $1", [id]);
    expect(await failureOf(ada.hive.api.getDataExport({ path: { export_id: id } }))).to.include({ code: 'GONE', status: 410 });
  });
});
