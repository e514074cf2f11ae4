import type { QueueStats } from '#generated/sdk/types.gen.ts';
import type { Call } from '#platform/call.ts';
import { requireAdmin } from '../policy.ts';
import type { QueueStatistics } from './queue-statistics.ts';

export class QueueService {
  readonly #statistics: QueueStatistics;

  constructor(statistics: QueueStatistics) {
    this.#statistics = statistics;
  }

  /** At most five seconds old. */
  async stats(call: Call): Promise<QueueStats> {
    requireAdmin(call);
    return this.#statistics.snapshot();
  }
}
