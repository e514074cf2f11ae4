/**
 * Shows each save of a project on a phone, until Ctrl-C: `npm exec -- node examples/live-preview.ts [folder] [base URL]`,
 * against a running `npm start`. HIVESYNC_TOKEN and HIVESYNC_PROJECT_ID take the place of the demo account and its first project.
 */
import { env } from 'node:process';
import { renderUnicodeCompact } from 'uqr';
import { HiveSync, PreviewBuildError, type LiveUpdate } from '#sdk/index.ts';

const folder = process.argv[2] ?? new URL('field-notes', import.meta.url).pathname;
const baseUrl = process.argv[3] ?? 'http://localhost:4000';

async function signIn(): Promise<string> {
  const answer = await new HiveSync({ baseUrl }).api.loginUser({ body: { email: 'ada@example.com', password: 'notes-taken-outdoors' } });
  if (answer.token_type !== 'Bearer') throw new Error('This account asks for a second factor.');
  return answer.access_token;
}

function describe(update: LiveUpdate): string | null {
  switch (update.kind) {
    case 'pushed': return `revision ${update.revision}: ${[...update.written, ...update.removed.map((path) => `${path} (removed)`)].join(', ')}`;
    case 'revision': {
      const { revision, status, error, duration_ms: ms } = update.revision;
      if (status === 'ready') return `revision ${revision} is on the phone${ms === null ? '' : `, built in ${ms} ms`}`;
      return status === 'failed' ? `revision ${revision} does not build: ${error?.message ?? ''}\n${error?.code_frame ?? ''}` : null;
    }
    case 'refused': return `the folder is not taken as it is: ${update.error.message}`;
    case 'waiting': return `${update.error.message} Trying again in ${Math.ceil(update.retryInMs / 1000)} s.`;
    case 'ended': return 'the session is over';
    case 'source_map': return null;
  }
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

const hive = new HiveSync({ baseUrl, accessToken: env['HIVESYNC_TOKEN'] ?? await signIn() });
const projectId = env['HIVESYNC_PROJECT_ID'] ?? (await hive.api.listProjects({ query: { limit: 1 } })).items[0]?.id;
if (projectId === undefined) throw new Error('This account has no project.');
try {
  const live = await hive.previews.live(folder, { projectId, platform: 'ios', signal: stop.signal });
  console.log(renderUnicodeCompact(live.phone.qrText));
  console.log(`Scan it, or open ${live.phone.viewUrl}. Each save below ${folder} is shown.`);
  for await (const update of live) {
    const line = describe(update);
    if (line !== null) console.log(line);
  }
  // The server is told before the process ends.
  await live.close();
} catch (error) {
  if (!(error instanceof PreviewBuildError)) throw error;
  console.error(`${error.message}\n${error.codeFrame ?? ''}`);
  process.exitCode = 1;
}
