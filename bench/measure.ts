/** What a benchmark hands over, and how it is told: medians of interleaved rounds, and their ratios. Pure. */

/** One way of doing a case's work. */
export interface Side {
  readonly name: string;
  /** One duration a round, in milliseconds. */
  readonly timesMs: readonly number[];
}

export interface Case {
  readonly name: string;
  /** The side that the others are held to; ratios are theirs over its. */
  readonly ours: Side;
  readonly others: readonly Side[];
  /** What the design wishes for, as `at least 2 ×`. */
  readonly wished?: string;
}

export interface Benchmark {
  readonly name: string;
  /** A few words on what is compared and what is not. */
  readonly about: readonly string[];
  run(say: (line: string) => void, rounds: number): Promise<readonly Case[]>;
}

/** The value below which a share (0 to 1) of them lies; of none it is NaN. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.ceil((sorted.length - 1) / 2)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

/** A Markdown table: a line for each side of each case. */
export function tableOf(cases: readonly Case[]): string {
  const lines = ['| case | side | median | p99 | smallest – largest | of | ratio |', '| --- | --- | --- | --- | --- | --- | --- |'];
  for (const { name, ours, others, wished } of cases) {
    lines.push(rowOf(name, ours, wished === undefined ? '1' : `1 (wished: ${wished})`));
    for (const other of others) lines.push(rowOf('', other, `${(median(other.timesMs) / median(ours.timesMs)).toFixed(2)} ×`));
  }
  return lines.join('\n');
}

const rowOf = (name: string, { name: side, timesMs }: Side, ratio: string): string =>
  `| ${name} | ${side} | ${shown(median(timesMs))} | ${shown(quantile(timesMs, 0.99))} | ${shown(quantile(timesMs, 0))} – ${shown(quantile(timesMs, 1))} | ${timesMs.length} | ${ratio} |`;

const shown = (ms: number): string => (ms >= 1_000 ? `${(ms / 1_000).toFixed(2)} s` : `${ms.toFixed(ms >= 100 ? 0 : 1)} ms`);
