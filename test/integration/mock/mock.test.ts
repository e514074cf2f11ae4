import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Contract, isSuccess, type Operation, operationsOf, type Parameter, resolve } from '../../../codegen/contract.ts';
import { createMock } from '../../../codegen/mock/front.ts';

const projectId = '01920000-0000-7000-8000-000000000201';
const signedIn = { authorization: 'Bearer any' };
const json = { ...signedIn, 'content-type': 'application/json' };

interface Envelope { readonly ok: boolean; readonly data: Record<string, unknown> | null; readonly error: { readonly code: string; readonly message: string; readonly details: unknown } | null }

describe('the mock', () => {
  let contract: Contract;
  let server: Server;
  let base: string;

  before(async () => {
    contract = JSON.parse(await readFile(join(import.meta.dirname, '../../../generated/openapi.json'), 'utf8')) as Contract;
    server = await createMock(contract, { eventPauseMs: 1 });
    await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1`;
  });
  after(async () => {
    await new Promise((done) => {
      server.close(done);
      server.closeAllConnections();
    });
  });

  const ask = async (method: string, path: string, options: { headers?: Record<string, string>; body?: unknown } = {}) => {
    const body = options.body === undefined ? {} : { body: typeof options.body === 'string' ? options.body : JSON.stringify(options.body) };
    const response = await fetch(base + path, { method, headers: options.headers ?? signedIn, ...body });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, envelope: () => JSON.parse(text) as Envelope };
  };
  const refused = async (method: string, path: string, options: Parameters<typeof ask>[2], status: number, code: string) => {
    const answer = await ask(method, path, options);
    expect(answer.status).to.equal(status);
    const { ok, data, error } = answer.envelope();
    expect({ ok, data, code: error?.code }).to.deep.equal({ ok: false, data: null, code });
    return { ...answer, details: error?.details };
  };

  describe('answers with Ada\'s story', () => {
    it('her sign-in', async () => {
      const answer = await ask('POST', '/auth/login', { headers: { 'content-type': 'application/json' }, body: { email: 'ada@example.com', password: 'correct horse battery staple' } });
      expect(answer.status).to.equal(200);
      expect(answer.envelope().data).to.have.nested.property('user.username', 'ada');
    });

    it('her account and her project, with the same ids', async () => {
      const me = (await ask('GET', '/users/me')).envelope();
      const project = await ask('GET', `/projects/${projectId}`);
      expect(project.envelope().data).to.include({ id: projectId, name: 'Field Notes', owner_id: me.data?.['id'] });
      expect(project.headers.get('etag')).to.match(/^".+"$/);
    });

    it('a project made, with its Location below the real base path', async () => {
      const answer = await ask('POST', '/projects', { headers: json, body: { name: 'Field Notes' } });
      expect(answer.status).to.equal(201);
      expect(answer.headers.get('location')).to.equal(`/api/v1/projects/${projectId}`);
    });

    it('nothing, where the answer is empty', async () => {
      const answer = await ask('DELETE', `/projects/${projectId}`);
      expect([answer.status, answer.text]).to.deep.equal([204, '']);
    });
  });

  it('answers the example request of every operation with a documented success', async () => {
    const textOf = (parameter: Parameter): string => {
      const schema = resolve(contract, parameter.schema ?? {});
      const [example] = schema.enum ?? schema.examples ?? [];
      if (typeof example === 'string') return example;
      if (schema.format === 'uuid') return projectId;
      if (schema.format === 'date-time') return '2026-03-02T09:00:00.000Z';
      if (schema.type === 'integer') return String(schema.minimum ?? 1);
      return 'a'.repeat(Math.max(4, schema.minLength ?? 0)).slice(0, schema.maxLength);
    };
    const requestOf = (operation: Operation): { path: string; headers: Record<string, string>; body?: unknown } => {
      const named = new Map(operation.parameters.map((parameter) => [`${parameter.in} ${parameter.name}`, parameter]));
      const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
        const parameter = named.get(`path ${name}`);
        return parameter === undefined ? '' : encodeURIComponent(textOf(parameter));
      });
      const required = (place: string) => operation.parameters.filter((parameter) => parameter.in === place && parameter.required === true);
      const query = new URLSearchParams(Object.fromEntries(required('query').map((parameter) => [parameter.name, textOf(parameter)])));
      const headers: Record<string, string> = { ...signedIn, 'x-hivesync-signature': 'v1=00' };
      for (const parameter of required('header')) headers[parameter.name] = textOf(parameter);
      const [type, media] = Object.entries(operation.body?.content ?? {})[0] ?? [];
      if (type !== undefined) headers['content-type'] = type;
      const [example] = Object.values(media?.examples ?? {});
      const body = type === undefined ? {} : { body: type === 'application/json' && example !== undefined ? resolve(contract, example).value : 'content' };
      return { path: query.size === 0 ? path : `${path}?${query.toString()}`, headers, ...body };
    };
    const wrong: string[] = [];
    for (const operation of operationsOf(contract)) {
      const { path, ...options } = requestOf(operation);
      const answer = await ask(operation.method.toUpperCase(), path, options);
      if (!isSuccess(answer.status) || !operation.answers.has(answer.status)) wrong.push(`${operation.id} ${path} ${answer.status} ${answer.text.slice(0, 200)}`);
    }
    expect(wrong).to.deep.equal([]);
  });

  it('plays a stream\'s example event by event, and goes on after the last one seen', async () => {
    const path = '/preview/jobs/01920000-0000-7000-8000-000000000601/events';
    const whole = await ask('GET', path);
    expect(whole.headers.get('content-type')).to.equal('text/event-stream');
    const ids = [...whole.text.matchAll(/^id: ?(.*)$/gm)].map(([, id]) => id);
    expect(ids).to.have.length.greaterThan(1);
    const rest = await ask('GET', path, { headers: { ...signedIn, 'last-event-id': ids[0] ?? '' } });
    expect([...rest.text.matchAll(/^id: ?(.*)$/gm)].map(([, id]) => id)).to.deep.equal(ids.slice(1));
  });

  describe('refuses in the real envelope', () => {
    it('a body that is not what the contract says, pointing at each fault', async () => {
      const { details } = await refused('POST', '/projects', { headers: json, body: { name: 5, color: 'red' } }, 400, 'VALIDATION_ERROR');
      expect((details as { pointer: string }[]).map(({ pointer }) => pointer)).to.have.members(['#/body/name', '#/body/color']);
      expect(details).to.deep.include({ pointer: '#/body/name', message: 'must be string', rule: 'type' });
    });
    it('a body without a required field', async () => {
      const { details } = await refused('POST', '/projects', { headers: json, body: {} }, 400, 'VALIDATION_ERROR');
      expect((details as { pointer: string; rule: string }[])[0]).to.include({ pointer: '#/body/name', rule: 'required' });
    });
    it('malformed JSON', () => refused('POST', '/projects', { headers: json, body: '{"name"' }, 400, 'VALIDATION_ERROR'));
    it('a query parameter out of its bounds', async () => {
      const { details } = await refused('GET', '/projects?limit=500', {}, 400, 'VALIDATION_ERROR');
      expect((details as { pointer: string }[])[0]?.pointer).to.equal('#/query/limit');
    });
    it('a query parameter it does not know', async () => {
      const { details } = await refused('GET', '/projects?page=2', {}, 400, 'VALIDATION_ERROR');
      expect((details as { pointer: string }[])[0]?.pointer).to.equal('#/query/page');
    });
    it('a path parameter that is no id', async () => {
      const { details } = await refused('GET', '/projects/7', {}, 400, 'VALIDATION_ERROR');
      expect((details as { pointer: string }[])[0]?.pointer).to.equal('#/path/project_id');
    });
    it('a caller without a credential', async () => {
      const { headers } = await refused('GET', '/projects', { headers: {} }, 401, 'AUTH_INVALID');
      expect(headers.get('www-authenticate')).to.equal('Bearer');
    });
    it('a path that is not there', () => refused('GET', '/projets', {}, 404, 'NOT_FOUND'));
    it('a method the path does not take, naming those it does', async () => {
      const { headers } = await refused('DELETE', '/projects', {}, 405, 'METHOD_NOT_ALLOWED');
      expect(headers.get('allow')).to.equal('GET, POST');
    });
    it('a media type it cannot answer', () => refused('GET', '/projects', { headers: { ...signedIn, accept: 'text/csv' } }, 406, 'NOT_ACCEPTABLE'));
    it('a body of the wrong media type', () => refused('POST', '/projects', { headers: { ...signedIn, 'content-type': 'text/plain' }, body: 'x' }, 415, 'UNSUPPORTED_MEDIA_TYPE'));
    it('a body past its bound', () => refused('POST', '/projects', { headers: json, body: { name: 'x'.repeat(70_000) } }, 413, 'PAYLOAD_TOO_LARGE'));
    it('what lies outside the base path', async () => {
      const response = await fetch(base.replace('/api/v1', '/projects'), { headers: signedIn });
      expect(response.status).to.equal(404);
      expect(await response.json()).to.have.nested.property('error.code', 'NOT_FOUND');
    });
  });

  it('answers the documented status that Prefer asks for, and says when there is none', async () => {
    await refused('POST', '/projects', { headers: { ...json, prefer: 'code=409' }, body: { name: 'x' } }, 409, 'CONFLICT');
    await refused('GET', '/projects', { headers: { ...signedIn, prefer: 'code=429' } }, 429, 'RATE_LIMITED');
    await refused('GET', '/projects', { headers: { ...signedIn, prefer: 'code=418' } }, 400, 'VALIDATION_ERROR');
  });

  it('may be called from a browser', async () => {
    const preflight = await fetch(`${base}/projects`, { method: 'OPTIONS', headers: { origin: 'http://localhost:8081', 'access-control-request-headers': 'authorization' } });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin'), preflight.headers.get('access-control-allow-headers')]).to.deep.equal([204, '*', 'authorization']);
  });

  it('names the request', async () => {
    expect((await ask('GET', '/projects', { headers: { ...signedIn, 'x-request-id': 'abc-1' } })).headers.get('x-request-id')).to.equal('abc-1');
    expect((await ask('GET', '/projects')).headers.get('x-request-id')).to.match(/^[0-9a-f-]{36}$/);
  });
});
