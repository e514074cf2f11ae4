/**
 * Builds of examples/field-notes: ours as a client sees them (hashing, upload, build in the sandbox, artifacts at hand),
 * against `react-native bundle` and `expo export` in a folder with their packages installed.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { HiveSync } from '#sdk/index.ts';
import { startLocalSystem } from './local-system.ts';
import type { Benchmark, Case } from './measure.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const example = join(root, 'examples/field-notes');
const withinMs = 10 * 60_000;
const platform = 'ios';

/** A program that bundles, in a folder of its own. */
interface Bundler {
  readonly name: 'react-native bundle' | 'expo export';
  /** Below bench/compared. */
  readonly packages: string;
  readonly files: Readonly<Record<string, string>>;
  readonly command: (folder: string) => readonly string[];
  /** What makes it forget its transforms. */
  readonly forget: string;
}

const bundlers: readonly Bundler[] = [
  {
    name: 'react-native bundle', packages: 'react-native', forget: '--reset-cache',
    files: {
      'babel.config.js': `module.exports = { presets: ['module:@react-native/babel-preset'] };\n`,
      'metro.config.js': `module.exports = require('@react-native/metro-config').getDefaultConfig(__dirname);\n`,
    },
    command: (folder) => [
      join(folder, 'node_modules/.bin/rnc-cli'), 'bundle', '--platform', platform, '--dev', 'false', '--minify', 'true', '--entry-file', 'index.js',
      '--bundle-output', join(folder, 'out.js'), '--sourcemap-output', join(folder, 'out.js.map'), '--assets-dest', join(folder, 'out'),
    ],
  },
  {
    // Without bytecode, as the others: Hermes would take seconds more.
    name: 'expo export', packages: 'expo', forget: '--clear',
    files: { 'app.json': JSON.stringify({ name: 'FieldNotes', expo: { name: 'Field Notes', slug: 'field-notes', platforms: [platform] } }) },
    command: (folder) => [join(folder, 'node_modules/.bin/expo'), 'export', '--platform', platform, '--no-bytecode', '--output-dir', join(folder, 'out')],
  },
];

type Way = 'forgotten' | 'new' | 'unchanged' | 'changed';
type Times = Readonly<Record<Way, number[]>>;
const noTimes = (): Times => ({ forgotten: [], new: [], unchanged: [], changed: [] });
/** What only ours can be asked for. */
interface OwnTimes extends Times { readonly live: number[]; readonly inARow: number[] }
const editsOfRound = 6;

const benchmark: Benchmark = {
  name: 'previews',
  about: [
    'One app (14 sources, 15 images, about 750 modules with its packages), iOS, minified, with a source map.',
    'Ours: from the call of the SDK to the bundle\'s URL, on a running system, by what the machine\'s own `npm start` starts; the sources are hashed, uploaded, built in the sandbox, and stored, the bundle in three encodings.',
    'The others: one run of the command each, in a folder where their packages are installed.',
    '`in a live session`, which is how one edit after the other is shown: from the call that pushes the edit to the new bundle\'s event.',
    'While the others ran, ours had the quiet to warm up its build processes; `six in a row` shows what is left when it has none: each build changes one file, and begins when the one before has ended.',
    '`new project`: every source differs from all that were built before, and the packages\' transforms are known from earlier projects; `all forgotten`: theirs are not, as on a fresh machine.',
  ],
  async run(say, rounds) {
    const folder = await mkdtemp(join(tmpdir(), 'hivesync-bench-apps-'));
    const system = await startLocalSystem(say);
    try {
      const prepared = await Promise.all(bundlers.map((bundler) => prepare(bundler, folder, say)));
      const ours: OwnTimes = { ...noTimes(), live: [], inARow: [] };
      const theirs = bundlers.map(noTimes);
      for (let round = 0; round < rounds; round += 1) {
        say(`Round ${round + 1} of ${rounds}`);
        for (const [index, bundler] of bundlers.entries()) await buildTheirs(bundler, prepared[index] ?? '', round, theirs[index] ?? noTimes());
        await buildOurs(system.hive, folder, round, ours);
      }
      return casesOf(ours, theirs);
    } finally {
      await system.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  },
};
export default benchmark;

function casesOf(ours: OwnTimes, theirs: readonly Times[]): Case[] {
  const side = (way: Way) => bundlers.map(({ name }, index) => ({ name, timesMs: theirs[index]?.[way] ?? [] }));
  return [
    {
      name: 'new project', wished: 'at least 2 ×', ours: { name: 'HiveSync', timesMs: ours.new },
      others: [...side('new'), ...side('forgotten').map(({ name, timesMs }) => ({ name: `${name}, all forgotten`, timesMs }))],
    },
    { name: 'unchanged', wished: 'at least 3 ×', ours: { name: 'HiveSync', timesMs: ours.unchanged }, others: side('unchanged') },
    {
      name: 'one file changed', wished: 'at least 5 ×', ours: { name: 'HiveSync', timesMs: ours.changed },
      others: [...side('changed'), { name: 'HiveSync, six in a row', timesMs: ours.inARow }],
    },
    { name: 'one file changed, in a live session', wished: 'at least 5 ×', ours: { name: 'HiveSync', timesMs: ours.live }, others: side('changed') },
  ];
}

async function buildOurs(hive: HiveSync, folder: string, round: number, times: OwnTimes): Promise<void> {
  const app = join(folder, `ours-${round}`);
  await cp(example, app, { recursive: true });
  await makeNew(app, round);
  const project = await hive.api.createProject({ body: { name: `Bench ${round}` } });
  const build = () => hive.previews.build(app, { projectId: project.id, platform });
  times.new.push(await timed(build));
  times.unchanged.push(await timed(build));
  await change(app, `changed ${round}`);
  times.changed.push(await timed(build));
  for (let edit = 1; edit <= editsOfRound; edit += 1) {
    await change(app, `changed ${round}, then ${edit}`);
    times.inARow.push(await timed(build));
  }
  await editLive(hive, app, (await build()).job.id, round, times.live);
  await hive.api.deleteProject({ path: { project_id: project.id } });
}

/** Edits one after the other, as somebody types and saves; the first bundle of the session is not measured. */
async function editLive(hive: HiveSync, app: string, jobId: string, round: number, times: number[]): Promise<void> {
  const { live_session: { id }, token } = await hive.api.createLiveSession({ body: { job_id: jobId } });
  const leaving = new AbortController();
  const events = hive.events('/preview/live-sessions/{live_id}/events', { path: { live_id: id }, query: { token }, signal: leaving.signal })[Symbol.asyncIterator]();
  const ready = async (revision: number): Promise<void> => {
    for (;;) {
      const { done, value } = await events.next();
      if (done === true) throw new Error('The live session ended.');
      const { data } = value as { data: { revision?: number; status?: string } };
      if (value.event === 'revision' && data.revision === revision && data.status === 'failed') throw new Error(`Revision ${revision} was not built.`);
      if (value.event === 'revision' && data.revision === revision && data.status === 'ready') return;
    }
  };
  try {
    await ready(0);
    for (let edit = 1; edit <= editsOfRound; edit += 1) {
      await change(app, `edited ${round}, ${edit}`);
      const content = await readFile(join(app, changedPath));
      times.push(await timed(async () => {
        await hive.api.pushLiveChanges({ path: { live_id: id }, body: { base_revision: edit - 1, changes: [{ path: changedPath, content_base64: content.toString('base64') }] } });
        await ready(edit);
      }));
    }
    await hive.api.endLiveSession({ path: { live_id: id } });
  } finally {
    leaving.abort();
  }
}

async function buildTheirs({ command, forget }: Bundler, folder: string, round: number, times: Times): Promise<void> {
  const bundle = (...more: readonly string[]) => async (): Promise<void> => {
    // Nothing of ours reaches them, and nothing they might wait for or tell anybody.
    const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: join(folder, 'tmp'), CI: '1', EXPO_OFFLINE: '1', EXPO_NO_TELEMETRY: '1', NODE_ENV: 'production' };
    await run(process.execPath, [...command(folder), ...more], { cwd: folder, env, timeout: withinMs, maxBuffer: 64 * 2 ** 20 });
  };
  await makeNew(folder, round, 'forgotten');
  times.forgotten.push(await timed(bundle(forget)));
  await makeNew(folder, round);
  times.new.push(await timed(bundle()));
  times.unchanged.push(await timed(bundle()));
  await change(folder, `changed ${round}`);
  times.changed.push(await timed(bundle()));
}

/** The packages are installed once, below .hivesync/bench; the app is laid beside them. */
async function prepare({ name, packages, files }: Bundler, parent: string, say: (line: string) => void): Promise<string> {
  const kept = join(root, '.hivesync/bench', packages);
  await mkdir(kept, { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) await cp(join(root, 'bench/compared', packages, file), join(kept, file));
  say(`The packages of \`${name}\` are brought in.`);
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--legacy-peer-deps'], { cwd: kept, timeout: withinMs, maxBuffer: 64 * 2 ** 20 });
  const folder = join(parent, packages);
  await cp(kept, folder, { recursive: true, verbatimSymlinks: true });
  for (const part of ['src', 'assets', 'index.js', 'app.json']) await cp(join(example, part), join(folder, part), { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
  await mkdir(join(folder, 'tmp'));
  return folder;
}

/** Every source gets a line that no other build has had. */
async function makeNew(app: string, round: number, more = ''): Promise<void> {
  for (const file of await sourcesOf(app)) await mark(file, `new ${round} ${more}`);
}

const changedPath = 'src/screens/NoteScreen.tsx';
const change = (app: string, text: string): Promise<void> => mark(join(app, changedPath), text);

/** Code, not a comment: what is minified away would still be transformed, but a bundle shows that it was built anew. */
async function mark(file: string, text: string): Promise<void> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => !line.startsWith('globalThis.builtAs = '));
  await writeFile(file, [...lines, `globalThis.builtAs = ${JSON.stringify(text.trim())};`, ''].join('\n').replace(/\n{2,}$/u, '\n'));
}

async function sourcesOf(app: string): Promise<string[]> {
  const entries = await readdir(join(app, 'src'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile() && /\.tsx?$/u.test(entry.name)).map((entry) => join(entry.parentPath, entry.name));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
