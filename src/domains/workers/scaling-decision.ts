/** Whether a class of workers needs one more or one less: a function of what is seen, and of nothing else. */
import type { ScalingRule } from '#generated/sdk/types.gen.ts';

export interface Seen {
  readonly rule: Omit<ScalingRule, 'updated_by' | 'updated_at'>;
  readonly nowMs: number;
  /** Workers that take jobs, those that were asked for and are on their way included. */
  readonly workers: number;
  /** Jobs that could be claimed now, and how long the first of them has waited. */
  readonly waiting: number;
  readonly oldestWaitingSeconds: number | null;
  /** Workers that had no work for the rule's `idle_seconds` and may be drained, the one to go first at the front. */
  readonly idleWorkerIds: readonly string[];
  /** Of those that may be drained at all, whether they are idle or not, the one to go first at the front. */
  readonly drainableIds: readonly string[];
  readonly lastDecisionMs: number | null;
}

export interface Decision {
  readonly action: 'scale_up' | 'scale_down';
  readonly from: number;
  readonly to: number;
  readonly reason: string;
  /** Whom a scale-down asks to drain. */
  readonly workerId: string | null;
}

const said = (count: number, one: string, more: string): string => `${count} ${count === 1 ? one : more}`;

/** Null where all is as it should be, or where the last decision is too young. One worker at a time, but up to `min` at once. */
export function decide(seen: Seen): Decision | null {
  const { rule, workers, waiting } = seen;
  if (!rule.enabled) return null;
  if (seen.lastDecisionMs !== null && seen.nowMs - seen.lastDecisionMs < rule.cooldown_seconds * 1_000) return null;
  const up = (to: number, reason: string): Decision => ({ action: 'scale_up', from: workers, to, reason, workerId: null });
  const down = (workerId: string, reason: string): Decision => ({ action: 'scale_down', from: workers, to: workers - 1, reason, workerId });

  if (workers < rule.min) return up(rule.min, `${said(workers, 'worker runs', 'workers run')}; the rule asks for ${rule.min} at least.`);
  const [anyone] = seen.drainableIds;
  if (workers > rule.max) return anyone === undefined ? null : down(anyone, `${said(workers, 'worker runs', 'workers run')}; the rule allows ${rule.max} at most.`);
  if (workers < rule.max) {
    const jobsWait = `${said(waiting, 'job waits', 'jobs wait')} for ${said(workers, 'worker', 'workers')}`;
    if (waiting > 0 && waiting >= rule.scale_up_queue_length * workers) return up(workers + 1, `${jobsWait}.`);
    const oldest = seen.oldestWaitingSeconds ?? 0;
    if (waiting > 0 && oldest > rule.target_wait_seconds) {
      return up(workers + 1, `${jobsWait}, the first for ${Math.round(oldest)} s, which is longer than the ${rule.target_wait_seconds} s aimed at.`);
    }
  }
  const [idle] = seen.idleWorkerIds;
  if (waiting === 0 && workers > rule.min && idle !== undefined) return down(idle, `A worker has had no work for ${rule.idle_seconds} s.`);
  return null;
}
