/** What a worker and everything it started use of its machine. */
import { readFileSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';

export interface Usage {
  /** Of all cores, since the last look. */
  readonly cpuPercent: number;
  /** Resident, children included. */
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number | null;
}

/** USER_HZ: what the kernel counts processor time in, for every architecture Node runs on. */
const ticksPerSecond = 100;

interface Process { readonly pid: number; readonly parent: number; readonly ticks: number }

/** Measures the processes below this one. Linux tells all of it in /proc; elsewhere this process alone is counted. */
export class UsageMeter {
  #lastAt = performance.now();
  #lastSeconds: number;

  constructor() {
    this.#lastSeconds = look().cpuSeconds;
  }

  read(): Usage {
    const { cpuSeconds, memoryBytes } = look();
    const now = performance.now();
    const wallSeconds = (now - this.#lastAt) / 1000;
    const used = wallSeconds <= 0 ? 0 : (cpuSeconds - this.#lastSeconds) / wallSeconds / availableParallelism();
    this.#lastAt = now;
    this.#lastSeconds = cpuSeconds;
    const limit = process.constrainedMemory();
    return {
      cpuPercent: Math.round(Math.min(Math.max(used * 100, 0), 100) * 10) / 10,
      memoryBytes,
      // Without a limit the kernel answers the largest number it has.
      memoryLimitBytes: limit > 0 && limit < 2 ** 44 ? limit : null,
    };
  }
}

function look(): { cpuSeconds: number; memoryBytes: number } {
  if (process.platform !== 'linux') {
    const { user, system } = process.cpuUsage();
    return { cpuSeconds: (user + system) / 1e6, memoryBytes: process.memoryUsage.rss() };
  }
  const family = familyOf(process.pid, allProcesses());
  return {
    // A child's time moves to its parent when it ends, so the sum never falls while the family lives.
    cpuSeconds: family.reduce((sum, { ticks }) => sum + ticks, 0) / ticksPerSecond,
    memoryBytes: family.reduce((sum, { pid }) => sum + residentBytes(pid), 0),
  };
}

function allProcesses(): Process[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^[0-9]+$/u.test(name)) return [];
    const stat = textOf(`/proc/${name}/stat`);
    if (stat === null) return [];
    // The program's name, in parentheses, may hold anything; after it: state, parent, …; user, system and ended children's time from the 12th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return [{ pid: Number(name), parent: Number(fields[1]), ticks }];
  });
}

function familyOf(root: number, processes: readonly Process[]): Process[] {
  const byParent = Map.groupBy(processes, ({ parent }) => parent);
  const family = processes.filter(({ pid }) => pid === root);
  for (const member of family) family.push(...(byParent.get(member.pid) ?? []));
  return family;
}

function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+([0-9]+) kB$/mu.exec(textOf(`/proc/${pid}/status`) ?? '')?.[1];
  return kilobytes === undefined ? 0 : Number(kilobytes) * 1024;
}

/** Null for a process that has just ended. */
function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
