/** generated/sdk: types and a fetch client by @hey-api/openapi-ts (version pinned: its output is committed). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@hey-api/openapi-ts';
import type { Contract } from '../contract.ts';
import { type Files, readFiles } from '../output.ts';
import { writeTraits } from './traits.ts';

/**
 * The client's runtime is copied by hey-api into its output and was not written for exactOptionalPropertyTypes (nine
 * places), so the compiler takes its declared types as they are and does not check its bodies. What is generated from
 * our contract (types.gen.ts, sdk.gen.ts) is checked like everything else.
 */
const runtime = /^(client|core)\//;
const unchecked = '// @ts-nocheck The runtime of @hey-api/client-fetch, as it comes.\n';

export async function writeSdk(contract: Contract): Promise<Files> {
  const folder = await mkdtemp(join(tmpdir(), 'contract-sdk-'));
  try {
    await createClient({
      input: structuredClone(contract) as unknown as Record<string, unknown>,
      output: { path: folder, clean: true, module: { extension: '.ts' } },
      logs: { level: 'silent', file: false },
      plugins: ['@hey-api/typescript', '@hey-api/sdk', '@hey-api/client-fetch'],
    });
    const files: Files = new Map();
    for (const [path, text] of await readFiles(folder)) files.set(path, runtime.test(path) ? unchecked + text : text);
    files.set('traits.gen.ts', writeTraits(contract));
    return files;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
