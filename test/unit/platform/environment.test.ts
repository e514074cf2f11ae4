import { readFileSync, statSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { databaseUrlOf, redisUrlOf } from '#config/connections.ts';
import { EnvironmentError, readEnvironment, Secret } from '#config/environment.ts';
import { exampleText } from '#config/example.ts';

const production = {
  NODE_ENV: 'production',
  BASE_URL: 'https://hivesync.example.com/',
  JWT_SECRET: 'j'.repeat(40),
  ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  WORKER_SHARED_SECRET: 'w'.repeat(40),
  DATABASE_URL: 'postgres://app:p%40ss@db.example.com/hive?sslmode=verify-full',
  REDIS_URL: 'rediss://:red%2Fis@redis.example.com:6380/2',
  STORAGE_DIR: '/srv/objects',
  EMAIL_PROVIDER: 'resend',
  EMAIL_FROM: 'HiveSync <hello@example.com>',
  RESEND_API_KEY: 'resend-key',
};

const faultsOf = (source: Record<string, string>, role: 'api' | 'worker' = 'api'): readonly string[] => {
  try {
    readEnvironment(source, { directory: '/nowhere', role });
  } catch (error) {
    if (error instanceof EnvironmentError) return error.faults;
    throw error;
  }
  return [];
};

describe('the environment', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hivesync-env-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('needs nothing at all on a development machine', () => {
    const env = readEnvironment({}, { directory: folder });
    expect(env).to.include({
      nodeEnv: 'development', production: false, port: 4000, baseUrl: 'http://localhost:4000', database: null, redis: null, contractReferee: true,
    });
    expect(env.storageDir).to.equal(join(folder, '.hivesync', 'storage'));
  });

  it('is frozen', () => {
    const env = readEnvironment({}, { directory: folder });
    expect(Object.isFrozen(env)).to.equal(true);
  });

  it('lists every fault at once, by name', () => {
    const faults = faultsOf({ NODE_ENV: 'test', PORT: '70000', LOG_LEVEL: 'loud', JWT_SECRET: 'short', CONTRACT_REFEREE: 'maybe', R2_BUCKET: 'b' });
    const names = faults.map((fault) => fault.split(' ')[0]);
    expect(names).to.include.members(['PORT', 'LOG_LEVEL', 'JWT_SECRET', 'CONTRACT_REFEREE', 'R2_ENDPOINT', 'R2_ACCESS_KEY', 'R2_SECRET_KEY']);
  });

  it('takes a mail server by its URL, and a sender that is one address', () => {
    const faulty = (SMTP_URL: string, EMAIL_FROM: string): string[] => faultsOf({ NODE_ENV: 'test', EMAIL_PROVIDER: 'smtp', SMTP_URL, EMAIL_FROM }).map((fault) => fault.split(' ')[0] ?? '');
    for (const url of ['https://mail.example.com', 'mail.example.com:25', 'smtp:', 'user:hunter2@mail.example.com']) expect(faulty(url, 'a@example.com'), url).to.deep.equal(['SMTP_URL']);
    for (const from of ['HiveSync', 'a@example.com, b@example.com', 'A <a@example.com> <b@example.com>', 'A <a@example.com>\r\nBcc: b@example.com', 'A a@example.com']) {
      expect(faulty('smtp://localhost:25', from), from).to.deep.equal(['EMAIL_FROM']);
    }
    for (const from of ['hello@example.com', 'HiveSync <hello@example.com>', '"Us, all of us" <hello@example.com>']) {
      expect(readEnvironment({ NODE_ENV: 'test', EMAIL_PROVIDER: 'smtp', SMTP_URL: 'smtps://u:p@mail.example.com', EMAIL_FROM: from }, { directory: folder }).emailFrom).to.equal(from);
    }
  });

  it('opens to webhooks only ranges that are ranges, and none as large as the internet', () => {
    const faulty = (OUTGOING_ALLOWED_RANGES: string): string[] => faultsOf({ NODE_ENV: 'test', OUTGOING_ALLOWED_RANGES }).map((fault) => fault.split(' ')[0] ?? '');
    expect(faulty('10.20.0.0/16, fd12:3456::/48')).to.deep.equal([]);
    for (const ranges of ['0.0.0.0/0', '::/0', '10.0.0.1', '10.0.0.0/16,anything']) expect(faulty(ranges), ranges).to.deep.equal(['OUTGOING_ALLOWED_RANGES']);
  });

  it('never repeats a value in a fault', () => {
    const faults = faultsOf({
      NODE_ENV: 'test', JWT_SECRET: 'hunter2', DATABASE_URL: 'mysql://root:hunter2@h/d', REDIS_URL: 'http://:hunter2@h', BASE_URL: 'https://u:hunter2@h',
      PORT: 'hunter2', ENCRYPTION_KEY: `hunter2${'x'.repeat(60)}`,
    });
    expect(faults).to.have.length(6);
    expect(faults.join()).not.to.include('hunter2');
  });

  it('names each setting that production lacks, and makes no secret there', () => {
    const faults = faultsOf({ NODE_ENV: 'production', DATA_DIR: join(folder, 'data') }).join('\n');
    for (const name of ['BASE_URL', 'JWT_SECRET', 'ENCRYPTION_KEY', 'WORKER_SHARED_SECRET', 'DATABASE_URL', 'REDIS_URL', 'R2_ENDPOINT', 'EMAIL_PROVIDER']) {
      expect(faults).to.match(new RegExp(`^${name}\\b`, 'm'));
    }
    expect(statSync(join(folder, 'data'), { throwIfNoEntry: false })).to.equal(undefined);
  });

  it('asks a production worker for what a worker needs alone, and gives it no secret it was not given', () => {
    const worker = { NODE_ENV: 'production', BASE_URL: production.BASE_URL, WORKER_SHARED_SECRET: production.WORKER_SHARED_SECRET, REDIS_URL: production.REDIS_URL };
    const env = readEnvironment(worker, { directory: folder, role: 'worker' });
    expect(env.workerSharedSecret.reveal()).to.equal(production.WORKER_SHARED_SECRET);
    expect(() => env.jwtSecret.reveal()).to.throw('JWT_SECRET is not set');
  });

  it('reads addresses out of URLs, decoded, and writes the same URL again', () => {
    const env = readEnvironment(production, { directory: folder });
    expect(env.production).to.equal(true);
    expect(env.baseUrl).to.equal('https://hivesync.example.com');
    expect(env.contractReferee).to.equal(false);
    expect(env.database).to.include({ host: 'db.example.com', port: 5432, user: 'app', database: 'hive', ssl: 'verify-full' });
    expect(env.database?.password?.reveal()).to.equal('p@ss');
    expect(env.redis).to.include({ host: 'redis.example.com', port: 6380, tls: true, db: 2 });
    expect(env.redis?.password?.reveal()).to.equal('red/is');
    if (env.database === null || env.redis === null) throw new Error('unreachable');
    expect(databaseUrlOf(env.database)).to.equal('postgres://app:p%40ss@db.example.com:5432/hive?sslmode=verify-full');
    expect(redisUrlOf(env.redis)).to.equal('rediss://:red%2Fis@redis.example.com:6380/2');
  });

  it('takes POSTGRES_* and REDIS_* in place of the URLs', () => {
    const env = readEnvironment({ NODE_ENV: 'test', DATA_DIR: folder, POSTGRES_HOST: 'db', POSTGRES_PASSWORD: 'pw', REDIS_HOST: 'cache', REDIS_PASSWORD: 'rpw' });
    expect(env.database).to.include({ host: 'db', port: 5432, user: 'hivesync', database: 'hivesync' });
    expect(env.redis).to.include({ host: 'cache', port: 6379, tls: false });
  });

  it('reads a Docker secret from NAME_FILE, without its line break, and refuses it beside NAME', () => {
    const file = join(folder, 'secret');
    writeFileSync(file, `${'s'.repeat(32)}\n`);
    const env = readEnvironment({ NODE_ENV: 'test', DATA_DIR: folder, JWT_SECRET_FILE: file });
    expect(env.jwtSecret.reveal()).to.equal('s'.repeat(32));
    expect(faultsOf({ NODE_ENV: 'test', JWT_SECRET: 'x'.repeat(40), JWT_SECRET_FILE: file })).to.deep.equal(['JWT_SECRET and JWT_SECRET_FILE are both set: keep one.']);
    expect(faultsOf({ NODE_ENV: 'test', JWT_SECRET_FILE: join(folder, 'none') })).to.deep.equal(['JWT_SECRET_FILE names a file that does not exist.']);
  });

  it('reads .env below the process environment, and not at all in tests', () => {
    writeFileSync(join(folder, '.env'), 'PORT=5001\nEMAIL_FROM="Us <us@example.com>" # comment\nLOG_LEVEL=\n');
    const env = readEnvironment({ PORT: '5002' }, { directory: folder });
    expect(env).to.include({ port: 5002, emailFrom: 'Us <us@example.com>', logLevel: 'info' });
    expect(readEnvironment({ NODE_ENV: 'test' }, { directory: folder }).port).to.equal(4000);
  });

  it('makes missing development secrets once, readable by us alone, and keeps them', () => {
    const first = readEnvironment({}, { directory: folder });
    const second = readEnvironment({}, { directory: folder });
    expect(first.jwtSecret.reveal()).to.have.length(43);
    expect(second.jwtSecret.reveal()).to.equal(first.jwtSecret.reveal());
    expect(first.encryptionKey.reveal()).not.to.equal(first.jwtSecret.reveal());
    expect(statSync(join(folder, '.hivesync', 'secrets.json')).mode & 0o777).to.equal(0o600);
  });

  it('adds a secret to a kept file that lacks it and leaves the others as they are', () => {
    const first = readEnvironment({ JWT_SECRET: 'g'.repeat(40) }, { directory: folder });
    const second = readEnvironment({}, { directory: folder });
    expect(second.encryptionKey.reveal()).to.equal(first.encryptionKey.reveal());
    expect(second.jwtSecret.reveal()).not.to.equal('g'.repeat(40));
  });

  it('prints no secret, whichever way it is printed', () => {
    const env = readEnvironment(production, { directory: folder });
    const printed = [inspect(env, { depth: 9, showHidden: true }), JSON.stringify(env), `${env.jwtSecret.toString()} ${String(env.jwtSecret)}`].join('\n');
    for (const value of [production.JWT_SECRET, production.ENCRYPTION_KEY, 'p@ss', 'p%40ss', 'red/is', 'resend-key']) {
      expect(printed).not.to.include(value);
    }
    expect(String(new Secret('x'))).to.equal('[secret]');
  });
});

describe('.env.example', () => {
  it('is what the table of variables says (node src/config/example.ts writes it)', () => {
    expect(readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8')).to.equal(exampleText());
  });

  it('can be taken as .env as it is', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hivesync-env-'));
    try {
      writeFileSync(join(folder, '.env'), exampleText());
      expect(() => readEnvironment({}, { directory: folder })).not.to.throw();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
