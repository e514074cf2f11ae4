/**
 * The environment: read once at the start, checked as a whole, typed and frozen. Nothing else reads process.env.
 *
 * What there is to set stands in variables.ts; a variable `R2_ACCESS_KEY` is the property `r2AccessKey` here.
 */
import { join } from 'node:path';
import {
  databaseAddressOf, redisAddressOf, type Address, type DatabaseAddress, type RedisAddress,
} from './connections.ts';
import { propertyName, type Definition, type PropertyName, type Role, type ValueOf } from './definition.ts';
import { keptSecrets } from './kept-secrets.ts';
import { isRange, keyBytes, parseValue } from './parse.ts';
import { Secret } from './secret.ts';
import { gatherRawValues, readTextFromDisk, type RawValues, type ReadText } from './sources.ts';
import { variables, type VariableName } from './variables.ts';

export { Secret };
export type { DatabaseAddress, RedisAddress, Role };

type Variables = { readonly [Name in VariableName as PropertyName<Name>]: ValueOf<(typeof variables)[Name]> };

/** The variables, and what follows from several of them together. */
export interface Environment extends Omit<Variables, 'baseUrl' | 'storageDir' | 'databaseUrl' | 'redisUrl'> {
  readonly baseUrl: string;
  readonly storageDir: string;
  readonly production: boolean;
  /** From DATABASE_URL or POSTGRES_*; null where neither is set, which only a development machine may have. */
  readonly database: DatabaseAddress | null;
  /** From REDIS_URL or REDIS_*; null where neither is set, which only a development machine may have. */
  readonly redis: RedisAddress | null;
  /** Every secret value that is set, so that the log can strike out each by its very text. */
  readonly secrets: readonly Secret[];
  /** Variables that were set by somebody, as against defaults and generated ones. */
  readonly given: ReadonlySet<VariableName>;
}

export interface ReadOptions {
  /** Which process reads: it decides what production requires. Default api. */
  readonly role?: Role;
  /** Where `.env` lies and relative paths begin. Default: the working directory. */
  readonly directory?: string;
  readonly readText?: ReadText;
}

/** Every fault of the environment at once, one line each. It holds names and rules, never values. */
export class EnvironmentError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`The environment has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
    this.name = 'EnvironmentError';
    this.faults = faults;
  }
}

/**
 * Reads and checks the environment. Outside production, secrets that are missing are made once and kept in
 * `<DATA_DIR>/secrets.json`; in production they are faults. Throws one EnvironmentError that lists every fault.
 */
export function readEnvironment(
  source: Readonly<Record<string, string | undefined>> = process.env,
  options: ReadOptions = {},
): Environment {
  const role = options.role ?? 'api';
  const directory = options.directory ?? process.cwd();
  const faults: string[] = [];
  const raw = gatherRawValues(source, directory, options.readText ?? readTextFromDisk, faults);
  const production = raw.NODE_ENV?.trim() === 'production';
  const values = parseAll(raw, directory, production, role, faults);
  const settled = settle(values, raw, production, role, faults);
  if (faults.length > 0) throw new EnvironmentError(faults);
  fillKeptSecrets(settled, production);
  return Object.freeze({
    ...settled,
    production,
    secrets: Object.freeze(secretsIn(settled)),
    given: new Set(Object.keys(raw) as VariableName[]),
  }) as unknown as Environment;
}

function parseAll(raw: RawValues, directory: string, production: boolean, role: Role, faults: string[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, definition] of Object.entries(variables) as [VariableName, Definition][]) {
    const text = raw[name];
    if (text === undefined) {
      if (production && definition.requiredFor?.includes(role)) faults.push(missing(name));
      values[propertyName(name)] = defaultOf(definition, directory, production);
      continue;
    }
    const parsed = parseValue(definition, text, directory);
    if ('fault' in parsed) {
      faults.push(`${name} ${parsed.fault}.`);
      values[propertyName(name)] = defaultOf(definition, directory, production);
    } else {
      values[propertyName(name)] = parsed.value;
    }
  }
  return values;
}

function defaultOf(definition: Definition, directory: string, production: boolean): unknown {
  if (definition.kind === 'kept secret') return null;
  if (definition.kind === 'switch') return definition.default === 'outside production' ? !production : definition.default;
  if (definition.kind === 'path' && definition.default !== null) return join(directory, definition.default);
  return definition.default;
}

const missing = (name: VariableName): string => `${name} is required in production: ${variables[name].description}`;

/** What several variables say together: addresses, storage, mail. */
function settle(
  values: Record<string, unknown>, raw: RawValues, production: boolean, role: Role, faults: string[],
): Record<string, unknown> {
  const { databaseUrl: _databaseUrl, redisUrl: _redisUrl, ...rest } = values;
  const settled: Record<string, unknown> = rest;
  const known = values as unknown as Variables;
  settled['baseUrl'] = known.baseUrl ?? `http://localhost:${known.port}`;
  settled['storageDir'] = known.storageDir ?? join(known.dataDir, 'storage');
  settled['database'] = databaseOf(known, production, role, faults);
  settled['redis'] = redisOf(known, production, faults);

  if (!production && raw.EMAIL_VERIFICATION === undefined) settled['emailVerification'] = 'off';

  const r2 = ['R2_ENDPOINT', 'R2_BUCKET', 'R2_ACCESS_KEY', 'R2_SECRET_KEY'] as const;
  const absent = r2.filter((name) => raw[name] === undefined);
  if (absent.length > 0 && absent.length < r2.length) {
    for (const name of absent) faults.push(`${name} is required beside the other R2_* variables: ${variables[name].description}`);
  } else if (production && role === 'api' && absent.length === r2.length && raw.STORAGE_DIR === undefined) {
    faults.push('R2_ENDPOINT, R2_BUCKET, R2_ACCESS_KEY and R2_SECRET_KEY are required in production, or STORAGE_DIR for storage on one file system.');
  }
  if (known.emailProvider === 'resend' && known.resendApiKey === null) faults.push('RESEND_API_KEY is required by EMAIL_PROVIDER=resend.');
  if (known.emailProvider === 'smtp' && known.smtpUrl === null) faults.push('SMTP_URL is required by EMAIL_PROVIDER=smtp.');
  if (known.smtpUrl !== null && !isSmtpUrl(known.smtpUrl.reveal())) faults.push('SMTP_URL must be a URL like smtps://user:password@host:465 (smtp: or smtps:).');
  if (!sender.test(known.emailFrom)) faults.push('EMAIL_FROM must be one address, or a name and an address: HiveSync <hello@example.com>.');
  if (production && role === 'api' && known.emailProvider === 'console') faults.push('EMAIL_PROVIDER must be resend or smtp in production.');
  if (production && role === 'api' && known.emailProvider !== 'console' && raw.EMAIL_FROM === undefined) faults.push(missing('EMAIL_FROM'));
  if (!known.outgoingAllowedRanges.every(isRange)) faults.push('OUTGOING_ALLOWED_RANGES must be ranges like 10.20.0.0/16 or fd12::/16, none larger than /8 (/7 of IPv6).');
  if (known.scalingDriver === 'http' && known.scalingUrl === null) faults.push('SCALING_URL is required by SCALING_DRIVER=http.');
  if (known.localAiEnabled && known.localAiModelPath === null) faults.push('LOCAL_AI_MODEL_PATH is required by LOCAL_AI_ENABLED.');
  if (known.encryptionKeyPrevious !== null && keyBytes(known.encryptionKeyPrevious.reveal()) === null) {
    faults.push('ENCRYPTION_KEY_PREVIOUS must be 32 bytes in base64 or hex.');
  }
  return settled;
}

const sender = /^(?:[^<>\p{Cc}]*<[^\s<>@,\p{Cc}]+@[^\s<>@,\p{Cc}]+>|[^\s<>@,\p{Cc}]+@[^\s<>@,\p{Cc}]+)$/u;

function isSmtpUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && (url.protocol === 'smtp:' || url.protocol === 'smtps:') && url.hostname !== '';
}

function databaseOf(known: Variables, production: boolean, role: Role, faults: string[]): DatabaseAddress | null {
  if (known.databaseUrl !== null) {
    return addressOr(databaseAddressOf(known.databaseUrl.reveal(), known.postgresSsl), 'DATABASE_URL', faults);
  }
  if (known.postgresHost !== null) {
    if (production && known.postgresPassword === null) faults.push(missing('POSTGRES_PASSWORD'));
    return {
      host: known.postgresHost, port: known.postgresPort, user: known.postgresUser,
      password: known.postgresPassword, database: known.postgresDb, ssl: known.postgresSsl,
    };
  }
  // A worker has no database: it knows the backend only by its worker operations.
  if (production && role === 'api') faults.push('DATABASE_URL, or POSTGRES_HOST with its companions, is required in production.');
  return null;
}

function redisOf(known: Variables, production: boolean, faults: string[]): RedisAddress | null {
  if (known.redisUrl !== null) return addressOr(redisAddressOf(known.redisUrl.reveal()), 'REDIS_URL', faults);
  if (known.redisHost !== null) {
    return { host: known.redisHost, port: known.redisPort, username: null, password: known.redisPassword, tls: false, db: 0 };
  }
  if (production) faults.push('REDIS_URL or REDIS_HOST is required in production.');
  return null;
}

function addressOr<A>(address: Address<A>, name: VariableName, faults: string[]): A | null {
  if ('value' in address) return address.value;
  faults.push(`${name} ${address.fault}.`);
  return null;
}

/** A production process that was not asked for a secret (a worker needs no JWT_SECRET) gets one that cannot be revealed. */
function fillKeptSecrets(settled: Record<string, unknown>, production: boolean): void {
  const absent = (Object.entries(variables) as [VariableName, Definition][])
    .filter(([name, definition]) => definition.kind === 'kept secret' && settled[propertyName(name)] === null)
    .map(([name]) => name);
  if (absent.length === 0) return;
  if (production) {
    for (const name of absent) settled[propertyName(name)] = Secret.absent(name);
    return;
  }
  const kept = keptSecrets(String(settled['dataDir']), absent);
  for (const name of absent) settled[propertyName(name)] = new Secret(kept[name] ?? '');
}

/** Every Secret among the values, and the passwords inside the addresses. */
function secretsIn(settled: Record<string, unknown>): Secret[] {
  const { database, redis, ...rest } = settled as { database: DatabaseAddress | null; redis: RedisAddress | null };
  return [...Object.values(rest), database?.password, redis?.password]
    .filter((value) => value instanceof Secret)
    .filter((secret) => !secret.isAbsent);
}
