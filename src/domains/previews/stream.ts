import type { PreviewJob, PreviewLogLine } from '#generated/sdk/types.gen.ts';
import type { JobWatch } from '#jobs/watch.ts';
import type { Call } from '#platform/call.ts';
import type { Database } from '#platform/database.ts';
import { ServiceError } from '#platform/errors.ts';
import { requireRoleOn } from '../policy.ts';
import { jobByIdSql, logLinesSql } from './queries.ts';
import { presentJob, type PreviewRow } from './rows.ts';

/** Four looks a second at most, however fast the build reports; its end is told at once. */
const pauseMs = 250;
const linesAtOnce = 500;
/** Who loses the project while following is sent nothing more after this long; its credential is the pipeline's to look at. */
const usualRecheckMs = 15_000;

/** What somebody who follows a job is sent: the job whenever it changed, and each line of its log once. */
export class PreviewStream {
  readonly #db: Database;
  readonly #watch: JobWatch;
  readonly #recheckMs: number;

  constructor(db: Database, watch: JobWatch, recheckMs = usualRecheckMs) {
    this.#db = db;
    this.#watch = watch;
    this.#recheckMs = recheckMs;
  }

  /**
   * Begins with the job as it is. An event's id is `<version>.<attempt>.<line>`; given back as Last-Event-ID, the log goes on after
   * that line and the job is sent again only if it has changed since.
   */
  async open(call: Call, jobId: string, lastEventId: string | undefined): Promise<AsyncIterable<JobEvent>> {
    await requireRoleOn(this.#db, call, 'preview_job', jobId);
    return this.#events(call, jobId, readEventId(lastEventId));
  }

  async *#events(call: Call, jobId: string, seen: Seen): AsyncGenerator<JobEvent> {
    let { version, attempt, line } = seen;
    let allowedAt = performance.now();
    for await (const _ of this.#watch.follow(jobId, call.signal, pauseMs)) {
      if (performance.now() - allowedAt >= this.#recheckMs) {
        if (!(await this.#isAllowed(call, jobId))) return;
        allowedAt = performance.now();
      }
      const [row] = await this.#db.named<PreviewRow>('previews.job_by_id', jobByIdSql, [jobId]);
      if (row === undefined) return;
      if (row.attempt !== attempt) { attempt = row.attempt; line = 0; }
      for (;;) {
        const lines: PreviewLogLine[] = row.log_lines > line ? await this.#db.named<PreviewLogLine>('previews.log_lines', logLinesSql, [jobId, line, linesAtOnce, 0]) : [];
        for (const one of lines) {
          line = one.seq;
          yield { id: `${version}.${attempt}.${line}`, event: 'log', data: one };
        }
        if (lines.length < linesAtOnce) break;
      }
      if (row.row_version !== version) {
        version = row.row_version;
        yield { id: `${version}.${attempt}.${line}`, event: 'job', data: presentJob(row) };
      }
      if (row.completed_at !== null) return;
    }
  }

  async #isAllowed(call: Call, jobId: string): Promise<boolean> {
    try {
      await requireRoleOn(this.#db, call, 'preview_job', jobId);
      return true;
    } catch (error) {
      if (error instanceof ServiceError && error.status < 500) return false;
      throw error;
    }
  }
}

/** `job` carries the PreviewJob, `log` a PreviewLogLine. */
export interface JobEvent {
  readonly id: string;
  readonly event: 'job' | 'log';
  readonly data: PreviewJob | PreviewLogLine;
}

/** Versions, attempts and lines are counted from 1: zero is before everything, and fits an id. */
interface Seen { version: number; attempt: number; line: number }

function readEventId(id: string | undefined): Seen {
  const match = /^(\d{1,15})\.(\d{1,9})\.(\d{1,9})$/.exec(id ?? '');
  return match === null ? { version: 0, attempt: 0, line: 0 } : { version: Number(match[1]), attempt: Number(match[2]), line: Number(match[3]) };
}
