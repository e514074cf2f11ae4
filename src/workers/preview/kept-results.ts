/**
 * The last result of a project, by platform and mode: the same sources, built again in the same way, make the same bundle
 * (tests hold that), so it is taken as it was stored. One folder beside the project's transforms, replaced as a whole, under
 * the same bounds; its name holds everything the result follows from.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobSource, PreviewJobInput } from '#generated/sdk/types.gen.ts';
import { mapBounded } from '#platform/concurrency.ts';
import { sha256Hex } from '#platform/crypto.ts';
import { findSdkSet } from '#platform/sdk-sets.ts';
import { duplicate } from '#platform/storage/disk-files.ts';
import type { PackagedObject } from './packaging.ts';
import { childHash } from './sdk-places.ts';

/** Changes with the form of the folder, or with what a result holds. */
const form = 'result-2';
const atOnce = 8;
/** Of the project's whole cache, which the same bound holds for. */
const maxResultBytes = 64 * 1024 * 1024;

/** What a result follows from: the build, the sources by path, and the code that builds. */
export function resultName(input: PreviewJobInput, items: readonly JobSource[]): string {
  const sources = items.map(({ path, sha256 }) => [path, sha256]).sort(([one = ''], [other = '']) => (one < other ? -1 : 1));
  const env = Object.entries(input.env).sort(([one], [other]) => (one < other ? -1 : 1));
  const code = [childHash(), findSdkSet(input.sdk_version)?.lockHash ?? ''];
  const all = JSON.stringify([form, input.sdk_version, code, input.entry_file, input.environment, env, sources]);
  return `${variantOf(input)}.${sha256Hex(all)}`;
}

const variantOf = ({ target_platform: platform, dev }: PreviewJobInput): string => `result-${platform}-${dev ? 'dev' : 'prod'}`;

/** The first line of a log that is told again. */
const repeated = 'nothing has changed since the last build: its result is taken, and this is its log';

type Described = Omit<PackagedObject, 'file' | 'bytes'>;
/** What the files beside it are, in the order of their names: 0, 1, … */
const about = 'about.json';

/**
 * The objects of that result, in `folder`; null where it is not kept here, or is damaged.
 *
 * @param folder where nothing is yet
 */
export async function takeKept(cacheDir: string, name: string, folder: string): Promise<PackagedObject[] | null> {
  const kept = join(cacheDir, name);
  try {
    const described = await describedIn(kept);
    await mkdir(folder, { recursive: true });
    return await mapBounded(described, atOnce, async (object, index) => await take(object, join(kept, String(index)), join(folder, String(index))));
  } catch (error) {
    // Absent: nothing is kept, or another build of the project has just put its own in place.
    if (!(error instanceof Damaged) && !isAbsent(error)) throw error;
    await rm(kept, { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
    return null;
  }
}

class Damaged extends Error {}

/** The file as it was kept, under a name of the job's own; a log says that it is told again. */
async function take(object: Described, kept: string, file: string): Promise<PackagedObject> {
  const content = await readFile(kept);
  if (sha256Hex(content) !== object.sha256) throw new Damaged();
  if (object.kind !== 'log') {
    await duplicate(kept, file);
    return { ...object, file };
  }
  const told = Buffer.concat([Buffer.from(`   0.000s  ${repeated}\n`), content]);
  await writeFile(file, told, { flag: 'wx', mode: 0o600 });
  return { ...object, file, sizeBytes: told.length, sha256: sha256Hex(told) };
}

async function describedIn(kept: string): Promise<Described[]> {
  let described: unknown;
  try {
    described = JSON.parse(await readFile(join(kept, about), 'utf8'));
  } catch (error) {
    throw error instanceof SyntaxError ? new Damaged() : error;
  }
  if (!Array.isArray(described) || described.length === 0) throw new Damaged();
  return described as Described[];
}

const isAbsent = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

/**
 * Keeps a result in place of the one before; one that is too large is not kept. Its files are given a second name, which costs
 * a job that ends next to nothing: packed into one file, 7 MB were read and written beside the uploads, for 30 ms of them (measured).
 */
export async function keepResult(cacheDir: string, name: string, objects: readonly PackagedObject[]): Promise<void> {
  if (objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) > maxResultBytes) return;
  const draft = join(cacheDir, `${name}.${process.pid}.${performance.now()}.new`);
  try {
    await mkdir(draft, { mode: 0o700 });
    await mapBounded(objects, atOnce, async ({ file }, index) => await duplicate(file, join(draft, String(index))));
    await writeFile(join(draft, about), JSON.stringify(objects.map(({ file: _, bytes: __, ...object }): Described => object)), { flag: 'wx', mode: 0o600 });
    await rename(draft, join(cacheDir, name));
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // The same result, kept by a build beside this one: either will do.
    if (!(error instanceof Error) || !('code' in error) || (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST')) throw error;
  }
  const variant = name.slice(0, name.indexOf('.'));
  for (const other of await readdir(cacheDir)) {
    if (other.startsWith(`${variant}.`) && !other.endsWith('.new') && other !== name) await rm(join(cacheDir, other), { recursive: true, force: true });
  }
}
