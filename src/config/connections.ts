import { Secret } from './secret.ts';

/** Where the database is, with everything a client needs to reach it. */
export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: Secret | null;
  readonly database: string;
  readonly ssl: 'disable' | 'require' | 'verify-full';
}

/** Where Redis is, with everything a client needs to reach it. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly username: string | null;
  readonly password: Secret | null;
  readonly tls: boolean;
  readonly db: number;
}

export type Address<A> = { readonly value: A } | { readonly fault: string };

/** Reads `postgres://user:password@host:port/name?sslmode=…`; the fault never repeats the URL. */
export function databaseAddressOf(text: string, defaultSsl: DatabaseAddress['ssl']): Address<DatabaseAddress> {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') || url.hostname === '') {
    return { fault: 'must be a URL like postgres://user:password@host:5432/name' };
  }
  const database = decodeURIComponent(url.pathname.slice(1));
  if (database === '') return { fault: 'must name the database, as in postgres://user:password@host:5432/name' };
  const mode = url.searchParams.get('sslmode') ?? defaultSsl;
  if (mode !== 'disable' && mode !== 'require' && mode !== 'verify-full') {
    return { fault: 'has an sslmode other than disable, require and verify-full' };
  }
  return {
    value: {
      host: bareHost(url.hostname),
      port: url.port === '' ? 5432 : Number(url.port),
      user: url.username === '' ? 'hivesync' : decodeURIComponent(url.username),
      password: url.password === '' ? null : new Secret(decodeURIComponent(url.password)),
      database,
      ssl: mode,
    },
  };
}

/** Reads `redis://user:password@host:port/db` (rediss: for TLS); the fault never repeats the URL. */
export function redisAddressOf(text: string): Address<RedisAddress> {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'redis:' && url.protocol !== 'rediss:') || url.hostname === '') {
    return { fault: 'must be a URL like redis://:password@host:6379/0' };
  }
  const db = url.pathname.replace('/', '');
  if (!/^\d{0,3}$/.test(db)) return { fault: 'has a path that is not a database number' };
  return {
    value: {
      host: bareHost(url.hostname),
      port: url.port === '' ? 6379 : Number(url.port),
      username: url.username === '' ? null : decodeURIComponent(url.username),
      password: url.password === '' ? null : new Secret(decodeURIComponent(url.password)),
      tls: url.protocol === 'rediss:',
      db: Number(db),
    },
  };
}

/** The address as a URL, for handing it to a child process in its environment. Handle it as a secret. */
export const databaseUrlOf = (address: DatabaseAddress): string =>
  `postgres://${credentials(address.user, address.password)}${urlHost(address.host)}:${address.port}/${encodeURIComponent(address.database)}?sslmode=${address.ssl}`;

/** The address as a URL, for handing it to a child process in its environment. Handle it as a secret. */
export const redisUrlOf = (address: RedisAddress): string =>
  `${address.tls ? 'rediss' : 'redis'}://${credentials(address.username ?? '', address.password)}${urlHost(address.host)}:${address.port}/${address.db}`;

const credentials = (user: string, password: Secret | null): string => {
  if (password === null) return user === '' ? '' : `${encodeURIComponent(user)}@`;
  return `${encodeURIComponent(user)}:${encodeURIComponent(password.reveal())}@`;
};

const bareHost = (host: string): string => host.replace(/^\[|\]$/g, '');
const urlHost = (host: string): string => (host.includes(':') ? `[${host}]` : host);
