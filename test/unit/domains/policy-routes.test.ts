import { expect } from 'chai';
import { type Resource, resources, roles } from '#domains/policy.ts';
import { routes } from '#generated/server/routes.gen.ts';

/** Named by `x-resource` without a least role: why no role can be said there. */
const withoutRole: Readonly<Record<string, string>> = {
  createInvitation: 'the target is a project or a team, and each takes its own role',
  revokeInvitation: 'whoever invited, or an admin of what the invitation is to',
  acceptInvitation: 'the person invited, who has no role yet',
  declineInvitation: 'the person invited, who has no role yet',
  receiveRepoPush: 'the right lies in the provider\'s signature',
};

/** Ids in a path that are no shared thing: whose they are is part of the statement that finds them. */
const ownThings: Readonly<Record<string, string>> = {
  session_id: 'a session of the caller', device_id: 'a device of the caller', key_id: 'an API key of the caller', export_id: 'an export of the caller',
  user_code: 'a device that waits to be linked: whoever knows the code', notification_id: 'a notification of the caller', token: 'a preview token is its own right',
  slug: 'a sample, which everybody sees', live_id: 'held to the preview token that opens it',
};

const asksOneself = ({ auth }: (typeof routes)[number]): boolean => auth === 'user' || auth === 'jwt' || auth === 'preview';

describe('what the contract says of roles', () => {
  const known = Object.entries(resources) as [Resource, (typeof resources)[Resource]][];

  for (const route of routes.filter((one) => one.roles !== null)) {
    it(`${route.operationId} (${route.roles} on ${route.resource}) is something the policy knows`, () => {
      const [realm, role, ...rest] = route.roles?.split(':') ?? [];
      expect(rest).to.deep.equal([]);
      expect(roles, 'the role').to.include(role);
      const meant = known.filter(([, one]) => one.realm === realm && (one.names as readonly (string | null)[]).includes(route.resource) && route.template.startsWith(one.below));
      expect(meant.map(([name]) => name), `what ${route.resource} of ${route.template} names`).to.have.length(1);
    });
  }

  it('leaves out the role only where none can be said', () => {
    const bare = routes.filter((one) => one.resource !== null && one.roles === null).map((one) => one.operationId);
    expect(bare.filter((id) => withoutRole[id] === undefined)).to.deep.equal([]);
    expect(routes.filter((one) => one.resource === null && one.roles !== null), 'a role on nothing').to.deep.equal([]);
  });

  it('names as the resource what stands in the path, unless it is the caller\'s own or an administrator\'s', () => {
    for (const route of routes.filter(asksOneself)) {
      const named = [...route.template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
      if (route.resource !== null) {
        const [place, name = ''] = route.resource.split('.');
        expect(place === 'body' ? named : named.includes(name) ? [] : named, `${route.operationId} names ${route.resource}`).to.deep.equal([]);
      } else {
        expect(named.filter((name) => ownThings[name] === undefined), route.operationId).to.deep.equal([]);
      }
    }
  });

  it('has a table whose every row says by which parameters a thing is named and where it is held', () => {
    for (const [name, { names, below, held }] of known) {
      expect(names, name).to.not.be.empty;
      expect(below, name).to.match(/^\/([a-z-]+\/)?$/);
      expect(held, name).to.match(/ as held_in from \w+ .*where (\w\.)?id = any\(\$1::uuid\[\]\)/s);
    }
  });
});
