import { expect } from 'chai';
import fc from 'fast-check';
import { answerSchema, exampleOf, operations, takes, type Operation } from '../support/properties/contract.ts';
import { apiKeyFor } from '../support/properties/credentials.ts';
import { brokenTexts, repeatedField, wrongBodies } from '../support/properties/faults.ts';
import { wrongParameters } from '../support/properties/parameters.ts';
import { basePath, targetOf, validRequest, written } from '../support/properties/requests.ts';
import { runs, seed } from '../support/properties/seed.ts';
import { envelopeOf, pointersOf, type WireAnswer, type WireRequest } from '../support/properties/wire.ts';
import { type JobState, jobStates, World, workerSecret } from '../support/properties/world.ts';
import { useSystem } from '../support/system.ts';

/** Wrong requests sent for each right one. */
const wrongPerRun = 12;
const missing = '01920000-0000-7000-8000-00000000ffff';
/** Every id of the path, of things that do not exist. */
const missingIds = ({ parameters }: Operation): Record<string, string> =>
  Object.fromEntries(parameters.filter((one) => one.in === 'path').map(({ name }) => [name, missing]));
const hasId = ({ route }: Operation, name: string): boolean => route.template.includes(`{${name}}`);
const anyState = fc.constantFrom(...jobStates);
const settings = { seed, numRuns: runs, endOnFailure: true };
const json = { 'content-type': 'application/json' };
const picks = fc.array(fc.nat(), { minLength: wrongPerRun, maxLength: wrongPerRun });
/** Some of a list, chosen by fast-check, each once. */
const someOf = <T>(all: readonly T[], chosen: readonly number[]): T[] => (all.length === 0 ? [] : [...new Set(chosen.map((one) => one % all.length))].flatMap((index) => all.slice(index, index + 1)));
const told = (request: WireRequest, answer: WireAnswer): string =>
  `${request.method} ${request.path.slice(0, 300)} ${typeof request.body === 'string' ? request.body.slice(0, 600) : ''} → ${answer.status} ${answer.text.slice(0, 800)}`;

describe(`every mounted operation (PROPERTY_SEED=${seed} PROPERTY_RUNS=${runs})`, function () {
  this.timeout(60_000 + runs * 20_000);
  const system = useSystem({ variables: { TRUSTED_PROXIES: '127.0.0.1', WORKER_SHARED_SECRET: workerSecret, PREVIEW_MAX_TIMEOUT_MS: '1000' } });
  let world: World;
  before(async () => { world = await World.open(system.current); });
  after(() => world.wire.close());

  /** The answer is documented, not one of ours failing, and its body is what its schema says. */
  function expectDocumented(operation: Operation, request: WireRequest, answer: WireAnswer): void {
    const schema = answerSchema(operation, answer.status);
    expect(schema, `an undocumented status: ${told(request, answer)}`).to.not.equal(undefined);
    if (answer.status !== 504) expect(answer.status, told(request, answer)).to.be.below(500);
    if (answer.headers['content-type']?.includes('json') !== true) return;
    envelopeOf(answer);
    if (schema !== null && schema !== undefined) expect(takes(schema, JSON.parse(answer.text)), `not as documented: ${told(request, answer)}`).to.equal(true);
  }

  function expectRefused(request: WireRequest, answer: WireAnswer, kind: string, pointer: string, isBelow = false): void {
    const about = `${kind}, expected at ${pointer}: ${told(request, answer)}`;
    expect(answer.status, about).to.equal(400);
    const envelope = envelopeOf(answer);
    expect(envelope.error?.code, about).to.equal('VALIDATION_ERROR');
    expect(pointersOf(envelope).some((one) => one === pointer || (isBelow && one.startsWith(pointer))), about).to.equal(true);
  }

  const send = async (operation: Operation, request: WireRequest, state: JobState = 'queued'): Promise<{ request: WireRequest; answer: WireAnswer }> => {
    const whole = await world.complete(operation, request, state);
    return { request: whole, answer: await world.wire.send(whole) };
  };

  describe('answers every valid request as documented', () => {
    for (const operation of operations) {
      it(operation.route.operationId, () => fc.assert(fc.asyncProperty(
        fc.constant(null).chain(() => validRequest(operation, world.existing())), anyState,
        async (drawn, state) => {
          const { request, answer } = await send(operation, written(operation, drawn), state);
          expectDocumented(operation, request, answer);
        },
      ), settings));
    }
  });

  describe('refuses a wrong body with a pointer to the fault', () => {
    for (const operation of operations.filter(({ body }) => body !== null)) {
      const { body } = operation;
      if (body === null) continue;
      it(operation.route.operationId, () => fc.assert(fc.asyncProperty(
        fc.constant(null).chain(() => validRequest(operation, world.existing())), picks,
        async (drawn, chosen) => {
          const right = written(operation, drawn);
          for (const wrong of someOf(wrongBodies(body, drawn.body), chosen)) {
            const { request, answer } = await send(operation, { ...right, body: wrong.text });
            expectRefused(request, answer, wrong.kind, wrong.pointer, wrong.isBelow);
          }
          const twice = repeatedField(body, drawn.body);
          if (twice === null) return;
          const { request, answer } = await send(operation, { ...right, body: twice.text });
          expectRefused(request, answer, twice.kind, twice.pointer, true);
        },
      ), settings));

      it(`${operation.route.operationId}: what is no JSON`, async () => {
        const [drawn] = fc.sample(validRequest(operation, world.existing()), { seed, numRuns: 1 });
        if (drawn === undefined) throw new Error('There is a valid request.');
        const right = written(operation, drawn);
        for (const { kind, bytes } of brokenTexts(String(right.body))) {
          if (kind === 'an empty body' && !operation.isBodyRequired) continue;
          const { request, answer } = await send(operation, { ...right, body: bytes });
          expectRefused(request, answer, kind, '#/body');
        }
      });
    }
  });

  describe('refuses a wrong parameter with a pointer to the fault', () => {
    for (const operation of operations) {
      it(operation.route.operationId, () => fc.assert(fc.asyncProperty(
        fc.constant(null).chain(() => validRequest(operation, world.existing())), picks,
        async (drawn, chosen) => {
          const right = written(operation, drawn);
          for (const wrong of someOf(wrongParameters(operation, drawn), chosen)) {
            const { request, answer } = await send(operation, { ...right, path: wrong.path, headers: { ...wrong.headers, ...(right.body === null ? {} : json) } });
            expectRefused(request, answer, wrong.kind, wrong.pointer, wrong.isBelow);
          }
        },
      ), settings));
    }
  });

  describe('refuses a body of another type or size', () => {
    for (const operation of operations) {
      const { route } = operation;
      const path = targetOf(operation, { project_id: missing, job_id: missing });
      const method = route.method.toUpperCase();
      if (route.requestBody === 'none') {
        it(`${route.operationId} takes none`, async () => {
          const { request, answer } = await send(operation, { method, path, headers: json, body: '{}' });
          expectRefused(request, answer, 'a body', '#/body');
        });
        continue;
      }
      it(`${route.operationId} takes only ${route.requestTypes.join(', ')}`, async () => {
        for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/json5', 'application/json; charset=utf-16', '']) {
          const { request, answer } = await send(operation, { method, path, headers: type === '' ? {} : { 'content-type': type }, body: '{}' });
          expect(answer.status, told(request, answer)).to.equal(415);
          expect(envelopeOf(answer).error?.code).to.equal('UNSUPPORTED_MEDIA_TYPE');
        }
        const { answer } = await send(operation, { method, path, headers: { ...json, 'content-encoding': 'gzip' }, body: '{}' });
        expect(answer.status).to.equal(415);
      });
      it(`${route.operationId} takes at most ${route.maxBodyBytes} bytes`, async () => {
        const declared = { ...json, 'content-length': String(route.maxBodyBytes + 1), expect: '100-continue' };
        const whole = { method, path, headers: json, body: Buffer.alloc(route.maxBodyBytes + 1, ' '), chunked: true };
        // A stream is cut off while the handler reads it: test/integration/http/bodies.test.ts, and preview-sessions.test.ts.
        for (const one of [{ method, path, headers: declared }, ...(route.requestBody === 'stream' ? [] : [whole])]) {
          const { request, answer } = await send(operation, one);
          expect(answer.status, told(request, answer)).to.equal(413);
          expect(envelopeOf(answer).error).to.deep.include({ code: 'PAYLOAD_TOO_LARGE', details: { max_bytes: route.maxBodyBytes } });
        }
      });
    }
  });

  describe('knows no other paths and methods', () => {
    for (const [template, group] of Map.groupBy(operations, ({ route }) => route.template)) {
      const [first] = group;
      if (first === undefined) continue;
      const path = targetOf(first, { project_id: missing, job_id: missing });
      it(template, async () => {
        const known = group.flatMap(({ route }) => (route.method === 'get' ? ['GET', 'HEAD'] : [route.method.toUpperCase()]));
        for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'PURGE', 'TRACE'].filter((one) => !known.includes(one))) {
          const answer = await world.wire.send({ method, path });
          expect(answer.status, method).to.equal(405);
          expect(String(answer.headers['allow']).split(', ').sort()).to.deep.equal([...known, 'OPTIONS'].sort());
          if (method !== 'HEAD') expect(envelopeOf(answer).error?.code).to.equal('METHOD_NOT_ALLOWED');
        }
        for (const other of [`${path}/`, `${path}/unknown/unknown`, path.replace(basePath, '/api/v2'), path.toUpperCase(), path.replace(basePath, `${basePath}/`)]) {
          const answer = await world.wire.send({ method: known[0] ?? 'GET', path: other });
          expect(answer.status, other).to.equal(404);
          expect(envelopeOf(answer).error?.code).to.equal('NOT_FOUND');
        }
      });
    }
  });

  describe('hides what belongs to somebody else', () => {
    const below = ['task_id', 'label_id', 'attachment_id', 'comment_id', 'share_id', 'webhook_id', 'delivery_id'] as const;
    const naming = operations.filter((operation) => operation.route.auth === 'user'
      && (hasId(operation, 'project_id') || hasId(operation, 'job_id') || below.some((name) => hasId(operation, name)) || operation.parameters.some(({ name }) => name === 'project_id') || exampleOf(operation)?.['project_id'] !== undefined));
    /** Ben's, of the sort that the path names first. */
    const idOf = async (operation: Operation): Promise<string> => {
      if (hasId(operation, 'job_id')) return (await world.job('waiting', world.ben)).jobId;
      if (hasId(operation, 'share_id')) return world.share(world.ben);
      const projectId = await world.project(world.ben);
      if (hasId(operation, 'task_id')) return world.tasks.task(world.ben, projectId);
      if (hasId(operation, 'comment_id')) return world.comment(world.ben, projectId);
      if (hasId(operation, 'label_id')) return world.tasks.label(projectId);
      if (hasId(operation, 'webhook_id')) return (await world.webhook(world.ben, projectId)).webhookId;
      if (hasId(operation, 'delivery_id')) return (await world.webhook(world.ben, projectId)).deliveryId;
      return hasId(operation, 'attachment_id') ? world.tasks.attachment(world.ben, projectId) : projectId;
    };
    for (const operation of naming) {
      it(operation.route.operationId, async () => {
        const theirs = await idOf(operation);
        const ask = async (id: string, body: unknown): Promise<WireAnswer> => {
          const isInQuery = operation.parameters.some(({ name, in: place }) => name === 'project_id' && place === 'query');
          const path = targetOf(operation, { ...missingIds(operation), project_id: id, job_id: id, task_id: id, label_id: id, attachment_id: id, comment_id: id, share_id: id, webhook_id: id, delivery_id: id }, isInQuery ? { project_id: id } : {});
          const filled = body === null || body === undefined ? null : JSON.stringify({ ...body, ...('project_id' in Object(body) ? { project_id: id } : {}) });
          return (await send(operation, { method: operation.route.method.toUpperCase(), path, headers: filled === null ? {} : json, body: filled })).answer;
        };
        const expectAlike = async (body: unknown): Promise<WireAnswer> => {
          const [hidden, none] = [await ask(theirs, body), await ask(missing, body)];
          expect(hidden.status, hidden.text).to.equal(none.status);
          expect(hidden.text).to.equal(none.text);
          const names = (answer: WireAnswer): string[] => Object.keys(answer.headers).sort();
          expect(names(hidden)).to.deep.equal(names(none));
          return hidden;
        };
        const answer = await expectAlike(exampleOf(operation));
        // A filter by what is hidden finds nothing.
        if (operation.route.resource === null) return;
        expect(answer.status, answer.text).to.equal(404);
        expect(envelopeOf(answer).error?.code).to.equal('NOT_FOUND');
        const { body } = operation;
        if (body === null) return;
        for (const drawn of fc.sample(validRequest(operation, { ...world.existing(), project_id: missing }), settings)) await expectAlike(drawn.body);
      });
    }
  });

  describe('asks who it is', () => {
    for (const operation of operations.filter(({ route }) => route.auth !== 'none' && route.auth !== 'hook')) {
      const { route } = operation;
      it(`${route.operationId} refuses an anonymous caller`, async () => {
        const request = { method: route.method.toUpperCase(), path: targetOf(operation, { project_id: missing, job_id: missing, token: 'nobody' }) };
        const body = operation.body === null ? {} : { headers: json, body: '{}' };
        const answers = [await world.wire.send({ ...request, ...body })];
        for (const headers of [{ authorization: 'Bearer nonsense' }, { authorization: `Basic ${'x'.repeat(20)}` }, { 'x-api-key': `hsk_${'0'.repeat(36)}` }, { authorization: 'Bearer a', 'x-api-key': 'b' }]) {
          answers.push(await world.wire.send({ ...request, ...body, headers: { ...(body.headers ?? {}), ...headers } }));
        }
        for (const answer of answers) {
          expect(answer.status, answer.text).to.equal(401);
          expect(answer.headers['www-authenticate']).to.be.a('string');
          expect(envelopeOf(answer).error?.code).to.equal('AUTH_INVALID');
        }
      });
    }
  });

  describe('lets an API key do what its scopes and projects say', () => {
    const scopes = [...new Set(operations.flatMap(({ route }) => (route.scope === null ? [] : [route.scope])))];
    for (const operation of operations.filter(({ route }) => route.auth === 'user' || route.auth === 'jwt' || route.auth === 'admin')) {
      const { route } = operation;
      const right = (): WireRequest => {
        const [drawn] = fc.sample(validRequest(operation, world.existing()), { seed, numRuns: 1 });
        if (drawn === undefined) throw new Error('There is a valid request.');
        return written(operation, drawn);
      };
      it(`${route.operationId} ${route.scope === null ? 'takes none' : `takes none without ${route.scope}`}`, async () => {
        const apiKey = await apiKeyFor(system.current, world.ada.tokens.user.id, scopes.filter((one) => one !== route.scope), null);
        const answer = await world.wire.send(await world.complete(operation, right(), 'queued', { apiKey }));
        expect(answer.status, answer.text).to.equal(403);
        expect(envelopeOf(answer).error?.code).to.equal('FORBIDDEN');
      });
      if (route.scope === null) continue;
      it(`${route.operationId} takes one with ${route.scope}`, async () => {
        const apiKey = await apiKeyFor(system.current, world.ada.tokens.user.id, [route.scope ?? ''], null);
        const request = await world.complete(operation, right(), 'queued', { apiKey });
        const answer = await world.wire.send(request);
        expectDocumented(operation, request, answer);
        expect(answer.status, answer.text).to.not.be.oneOf([401, 403]);
      });
      if (!hasId(operation, 'project_id') && !hasId(operation, 'job_id') && exampleOf(operation)?.['project_id'] === undefined) continue;
      it(`${route.operationId} shows a key of one project no other`, async () => {
        const [inside, outside] = [world.projectId, await world.project(world.ada)];
        const { jobId } = await world.job('queued');
        const tagId = hasId(operation, 'tag_id') ? await world.tag(inside) : '';
        const ask = async (projects: readonly string[]): Promise<WireAnswer> => {
          const apiKey = await apiKeyFor(system.current, world.ada.tokens.user.id, [route.scope ?? ''], projects);
          const example = exampleOf(operation);
          const body = example === null ? null : JSON.stringify('project_id' in example ? { ...example, project_id: inside } : example);
          return world.wire.send({ method: route.method.toUpperCase(), path: targetOf(operation, { ...missingIds(operation), project_id: inside, job_id: jobId, tag_id: tagId }), headers: { ...(body === null ? {} : json), 'x-api-key': apiKey }, body });
        };
        const refused = await ask([outside]);
        expect(refused.status, refused.text).to.equal(404);
        // Deleting comes last, and only of what was made for this.
        if (route.method === 'delete' && hasId(operation, 'project_id')) return;
        const taken = await ask([inside]);
        expect(taken.status, taken.text).to.not.be.oneOf([401, 403, 404]);
      });
    }

    it('lists of a key of one project hold nothing of another', async () => {
      const other = await world.project(world.ada);
      const apiKey = await apiKeyFor(system.current, world.ada.tokens.user.id, scopes, [other]);
      const hive = system.current.anonymous({ apiKey });
      await world.job('queued');
      expect((await hive.api.listProjects({})).items.map(({ id }) => id)).to.deep.equal([other]);
      expect((await hive.api.listPreviewJobs({})).items).to.deep.equal([]);
    });
  });
});
