import { expect } from 'chai';
import type { DomainEvent } from '#jobs/outbox.ts';
import { newId } from '#platform/ids.ts';
import { type Person, useBackend } from '../../support/backend.ts';
import { joinProject } from '../../support/belonging.ts';
import { commentIn, deleteComment } from '../../support/comments.ts';
import { until } from '../../support/until.ts';

/** What a comment said is erased with it, however its deletion meets those who are being told of it. */
describe('a comment that is deleted while people are told of it', () => {
  const backend = useBackend();
  const eventOf = async (type: string, commentId: string): Promise<DomainEvent> => {
    const [row] = await backend.current.sql<{ payload: DomainEvent }>('select payload from outbox where topic = ? and payload::text like ?', [type, `%${commentId}%`]);
    if (row === undefined) throw new Error(`There is no ${type}.`);
    return row.payload;
  };
  const consume = async (type: string, commentId: string): Promise<void> => backend.current.services.consumers.get(type)?.(await eventOf(type, commentId));
  const excerptsOf = (who: Person): Promise<unknown[]> => backend.current.sql("select payload->>'excerpt' as excerpt from notifications where user_id = ? and type like 'comment.%'", [who.userId]);

  const mentioned = async (): Promise<{ ada: Person; ben: Person; id: string }> => {
    const [ada, ben] = [await backend.current.person(), await backend.current.person()];
    const projectId = await backend.current.project(ada);
    await joinProject(backend.current, projectId, ada, ben);
    const { id } = await commentIn(backend.current, ada, projectId, { body: `@${ben.username} the secret` });
    return { ada, ben, id };
  };

  it('is shown in no notification, though its deletion was told first', async () => {
    const { database: { db }, sql } = backend.current;
    const { ada, ben, id } = await mentioned();
    const trx = await db.knex.transaction();
    // What the telling waits for, after it found the comment.
    await trx('users').where({ id: ben.userId }).forUpdate().select('id');
    const told = consume('comment.created', id);
    await until('the telling to wait', async () => (await sql("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")).length === 1);
    await deleteComment(backend.current, ada, { id });
    await consume('comment.deleted', id);
    await trx.commit();
    await told;
    expect(await excerptsOf(ben)).to.deep.equal([{ excerpt: '' }]);
  });

  it('is forgotten by the next telling of one that died in between', async () => {
    const { ada, ben, id } = await mentioned();
    await consume('comment.created', id);
    await deleteComment(backend.current, ada, { id });
    expect(await excerptsOf(ben)).to.deep.equal([{ excerpt: `@${ben.username} the secret` }]);
    await consume('comment.created', id);
    expect(await excerptsOf(ben)).to.deep.equal([{ excerpt: '' }]);
  });

  it('is forgotten in steps with everything that was said of a task, however much: what was done stays done', async () => {
    const { sql, services, person } = backend.current;
    const ada = await person();
    const taskId = newId();
    await sql(`
      insert into notifications (id, user_id, type, payload, event_key, in_app)
      select gen_random_uuid(), ?, 'comment.created', jsonb_build_object('comment_id', gen_random_uuid(), 'entity_id', ?::text, 'excerpt', 'said'), 'said ' || n, true from generate_series(1, 4500) n`, [ada.userId, taskId]);
    const forget = async (): Promise<void> => services.consumers.get('task.deleted')?.({ type: 'task.deleted', entityId: taskId, data: {} });
    const rows = (): Promise<unknown[]> => sql("select xmin::text, count(*) from notifications where user_id = ? and payload->>'excerpt' = '' group by 1 order by 1", [ada.userId]);
    await forget();
    const done = await rows();
    expect(done.map((row) => Number((row as { count: string }).count))).to.deep.equal([2_000, 2_000, 500]);
    await forget();
    expect(await rows()).to.deep.equal(done);
  });
});
