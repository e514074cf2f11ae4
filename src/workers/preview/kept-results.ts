/**
 * The last result of a project, by platform and mode: the same sources, built again in the same way, make the same bundle
 * (tests hold that), so it is taken as it was stored. One file beside the project's transforms, replaced as a whole, under
 * the same bounds; its name holds everything the result follows from.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { JobSource, PreviewJobInput } from '#generated/sdk/types.gen.ts';
import { mapBounded } from '#platform/concurrency.ts';
import { sha256Hex } from '#platform/crypto.ts';
import { findSdkSet } from '#platform/sdk-sets.ts';
import { encodePack, Pack } from './child/transform-cache.ts';
import type { PackagedObject } from './packaging.ts';
import { childHash } from './sdk-places.ts';

/** Changes with the form of the file, or with what a result holds. */
const form = 'result-1';
const writersAtOnce = 8;
/** Of the project's whole cache, which the same bound holds for. */
const maxResultBytes = 64 * 1024 * 1024;

/** What a result follows from: the build, the sources by path, and the code that builds. */
export function resultName(input: PreviewJobInput, items: readonly JobSource[]): string {
  const sources = items.map(({ path, sha256 }) => [path, sha256]).sort(([one = ''], [other = '']) => (one < other ? -1 : 1));
  const env = Object.entries(input.env).sort(([one], [other]) => (one < other ? -1 : 1));
  const code = [childHash(), findSdkSet(input.sdk_version)?.lockHash ?? ''];
  const all = JSON.stringify([form, input.sdk_version, code, input.entry_file, input.environment, env, sources]);
  return `${variantOf(input)}.${sha256Hex(all)}.pack`;
}

const variantOf = ({ target_platform: platform, dev }: PreviewJobInput): string => `result-${platform}-${dev ? 'dev' : 'prod'}`;

/** The first line of a log that is told again. */
const repeated = 'nothing has changed since the last build: its result is taken, and this is its log';

type Described = Omit<PackagedObject, 'file'>;
const about = 'about';

/**
 * The objects of that result, written below `folder`; null where it is not kept here, or is damaged.
 *
 * @param folder where nothing is yet
 */
export async function takeKept(cacheDir: string, name: string, folder: string): Promise<PackagedObject[] | null> {
  let bytes: Buffer;
  try {
    bytes = await readFile(join(cacheDir, name));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  const pack = Pack.ofBytes(bytes);
  const described = describedIn(pack);
  const contents = described.map(({ sha256 }, index) => {
    const content = pack.get(String(index));
    return content !== null && sha256Hex(content) === sha256 ? content : null;
  });
  if (described.length === 0 || contents.includes(null)) {
    await rm(join(cacheDir, name), { force: true });
    return null;
  }
  return await mapBounded(described, writersAtOnce, async (object, index) => {
    const file = join(folder, object.encoding, object.path);
    const kept = contents[index] ?? Buffer.alloc(0);
    const told = object.kind === 'log' ? Buffer.concat([Buffer.from(`   0.000s  ${repeated}\n`), kept]) : null;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, told ?? kept, { flag: 'wx', mode: 0o600 });
    return told === null ? { ...object, file } : { ...object, file, sizeBytes: told.length, sha256: sha256Hex(told) };
  });
}

/** Nothing where the file is damaged. */
function describedIn(pack: Pack): Described[] {
  try {
    return JSON.parse(pack.get(about)?.toString('utf8') ?? '[]') as Described[];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

/** Keeps a result in place of the one before; one that is too large is not kept. */
export async function keepResult(cacheDir: string, name: string, objects: readonly PackagedObject[]): Promise<void> {
  if (objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) > maxResultBytes) return;
  const contents = await mapBounded(objects, writersAtOnce, ({ file }) => readFile(file));
  const described = objects.map(({ file: _, ...object }): Described => object);
  const pack = encodePack([[about, Buffer.from(JSON.stringify(described))], ...contents.map((content, index): [string, Buffer] => [String(index), content])]);
  const draft = join(cacheDir, `${name}.${process.pid}.${performance.now()}.new`);
  await writeFile(draft, pack, { flag: 'wx', mode: 0o600 });
  await rename(draft, join(cacheDir, name));
  const variant = name.slice(0, name.indexOf('.'));
  for (const other of await readdir(cacheDir)) {
    if (other.startsWith(`${variant}.`) && other.endsWith('.pack') && other !== name) await rm(join(cacheDir, other), { force: true });
  }
}
