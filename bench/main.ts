/**
 * `npm run bench [-- <name>…] [--rounds N]`: runs the benchmarks, prints their tables, and keeps them under bench/results/
 * as JSON and Markdown. Figures of two machines do not compare; ratios of one run do.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import enqueue from './enqueue.ts';
import { type Benchmark, type Case, tableOf } from './measure.ts';
import previews from './previews.ts';

const benchmarks: readonly Benchmark[] = [previews, enqueue];
const resultsFolder = fileURLToPath(new URL('results/', import.meta.url));

const { values, positionals } = parseArgs({ allowPositionals: true, options: { rounds: { type: 'string', default: '5' } } });
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) throw new Error('--rounds takes a whole number from 1 to 100.');
const unknown = positionals.filter((name) => !benchmarks.some((each) => each.name === name));
if (unknown.length > 0) throw new Error(`There is no benchmark ${unknown.join(', ')}; there are: ${benchmarks.map(({ name }) => name).join(', ')}.`);

const at = new Date().toISOString();
const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, memory_gib: Math.round(totalmem() / 2 ** 30), node: process.version };
for (const benchmark of benchmarks) {
  if (positionals.length > 0 && !positionals.includes(benchmark.name)) continue;
  console.log(`\n# ${benchmark.name}\n`);
  const cases = await benchmark.run((line) => console.log(line), rounds);
  console.log(`\n${tableOf(cases)}\n`);
  await keep(benchmark, cases);
}

async function keep({ name, about }: Benchmark, cases: readonly Case[]): Promise<void> {
  await mkdir(resultsFolder, { recursive: true });
  const file = `${resultsFolder}${at.slice(0, 10)}-${name}`;
  const head = `# ${name}\n\n${at}, ${machine.cores} × ${machine.cpu}, ${machine.memory_gib} GiB, Node ${machine.node}.\n\n${about.join('\n')}\n`;
  await writeFile(`${file}.md`, `${head}\n${tableOf(cases)}\n`);
  await writeFile(`${file}.json`, `${JSON.stringify({ name, at, machine, cases }, hundredths)}\n`);
  console.log(`Kept as bench/results/${at.slice(0, 10)}-${name}.{md,json}.`);
}

/** Durations to a hundredth of a millisecond: finer than any clock here. */
function hundredths(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 100) / 100 : value;
}
