/** Where in openapi/ a place of the bundle was written, and what only the files can tell. */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { parse } from 'yaml';
import { escapePointer } from '../contract.ts';
import type { Fault } from './fault.ts';

type Document = Readonly<Record<string, unknown>>;
interface Root { readonly paths?: Readonly<Record<string, { readonly $ref?: string }>>; readonly webhooks?: Readonly<Record<string, { readonly $ref?: string }>> }

const read = async (file: string): Promise<Document> => (parse(await readFile(file, 'utf8')) ?? {}) as Document;

export class Origins {
  readonly #files = new Map<string, string>();
  /** Faults of the files themselves: a name in two files, a path that is written and not listed. */
  readonly faults: Fault[] = [];

  /** `root` is openapi.yaml; its components and paths lie beside it. */
  static async read(root: string): Promise<Origins> {
    const origins = new Origins();
    const folder = dirname(root);
    const document = await read(root) as Root;
    for (const part of ['paths', 'webhooks'] as const) {
      for (const [path, { $ref }] of Object.entries(document[part] ?? {})) {
        if ($ref !== undefined) origins.#files.set(`#/${part}/${escapePointer(path)}`, $ref);
      }
    }
    for (const name of await yamlBelow(join(folder, 'paths'))) {
      for (const path of Object.keys(await read(join(folder, 'paths', name)))) {
        if (document.paths?.[path] === undefined) origins.faults.push({ rule: 'files', pointer: `#/paths/${escapePointer(path)}`, message: `${path} stands in paths/${name} and is not listed in ${relative(folder, root)}` });
      }
    }
    for (const kind of ['schemas', 'parameters', 'responses', 'examples']) {
      for (const name of await yamlBelow(join(folder, 'components', kind))) {
        const file = `components/${kind}/${name}`;
        for (const key of Object.keys(await read(join(folder, file)))) {
          const pointer = `#/components/${kind}/${key}`;
          const other = origins.#files.get(pointer);
          if (other !== undefined && kind === 'schemas') origins.faults.push({ rule: 'files', pointer, message: `${key} is defined in ${file} and in ${other.replace(/#.*$/, '')}` });
          origins.#files.set(pointer, `${file}#/${key}`);
        }
      }
    }
    return origins;
  }

  /** `paths/tasks.yaml#/~1tasks/get`, or the pointer itself where it is not known. */
  of(pointer: string): string {
    let known = pointer;
    while (known !== '#' && !this.#files.has(known)) known = known.slice(0, known.lastIndexOf('/'));
    const file = this.#files.get(known);
    return file === undefined ? pointer : `${file}${pointer.slice(known.length)}`;
  }
}

async function yamlBelow(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => name.endsWith('.yaml')).sort();
}

/** All faults, by file, in the form `file#/pointer  rule  message`. */
export function printed(faults: readonly Fault[], origins: Origins): string {
  return faults.map(({ pointer, rule, message }) => `${origins.of(pointer)}  ${rule}  ${message}`).sort().join('\n');
}
