import { spawn } from 'node:child_process';
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { inRounds } from '../../support/lanes/order.ts';

const runner = new URL('../../support/lanes/run.ts', import.meta.url).href;

describe('tests in lanes', () => {
  let folder: string;
  before(() => { folder = mkdtempSync(join(tmpdir(), 'lanes-')); });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs files of these texts, in this order, in so many lanes. */
  async function run(files: Readonly<Record<string, string>>, lanes: number, alone: readonly string[] = []): Promise<string[]> {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const beside = Object.keys(files).filter((name) => !alone.includes(name));
    const script = `import { runInLanes } from ${JSON.stringify(runner)}; await runInLanes(${JSON.stringify(folder)}, ${JSON.stringify({ beside, alone })}, ${lanes});`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => { output += chunk.toString(); });
    await new Promise((resolve) => { child.once('close', resolve); });
    return output.split('\n').map((line) => line.trim()).filter((line) => line !== '');
  }

  it('end with the count alone, each file told of as a whole', async () => {
    const lines = await run({
      'a.test.ts': 'describe("a", () => { it("one", () => undefined); it("two", async () => { await new Promise((resolve) => setTimeout(resolve, 50)); }); });',
      'b.test.ts': 'describe("b", () => { it("three", () => undefined); });',
      'c.test.ts': 'describe("c", () => { it("four", () => undefined); });',
    }, 2);
    expect(lines.at(-1)).to.equal('4 passed, 0 failed');
    expect(lines.slice(lines.indexOf('a'), lines.indexOf('a') + 2).join()).to.include('one');
    expect(lines[lines.indexOf('a') + 2]).to.include('two');
  });

  it('fail by whatever a file fails by: an assertion with what differed, a hook, a process that ends, a file that is none, a test that is skipped, and none at all', async () => {
    const lines = await run({
      'assertion.test.ts': 'describe("assertion", () => { it("differs", () => { throw Object.assign(new Error("these differ"), { actual: "this", expected: "that", showDiff: true }); }); });',
      'hook.test.ts': 'describe("hook", () => { before("breaks", () => { throw new Error("in a hook"); }); it("never", () => undefined); });',
      'dies.test.ts': 'describe("dies", () => { it("ends", () => { process.exit(3); }); });',
      'broken.test.ts': 'describe("broken", () => { it(',
      'skipped.test.ts': 'describe("skipped", () => { it.skip("later", () => undefined); it("now", () => undefined); });',
      'none.test.ts': 'export {};',
    }, 1);
    expect(lines.at(-1)).to.equal('1 passed, 6 failed');
    const all = lines.join('\n');
    for (const text of ['+that', '-this', 'Error: in a hook', 'ended before it was through (3)', 'ended before it was through (1)', 'Pending test forbidden', 'No test was run.']) expect(all).to.include(text);
  });

  it('fail by what a test left open', async () => {
    const lines = await run({ 'leaks.test.ts': 'import { createServer } from "node:net"; describe("leaks", () => { it("listens", (done) => { createServer().listen(0, "127.0.0.1", done); }); });' }, 1);
    expect(lines.at(-1)).to.equal('1 passed, 1 failed');
    expect(lines.join('\n')).to.include('the end of lane 1');
  });

  it('run alone what must be alone, when all else is through', async () => {
    const slow = 'describe("slow", () => { it("waits", async () => { await new Promise((resolve) => setTimeout(resolve, 300)); }); });';
    const lines = await run({ 'alone.test.ts': 'describe("alone", () => { it("runs", () => undefined); });', 'slow.test.ts': slow, 'short.test.ts': 'describe("short", () => { it("runs", () => undefined); });' }, 2, ['alone.test.ts']);
    expect(lines.filter((line) => ['alone', 'slow', 'short'].includes(line)).at(-1)).to.equal('alone');
  });

  it('take every file once, what is long first, and know when a file that is named is no more', () => {
    const files = globSync('**/*.test.ts', { cwd: fileURLToPath(new URL('../..', import.meta.url)) });
    const { beside, alone } = inRounds(files);
    expect([...beside, ...alone].sort()).to.deep.equal([...files].sort());
    expect(beside[0]).to.equal('acceptance/properties.test.ts');
    expect(alone.at(-1)).to.equal('acceptance/coverage.test.ts');
    expect(() => inRounds(['unit/a.test.ts'])).to.throw('names what is no file');
  });
});
