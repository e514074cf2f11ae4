import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { projectStages } from '../../../src/project-data.ts';
import { PreviewEndingService } from '#domains/previews/ending-service.ts';
import type { ProjectErasureStage } from '#domains/project-data.ts';
import { ProjectErasures } from '#domains/projects/erasures.ts';
import { newId } from '#platform/ids.ts';
import { StorageError } from '#platform/storage/storage.ts';
import { type Backend, type Person, useBackend } from '../../support/backend.ts';
import { joinProject } from '../../support/belonging.ts';
import { commentIn, replyTo } from '../../support/comments.ts';
import { claim, make, put, queuedJob, request, sourceOf, uploadBundle, uploadMissing } from '../../support/preview-jobs.ts';
import { codeOf } from '../../support/refusals.ts';
import { countStatements } from '../../support/statements.ts';
import { depend, labelIn, taskIn } from '../../support/tasks.ts';
import { objectsOf, referencesTo, tracesOf } from '../../support/traces.ts';
import { until } from '../../support/until.ts';
import { deliveryTo } from '../../support/webhooks.ts';

/** Tables whose stage is on its way, with the operations that fill them. */
const waiting: readonly string[] = [];
/** What stays of an erased project by intention: docs/operators.md says why. */
const staying = ['audit_logs.project_id', 'project_erasures.project_id'];

interface Life {
  readonly projectId: string;
  readonly doneId: string;
  readonly queuedId: string;
  readonly unsentId: string;
  /** A URL by which somebody may still upload an hour later. */
  readonly late: { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly content: Buffer };
  /** In no table and no object's name afterwards but in the trail. */
  readonly word: string;
}

const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** A project with something in every table that refers to projects, and objects of every kind. */
async function live(backend: Backend, ada: Person, ben: Person): Promise<Life> {
  const { run, sql, person } = backend;
  const word = `quill${newId().slice(-8)}`;
  const { data: project } = await run('createProject', ada, { body: { name: `Diary of ${word}`, description: `By ${word}`, metadata: { author: word } } });
  const path = { project_id: project.id };
  await joinProject(backend, project.id, ada, ben);
  await run('createProjectTag', ada, { path, body: { name: word, color: '#0a7f5a' } });
  await run('favoriteProject', ben, { path });
  await run('createInvitation', ada, { body: { target_type: 'project', target_id: project.id, role: 'member', email: `${word}@example.com` } });
  await run('createInvitation', ada, { body: { target_type: 'project', target_id: project.id, role: 'member', username: (await person()).username } });
  await sql("insert into notifications (id, user_id, project_id, type, payload, event_key, in_app) values (?, ?, ?, 'project.transferred', ?, ?, true)",
    [newId(), ben.userId, project.id, JSON.stringify({ project_name: word }), newId()]);
  const label = await labelIn(backend, ada, project.id, word);
  const [first, second] = [await taskIn(backend, ben, project.id, { title: `Ask ${word}`, assignee_id: ada.userId, label_ids: [label] }), await taskIn(backend, ada, project.id, { title: word, description: word })];
  await depend(backend, ada, second.id, first.id);
  await run('createAttachment', ada, { path: { task_id: first.id }, body: { name: word, external_url: `https://example.com/${word}` } });
  const bytes = Buffer.from(`Attached by ${word}`);
  const attach = async (): Promise<{ id: string; url: string; headers: Record<string, string> }> => {
    const { data } = await run('createAttachment', ben, { path: { task_id: first.id }, body: { name: word, upload: { content_type: 'text/plain', size: bytes.length, sha256: sha256Of(bytes) } } });
    return { id: data.id, url: data.upload?.upload_url ?? '', headers: data.upload?.headers ?? {} };
  };
  const [kept, late] = [await attach(), await attach()];
  expect(await put(kept.url, kept.headers, bytes)).to.equal(200);
  await run('completeAttachment', ben, { path: { attachment_id: kept.id } });
  expect(await put(late.url, late.headers, bytes)).to.equal(200);
  const node = await backend.worker();
  const doneId = await queuedJob(backend, ben, project.id, `// by ${word}`);
  await sql("insert into preview_job_logs (job_id, seq, level, message) values (?, 1, 'info', ?)", [doneId, `building for ${word}`]);
  await make(backend, node, doneId);
  await run('createPreviewToken', ben, { path: { job_id: doneId } });
  const { data: { live_session: { id: liveId } } } = await run('createLiveSession', ben, { body: { job_id: doneId } });
  await run('pushLiveChanges', ben, { path: { live_id: liveId }, body: { base_revision: 0, changes: [{ path: `${word}.js`, content_base64: Buffer.from(word).toString('base64') }] } });
  await run('sharePreview', ben, { path: { job_id: doneId }, body: { user_id: (await person()).userId, note: `For whoever knows ${word}` } });
  for (const on of [{ entity_type: 'task', entity_id: first.id }, { entity_type: 'preview', entity_id: doneId }, { entity_type: 'code', anchor: { path: `src/${word}.ts`, line_start: 1, line_end: 2 } }] as const) {
    const comment = await commentIn(backend, ada, project.id, { ...on, body: `@${ben.username} says ${word}` });
    const { id } = await replyTo(backend, ben, await replyTo(backend, ben, comment, word), word);
    await run('starComment', ada, { path: { comment_id: id } });
  }
  const { data: { webhook } } = await run('createWebhook', ada, { path, body: { url: `https://hooks.example.com/${word}`, event_types: ['task.created', 'project.deleted'], is_active: true } });
  const { id: sent } = await deliveryTo(backend, webhook.id, project.id, 'failed', { type: 'task.created', text: `Ask ${word}` });
  await sql("insert into webhook_attempts (delivery_id, number, attempted_at, duration_ms, response_status, response_body, failure) values (?, 1, now(), 5, 500, ?, 'status')", [sent, word]);
  await run('testWebhook', ada, { path: { webhook_id: webhook.id } });
  const { data: opened } = await run('createPreviewSession', ben, { body: { kind: 'bundle', project_id: project.id, target_platform: 'ios' } });
  await backend.http('POST', `/preview/sessions/${opened.upload_token ?? ''}/bundle`, { body: Buffer.from(`// by ${word}`), headers: { 'content-type': 'application/javascript' } });
  const queuedId = await queuedJob(backend, ada, project.id, `// again by ${word}`);
  const sources = [sourceOf('index.js', `// never started by ${word}`)];
  const { data: unsent } = await request(backend, ben, project.id, sources);
  await uploadMissing(unsent, sources);
  return { projectId: project.id, doneId, queuedId, unsentId: unsent.job.id, late: { url: late.url, headers: late.headers, content: bytes }, word };
}

describe('erasing a project', function () {
  this.timeout(60_000);
  const backend = useBackend();
  let ada: Person;
  let ben: Person;
  before(async () => { [ada, ben] = [await backend.current.person(), await backend.current.person()]; });

  const noSignal = new AbortController().signal;
  const remove = (projectId: string, who = ada) => backend.current.run('deleteProject', who, { path: { project_id: projectId } });
  const erasureOf = async (projectId: string): Promise<{ stages: Record<string, number>; is_done: boolean } | undefined> =>
    (await backend.current.sql<{ stages: Record<string, number>; is_done: boolean }>('select stages, completed_at is not null as is_done from project_erasures where project_id = ?', [projectId]))[0];
  const stages = (): ProjectErasureStage[] => {
    const { database: { db }, storage, services: { kinds: [kind] } } = backend.current;
    return projectStages(db, storage, new PreviewEndingService([kind ?? expect.fail('previews are a kind of job')]));
  };
  const erasures = (all: readonly ProjectErasureStage[] = stages()): ProjectErasures => new ProjectErasures(backend.current.database.db, all, backend.current.log);
  /** The trail and what was sent within a day tell of what happened, names and all. */
  const tracesLeft = async (word: string): Promise<string[]> => (await tracesOf(backend.current, [word])).filter((trace) => !/^(audit_logs\.data|outbox\.payload): /.test(trace));
  const expectNothingLeft = async ({ projectId, word }: Life): Promise<void> => {
    expect(await objectsOf(backend.current, [projectId])).to.deep.equal([]);
    expect(await tracesLeft(word)).to.deep.equal([]);
    expect(await referencesTo(backend.current, 'projects', projectId)).to.deep.equal(staying);
  };

  it('leaves no row in any table that refers to projects but the trail and the proof, nothing of its texts, and no object', async () => {
    const { sql, runSystemJobs, run } = backend.current;
    const life = await live(backend.current, ada, ben);
    const other = await live(backend.current, ada, ben);
    const every = await sql<{ reference: string }>(`
      select con.conrelid::regclass || '.' || a.attname as reference from pg_constraint con
        join pg_attribute a on a.attrelid = con.conrelid and a.attnum = con.conkey[1]
       where con.contype = 'f' and con.confrelid = 'projects'::regclass order by con.conrelid::regclass::text, a.attname`);
    expect([...await referencesTo(backend.current, 'projects', life.projectId), ...waiting, 'project_erasures.project_id'].sort(), 'a table that refers to projects and that live() does not fill')
      .to.deep.equal(every.map(({ reference }) => reference).sort());
    const objects = await objectsOf(backend.current, [life.projectId]);
    for (const kind of ['/blobs/', '/previews/', '/staging/', '/attachments/', '/attachment-uploads/']) expect(objects.some((key) => key.includes(kind)), kind).to.equal(true);
    const others = { references: await referencesTo(backend.current, 'projects', other.projectId), objects: await objectsOf(backend.current, [other.projectId]) };

    await remove(life.projectId);
    const runs = await runSystemJobs({ later: true });
    expect(runs.filter(({ outcome }) => outcome !== 'succeeded')).to.deep.equal([]);

    await expectNothingLeft(life);
    const [row] = await sql<Record<string, unknown>>('select name, description, metadata, settings, team_id, erased_at from projects where id = ?', [life.projectId]);
    expect(row).to.deep.include({ name: 'Erased project', description: null, metadata: {}, settings: {}, team_id: null });
    expect(row?.['erased_at']).to.be.a('string');
    expect((await erasureOf(life.projectId))?.is_done).to.equal(true);
    expect(await sql("select user_id from audit_logs where event_type = 'project.erased' and project_id = ?", [life.projectId])).to.deep.equal([{ user_id: null }]);
    expect({ references: await referencesTo(backend.current, 'projects', other.projectId), objects: await objectsOf(backend.current, [other.projectId]) }).to.deep.equal(others);
    expect((await run('getProject', ben, { path: { project_id: other.projectId } })).data.name).to.contain(other.word);
  });

  it('begins at once: builds are ended with the deletion, waiting or running, and none begins any more', async () => {
    const { run, sql } = backend.current;
    const life = await live(backend.current, ada, ben);
    const node = await backend.current.worker();
    const runningId = await queuedJob(backend.current, ben, life.projectId, '// running');
    const claimed = await claim(backend.current, node, runningId);
    const report = await uploadBundle(backend.current, node, claimed);
    await remove(life.projectId);
    const ended = await sql<{ status: string }>('select distinct status from preview_jobs where id = any(?)', [[life.queuedId, life.unsentId, runningId]]);
    expect(ended).to.deep.equal([{ status: 'cancelled' }]);
    expect(await codeOf(claim(backend.current, node, life.queuedId))).to.equal('CONFLICT');
    const say = run('reportJobProgress', node, { path: { job_id: runningId }, body: { lease_token: claimed.lease_token, stage: 'bundling', progress: 50 } });
    expect(await codeOf(say)).to.equal('CONFLICT');
    expect((await run('reportJobResult', node, { body: report })).data.accepted).to.equal(false);
    await backend.current.runSystemJobs();
    expect(await sql('select 1 from preview_jobs where project_id = ?', [life.projectId])).to.deep.equal([]);
    const told = await sql<{ topic: string }>("select topic from outbox where topic = 'preview.cancelled' and payload ->> 'projectId' = ?", [life.projectId]);
    expect(told).to.have.length(3);
  });

  it('takes what is still uploaded after its first round', async () => {
    const life = await live(backend.current, ada, ben);
    await remove(life.projectId);
    await backend.current.runSystemJobs();
    expect(await objectsOf(backend.current, [life.projectId])).to.deep.equal([]);
    expect((await erasureOf(life.projectId))?.is_done).to.equal(false);
    expect(await put(life.late.url, life.late.headers, life.late.content)).to.equal(200);
    // A request that was under way when it was deleted.
    await backend.current.sql("insert into project_tags (id, project_id, name, color) values (?, ?, 'late', '#0a7f5a')", [newId(), life.projectId]);
    expect(await objectsOf(backend.current, [life.projectId])).to.have.length(1);
    await backend.current.runSystemJobs({ later: true });
    await expectNothingLeft(life);
    expect((await erasureOf(life.projectId))?.is_done).to.equal(true);
  });

  it('still tells webhooks that the project was deleted after its first round, and keeps nothing for that after its second', async () => {
    const { sql, relay: open, runSystemJobs } = backend.current;
    const life = await live(backend.current, ada, ben);
    const relay = open();
    relay.start();
    await until('the outbox to be sent', async () => (await sql('select id from outbox where sent_at is null and run_after <= now() limit 1')).length === 0);
    await relay.stop();
    await remove(life.projectId);
    await runSystemJobs();
    const second = open();
    second.start();
    const told = (): Promise<{ event_type: string; status: string; body: string }[]> => sql(`
      select d.event_type, d.status, m.body from webhook_deliveries d join webhook_messages m on m.id = d.event_id where m.project_id = ?`, [life.projectId]);
    await until('the last event to be told', async () => (await told()).length > 0);
    await second.stop();
    const [row, ...others] = await told();
    expect([row?.event_type, row?.status, others]).to.deep.equal(['project.deleted', 'pending', []]);
    await runSystemJobs();
    expect(await told()).to.have.length(1);
    await runSystemJobs({ later: true });
    expect(await told()).to.deep.equal([]);
    expect(await referencesTo(backend.current, 'projects', life.projectId)).to.deep.equal(staying);
  });

  it('has its second round three hours later and not before', async () => {
    const life = await live(backend.current, ada, ben);
    await remove(life.projectId);
    const jobs = await backend.current.sql<{ hours: number }>("select round(extract(epoch from run_after - created_at) / 3600)::int as hours from system_jobs where kind = 'projects.erase' and payload ->> 'project_id' = ? order by 1", [life.projectId]);
    expect(jobs.map(({ hours }) => hours)).to.deep.equal([0, 3]);
    await backend.current.runSystemJobs();
    const [row] = await backend.current.sql("select run_after - requested_at = interval '3 hours' as three, completed_at from project_erasures where project_id = ?", [life.projectId]);
    expect(row).to.deep.equal({ three: true, completed_at: null });
    await backend.current.runSystemJobs({ later: true });
  });

  it('ends the same wherever it was cut off and resumed, and repeated it changes nothing', async () => {
    const all = stages();
    for (let at = 0; at < all.length; at += 1) {
      const life = await live(backend.current, ada, ben);
      await remove(life.projectId);
      const cut = all.map((stage, index): ProjectErasureStage => ({
        name: stage.name,
        async run(projectId, signal) {
          const erased = await stage.run(projectId, signal);
          // After its work and before it is noted: what a killed process leaves.
          if (index === at) throw new Error('cut');
          return erased;
        },
      }));
      expect(await erasures(cut).erase(life.projectId, noSignal).catch((error: unknown) => (error as Error).message)).to.equal('cut');
      expect(Object.keys((await erasureOf(life.projectId))?.stages ?? {})).to.have.members(all.slice(0, at).map(({ name }) => name));
      await backend.current.runSystemJobs({ later: true });
      await expectNothingLeft(life);
      const names = all.map(({ name }) => name);
      expect(Object.keys((await erasureOf(life.projectId))?.stages ?? {})).to.have.members([...names, ...names.map((name) => `${name}.1`)]);
      const read = (): Promise<unknown> => backend.current.sql('select p.*, e.completed_at, (select count(*) from audit_logs) as trail from projects p join project_erasures e on e.project_id = p.id where p.id = ?', [life.projectId]);
      const before = await read();
      await erasures().erase(life.projectId, noSignal);
      for (const stage of all) expect(await stage.run(life.projectId, noSignal), stage.name).to.equal(0);
      expect(await read()).to.deep.equal(before);
    }
  });

  it('stops between two batches when its time is up, and goes on from there', async () => {
    const { sql, database: { db } } = backend.current;
    const life = await live(backend.current, ada, ben);
    await sql("insert into preview_job_logs (job_id, seq, level, message) select ?, s, 'info', 'a line' from generate_series(10, 3500) as s", [life.doneId]);
    await remove(life.projectId);
    const stopping = new AbortController();
    const named = db.named.bind(db);
    let batches = 0;
    db.named = ((name: string, ...rest: unknown[]) => {
      if (name.startsWith('erasure.preview_job_logs') && (batches += 1) === 2) stopping.abort(new Error('Time is up.'));
      return (named as (...all: unknown[]) => unknown)(name, ...rest);
    }) as typeof db.named;
    try {
      expect(await erasures().erase(life.projectId, stopping.signal).catch((error: unknown) => (error as Error).message)).to.equal('Time is up.');
    } finally {
      db.named = named;
    }
    expect(Number((await sql<{ lines: number }>('select count(*) as lines from preview_job_logs where job_id = ?', [life.doneId]))[0]?.lines)).to.be.within(1, 3_000);
    await backend.current.runSystemJobs({ later: true });
    await expectNothingLeft(life);
  });

  it('waits for a store that is away and ends when it is back', async () => {
    const { storage, runSystemJobs } = backend.current;
    const life = await live(backend.current, ada, ben);
    await remove(life.projectId);
    const { deletePrefix } = storage;
    storage.deletePrefix = () => Promise.reject(new StorageError('unavailable', 'the store is away'));
    try {
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const runs = (await runSystemJobs({ later: true })).filter(({ kind }) => kind === 'projects.erase');
        expect(runs.every(({ outcome }) => outcome === 'again'), JSON.stringify(runs)).to.equal(true);
        expect(runs.length).to.be.greaterThan(0);
      }
    } finally {
      storage.deletePrefix = deletePrefix;
    }
    expect((await erasureOf(life.projectId))?.stages).to.have.all.keys('builds');
    await runSystemJobs({ later: true });
    await expectNothingLeft(life);
  });

  it('is done once by any number of jobs at the same moment', async () => {
    const life = await live(backend.current, ada, ben);
    await remove(life.projectId);
    await Promise.all(Array.from({ length: 4 }, () => erasures().erase(life.projectId, noSignal)));
    await expectNothingLeft(life);
    expect(await backend.current.sql("select id from audit_logs where event_type = 'project.erased' and entity_id = ?", [life.projectId])).to.have.length(1);
  });

  it('is found by the net where its job is gone, in the round that is due, and told where it is late', async () => {
    const { sql, services, logLines, runSystemJobs } = backend.current;
    expect(services.schedules.map(({ kind }) => kind)).to.include('projects.erase_due');
    const net = services.systemKinds.find(({ kind }) => kind === 'projects.erase_due');
    const [first, second, early] = [await live(backend.current, ada, ben), await live(backend.current, ada, ben), await live(backend.current, ada, ben)];
    for (const { projectId } of [second, early]) await remove(projectId);
    await runSystemJobs();
    await remove(first.projectId);
    await sql("delete from system_jobs where kind = 'projects.erase'");
    await sql("update project_erasures set requested_at = now() - interval '60 hours', run_after = now() - interval '57 hours' where project_id = ?", [second.projectId]);
    for (let time = 0; time < 2; time += 1) await net?.run({}, { jobId: newId(), attempt: 1, signal: noSignal });
    const asked = await sql<{ payload: unknown }>("select payload from system_jobs where kind = 'projects.erase' and status = 'queued'");
    expect(asked.map(({ payload }) => payload)).to.have.deep.members([{ project_id: first.projectId }, { project_id: second.projectId, round: 1 }]);
    expect(logLines.some((line) => line.includes('project.erasure_late') && line.includes(second.projectId))).to.equal(true);
    expect(logLines.some((line) => line.includes('project.erasure_late') && line.includes(first.projectId))).to.equal(false);
    await runSystemJobs();
    await expectNothingLeft(second);
    expect([await erasureOf(first.projectId), await erasureOf(second.projectId), await erasureOf(early.projectId)].map((one) => one?.is_done)).to.deep.equal([false, true, false]);
  });

  it('is asked for in the deletion\'s own transaction, for all projects of an account that ends too, in the same statements for many', async () => {
    const { database: { db }, sql, person, project } = backend.current;
    const zelda = await person();
    const ids: string[] = [];
    for (let count = 0; count < 20; count += 1) ids.push(await project(zelda));
    const begin = (some: readonly string[]): Promise<number> => countStatements(() => db.knex.transaction((trx) => erasures().begin(trx, some)));
    expect(await begin(ids.slice(0, 2))).to.equal(await begin(ids.slice(2)));
    expect(await sql("select 1 from system_jobs where kind = 'projects.erase' and payload ->> 'project_id' = any(?)", [ids])).to.have.length(40);
    await db.knex.transaction((trx) => erasures().begin(trx, ids));
    expect(await sql("select 1 from system_jobs where kind = 'projects.erase' and payload ->> 'project_id' = any(?)", [ids]), 'asked for again').to.have.length(40);
    const lost = await project(zelda);
    await db.knex.transaction(async (trx) => {
      await erasures().begin(trx, [lost]);
      throw new Error('undone');
    }).catch(() => undefined);
    expect(await erasureOf(lost)).to.equal(undefined);
  });

  it('is asked for for as many projects as an account without limits may have', async () => {
    const { database: { db }, sql, person } = backend.current;
    const zelda = await person('admin');
    await sql("insert into projects (id, owner_id, name, deleted_at) select gen_random_uuid(), ?, 'One of many', now() from generate_series(1, 12000)", [zelda.userId]);
    const ids = (await sql<{ id: string }>('select id from projects where owner_id = ?', [zelda.userId])).map(({ id }) => id);
    await db.knex.transaction((trx) => erasures().begin(trx, ids));
    expect(await sql("select count(*)::int as jobs from system_jobs where kind = 'projects.erase' and status = 'queued' and payload ->> 'project_id' = any(?)", [ids])).to.deep.equal([{ jobs: 24_000 }]);
    await sql("delete from system_jobs where payload ->> 'project_id' = any(?)", [ids]);
  });

  it('is not held up by its team, which may end meanwhile', async () => {
    const { run, runSystemJobs } = backend.current;
    const { data: team } = await run('createTeam', ada, { body: { name: 'Writers' } });
    const { data: project } = await run('createProject', ada, { body: { name: 'Diary', team_id: team.id } });
    await remove(project.id);
    await run('deleteTeam', ada, { path: { team_id: team.id } });
    await runSystemJobs({ later: true });
    expect((await erasureOf(project.id))?.is_done).to.equal(true);
    expect(await referencesTo(backend.current, 'projects', project.id)).to.deep.equal(staying);
  });
});
