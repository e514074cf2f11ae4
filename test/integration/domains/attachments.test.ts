import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { newId } from '#platform/ids.ts';
import { StorageError } from '#platform/storage/storage.ts';
import { type Backend, type DataOf, type Person, startBackend } from '../../support/backend.ts';
import { codeOf, refusalOf } from '../../support/refusals.ts';
import { startS3Server, type S3Server } from '../../support/s3-server/start.ts';
import { countStatements } from '../../support/statements.ts';
import { taskIn } from '../../support/tasks.ts';

type Created = DataOf<'createAttachment'>;
const content = Buffer.from('%PDF-1.7 a map of the river');
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

async function ofS3(server: S3Server): Promise<Backend> {
  return startBackend({ R2_ENDPOINT: server.endpoint, R2_BUCKET: server.bucket, R2_ACCESS_KEY: server.accessKey, R2_SECRET_KEY: server.secretKey, R2_REGION: server.region });
}

for (const store of ['files', 'S3'] as const) {
  describe(`attachments (${store})`, () => {
    let s3: S3Server | null = null;
    let backend: Backend;
    let ada: Person;
    before(async () => {
      s3 = store === 'S3' ? await startS3Server() : null;
      backend = s3 === null ? await startBackend() : await ofS3(s3);
      ada = await backend.person();
    });
    after(async () => {
      await backend.close();
      await s3?.stop();
    });

    const task = async (): Promise<string> => (await taskIn(backend, ada, await backend.project(ada))).id;
    const create = async (taskId: string, bytes = content, more: { name?: string; content_type?: string } = {}): Promise<Created> => {
      const { name = 'map.pdf', content_type = 'application/pdf' } = more;
      return (await backend.run('createAttachment', ada, { path: { task_id: taskId }, body: { name, upload: { content_type, size: bytes.length, sha256: sha256(bytes) } } })).data;
    };
    const put = async ({ upload }: Created, bytes = content, headers: Record<string, string> = {}): Promise<number> => {
      const answer = await fetch(upload?.upload_url ?? '', { method: 'PUT', headers: { ...upload?.headers, ...headers }, body: bytes });
      await answer.body?.cancel();
      return answer.status;
    };
    const complete = async (id: string): Promise<DataOf<'completeAttachment'>> => (await backend.run('completeAttachment', ada, { path: { attachment_id: id } })).data;
    const download = async (id: string): Promise<DataOf<'downloadAttachment'>> => (await backend.run('downloadAttachment', ada, { path: { attachment_id: id } })).data;
    const list = async (taskId: string, query: Record<string, unknown> = {}): Promise<DataOf<'listAttachments'>> =>
      (await backend.run('listAttachments', ada, { path: { task_id: taskId }, query })).data;
    const keyOf = async (id: string): Promise<string> =>
      (await backend.sql<{ object_key: string }>('select object_key from task_attachments where id = ?', [id]))[0]?.object_key ?? '';
    const arrivalOf = (key: string): string => key.replace('/attachments/', '/attachment-uploads/');
    const isStored = (key: string): Promise<boolean> => backend.storage.head(key).then(() => true, () => false);
    const made = async (taskId: string): Promise<{ id: string; key: string; created: Created }> => {
      const created = await create(taskId);
      expect(await put(created)).to.be.within(200, 204);
      return { id: created.id, key: await keyOf(created.id), created };
    };
    const auditOf = (id: string): Promise<{ event_type: string; data: Record<string, unknown> }[]> =>
      backend.sql('select event_type, data from audit_logs where entity_id = ? order by id', [id]);
    const isAbsent = (): StorageError => new StorageError('unavailable', 'away');

    it('are uploaded by a signed URL, completed, listed, and downloaded as what they are called', async () => {
      const taskId = await task();
      const created = await create(taskId);
      expect(created).to.deep.include({
        task_id: taskId, kind: 'upload', status: 'pending', name: 'map.pdf', external_url: null, content_type: 'application/pdf', size: content.length,
        sha256: sha256(content), uploaded_by: ada.userId, uploaded_at: null,
      });
      expect((await list(taskId)).items, 'an upload that is awaited is in no list').to.deep.equal([]);
      await put(created);
      const ready = await complete(created.id);
      expect(ready).to.include({ id: created.id, status: 'ready' });
      expect(ready.uploaded_at).to.be.a('string');
      expect((await list(taskId)).items).to.deep.equal([ready]);
      const { url, expires_in } = await download(created.id);
      expect(expires_in).to.equal(600);
      const answer = await fetch(url);
      expect(Buffer.from(await answer.arrayBuffer())).to.deep.equal(content);
      expect(answer.headers.get('content-type')).to.equal('application/pdf');
      expect(answer.headers.get('content-disposition')).to.match(/^attachment; filename="map\.pdf"/);
      expect((await auditOf(created.id)).map(({ event_type: type, data }) => [type, data['sha256']])).to.deep.equal([
        ['attachment.created', sha256(content)], ['attachment.completed', sha256(content)],
      ]);
    });

    it('take only the bytes, length and type that were announced', async () => {
      const created = await create(await task());
      const other = Buffer.from(content);
      other[0] = 0;
      for (const wrong of [() => put(created, other), () => put(created, Buffer.concat([content, content])), () => put(created, content, { 'content-type': 'text/html' })]) {
        expect(await wrong()).to.be.within(400, 403);
      }
      const refusal = await refusalOf(complete(created.id));
      expect([refusal.code, refusal.details]).to.deep.equal(['CONFLICT', { reason: 'not_uploaded' }]);
      expect(await codeOf(download(created.id))).to.equal('CONFLICT');
      await put(created);
      expect((await complete(created.id)).status).to.equal('ready');
    });

    it('are refused where what lies there is not what was announced, and taken once it is', async () => {
      const created = await create(await task());
      const arrival = arrivalOf(await keyOf(created.id));
      const shapes = [
        { bytes: Buffer.from('x'.repeat(content.length)), contentType: 'application/pdf' }, { bytes: Buffer.from('short'), contentType: 'application/pdf' },
        { bytes: content, contentType: 'text/html' }, { bytes: content, contentType: 'application/pdf', contentEncoding: 'gzip' },
      ];
      for (const { bytes, ...options } of shapes) {
        await backend.storage.put(arrival, bytes, { ...options, maxBytes: 1_000 });
        const refusal = await refusalOf(complete(created.id));
        expect([refusal.code, refusal.details], JSON.stringify(options)).to.deep.equal(['CONFLICT', { reason: 'differs' }]);
      }
      await put(created);
      expect((await complete(created.id)).status).to.equal('ready');
    });

    it('are moved once by twenty completions at once, which all answer alike', async () => {
      const { id, key } = await made(await task());
      const moves: string[] = [];
      const { storage, database: { db } } = backend;
      const { head, move } = storage;
      const named = db.named.bind(db);
      // Storage answers nobody before all twenty have looked at the attachment.
      const allLook = Promise.withResolvers<null>();
      let looks = 0;
      db.named = (async (name: string, ...rest: [string, readonly never[]]) => {
        const rows = await named(name, ...rest);
        if (name === 'attachments.by_id' && (looks += 1) === 20) allLook.resolve(null);
        return rows;
      }) as typeof db.named;
      storage.head = async (from) => {
        await allLook.promise;
        return head(from);
      };
      storage.move = async (from, to) => {
        moves.push(`${from} → ${to}`);
        await move(from, to);
      };
      try {
        const answers = await Promise.all(Array.from({ length: 20 }, () => complete(id)));
        expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).to.equal(1);
        await complete(id);
      } finally {
        Object.assign(storage, { head, move });
        db.named = named;
      }
      expect(moves).to.deep.equal([`${arrivalOf(key)} → ${key}`]);
      expect((await auditOf(id)).filter(({ event_type: type }) => type === 'attachment.completed')).to.have.length(1);
      expect(await isStored(arrivalOf(key))).to.equal(false);
    });

    it('hold no connection of the database while storage is slow', async () => {
      const { id } = await made(await task());
      const { move } = backend.storage;
      const [entered, leave] = [Promise.withResolvers<null>(), Promise.withResolvers<null>()];
      backend.storage.move = async (from, to) => {
        entered.resolve(null);
        await leave.promise;
        await move(from, to);
      };
      try {
        const completing = complete(id);
        await entered.promise;
        const [held] = await backend.sql<{ held: number }>("select count(*)::int as held from pg_stat_activity where datname = current_database() and state = 'idle in transaction'");
        expect(held?.held).to.equal(0);
        leave.resolve(null);
        await completing;
      } finally {
        backend.storage.move = move;
      }
    });

    it('stay what they are whatever comes by the upload URL afterwards, and what came is erased when the URL is over', async () => {
      const { id, key, created } = await made(await task());
      await complete(id);
      const { etag, modifiedAtMs } = await backend.storage.head(key);
      await put(created);
      await backend.storage.put(arrivalOf(key), Buffer.from('something else'), { contentType: 'text/html', maxBytes: 100 });
      expect((await complete(id)).status).to.equal('ready');
      expect(await backend.storage.head(key)).to.include({ etag, modifiedAtMs });
      await backend.runSystemJobs();
      expect(await isStored(arrivalOf(key)), 'the URL still writes').to.equal(true);
      await backend.runSystemJobs({ later: true });
      expect([await isStored(arrivalOf(key)), await isStored(key)]).to.deep.equal([false, true]);
    });

    it('are completed later when storage was away, and by another when the first one died after the move', async () => {
      const { id, key } = await made(await task());
      const { head, move } = backend.storage;
      backend.storage.head = () => Promise.reject(isAbsent());
      try {
        await complete(id).then(() => expect.fail('it was away'), (error: unknown) => expect(error).to.include({ kind: 'unavailable' }));
      } finally {
        backend.storage.head = head;
      }
      // Dead between the move and the commit: the claim is there, and runs out.
      await move(arrivalOf(key), key);
      await backend.sql("update task_attachments set claimed_until = now() + interval '400 milliseconds' where id = ?", [id]);
      expect((await complete(id)).status).to.equal('ready');
      expect(await isStored(key)).to.equal(true);
    });

    it('are gone at once when deleted, their bytes by a job, and also when they were being moved at that moment', async () => {
      const { run } = backend;
      const taskId = await task();
      const remove = (id: string): Promise<unknown> => run('deleteAttachment', ada, { path: { attachment_id: id } });
      const first = await made(taskId);
      await complete(first.id);
      await remove(first.id);
      expect(await codeOf(download(first.id))).to.equal('NOT_FOUND');
      expect(await codeOf(remove(first.id))).to.equal('NOT_FOUND');
      expect(await isStored(first.key)).to.equal(true);
      await backend.runSystemJobs();
      expect(await isStored(first.key)).to.equal(false);
      await put(first.created);
      await backend.runSystemJobs({ later: true });
      expect(await isStored(arrivalOf(first.key)), 'what came after the deletion').to.equal(false);

      const second = await made(taskId);
      await backend.sql("update task_attachments set created_at = now() - interval '3 hours' where id = ?", [second.id]);
      const { move } = backend.storage;
      backend.storage.move = async (from, to) => {
        await remove(second.id);
        await backend.runSystemJobs();
        await backend.storage.put(from, content, { contentType: 'application/pdf', maxBytes: 1_000 });
        await move(from, to);
      };
      try {
        expect(await codeOf(complete(second.id))).to.equal('NOT_FOUND');
      } finally {
        backend.storage.move = move;
      }
      await backend.runSystemJobs({ later: true });
      expect([await isStored(second.key), await isStored(arrivalOf(second.key))]).to.deep.equal([false, false]);
      expect((await auditOf(second.id)).map(({ event_type: type }) => type)).to.deep.equal(['attachment.created', 'attachment.deleted']);
    });

    it('go with their task, bytes and all', async () => {
      const taskId = await task();
      const [ready, pending] = [await made(taskId), await made(taskId)];
      await complete(ready.id);
      await backend.run('deleteTask', ada, { path: { task_id: taskId } });
      await backend.runSystemJobs();
      expect(await Promise.all([ready.key, arrivalOf(ready.key), pending.key, arrivalOf(pending.key)].map(isStored))).to.deep.equal([false, false, false, false]);
      expect(await codeOf(complete(pending.id))).to.equal('NOT_FOUND');
    });

    it('are erased when storage is there again, also when it was away for a day', async () => {
      const { id, key } = await made(await task());
      await complete(id);
      const { delete: erase } = backend.storage;
      await backend.run('deleteAttachment', ada, { path: { attachment_id: id } });
      const [asked] = await backend.sql<{ most: number }>("select min(max_attempts) as most from system_jobs where kind = 'attachments.erase'");
      expect(asked?.most).to.equal(50);
      backend.storage.delete = () => Promise.reject(isAbsent());
      try {
        expect((await backend.runSystemJobs()).filter(({ kind }) => kind === 'attachments.erase').map(({ outcome }) => outcome)).to.deep.equal(['again']);
      } finally {
        backend.storage.delete = erase;
      }
      expect(await isStored(key)).to.equal(true);
      await backend.runSystemJobs({ later: true });
      expect(await isStored(key)).to.equal(false);
    });

    it('are swept when nobody completed them within a day, bytes and all, and nothing else is', async () => {
      const taskId = await task();
      const [old, claimed, done, young] = [await made(taskId), await made(taskId), await made(taskId), await made(taskId)];
      await complete(done.id);
      await backend.sql("update task_attachments set created_at = now() - interval '25 hours' where id = any(?)", [[old.id, claimed.id, done.id]]);
      await backend.sql("update task_attachments set claimed_until = now() + interval '1 minute' where id = ?", [claimed.id]);
      const sweep = backend.services.systemKinds.find(({ kind }) => kind === 'sweep.attachment_uploads');
      await sweep?.run({}, { jobId: newId(), attempt: 1, signal: new AbortController().signal });
      const left = await backend.sql<{ id: string }>('select id from task_attachments where task_id = ? order by id', [taskId]);
      expect(left.map(({ id }) => id)).to.deep.equal([claimed.id, done.id, young.id]);
      await backend.runSystemJobs();
      expect(await Promise.all([arrivalOf(old.key), arrivalOf(claimed.key), done.key, arrivalOf(young.key)].map(isStored))).to.deep.equal([false, true, true, true]);
    });

    it('have any name and type that the contract takes', async () => {
      const taskId = await task();
      const names = ['..', 'Füße "1" \'2\'.png', `${'x'.repeat(149)}🐝🐝.tar.gz`, '🐝'.repeat(255), 'a%2Fb;c', ' '];
      for (const name of names) {
        const created = await create(taskId, content, { name, content_type: `${'a'.repeat(120)}/b.c+d` });
        await put(created);
        await complete(created.id);
        const { url } = await download(created.id);
        expect(url.length).to.be.at.most(4_096);
        const answer = await fetch(url);
        await answer.body?.cancel();
        expect(answer.status, name).to.equal(200);
        expect(answer.headers.get('content-disposition'), name).to.match(/^attachment; filename="/);
      }
      expect((await list(taskId)).items.map(({ name }) => name)).to.deep.equal(names);
      const { url } = await download((await list(taskId)).items[2]?.id ?? '');
      const long = await fetch(url);
      await long.body?.cancel();
      expect(long.headers.get('content-disposition'), 'the extension stays').to.match(/\.gz$/);
    });

    if (store === 'S3') return;

    it('that are links stand at once, are never fetched, and are downloaded from where they are', async () => {
      const { run } = backend;
      let fetched = 0;
      const site = createServer((_request, response) => { fetched += 1; response.end('x'); });
      await new Promise<void>((resolve) => { site.listen(0, '127.0.0.1', resolve); });
      const external = `http://127.0.0.1:${(site.address() as AddressInfo).port}/notes?token=secret`;
      const taskId = await task();
      const { data, status } = await run('createAttachment', ada, { path: { task_id: taskId }, body: { name: 'notes', external_url: external } });
      expect(status).to.equal(201);
      expect(data).to.deep.include({ kind: 'link', status: 'ready', external_url: external, content_type: null, size: null, sha256: null, upload: null, uploaded_at: data.created_at });
      expect(await download(data.id)).to.deep.equal({ url: external, expires_in: null });
      expect((await list(taskId)).items).to.have.length(1);
      const refusal = await refusalOf(complete(data.id));
      expect([refusal.code, refusal.details]).to.deep.equal(['CONFLICT', { kind: 'link' }]);
      expect(JSON.stringify(await auditOf(data.id))).not.to.contain('secret');
      await run('deleteAttachment', ada, { path: { attachment_id: data.id } });
      expect(await backend.runSystemJobs()).to.deep.equal([]);
      expect(fetched).to.equal(0);
      site.closeAllConnections();
      await new Promise((resolve) => { site.close(resolve); });
    });

    it('are listed in the order they were added, and walked by cursor in the same', async () => {
      const taskId = await task();
      for (let at = 0; at < 7; at += 1) await backend.run('createAttachment', ada, { path: { task_id: taskId }, body: { name: `n${at}`, external_url: 'https://example.com/' } });
      await backend.sql("update task_attachments set created_at = date_trunc('minute', created_at) where task_id = ? and name in ('n1', 'n2')", [taskId]);
      const whole = (await list(taskId)).items.map(({ name }) => name);
      expect(whole.slice(0, 2)).to.deep.equal(['n1', 'n2']);
      const walked: string[] = [];
      let cursor: string | null = null;
      do {
        const page = await list(taskId, { limit: 2, ...(cursor === null ? {} : { cursor }) });
        walked.push(...page.items.map(({ name }) => name));
        cursor = page.page.next_cursor;
      } while (cursor !== null);
      expect(walked).to.deep.equal(whole);
      expect((await list(taskId, { limit: 2 })).page.total).to.equal(7);
      expect(await countStatements(() => list(taskId))).to.equal(3);
    });

    it('are at most a hundred at a task, awaited ones counted, also when the last place is raced for', async () => {
      const taskId = await task();
      const rows = Array.from({ length: 95 }, () => ({ id: newId(), task_id: taskId, name: 'n', external_url: 'https://example.com/', uploaded_by: ada.userId, uploaded_at: new Date().toISOString() }));
      await backend.database.db.knex('task_attachments').insert(rows);
      const race = await Promise.allSettled(Array.from({ length: 16 }, () => create(taskId)));
      expect(race.filter(({ status }) => status === 'fulfilled')).to.have.length(5);
      for (const one of race) if (one.status === 'rejected') expect(one.reason).to.deep.include({ code: 'CONFLICT', details: { allowed: 100, pending: 5 } });
    });

    it('do not exist for a stranger', async () => {
      const eve = await backend.person();
      const { id } = await made(await task());
      const path = { attachment_id: id };
      for (const call of [() => backend.run('completeAttachment', eve, { path }), () => backend.run('downloadAttachment', eve, { path }), () => backend.run('deleteAttachment', eve, { path })]) {
        expect(await codeOf(call())).to.equal('NOT_FOUND');
      }
      expect((await complete(id)).status).to.equal('ready');
    });
  });
}
