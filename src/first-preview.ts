/**
 * What the first `npm start` shows: the demo project built as any client would build it, through the public API alone.
 * The SDK set is brought in by the workers meanwhile; they tell the supervisor how far they are.
 */
import { fileURLToPath } from 'node:url';
import { SingleBar, Presets } from 'cli-progress';
import type { Environment } from '#config/environment.ts';
import { pause } from '#platform/deadline.ts';
import { HiveSync, type BuiltPreview } from '#sdk/index.ts';
import { demoAccount, demoProject } from '../seeds/demo-account.ts';

type WorkerMessages = (listener: (message: unknown) => void) => () => void;

const exampleFolder = fileURLToPath(new URL('../examples/field-notes', import.meta.url));
/** Measured: 20 s for the packages and 50–70 s for priming on two cores; a slow line gets its time too. */
const sdkTimeoutMs = 20 * 60_000;
const sdkPollMs = 500;
const platform = 'ios';

/** Signs in as the demo account, builds its project, and says what came out and what to try next. */
export default async function firstPreview(env: Environment, say: (line: string) => void, onWorkerMessage: WorkerMessages): Promise<void> {
  const bar = new StageBar(say);
  try {
    const signedIn = await new HiveSync({ baseUrl: env.baseUrl }).api.loginUser({ body: { email: demoAccount.email, password: demoAccount.password } });
    if (signedIn.token_type !== 'Bearer') throw new Error('The demo account asks for a second factor.');
    const hive = new HiveSync({ baseUrl: env.baseUrl, accessToken: signedIn.access_token });
    const projectId = await demoProjectId(hive);
    await sdkReady(hive, bar, onWorkerMessage);

    const startedAt = performance.now();
    const built = await hive.previews.build(exampleFolder, {
      projectId, platform,
      onProgress: ({ stage, done, total }) => bar.show(stage, done, total),
    });
    const seconds = (performance.now() - startedAt) / 1000;
    bar.done();
    for (const line of summary(env, built, seconds, projectId)) say(line);
  } finally {
    bar.done();
  }
}

async function demoProjectId(hive: HiveSync): Promise<string> {
  for await (const project of hive.paginate(hive.api.listProjects, {})) if (project.name === demoProject.name) return project.id;
  return (await hive.api.createProject({ body: { ...demoProject } })).id;
}

/** Waits until a worker holds the default SDK set; the bar follows whichever worker makes it. */
async function sdkReady(hive: HiveSync, bar: StageBar, onWorkerMessage: WorkerMessages): Promise<void> {
  const stop = onWorkerMessage((message) => {
    const progress = readProgress(message);
    // The other workers wait for the one that installs.
    if (progress !== null && progress.stage !== 'waiting' && progress.stage !== 'ready') bar.show(`SDK ${progress.version}: ${progress.stage}`, progress.done, progress.total);
  });
  try {
    const endAt = performance.now() + sdkTimeoutMs;
    for (;;) {
      const { items } = await hive.api.listPreviewSdks();
      const set = items.find(({ is_default: isDefault }) => isDefault);
      if (set?.status === 'ready') return;
      if (performance.now() > endAt) throw new Error('No worker has the SDK set yet; see the logs of the workers, and try `npm run sdk:install`.');
      await pause(sdkPollMs);
    }
  } finally {
    stop();
  }
}

interface SdkProgressMessage { readonly version: string; readonly stage: string; readonly done: number; readonly total: number }

function readProgress(message: unknown): SdkProgressMessage | null {
  if (typeof message !== 'object' || message === null || !('type' in message) || message.type !== 'sdk-progress') return null;
  const { version, stage, done, total } = message as Record<string, unknown>;
  if (typeof version !== 'string' || typeof stage !== 'string' || typeof done !== 'number' || typeof total !== 'number') return null;
  return { version, stage, done, total };
}

/** One bar for everything that takes long. Without a terminal: a line for each stage. */
class StageBar {
  readonly #say: (line: string) => void;
  #bar: SingleBar | null = null;
  #stage = '';

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  show(stage: string, done: number, total: number): void {
    if (process.stdout.isTTY !== true) {
      if (stage !== this.#stage) this.#say(`  First preview: ${stage} …`);
      this.#stage = stage;
      return;
    }
    if (this.#bar === null) {
      this.#bar = new SingleBar({ format: '  {bar} {percentage}%  {stage}', hideCursor: true, clearOnComplete: true, stream: process.stdout }, Presets.shades_classic);
      this.#bar.start(1, 0, { stage });
    }
    this.#bar.setTotal(Math.max(1, total));
    this.#bar.update(Math.min(done, Math.max(1, total)), { stage });
  }

  done(): void {
    this.#bar?.stop();
    this.#bar = null;
  }
}

function summary(env: Environment, built: BuiltPreview, seconds: number, projectId: string): string[] {
  const api = `${env.baseUrl}/api/v1`;
  const kilobytes = (encoding: string): string => {
    const size = built.artifacts.find((artifact) => artifact.kind === 'bundle' && artifact.encoding === encoding)?.size ?? 0;
    return `${Math.round(size / 1024)} KB`;
  };
  return [
    '',
    `  First preview: "${demoProject.name}" for ${platform}, built in ${seconds.toFixed(1)} s: ${kilobytes('identity')} of JavaScript (${kilobytes('br')} as it is sent).`,
    `    the bundle    ${built.url}`,
    '',
    '  Try next',
    `    sign in       curl -s ${api}/auth/login -H 'content-type: application/json' -d '${JSON.stringify({ email: demoAccount.email, password: demoAccount.password })}'`,
    `    the job       curl -s ${api}/preview/jobs/${built.job.id} -H 'authorization: Bearer <access_token>'`,
    `    by the SDK    npm exec -- node examples/build-preview.ts ${env.baseUrl}`,
    `    project       ${projectId}, of ${demoAccount.username} (${demoAccount.email}, password "${demoAccount.password}")`,
    `    how it works  docs/quick-start-integrators.md, docs/previews.md`,
    '',
  ];
}
