import type { Knex } from 'knex';

/** The table may be large, so indexes are built beside the traffic; that takes each statement out of a transaction. */
export const config = { transaction: false };

const ofComments = "type in ('comment.created', 'comment.replied', 'comment.mentioned')";
const indexes = { notifications_comment_idx: 'comment_id', notifications_commented_idx: 'entity_id' };

/** Who was told of a comment, and of comments on a thing: what was said is taken out there too when it is deleted. */
export async function up(knex: Knex): Promise<void> {
  for (const [name, key] of Object.entries(indexes)) {
    // One that a build broken off has left is not valid.
    await knex.raw(`drop index if exists ${name}`);
    await knex.raw(`create index concurrently ${name} on notifications ((payload->>'${key}')) where ${ofComments}`);
  }
}

export async function down(knex: Knex): Promise<void> {
  for (const name of Object.keys(indexes)) await knex.raw(`drop index concurrently if exists ${name}`);
}
