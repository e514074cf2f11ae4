/**
 * Whom and what the property tests ask about: two people who know nothing of each other, their projects and preview
 * jobs in every state, a worker node. Requests are drawn with stand-ins for what exists; the real thing is put in when
 * a request is sent, made anew where the operation may change it.
 */
import { createHash } from 'node:crypto';
import { windowKey } from '#platform/request-windows.ts';
import type { Existing } from './arbitrary.ts';
import { BelongingThings, existingBelonging } from './belonging.ts';
import { commentIdIn, commentsFor, existingComments } from './comments.ts';
import type { Operation } from './contract.ts';
import { signatureOf, type Node } from './credentials.ts';
import { keyIdOf, keyStandIn } from './keys.ts';
import { notificationIdOf, notificationStandIn } from './notifications.ts';
import { basePath } from './requests.ts';
import { existingPreviews, previewThings, previewTokenOf, shareOf } from './previews.ts';
import { existingSignIns, SignInThings } from './sign-ins.ts';
import { tagIdIn, tagStandIn } from './tags.ts';
import { existingTasks, TaskThings } from './tasks.ts';
import { existingWebhooks, webhookIn, webhooksFor } from './webhooks.ts';
import { envelopeOf, type WireAnswer, type WireRequest, Wire } from './wire.ts';
import type { Person, System } from '../system.ts';

export const workerSecret = 'the-worker-secret-of-the-property-tests';

const standIns = {
  project: '00000000-0000-4000-8000-00000000a001',
  job: '00000000-0000-4000-8000-00000000b001',
  lease: 'the-lease-token-of-a-running-job',
  objectKey: 'the-object-key-of-an-upload',
} as const;

export const jobStates = ['waiting', 'queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];

/** Credentials of a request, as headers. */
export type Credentials = 'own' | 'none' | { readonly apiKey: string };

const text = 'export default 1;';
const source = { path: 'index.js', sha256: createHash('sha256').update(text).digest('hex'), size: text.length };

export class World {
  readonly wire: Wire;
  readonly #system: System;
  readonly ada: Person;
  readonly ben: Person;
  readonly #visitor: Person;
  readonly #node: Node;
  readonly #signIns: SignInThings;
  readonly #belonging: BelongingThings;
  readonly tasks: TaskThings;
  /** A project of Ada's whose one source is stored: a preview of it is enqueued at once. */
  readonly projectId: string;

  private constructor(system: System, wire: Wire, people: readonly [Person, Person, Person], node: Node, projectId: string) {
    this.#system = system;
    this.wire = wire;
    [this.ada, this.ben, this.#visitor] = people;
    this.#node = node;
    this.#signIns = new SignInThings(wire, this.ada);
    this.#belonging = new BelongingThings(system, this.ada, this.ben);
    this.tasks = new TaskThings(system);
    this.projectId = projectId;
  }

  static async open(system: System): Promise<World> {
    const wire = new Wire(system.baseUrl);
    const people = [await system.person('admin'), await system.person('admin'), await system.person('admin')] as const;
    const body = JSON.stringify({
      name: 'property-node', type: 'cpu', concurrency: 1, version: '1.0.0',
      capabilities: { kinds: ['preview', 'live_session'], sdk_versions: ['0.88.1', '57.0.26'], sandbox: 'none', local_model: false },
    });
    const path = `${basePath}/workers/register`;
    const registered = await wire.send({
      method: 'POST', path, body, headers: { 'content-type': 'application/json', ...signatureOf({ id: 'property-node', key: workerSecret }, 'POST', path, body) },
    });
    const { worker, node_key } = dataOf<{ worker: { id: string }; node_key: string }>(registered);
    const node = { id: worker.id, key: Buffer.from(node_key, 'base64url') };
    const { id } = await people[0].hive.api.createProject({ body: { name: 'Field Notes' } });
    const world = new World(system, wire, people, node, id);
    await world.#belonging.open();
    const requested = await world.#request(people[0], id);
    for (const { upload_url, headers } of requested.missing) {
      const put = await fetch(upload_url, { method: 'PUT', headers, body: text });
      if (!put.ok) throw new Error(`An upload was answered with ${put.status}.`);
    }
    await people[0].hive.api.startPreviewJob({ path: { job_id: requested.job.id } });
    return world;
  }

  /** What a request may name, by the field it stands in. */
  existing(): Existing {
    const { email, username } = this.#visitor.tokens.user;
    return {
      project_id: standIns.project, template_id: '01940000-0000-7000-8000-000000000002', job_id: standIns.job, lease_token: standIns.lease, key_id: keyStandIn, notification_id: notificationStandIn, tag_id: tagStandIn, ...existingSignIns, ...existingBelonging, ...existingTasks, ...existingComments, ...existingPreviews, ...existingWebhooks, assignee_id: this.ada.tokens.user.id,
      email, username, password: this.#visitor.password, sdk_version: '0.88.1', entry_file: source.path, sha256: source.sha256, size: source.size,
      path: source.path, object_key: standIns.objectKey,
    };
  }

  /** Puts real things in the place of stand-ins, those it may change made anew, and adds the credentials. */
  async complete(operation: Operation, request: WireRequest, state: JobState, as: Credentials = 'own'): Promise<WireRequest> {
    const { route } = operation;
    // How often one person may ask has tests of its own: here Ada asks for everybody.
    const { id } = this.ada.tokens.user;
    await this.#system.redis.del(windowKey(id, route.rateLimit ?? 'strict'), windowKey(id, 'strict'), `rate_limit:user_code_caller:${id}`, 'rate_limit:user_code_all:everybody');
    const whole = JSON.stringify([request.path, typeof request.body === 'string' ? request.body : '']);
    const real = await this.#signIns.realFor(whole);
    if (whole.includes(standIns.job) || whole.includes(standIns.lease)) {
      const { jobId, lease } = await this.job(route.auth === 'worker' && state !== 'queued' ? 'running' : state);
      real.set(standIns.job, jobId).set(standIns.lease, lease);
      if (route.operationId === 'retryDeadJob') await this.#system.sql("update preview_jobs set died_at = now() where id = $1 and status = 'failed'", [jobId]);
      if (lease !== standIns.lease && whole.includes(standIns.objectKey)) real.set(standIns.objectKey, await this.#upload(jobId, lease));
    }
    if (whole.includes(standIns.project)) {
      const mayChange = route.method === 'delete' || route.method === 'patch';
      real.set(standIns.project, mayChange ? await this.project(this.ada) : this.projectId);
    }
    for (const [standIn, thing] of await this.#belonging.realFor(whole, route.method, real.get(standIns.project))) real.set(standIn, thing);
    if (whole.includes(keyStandIn)) real.set(keyStandIn, await keyIdOf(this.ada));
    if (whole.includes(notificationStandIn)) real.set(notificationStandIn, await notificationIdOf(this.#system, this.ada, this.projectId));
    if (whole.includes(tagStandIn)) real.set(tagStandIn, await this.tag(real.get(standIns.project) ?? this.projectId));
    if (route.auth === 'preview' && whole.includes(existingSignIns.token)) {
      real.set(existingSignIns.token, await previewTokenOf(route.operationId, this.#system, this.ada, this.projectId, async () => (await this.job(state)).jobId));
    }
    for (const [standIn, thing] of await previewThings(this.#system, whole, this.ada, existingSignIns.token, async (wanted) => (await this.job(wanted)).jobId)) real.set(standIn, thing);
    for (const [standIn, thing] of await commentsFor(whole, this.#system, this.ada, real.get(standIns.project) ?? this.projectId)) real.set(standIn, thing);
    for (const [standIn, thing] of await webhooksFor(whole, this.#system, this.ada, real.get(standIns.project) ?? this.projectId)) real.set(standIn, thing);
    for (const [standIn, thing] of await this.tasks.realFor(whole, this.ada, real.get(standIns.project) ?? this.projectId)) real.set(standIn, thing);
    const filled = (part: string): string => [...real].reduce((done, [standIn, thing]) => done.replaceAll(standIn, thing), part);
    const ready = { ...request, path: keepingOwnLimits(filled(request.path)), body: typeof request.body === 'string' ? filled(request.body) : request.body ?? null };
    if (route.requestBody === 'stream' && ready.body === null) Object.assign(ready, { body: text, headers: { ...ready.headers, 'content-type': route.requestTypes[0] ?? '' } });
    const token = as === 'own' ? await this.#tokenFor(route.operationId) : this.ada.tokens.access_token;
    return { ...ready, headers: { ...ready.headers, ...this.#credentials(operation, ready, token, as) } };
  }

  /** Ada's, but where the request ends what it is made with. */
  async #tokenFor(operationId: string): Promise<string> {
    if (operationId === 'logoutUser') return (await this.#signIns.signIn()).access_token;
    if (operationId === 'requestAccountDeletion') {
      const { id, token } = await this.#signIns.leaving();
      await this.#system.redis.del(windowKey(id, 'strict'), windowKey(id, 'api'));
      return token;
    }
    return this.ada.tokens.access_token;
  }

  #credentials({ route }: Operation, request: WireRequest, token: string, as: Credentials): Record<string, string> {
    if (as === 'none') return {};
    if (as !== 'own') return { 'x-api-key': as.apiKey };
    switch (route.auth) {
      case 'user': case 'jwt': case 'admin': return { authorization: `Bearer ${token}` };
      case 'worker': {
        const node = route.operationId === 'registerWorker' ? { id: nameIn(request.body), key: workerSecret } : this.#node;
        return signatureOf(node, request.method, request.path, request.body ?? '');
      }
      default: return {};
    }
  }

  /** A new tag of a project. */
  tag(projectId: string): Promise<string> {
    return tagIdIn(this.#system, projectId);
  }

  /** A share of a new preview of somebody's. */
  async share(owner: Person): Promise<string> {
    return shareOf(this.#system, owner, (await this.job('waiting', owner)).jobId);
  }

  comment(owner: Person, projectId: string): Promise<string> {
    return commentIdIn(this.#system, owner, projectId);
  }

  async webhook(owner: Person, projectId: string): Promise<{ webhookId: string; deliveryId: string }> {
    return webhookIn(this.#system, owner, projectId);
  }

  async project(owner: Person): Promise<string> {
    return (await owner.hive.api.createProject({ body: { name: 'Made for one request' } })).id;
  }

  #request(who: Person, projectId: string): ReturnType<Person['hive']['api']['requestPreview']> {
    return who.hive.api.requestPreview({ body: { project_id: projectId, target_platform: 'ios', entry_file: source.path, files: [source] } });
  }

  /** A preview job of Ada's in the state named, and the token of its lease where it has one. */
  async job(state: JobState, owner: Person = this.ada): Promise<{ jobId: string; lease: string }> {
    const none = standIns.lease;
    if (state === 'waiting' || owner !== this.ada) {
      const { job } = await this.#request(owner, await this.project(owner));
      return { jobId: job.id, lease: none };
    }
    const jobId = (await this.#request(this.ada, this.projectId)).job.id;
    if (state === 'queued') return { jobId, lease: none };
    if (state === 'cancelled') {
      await this.ada.hive.api.cancelPreviewJob({ path: { job_id: jobId } });
      return { jobId, lease: none };
    }
    const [row] = await this.#system.sql('select epoch from preview_jobs where id = $1', [jobId]);
    const { lease_token: lease } = dataOf<{ lease_token: string }>(await this.#asNode(`/workers/jobs/${jobId}/claim`, { epoch: row?.['epoch'] }));
    if (state === 'failed') {
      const failure = { kind: 'build_error', message: 'Unexpected token', retryable: false };
      await this.#asNode('/workers/callback', { job_id: jobId, status: 'FAIL', lease_token: lease, error: 'It broke.', failure });
    }
    if (state === 'succeeded') await this.#succeed(jobId, lease);
    return { jobId, lease };
  }

  /** Uploads what passes for a bundle; answers its key. */
  async #upload(jobId: string, lease: string): Promise<string> {
    const object = { ...source, content_type: 'application/javascript', content_encoding: 'identity' };
    const { uploads: [upload] } = dataOf<{ uploads: { upload_url: string; object_key: string; headers: Record<string, string> }[] }>(
      await this.#asNode(`/workers/jobs/${jobId}/uploads`, { lease_token: lease, objects: [object] }),
    );
    if (upload === undefined) throw new Error('There is nowhere to upload to.');
    const put = await fetch(upload.upload_url, { method: 'PUT', headers: upload.headers, body: text });
    if (!put.ok) throw new Error(`An upload was answered with ${put.status}.`);
    return upload.object_key;
  }

  async #succeed(jobId: string, lease: string): Promise<void> {
    dataOf(await this.#asNode('/workers/callback', {
      job_id: jobId, status: 'SUCCESS', lease_token: lease,
      artifacts: [{ ...source, kind: 'bundle', object_key: await this.#upload(jobId, lease), encoding: 'identity' }],
      result: { kind: 'preview', bundle_bytes: source.size, timings: { fetching_ms: 1, bundling_ms: 2, packaging_ms: 3, uploading_ms: 4 } },
    }));
  }

  async #asNode(below: string, value: unknown): Promise<WireAnswer> {
    const [path, body] = [`${basePath}${below}`, JSON.stringify(value)];
    return this.wire.send({ method: 'POST', path, body, headers: { 'content-type': 'application/json', ...signatureOf(this.#node, 'POST', path, body) } });
  }
}

/** Whoever asks here is an administrator: what that tier allows is not to be drawn at random. */
const keepingOwnLimits = (path: string): string => path.replace(/(?<=\/admin\/tiers\/)admin$/, 'premium');

/** A worker registers under the name it signs with. */
function nameIn(body: WireRequest['body']): string {
  let value: unknown = null;
  try { value = JSON.parse(typeof body === 'string' ? body : 'null'); } catch { /* A body that is no JSON names nobody. */ }
  const name: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'name') : null;
  return typeof name === 'string' && /^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/.test(name) ? name : 'property-node';
}

function dataOf<T>(answer: WireAnswer): T {
  const envelope = envelopeOf(answer);
  if (!envelope.ok) throw new Error(`What a test needs could not be made: ${answer.status} ${answer.text.slice(0, 500)}`);
  return envelope.data as T;
}
