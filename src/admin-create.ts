/**
 * `npm run admin:create -- --email … --username …`: makes an administrator, in production too, from the console of a
 * machine that reaches the database. The password is typed, or read from standard input; never an argument.
 *
 * Exit codes: 0 it is an administrator (also when it was one already) · 1 something failed, nothing was changed ·
 * 2 the command or what it was given is wrong · 3 there is such an account, and what to do about it has to be said.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EnvironmentError, readEnvironment, type Environment } from '#config/environment.ts';
import { isCommonPassword } from '#domains/auth/common-passwords.ts';
import { Passwords } from '#domains/auth/passwords.ts';
import { createAdministrator, findAccounts, promote, type FoundAccount } from '#domains/users/administrators.ts';
import { validators } from '#generated/validators/requests.gen.ts';
import { type Database, openDatabase } from '#platform/database.ts';
import { findEmbeddedPostgres } from '#platform/embedded/postgres.ts';
import { findEmbeddedRedis } from '#platform/embedded/redis.ts';
import { missingMigrations } from '#platform/migrate.ts';
import { openRedis, redisReady } from '#platform/redis.ts';
import { announceAccountChange } from '#platform/revocations.ts';
import { askSecret, readSecret } from '#platform/secret-input.ts';

/** Ends the command with a text for the person at the console. */
class Refusal extends Error {
  readonly exitCode: 1 | 2 | 3;

  constructor(exitCode: 1 | 2 | 3, message: string) {
    super(message);
    this.name = 'Refusal';
    this.exitCode = exitCode;
  }
}

const usage = `Usage: npm run admin:create -- --email <address> --username <name> [--password-stdin]
       npm run admin:create -- --email <address> --promote

  --email           the account's address; it counts as confirmed
  --username        3 to 30 letters, digits, _ and -
  --password-stdin  reads the password from standard input; without it, it is asked for at the terminal
  --promote         makes an account that there is already an administrator; its password stays`;

interface Wish {
  readonly email: string;
  readonly username: string | null;
  readonly mayPromote: boolean;
  readonly fromStandardInput: boolean;
}

function readArguments(args: readonly string[]): Wish {
  if (args.some((one) => one === '--password' || one.startsWith('--password='))) {
    throw new Refusal(2, 'A password is never an argument: every user of this machine could read it. Leave it out, and it is asked for.');
  }
  try {
    const { values } = parseArgs({
      args: [...args], strict: true, allowPositionals: false,
      options: {
        email: { type: 'string' }, username: { type: 'string' }, promote: { type: 'boolean' }, 'password-stdin': { type: 'boolean' }, help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true || values.email === undefined) throw new Refusal(2, usage);
    return {
      email: values.email, username: values.username ?? null,
      mayPromote: values.promote === true, fromStandardInput: values['password-stdin'] === true || !process.stdin.isTTY,
    };
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(2, `${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}

/** The environment's database and Redis, or on a development machine those that `npm start` runs. */
async function located(env: Environment): Promise<Environment> {
  if (env.production) return env;
  const database = env.database ?? await findEmbeddedPostgres(join(env.dataDir, 'postgres'));
  if (database === null) throw new Refusal(1, `No database: nothing is configured, and npm start does not run on ${env.dataDir}. Start it, or set DATABASE_URL.`);
  return { ...env, database, redis: env.redis ?? findEmbeddedRedis(join(env.dataDir, 'redis')) };
}

/** What registerUser would take, by its contract and by its list of common passwords. */
function requireRegistrable(account: { email: string; username: string; password: string }): void {
  const validate = validators.registerUser.body;
  if (validate === undefined) throw new Error('The contract has no body for registerUser.');
  if (!validate(account)) {
    const faults = (validate.errors ?? []).map(({ instancePath, message }) => `  - ${instancePath.slice(1) || 'the account'} ${message ?? 'is not valid'}`);
    throw new Refusal(2, `No account was made:\n${[...new Set(faults)].join('\n')}`);
  }
  if (isCommonPassword(account.password, account)) throw new Refusal(2, 'No account was made: this password is among the first that somebody would guess.');
}

async function givenPassword(fromStandardInput: boolean): Promise<string> {
  if (fromStandardInput) {
    const given = await readSecret(process.stdin);
    if (given === null) throw new Refusal(2, 'Standard input must hold the password, on one line and nothing else.');
    return given;
  }
  const say = (text: string): void => void process.stderr.write(text);
  const first = await askSecret('Password (12 characters or more, not shown): ', process.stdin, say);
  if (await askSecret('Once more: ', process.stdin, say) !== first) throw new Refusal(2, 'The two differ. No account was made.');
  return first;
}

async function raise(db: Database, env: Environment, account: FoundAccount, { email, username, mayPromote }: Wish): Promise<string> {
  const isTheOne = account.email.toLowerCase() === email.toLowerCase() && (username === null || account.username.toLowerCase() === username.toLowerCase());
  if (!isTheOne) throw new Refusal(3, `Another account has that address or name: ${account.username} <${account.email}>. Nothing was changed.`);
  if (account.deleted_at !== null) throw new Refusal(3, 'This account was deleted; its address and name are free once it is erased. Nothing was changed.');
  if (account.suspended_at !== null) throw new Refusal(3, 'This account is suspended. Lift that first. Nothing was changed.');
  if (account.is_admin_for_good) return `${account.username} <${account.email}> is an administrator already. Nothing was changed.`;
  if (!mayPromote) throw new Refusal(3, `There is an account ${account.username} <${account.email}>. Run this again with --promote to make it an administrator.`);
  if (env.emailVerification === 'required' && account.email_verified_at === null) {
    throw new Refusal(3, 'Nobody has confirmed the address of this account: whoever made it need not be who you mean. Nothing was changed.');
  }
  await promote(db, account.id);
  await announce(env, account.id);
  return `${account.username} <${account.email}> is an administrator from now on. Its password is what it was.`;
}

async function create(db: Database, env: Environment, { email, username, fromStandardInput }: Wish): Promise<string> {
  if (username === null) throw new Refusal(2, `There is no account ${email}. To make one, name it: --username.`);
  const account = { email, username, password: await givenPassword(fromStandardInput) };
  requireRegistrable(account);
  const id = await createAdministrator(db, { email, username, passwordHash: await new Passwords().hash(account.password) });
  if (id === null) throw new Refusal(3, 'Somebody took that address or name in this moment. Run this again.');
  await announce(env, id);
  return `${username} <${email}> is an administrator. Sign in with its password.`;
}

/** Every API process reads the account anew at once; where Redis does not answer, within three seconds. */
async function announce(env: Environment, userId: string): Promise<void> {
  if (env.redis === null) return;
  const redis = openRedis(env);
  try {
    await redisReady(redis, 2_000);
    await announceAccountChange(redis, userId);
  } catch {
    // Nobody has to hear of it at once.
  } finally {
    redis.disconnect();
  }
}

async function run(): Promise<string> {
  const wish = readArguments(process.argv.slice(2));
  const env = await located(readEnvironment(undefined, { role: 'api' }));
  const db = openDatabase({ ...env, postgresPoolSize: 2 });
  try {
    const missing = await missingMigrations(db);
    if (missing.length > 0) throw new Refusal(1, `The database lacks ${missing.length} migrations. Run npm run db:migrate first.`);
    const [account, another] = await findAccounts(db, wish.email, wish.username);
    if (another !== undefined) throw new Refusal(3, 'One account has that address and another one that name. Nothing was changed.');
    return account === undefined ? await create(db, env, wish) : await raise(db, env, account, wish);
  } finally {
    await db.close();
  }
}

try {
  console.log(await run());
} catch (error) {
  const isExpected = error instanceof Refusal || error instanceof EnvironmentError;
  console.error(isExpected ? error.message : `No account was changed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = error instanceof Refusal ? error.exitCode : 1;
}
