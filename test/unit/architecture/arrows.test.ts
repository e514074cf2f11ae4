import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';

const root = join(import.meta.dirname, '../../..');
const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');

interface Verdict { readonly summary: { readonly violations: readonly { readonly from: string; readonly to: string; readonly rule: { readonly name: string } }[]; readonly totalCruised: number } }

/** Each file with what it imports, and the rule that has to refuse it. */
const broken: readonly (readonly [file: string, imported: string, rule: string])[] = [
  ['src/config/a.ts', '#platform/thing.ts', 'config-imports'],
  ['src/platform/a.ts', '#domains/tasks/service.ts', 'platform-imports'],
  ['src/jobs/a.ts', '#domains/tasks/service.ts', 'jobs-imports'],
  ['src/domains/tasks/a.ts', '#http/step.ts', 'domains-imports'],
  ['src/http/a.ts', '#domains/tasks/service.ts', 'http-imports'],
  ['src/workers/a.ts', '#jobs/thing.ts', 'workers-imports'],
  ['src/workers/b.ts', '#domains/tasks/service.ts', 'workers-imports'],
  ['src/sdk/a.ts', '#platform/thing.ts', 'sdk-imports'],
  ['src/sdk/b.ts', '#generated/server/routes.gen.ts', 'sdk-imports-generated'],
  ['src/workers/c.ts', '#generated/server/routes.gen.ts', 'workers-imports-generated'],
  ['src/domains/tasks/b.ts', '../projects/models.ts', 'domain-to-domain'],
  ['src/domains/tasks/c.ts', '../projects/queries.ts', 'domain-to-domain'],
  ['src/domains/policy.ts', './tasks/models.ts', 'policy-stands-alone'],
  ['src/domains/tasks/d.ts', '../../app.ts', 'entry-points-are-not-imported'],
  ['generated/server/a.gen.ts', '#platform/thing.ts', 'generated-imports-types-only'],
  ['test/acceptance/a.test.ts', '#platform/thing.ts', 'acceptance-knows-the-wire-alone'],
  ['src/platform/b.ts', '../../test/support/thing.ts', 'production-imports-production'],
  ['src/platform/c.ts', 'chai', 'no-development-packages'],
  ['src/platform/d.ts', './e.ts', 'no-cycles'],
  ['src/platform/f.ts', './nowhere.ts', 'no-missing-modules'],
];

const allowed: readonly (readonly [file: string, imported: string])[] = [
  ['src/domains/tasks/e.ts', '../projects/service.ts'],
  ['src/domains/tasks/f.ts', '../audit/audit.ts'],
  ['src/domains/tasks/g.ts', '#jobs/thing.ts'],
  ['src/http/b.ts', '#platform/thing.ts'],
  ['src/workers/d.ts', '#sdk/client.ts'],
  ['src/platform/g.ts', 'ajv'],
  ['src/app.ts', '#domains/tasks/service.ts'],
  ['test/acceptance/b.test.ts', '#sdk/client.ts'],
];

const targets = [
  'src/platform/thing.ts', 'src/jobs/thing.ts', 'src/http/step.ts', 'src/sdk/client.ts', 'generated/server/routes.gen.ts',
  'test/support/thing.ts', 'src/domains/tasks/service.ts', 'src/domains/tasks/models.ts', 'src/domains/audit/audit.ts',
  'src/domains/projects/service.ts', 'src/domains/projects/models.ts', 'src/domains/projects/queries.ts',
];

describe('arrows', () => {
  let folder = '';
  let verdict: Verdict;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hivesync-arrows-'));
    const write = (path: string, text: string): void => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    };
    for (const path of targets) write(path, 'export const it = 1;\n');
    for (const [path, imported] of [...broken, ...allowed]) write(path, `import * as it from '${imported}';\nexport { it };\n`);
    write('src/platform/e.ts', "import { it } from './d.ts';\nexport { it };\n");
    for (const name of ['.dependency-cruiser.cjs', 'package.json', 'tsconfig.json', 'node_modules']) symlinkSync(join(root, name), join(folder, name));
    verdict = await cruise(folder);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [file, imported, rule] of broken) {
    it(`refuses that ${file} imports ${imported} (${rule})`, () => {
      expect(verdict.summary.violations.filter(({ from }) => from === file).map((violation) => violation.rule.name)).to.include(rule);
    });
  }

  for (const [file, imported] of allowed) {
    it(`allows that ${file} imports ${imported}`, () => {
      expect(verdict.summary.violations.filter(({ from }) => from === file)).to.deep.equal([]);
    });
  }
});

async function cruise(cwd: string): Promise<Verdict> {
  const args = [cruiser, 'src', 'generated', 'test', '--config', '.dependency-cruiser.cjs', '--output-type', 'json'];
  const output = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, args, { cwd, timeout: 60_000, maxBuffer: 16_777_216 }, (_refused, stdout, stderr) => {
      // It ends with a failure whenever it found something, which is the point here.
      if (stdout === '') reject(new Error(`The cruiser said nothing: ${stderr}`));
      else resolve(stdout);
    });
  });
  return JSON.parse(output) as Verdict;
}
