import type { Knex } from 'knex';

/**
 * What every later migration stands on: trigram search, the trigger function that keeps `updated_at`, and a list of
 * things done once per database (the demo seed, for instance).
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`SET LOCAL lock_timeout = '5s'`);
  await knex.raw('CREATE EXTENSION IF NOT EXISTS pg_trgm');
  // Left alone where nothing changed, so that an UPDATE that writes the same values does not make a new version (ETag).
  await knex.raw(`
    CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW IS DISTINCT FROM OLD THEN
        NEW.updated_at := clock_timestamp();
      END IF;
      RETURN NEW;
    END
    $$
  `);
  // SELECT keep_updated_at('tasks') once per table that has the column.
  await knex.raw(`
    CREATE FUNCTION keep_updated_at(target regclass) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
      EXECUTE format(
        'CREATE TRIGGER keep_updated_at BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION set_updated_at()', target
      );
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
  await knex.raw('DROP FUNCTION keep_updated_at(regclass)');
  await knex.raw('DROP FUNCTION set_updated_at()');
  await knex.raw('DROP EXTENSION IF EXISTS pg_trgm');
}
