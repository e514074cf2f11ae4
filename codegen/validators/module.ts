/** Turns Ajv's standalone code into an ES module without `require`, with its declarations beside it. */
import { banner, type Files } from '../output.ts';

/** Everything Ajv's generated code may need at run time, by the `require` it writes for it. */
const imports: readonly { readonly written: RegExp; readonly line: string; readonly instead: string }[] = [
  { written: /require\("ajv\/dist\/runtime\/ucs2length"\)/g, line: "import ucs2length from 'ajv/dist/runtime/ucs2length.js';", instead: 'ucs2length' },
  { written: /require\("ajv\/dist\/runtime\/equal"\)/g, line: "import equal from 'ajv/dist/runtime/equal.js';", instead: 'equal' },
  { written: /require\("ajv-formats\/dist\/formats"\)/g, line: "import formats from 'ajv-formats/dist/formats.js';", instead: 'formats' },
];

export function asModule(files: Files, name: string, code: string, exported: readonly string[]): void {
  let text = code.replace(/^"use strict";\s*/, '');
  const lines: string[] = [];
  for (const { written, line, instead } of imports) {
    if (!written.test(text)) continue;
    lines.push(line);
    text = text.replace(written, instead);
  }
  const left = /require\([^)]*\)/.exec(text);
  if (left !== null) throw new Error(`Ajv's code needs ${left[0]}: name its import in codegen/validators/module.ts`);
  files.set(`${name}.js`, `${[banner.trimEnd(), ...lines].join('\n')}\n${text}\n`);
  files.set(`${name}.d.ts`, [
    banner,
    "import type { Compiled } from './runtime.gen.ts';\n",
    ...(exported.length === 0 ? ['export {};'] : exported.map((each) => `export declare const ${each}: Compiled;`)),
    '',
  ].join('\n'));
}
