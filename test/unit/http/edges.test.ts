import { createSecretKey } from 'node:crypto';
import { expect } from 'chai';
import type { Request } from 'express';
import { basePath, routes } from '#generated/server/routes.gen.ts';
import { noneMatchHolds, parseEntityTag } from '#http/conditional.ts';
import { canonical, requestHash } from '#http/idempotency/request-hash.ts';
import { locationOf } from '#http/location.ts';
import { inOrder } from '#http/mount.ts';
import { isAllowed } from '#http/policy-mark.ts';
import { clientOf, compileProxies, plainAddress } from '#http/proxies.ts';
import { addressGroup } from '#platform/addresses.ts';
import { requestIdOf } from '#http/request-id.ts';
import { format } from '#http/answer/events.ts';
import { serviceErrorOf } from '#http/answer/failure.ts';
import type { Route } from '#http/route.ts';
import { faultsOf } from '#http/validation/faults.ts';
import { parseQuery } from '#http/validation/query.ts';
import { ServiceError } from '#platform/errors.ts';
import { StorageError } from '#platform/storage/storage.ts';

const request = (remoteAddress: string, headers: Record<string, string> = {}, encrypted = false): Request =>
  ({ socket: { remoteAddress, encrypted }, headers }) as unknown as Request;

describe('http: trusted proxies', () => {
  const none = compileProxies([]);
  const some = compileProxies(['10.0.0.0/8', '::1', '192.0.2.7']);

  it('believes nobody by default', () => {
    expect(clientOf(request('::ffff:198.51.100.9', { 'x-forwarded-for': '203.0.113.1', 'x-forwarded-proto': 'https' }), none))
      .to.deep.equal({ ip: '198.51.100.9', isHttps: false });
  });

  it('believes a trusted proxy up to the nearest address that is not one', () => {
    const via = (forwarded: string, from = '10.1.2.3') => clientOf(request(from, { 'x-forwarded-for': forwarded, 'x-forwarded-proto': 'https' }), some);
    expect(via('203.0.113.1')).to.deep.equal({ ip: '203.0.113.1', isHttps: true });
    expect(via('6.6.6.6, 203.0.113.1, 10.9.9.9').ip).to.equal('203.0.113.1');
    expect(via('10.4.4.4, 10.5.5.5').ip).to.equal('10.4.4.4');
    expect(via('evil, 203.0.113.1').ip).to.equal('203.0.113.1');
    expect(via('203.0.113.1, nonsense').ip).to.equal('10.1.2.3');
    expect(via('203.0.113.1', '198.51.100.9')).to.deep.equal({ ip: '198.51.100.9', isHttps: false });
  });

  it('takes the scheme that the nearest proxy named', () => {
    expect(clientOf(request('::1', { 'x-forwarded-proto': 'https, http' }), some).isHttps).to.equal(false);
    expect(clientOf(request('192.0.2.7', {}, true), some).isHttps).to.equal(true);
  });

  it('refuses a list with something else in it, naming it', () => {
    for (const bad of ['example.com', '10.0.0.0/33', '::1/129', '10.0.0.0/x', '']) expect(() => compileProxies([bad])).to.throw(bad === '' ? 'neither' : bad);
  });

  it('counts one IPv6 customer by its /64', () => {
    expect(addressGroup('203.0.113.1')).to.equal('203.0.113.1');
    expect(addressGroup('2001:db8:1:2:3:4:5:6')).to.equal('2001:db8:1:2::/64');
    expect(addressGroup('2001:0DB8:1:2::9')).to.equal('2001:db8:1:2::/64');
    expect(addressGroup('::1')).to.equal('0:0:0:0::/64');
    expect(addressGroup('fe80::1:2:3:4')).to.equal('fe80:0:0:0::/64');
    expect(plainAddress('fe80::1%eth0')).to.equal('fe80::1');
  });
});

describe('http: entity tags', () => {
  it('reads one tag, weak or strong, and nothing else', () => {
    expect(parseEntityTag('"abc"')).to.deep.equal({ value: 'abc', isWeak: false });
    expect(parseEntityTag(' W/"abc" ')).to.deep.equal({ value: 'abc', isWeak: true });
    for (const bad of ['abc', '"a", "b"', '""x', 'w/"a"', '"a"b"']) expect(parseEntityTag(bad), bad).to.equal(null);
  });

  it('holds If-None-Match for any tag of a list', () => {
    expect(noneMatchHolds('"a", W/"b"', 'b')).to.equal(true);
    expect(noneMatchHolds('*', 'b')).to.equal(true);
    expect(noneMatchHolds('"a"', 'b')).to.equal(false);
    expect(noneMatchHolds(undefined, 'b')).to.equal(false);
  });
});

describe('http: faults', () => {
  it('points at what is missing or unknown itself, escapes names, and says each once', () => {
    expect(faultsOf('body', [
      { instancePath: '/a', keyword: 'required', params: { missingProperty: 'b/c' }, message: 'x' },
      { instancePath: '', keyword: 'additionalProperties', params: { additionalProperty: '~' } },
      { instancePath: '', keyword: 'additionalProperties', params: { additionalProperty: '~' } },
      { instancePath: '/tier', keyword: 'enum', params: { allowedValues: ['free', 'pro'] } },
    ])).to.deep.equal([
      { pointer: '#/body/a/b~1c', message: 'is required', rule: 'required' },
      { pointer: '#/body/~0', message: 'is not known here', rule: 'additionalProperties' },
      { pointer: '#/body/tier', message: 'must be one of free, pro', rule: 'enum' },
    ]);
  });

  it('says at most a hundred, each within the bounds of the contract', () => {
    const many = faultsOf('body', Array.from({ length: 300 }, (_, at) => ({ instancePath: `/${'x'.repeat(600)}${at}`.slice(0, 600 + at), keyword: `k${at}`, params: {}, message: 'y'.repeat(900) })));
    expect(many).to.have.length(100);
    expect(many[0]?.pointer.length).to.equal(500);
    expect(many[0]?.message.length).to.equal(500);
  });
});

describe('http: query strings', () => {
  it('decodes names and values, keeps repeats, and has no prototype', () => {
    const query = parseQuery('/x?a=1&b=two+words&c=%C3%A9&a=2&empty&d=a=b&__proto__=x&');
    expect({ ...query }).to.deep.include({ a: ['1', '2'], b: 'two words', c: 'é', empty: '', d: 'a=b' });
    expect(Object.keys(query)).to.include('__proto__');
    expect(Object.getPrototypeOf(query)).to.equal(null);
    expect(Object.keys(parseQuery('/x'))).to.deep.equal([]);
  });
});

describe('http: request ids', () => {
  it('takes no id that could break a log line or a header', () => {
    for (const bad of [undefined, '', 'a b c d e f g', 'x\r\ny12345678', ['one-12345678', 'two'], '-leading-1']) expect(requestIdOf(bad)).to.match(/^[0-9a-f-]{36}$/);
    expect(requestIdOf('trace:01.a_b-9')).to.equal('trace:01.a_b-9');
  });
});

describe('http: request hashes', () => {
  it('do not depend on the order of keys, and do on everything else', () => {
    expect(canonical({ b: [1, { d: 1, c: null }], a: 'x' })).to.equal('{"a":"x","b":[1,{"c":null,"d":1}]}');
    const pepper = createSecretKey(Buffer.alloc(32, 1));
    const hash = (request: { path?: unknown; query?: unknown; body?: unknown }, key = 'a-key-of-ada'): string =>
      requestHash(pepper, key, { path: { id: '1' }, query: {}, body: { a: 1, b: 2 }, ...request }).toString('hex');
    expect(hash({ body: { b: 2, a: 1 } })).to.equal(hash({}));
    const others = [hash({ path: { id: '2' } }), hash({ query: { q: 1 } }), hash({ body: { a: 1, b: [2] } }), hash({}, 'another-key')];
    expect(new Set([hash({}), ...others]).size).to.equal(5);
  });

  it('cannot be tried out by who has the database alone: they hang on a key that is not in it', () => {
    const request = { path: {}, query: {}, body: { password: 'forty bees in a garden' } };
    const [ours, theirs] = [1, 2].map((byte) => requestHash(createSecretKey(Buffer.alloc(32, byte)), 'a-key-of-ada', request));
    expect(ours).not.to.deep.equal(theirs);
  });
});

describe('http: Location', () => {
  const id = '01920000-0000-7000-8000-000000000301';
  const some = routes as readonly Route[];
  const routeOf = (operationId: string): Route => {
    const found = some.find((one) => one.operationId === operationId);
    if (found === undefined) throw new Error(`No route ${operationId}`);
    return found;
  };

  it('is where the new entity is read', () => {
    expect(locationOf(routeOf('createProject'), some, basePath)({ id }, {})).to.equal(`/api/v1/projects/${id}`);
  });

  it('finds an entity that is made below another and read by itself', () => {
    const create: Route = { ...routeOf('createProject'), operationId: 'createTask', path: '/projects/:project_id/tasks', template: '/projects/{project_id}/tasks' };
    const get: Route = { ...routeOf('getProject'), operationId: 'getTask', path: '/tasks/:task_id', template: '/tasks/{task_id}' };
    expect(locationOf(create, [...some, create, get], basePath)({ id }, { project_id: 'p' })).to.equal(`/api/v1/tasks/${id}`);
  });

  it('is where an entity is changed or ended that is read in its list alone, also of one that takes another\'s place', () => {
    const at = (operationId: string, method: Route['method'], template: string): Route =>
      ({ ...routeOf('createProject'), operationId, method, template, path: template.replaceAll(/\{(\w+)\}/g, ':$1'), responses: method === 'post' ? { 201: 'json' } : { 200: 'json' } });
    const [list, make] = [at('listKeys', 'get', '/keys'), at('makeKey', 'post', '/keys')];
    const [change, replace] = [at('changeKey', 'patch', '/keys/{key_id}'), at('replaceKey', 'post', '/keys/{key_id}/replace')];
    const [below, makeBelow] = [at('listLocks', 'get', '/keys/{key_id}/locks'), at('makeLock', 'post', '/keys/{key_id}/locks')];
    const all = [list, make, change, replace, below, makeBelow];
    expect(locationOf(make, all, basePath)({ key: { id }, secret: 's' }, {})).to.equal(`/api/v1/keys/${id}`);
    expect(locationOf(replace, all, basePath)({ key: { id }, secret: 's' }, { key_id: 'the old one' })).to.equal(`/api/v1/keys/${id}`);
    expect(locationOf(makeBelow, all, basePath)({ id }, { key_id: 'k' }), 'a lock is no key').to.equal(null);
    expect(locationOf(replace, all, basePath)({ token: 't', view_url: 'https://example.com/view/t' }, { key_id: 'k' }), 'what is looked at').to.equal('https://example.com/view/t');
    const invite = { ...make, template: '/keys/{key_id}/holders', path: '/keys/:key_id/holders' };
    const remove = { ...invite, method: 'delete' as const, template: '/keys/{key_id}/holders/{user_id}', path: '/keys/:key_id/holders/:user_id' };
    const held = { ...invite, method: 'get' as const };
    expect(locationOf(invite, [...all, invite, remove, held], basePath)({ id, key_id: 'k', user_id: 'u' }, { key_id: 'k' }), 'a member')
      .to.equal('/api/v1/keys/k/holders/u');
  });

  it('is what was sent for a thing, or the list of it where it is many', () => {
    for (const operationId of ['testWebhook', 'redeliverDelivery'] as const) {
      expect(locationOf(routeOf(operationId), some, basePath)({ id }, { webhook_id: 'w', delivery_id: 'the old one' }), operationId).to.equal(`/api/v1/webhook-deliveries/${id}`);
    }
    expect(locationOf(routeOf('redeliverSince'), some, basePath)({ enqueued: 3, next_since: null }, { webhook_id: 'w' })).to.equal('/api/v1/webhooks/w/deliveries');
    expect(locationOf(routeOf('createWebhook'), some, basePath)({ webhook: { id }, secret: 's' }, { project_id: 'p' })).to.equal(`/api/v1/webhooks/${id}`);
  });

  it('is the job for accepted work, however it is wrapped', () => {
    const enqueue: Route = { ...routeOf('createProject'), operationId: 'requestThing', path: '/ai/jobs', template: '/ai/jobs', responses: { 202: 'json' } };
    const get: Route = { ...routeOf('getProject'), operationId: 'getThingJob', path: '/ai/jobs/:job_id', template: '/ai/jobs/{job_id}' };
    const locate = locationOf(enqueue, [enqueue, get], basePath);
    expect(locate({ job: { id }, token: 't' }, {})).to.equal(`/api/v1/ai/jobs/${id}`);
    expect(locate({ id }, {})).to.equal(`/api/v1/ai/jobs/${id}`);
    expect(locate({}, {})).to.equal(null);
  });

  it('is the list where accepted work is seen nowhere else', () => {
    const list: Route = { ...routeOf('getProject'), operationId: 'listDead', path: '/dead', template: '/dead' };
    const retry: Route = { ...routeOf('createProject'), operationId: 'retryDead', path: '/dead/:job_id/retry', template: '/dead/{job_id}/retry', responses: { 202: 'json' } };
    expect(locationOf(retry, [list, retry], basePath)({ job_id: id }, { job_id: id })).to.equal('/api/v1/dead');
    expect(locationOf(retry, [retry], basePath)({ job_id: id }, { job_id: id })).to.equal(null);
  });
});

describe('http: mounting', () => {
  it('tries words before parameters', () => {
    const paths = ['/faq/:entry_id', '/faq/unanswered', '/faq/:entry_id/x', '/faq/unanswered/:id'];
    const ordered = inOrder(paths.map((path) => ({ ...routes[0], path }) as Route)).map(({ path }) => path);
    expect(ordered.indexOf('/faq/unanswered')).to.be.below(ordered.indexOf('/faq/:entry_id'));
    expect(ordered.indexOf('/faq/unanswered/:id')).to.be.below(ordered.indexOf('/faq/:entry_id/x'));
  });

  it('expects a policy call wherever somebody has to be known, and one about the thing where there is one', () => {
    const [nobody, self, thing] = [{ allowed: false }, { allowed: true }, { allowed: true, onResource: true }];
    const allowed = (route: Parameters<typeof isAllowed>[0]): boolean[] => [nobody, self, thing].map((mark) => isAllowed(route, mark));
    for (const auth of ['user', 'jwt', 'admin', 'preview'] as const) {
      expect(allowed({ auth, roles: null, resource: null }), auth).to.deep.equal([false, true, true]);
      expect(allowed({ auth, roles: 'project:member', resource: 'path.project_id' }), auth).to.deep.equal([false, false, true]);
      expect(allowed({ auth, roles: null, resource: 'path.invitation_id' }), auth).to.deep.equal([false, false, true]);
    }
    for (const auth of ['none', 'worker', 'hook'] as const) expect(allowed({ auth, roles: 'x', resource: 'y' }), auth).to.deep.equal([true, true, true]);
  });
});

describe('http: events', () => {
  it('frames an event so that nothing in it can end the frame', () => {
    expect(format({ id: 'a\nb', event: 'x\r\ny', data: { text: 'one\n\ntwo' } })).to.equal('id: ab\nevent: xy\ndata: {"text":"one\\n\\ntwo"}\n\n');
    expect(format({ event: 'e', data: undefined })).to.equal('event: e\ndata: null\n\n');
  });
});

describe('http: errors', () => {
  const named = (message: string, more: object): Error => Object.assign(new Error(message), more);

  it('calls what passes by itself unavailable, and what does not an error of ours', () => {
    const codeOf = (error: unknown): string => serviceErrorOf(error).code;
    for (const code of ['08006', '57P01', '57014', '53300', '55P03', '40001', 'ECONNREFUSED']) expect(codeOf(named('x', { code })), code).to.equal('SERVICE_UNAVAILABLE');
    for (const code of ['23505', '42P01', '22P02']) expect(codeOf(named('x', { code })), code).to.equal('INTERNAL_ERROR');
    expect(codeOf(new StorageError('unavailable', 'x'))).to.equal('STORAGE_ERROR');
    expect(codeOf(new Error('Connection terminated unexpectedly'))).to.equal('SERVICE_UNAVAILABLE');
    expect(codeOf('thrown text')).to.equal('INTERNAL_ERROR');
    const own = new ServiceError('GONE', 'Gone.');
    expect(serviceErrorOf(own)).to.equal(own);
  });
});
