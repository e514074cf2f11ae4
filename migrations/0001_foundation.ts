import type { Knex } from 'knex';

/**
 * What every later migration stands on: trigram search, the trigger function `touch_row` that keeps `updated_at` and `row_version`, and a list of
 * things done once per database (the demo seed, for instance).
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`SET LOCAL lock_timeout = '5s'`);
  await knex.raw('CREATE EXTENSION IF NOT EXISTS pg_trgm');
  // Left alone where nothing changed, so that an UPDATE that writes the same values does not make a new version (ETag).
  await knex.raw(`
    CREATE FUNCTION touch_row() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW IS DISTINCT FROM OLD THEN
        -- Always later than before, so that a version made of it never stands for two states.
        NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at + interval '1 millisecond');
        NEW.row_version := OLD.row_version + 1;
      END IF;
      RETURN NEW;
    END
    $$
  `);
  await knex.raw(`
    CREATE TABLE done_once (
      name text PRIMARY KEY CHECK (name <> ''),
      done_at timestamptz(3) NOT NULL DEFAULT now()
    )
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`SET LOCAL lock_timeout = '5s'`);
  await knex.raw('DROP TABLE done_once');
  await knex.raw('DROP FUNCTION touch_row()');
  await knex.raw('DROP EXTENSION IF EXISTS pg_trgm');
}
