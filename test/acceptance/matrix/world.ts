/**
 * Who and what the generated guarantees ask about: people of every standing, a team, a worker node; and projects,
 * previews, sessions and keys made anew for each request, so that none sees what another changed. What an operation
 * makes is made by it; memberships, tiers and bad standings are written to the database.
 */
import { createHash, hkdfSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import jwt from 'jsonwebtoken';
import pg from 'pg';
import type { LoginResult, TokenPair } from '#sdk/index.ts';
import type { System, SystemOptions } from '../../support/system.ts';
import { apiKeyFor, signatureOf, type Node } from '../../support/properties/credentials.ts';
import { envelopeOf, type WireAnswer, type WireRequest, Wire } from '../../support/properties/wire.ts';
import { Secrets } from './secrets.ts';

export const basePath = '/api/v1';
const jwtSecret = 'the-jwt-secret-of-the-generated-guarantees';
const workerSecret = 'the-worker-secret-of-the-generated-guarantees';
export const password = 'a generated guarantee holds';

/** How the system of these tests is set up: each request may come from an address of its own, and addresses have to be confirmed. */
export const systemOptions: SystemOptions = {
  variables: { TRUSTED_PROXIES: '127.0.0.1', EMAIL_VERIFICATION: 'required', JWT_SECRET: jwtSecret, WORKER_SHARED_SECRET: workerSecret, OUTGOING_ALLOWED_RANGES: '127.0.0.1/32' },
};

export interface Person {
  readonly id: string;
  readonly email: string;
  readonly username: string;
  readonly password: string;
  readonly accessToken: string;
  readonly sessionId: string;
  readonly standing: Standing;
}

export type Standing = 'good' | 'unconfirmed' | 'old' | 'suspended' | 'revoked' | 'deleted' | 'expired';
/** Whether the API lets this person do anything at all. */
export const canAct = ({ standing }: Person): boolean => standing === 'good' || standing === 'unconfirmed' || standing === 'old';
export type TeamRole = 'Owner' | 'Admin' | 'Member';

/** Whom one request is about. */
export interface Scene {
  /** The person who sends it; somebody who is gone where none does. */
  readonly self: Person;
  /** Owns what is acted on. */
  readonly owner: Person;
  /** Member of the owner's projects. */
  readonly member: Person;
}

let people = 0;

export class World {
  readonly system: System;
  readonly #wire: Wire;
  /** For what a request needs: those that are tested may all be waiting for an answer. */
  readonly #own: Wire;
  readonly #pool: pg.Pool;
  readonly secrets = new Secrets();
  /** Owner beside the owner of every project: asks for the previews that others then act on. */
  maker!: Person;
  /** Signs in and registers where it does not matter who. */
  visitor!: Person;
  teamId = '';
  node!: Node;
  /** Takes whatever webhooks send, so that nothing of it is tried again while something else is looked at. */
  readonly #receiver = createServer((request, response) => { request.resume().on('end', () => response.writeHead(204).end()); });

  private constructor(system: System, pool: pg.Pool) {
    this.system = system;
    this.#wire = new Wire(system.baseUrl);
    this.#own = new Wire(system.baseUrl);
    this.#pool = pool;
  }

  static async open(system: System): Promise<World> {
    const world = new World(system, new pg.Pool({ connectionString: system.databaseUrl, max: 4 }));
    await new Promise<void>((resolve) => world.#receiver.listen(0, '127.0.0.1', resolve));
    // Limits have tests of their own.
    await world.sql(`
      update tier_limits set api_requests_per_minute = null, preview_jobs_per_minute = null, preview_jobs_per_day = null, preview_jobs_at_once = null,
             projects = null, api_keys = null, streams_at_once = null`);
    world.visitor = await world.registered();
    await world.sql("update users set tier = 'premium', email_verified_at = now() where id = $1", [world.visitor.id]);
    world.maker = await world.person();
    world.teamId = randomUUID();
    await world.sql('insert into teams (id, owner_id, name) values ($1, $2, $3)', [world.teamId, world.maker.id, 'Pollen']);
    world.node = { id: 'guarantees-node', key: workerSecret };
    const { worker, node_key } = await world.asNode<{ worker: { id: string }; node_key: string }>('/workers/register', registration(world.node.id));
    world.node = { id: worker.id, key: Buffer.from(node_key, 'base64url') };
    return world;
  }

  /** Where webhooks of these tests are sent. */
  get hookUrl(): string {
    return `http://127.0.0.1:${(this.#receiver.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#receiver.close();
    this.#receiver.closeAllConnections();
    this.#wire.close();
    this.#own.close();
    await this.#pool.end();
  }

  /** That nothing secret that went over the wire so far stands in a log, or in the database as it is. */
  async expectSecretsKept(): Promise<void> {
    const places = new Map([['a log', this.system.logs().join('\n')]]);
    const tables = await this.sql<{ name: string }>("select tablename as name from pg_tables where schemaname = 'public'");
    for (const { name } of tables) {
      const [row] = await this.sql<{ text: string | null }>(`select string_agg(to_jsonb(t)::text, E'\n') as text from ${name} t`);
      places.set(name, row?.text ?? '');
    }
    const found = [...places].flatMap(([place, text]) => this.secrets.foundIn(text).map((name) => `${name} in ${place}`));
    if (found.length > 0) throw new Error(`What is secret was written down: ${found.join(', ')}.`);
  }

  async sql<Row = Record<string, unknown>>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.#pool.query(text, [...values])).rows as Row[];
  }

  /** Does `work` while a connection holds an advisory lock. */
  async holding(lock: number, work: () => Promise<void>): Promise<void> {
    const client = await this.#pool.connect();
    try {
      await client.query('select pg_advisory_lock($1)', [lock]);
      await work();
    } finally {
      await client.query('select pg_advisory_unlock($1)', [lock]);
      client.release();
    }
  }

  /** Forgets what was counted against any limit: these tests ask more often than anybody would. */
  async forgetLimits(): Promise<void> {
    const { redis } = this.system;
    for await (const keys of redis.scanStream({ match: '*rate_limit:*', count: 500 }) as AsyncIterable<string[]>) {
      if (keys.length > 0) await redis.unlink(...keys);
    }
  }

  /** Sends the request that is tested. */
  async send(request: WireRequest): Promise<WireAnswer> {
    return this.#heard(this.#wire, request);
  }

  async #heard(wire: Wire, request: WireRequest): Promise<WireAnswer> {
    const { headers = {}, body } = request;
    const credential = headers['authorization']?.replace('Bearer ', '') ?? headers['x-api-key'];
    if (credential !== undefined) this.secrets.add(credential, 'credential');
    if (headers['idempotency-key'] !== undefined) this.secrets.add(headers['idempotency-key'], 'Idempotency-Key');
    if (typeof body === 'string' && headers['content-type']?.startsWith('application/json') === true) this.secrets.hear(JSON.parse(body));
    const answer = await wire.send(request);
    if (String(answer.headers['content-type']).startsWith('application/json') && answer.text.startsWith('{')) this.secrets.hear((JSON.parse(answer.text) as { data: unknown }).data);
    return answer;
  }

  /** What a request that has to succeed is answered. */
  async data<T>(method: string, path: string, options: { readonly as?: Person; readonly json?: unknown; readonly headers?: Readonly<Record<string, string>> } = {}): Promise<T> {
    const { as, json, headers = {} } = options;
    const answer = await this.#heard(this.#own, {
      method, path: `${basePath}${path}`, body: json === undefined ? null : JSON.stringify(json),
      headers: { ...headers, ...(json === undefined ? {} : jsonType), ...(as === undefined ? {} : { authorization: `Bearer ${as.accessToken}` }) },
    });
    return dataOf<T>(answer, `${method} ${path}`);
  }

  /**
   * A new account, signed in, with its address confirmed unless told otherwise. They are made by the hundred: written to
   * the database beside the one that registered, with its password, and with tokens signed here as the server signs them.
   */
  async person({ standing = 'good', tier = 'premium' }: { readonly standing?: Standing; readonly tier?: 'premium' | 'admin' } = {}): Promise<Person> {
    const { email, username } = newName();
    const [id, sessionId] = [randomUUID(), randomUUID()];
    const agoSeconds = standing === 'old' ? 960 : 0;
    await this.sql(`
      with person as (
        insert into users (id, email, username, password_hash, tier, email_verified_at, suspended_at, deleted_at)
        select $1, $2, $3, password_hash, $4, case when $5 <> 'unconfirmed' then now() end, case when $5 = 'suspended' then now() end, case when $5 = 'deleted' then now() end
          from users where id = $6
        returning id
      ), profile as (insert into user_profiles (user_id) select id from person)
      insert into sessions (id, user_id, ip_address, authenticated_at) select $7, id, '127.0.0.1', now() - $8 * interval '1 second' from person`,
    [id, email, username, tier, standing, this.visitor.id, sessionId, agoSeconds]);
    const accessToken = signed(this.visitor.accessToken, { userId: id, sessionId, tier, agoSeconds, isOver: standing === 'expired' });
    const person = { id, email, username, password, accessToken, sessionId, standing };
    if (standing === 'revoked') await this.#heard(this.#own, { method: 'POST', path: `${basePath}/auth/logout`, headers: { authorization: `Bearer ${accessToken}` } });
    return person;
  }

  /** Somebody who has registered just now, and is mailed a link to confirm the address by. */
  async registered(): Promise<Person> {
    const { email, username } = newName();
    const pair = await this.data<TokenPair>('POST', '/auth/register', { json: { email, username, password } });
    return { id: pair.user.id, email, username, password, ...tokensOf(pair), standing: 'unconfirmed' };
  }

  /** A new session of a person, by the password and, where one is asked for, a code of the second factor. */
  async signIn(person: Person, { device, code }: { readonly device?: Record<string, string>; readonly code?: string } = {}): Promise<Person & { readonly refreshToken: string }> {
    const { email, password } = person;
    const result = await this.data<LoginResult>('POST', '/auth/login', { json: { email, password, ...(device === undefined ? {} : { device }) } });
    const pair = result.token_type === 'Bearer' ? result : await this.data<TokenPair>('POST', '/auth/mfa/verify', { json: { challenge_token: result.challenge_token, code } });
    return { ...person, ...tokensOf(pair), refreshToken: pair.refresh_token, standing: 'good' };
  }

  /** The token in the newest mail to an address. */
  async mailedToken(email: string, about: RegExp): Promise<string> {
    const { action } = await this.system.mail(email, about);
    const token = /#token=([\w-]+)$/.exec(action ?? '')?.[1];
    if (token === undefined) throw new Error(`There is no token in the mail to ${email}: ${action}`);
    this.secrets.add(token, 'token in a mail');
    return token;
  }

  async join(person: Person, role: TeamRole): Promise<void> {
    await this.sql('insert into team_members (id, team_id, user_id, role) values ($1, $2, $3, $4)', [randomUUID(), this.teamId, person.id, role]);
  }

  /** A project of the scene's owner in the team, with the scene's member in it. */
  async project({ owner, member }: Scene): Promise<string> {
    const id = randomUUID();
    await this.sql('insert into projects (id, owner_id, team_id, name) values ($1, $2, $3, $4)', [id, owner.id, this.teamId, 'Field Notes']);
    await this.sql(`insert into project_members (id, project_id, user_id, role) values ($1, $3, $4, 'Member'), ($2, $3, $5, 'Owner')`, [randomUUID(), randomUUID(), id, member.id, this.maker.id]);
    return id;
  }

  /** An API key, as createApiKey writes it. */
  async apiKey(owner: Pick<Person, 'id'>, scopes: readonly string[], projectIds: readonly string[] | null = null, name = 'CI'): Promise<string> {
    const key = await apiKeyFor(this.system, owner.id, scopes, projectIds);
    await this.sql('update api_keys set name = $2 where hashed_key = $1', [createHash('sha256').update(key).digest(), name]);
    return key;
  }

  /** What a worker node is answered; it signs as itself. */
  async asNode<T>(below: string, json: unknown): Promise<T> {
    const [path, body] = [`${basePath}${below}`, JSON.stringify(json)];
    return dataOf<T>(await this.#heard(this.#own, { method: 'POST', path, body, headers: { ...jsonType, ...signatureOf(this.node, 'POST', path, body) } }), below);
  }
}

export const jsonType = { 'content-type': 'application/json' } as const;

/** What a worker says of itself; signed with the shared secret and its own name. */
export const registration = (name: string): Record<string, unknown> => ({
  name, type: 'cpu', concurrency: 1, version: '1.0.0', capabilities: { kinds: ['preview', 'live_session'], sdk_versions: ['0.88.1', '57.0.26'], sandbox: 'none', local_model: false },
});
/** A node before it is registered: known by its name and the secret that all share. */
export const newNode = (): Node => ({ id: `node-${randomUUID().slice(0, 8)}`, key: workerSecret });

const tokensOf = (pair: TokenPair): Pick<Person, 'accessToken' | 'sessionId'> => ({ accessToken: pair.access_token, sessionId: pair.session_id });

function newName(): { readonly email: string; readonly username: string } {
  people += 1;
  const username = `g${people}x${randomUUID().slice(0, 8)}`;
  return { username, email: `${username}@example.com` };
}

/** An access token like a given one, for another session: signed with the key that HKDF derives from JWT_SECRET for such tokens. */
function signed(like: string, of: { readonly userId: string; readonly sessionId: string; readonly tier: string; readonly agoSeconds: number; readonly isOver: boolean }): string {
  const { header, payload } = jwt.decode(like, { complete: true }) ?? {};
  if (header === undefined || typeof payload !== 'object') throw new Error('An access token is a JWT.');
  const key = Buffer.from(hkdfSync('sha256', jwtSecret, 'hivesync', 'token access', 32));
  const now = Math.floor(Date.now() / 1000) - (of.isOver ? 960 : 0);
  const claims = {
    ...payload, sub: of.userId, sid: of.sessionId, jti: randomUUID(), roles: of.tier === 'admin' ? ['user', 'admin'] : ['user'],
    auth_time: now - of.agoSeconds, iat: now, nbf: now, exp: now + 900,
  };
  return jwt.sign(claims, key, { algorithm: 'HS256', header });
}

export function dataOf<T>(answer: WireAnswer, what: string): T {
  const envelope = answer.status === 204 ? { ok: true, data: null } : envelopeOf(answer);
  if (!envelope.ok) throw new Error(`What a test needs could not be made: ${what} answered ${answer.status} ${answer.text.slice(0, 500)}`);
  return envelope.data as T;
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
