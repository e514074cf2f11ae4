/** The callers of the matrix: for each column whom its requests are about, and the headers that say who asks. */
import { routes } from '#generated/server/routes.gen.ts';
import { signatureOf } from '../../support/properties/credentials.ts';
import type { WireRequest } from '../../support/properties/wire.ts';
import type { Column } from './expectations.ts';
import { viewToken } from './previews.ts';
import type { Asked } from './requests.ts';
import type { OperationRoute } from './routes.ts';
import { type Person, type Scene, type Standing, type TeamRole, type World } from './world.ts';

export type Route = (typeof routes)[number];

/** Whose credential, in the columns in which a person signs the request with an access token. */
const signedIn: Partial<Record<Column, { readonly standing?: Standing; readonly team?: TeamRole; readonly tier?: 'admin' }>> = {
  stranger: {}, member: {}, owner: {}, t_member: { team: 'Member' }, t_admin: { team: 'Admin' }, t_owner: { team: 'Owner' },
  admin: { tier: 'admin' }, admin_old: { tier: 'admin', standing: 'old' },
  unverif: { standing: 'unconfirmed' }, old: { standing: 'old' }, suspended: { standing: 'suspended' }, revoked: { standing: 'revoked' },
  deleted: { standing: 'deleted' }, expired: { standing: 'expired' },
};
/** Columns whose caller owns what is acted on. */
const owning: readonly Column[] = ['owner', 'unverif', 'old', 'suspended', 'revoked', 'deleted', 'expired'];

const scopes = [...new Set(routes.flatMap(({ scope }) => (scope === null ? [] : [scope])))];

/** Who asks, in one column, and the headers a request of theirs carries. */
export interface Caller {
  readonly scene: Scene;
  headersFor(route: OperationRoute, request: WireRequest, asked: Pick<Asked, 'node' | 'accessToken'>): Promise<Record<string, string>>;
}

export class Callers {
  readonly #world: World;
  readonly #people = new Map<Column, Promise<Person>>();
  readonly #kept = new Map<string, Promise<string>>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The caller of a column; with `fresh` a person whom no other request knows, for what ends a session or an account. */
  async of(column: Column, fresh = false): Promise<Caller> {
    const [owner, member] = await Promise.all([this.#person('owner'), this.#person('member')]);
    const who = signedIn[column];
    // Nobody of these is a person: what a request asks of its caller's own account (a password) is somebody's who is gone.
    if (who === undefined) return { scene: { self: { ...this.#world.visitor, standing: 'deleted' }, owner, member }, headersFor: this.#credentials(column, owner, member) };
    const self = fresh ? await this.#make(column) : await this.#person(column);
    return {
      scene: { self, owner: owning.includes(column) ? self : owner, member: column === 'member' ? self : member },
      headersFor: (_route, _request, { accessToken }) => Promise.resolve({ authorization: `Bearer ${accessToken ?? self.accessToken}` }),
    };
  }

  #person(column: Column): Promise<Person> {
    return this.#once(this.#people, column, () => this.#make(column));
  }

  async #make(column: Column): Promise<Person> {
    const { standing, team, tier } = signedIn[column] ?? {};
    const person = await this.#world.person({ standing: standing ?? 'good', tier: tier ?? 'premium' });
    if (team !== undefined) await this.#world.join(person, team);
    return person;
  }

  #credentials(column: Column, owner: Person, member: Person): Caller['headersFor'] {
    const world = this.#world;
    const key = async (which: string, of: readonly string[], projectIds: readonly string[] | null): Promise<Record<string, string>> =>
      ({ 'x-api-key': await this.#once(this.#kept, which, () => world.apiKey(owner, of, projectIds)) });
    const fitting = ({ scope }: OperationRoute): readonly string[] => (scope === null ? scopes : [scope]);
    switch (column) {
      case 'key': return (route) => key(`key ${route.scope}`, fitting(route), null);
      case 'key_less': return (route) => key(`less ${route.scope}`, scopes.filter((one) => one !== route.scope), null);
      case 'key_else': return async (route) => {
        const elsewhere = await this.#once(this.#kept, 'elsewhere', () => world.project({ self: owner, owner, member }));
        return key(`else ${route.scope}`, fitting(route), [elsewhere]);
      };
      case 'node': return (_route, { method, path, body }, { node = world.node }) => Promise.resolve(signatureOf(node, method, path, body ?? ''));
      case 'preview': return async () => {
        const token = await this.#once(this.#kept, 'preview', async () => viewToken(world, await world.project({ self: owner, owner, member })));
        return { authorization: `Bearer ${token}` };
      };
      default: return () => Promise.resolve({});
    }
  }

  #once<K, V>(kept: Map<K, Promise<V>>, key: K, make: () => Promise<V>): Promise<V> {
    const known = kept.get(key) ?? make();
    kept.set(key, known);
    return known;
  }
}
