/** What an account has used of what its tier allows, by the counts that its requests are judged by. */
import type { LimitName, Usage, UsageItem } from '#generated/sdk/types.gen.ts';
import type { Call, Tier } from '#platform/call.ts';
import type { Clock } from '#platform/clock.ts';
import { ServiceError } from '#platform/errors.ts';
import type { StreamUse } from '#platform/open-streams.ts';
import type { RequestUse } from '#platform/request-windows.ts';
import type { ApiKeyService } from '../apikeys/service.ts';
import type { NotificationService } from '../notifications/service.ts';
import { requireSelf } from '../policy.ts';
import type { PreviewService } from '../previews/service.ts';
import type { ProjectService } from '../projects/service.ts';
import type { TierService } from '../tiers/service.ts';

/** What each limit is counted for, in the order of LimitName. */
const scopes: Readonly<Record<LimitName, UsageItem['scope']>> = {
  api_requests_per_minute: 'account',
  preview_jobs_per_minute: 'account',
  preview_jobs_per_day: 'account',
  preview_jobs_at_once: 'account',
  preview_source_files: 'job',
  preview_source_bytes: 'job',
  preview_build_minutes: 'job',
  live_sessions_at_once: 'account',
  ai_jobs_per_minute: 'account',
  ai_jobs_per_day: 'account',
  ai_lines_per_job: 'job',
  ai_input_tokens_per_job: 'job',
  refactor_files: 'job',
  repo_syncs_per_hour: 'project',
  repo_mirror_bytes: 'project',
  projects: 'account',
  team_members: 'team',
  webhooks_per_project: 'project',
  api_keys: 'account',
  notifications_per_day: 'account',
  streams_at_once: 'account',
  artifact_retention_days: 'account',
  notification_retention_days: 'account',
};
const names = Object.keys(scopes) as LimitName[];

interface Used { readonly used: number | null; readonly resetsAtMs?: number }

export interface UsageDependencies {
  readonly clock: Clock;
  readonly tiers: TierService;
  readonly projects: ProjectService;
  readonly previews: PreviewService;
  readonly apiKeys: ApiKeyService;
  readonly notifications: NotificationService;
  readonly requests: RequestUse;
  readonly streams: StreamUse;
}

export class UsageService {
  readonly #on: UsageDependencies;

  constructor(dependencies: UsageDependencies) {
    this.#on = dependencies;
  }

  /** Every counted limit, in the order of LimitName. Six statements and two round trips to Redis, however much there is. */
  async get(call: Call): Promise<Usage> {
    const userId = requireSelf(call);
    const tier = tierOf(call);
    const limits = await this.#on.tiers.limitsOf(tier);
    const nowMs = this.#on.clock.now();
    const used = await this.#used(userId, nowMs);
    return {
      tier,
      as_of: timeOf(nowMs),
      items: names.map((name): UsageItem => {
        const limit = limits[name];
        const one = used[name];
        // What has no cap is not counted in Redis.
        const isCounted = limit !== null || (name !== 'api_requests_per_minute' && name !== 'streams_at_once');
        const { used: count, resetsAtMs } = one !== undefined && isCounted ? one : { used: null };
        return { name, scope: scopes[name], limit, used: count, resets_at: resetsAtMs === undefined ? null : timeOf(resetsAtMs) };
      }),
    };
  }

  async #used(userId: string, nowMs: number): Promise<Readonly<Partial<Record<LimitName, Used>>>> {
    const { projects, previews, apiKeys, notifications, requests, streams } = this.#on;
    const midnightMs = (Math.floor(nowMs / dayMs) + 1) * dayMs;
    // One after the other: one request shall not take half of the pool.
    const preview = await previews.use(userId);
    const counted = { projects: await projects.used(userId), keys: await apiKeys.used(userId), told: await notifications.usedToday(userId) };
    const [window, open] = await Promise.all([requests.used(userId), streams.open(userId)]);
    return {
      api_requests_per_minute: window === null ? { used: null } : { used: window.used, resetsAtMs: window.emptyAtMs },
      preview_jobs_per_minute: { used: preview.lastMinute, resetsAtMs: nowMs + preview.minuteEmptyInSeconds * 1000 },
      preview_jobs_per_day: { used: preview.today, resetsAtMs: midnightMs },
      preview_jobs_at_once: { used: preview.atOnce },
      live_sessions_at_once: { used: preview.live },
      // No operation that runs makes any.
      ai_jobs_per_minute: { used: 0, resetsAtMs: nowMs },
      ai_jobs_per_day: { used: 0, resetsAtMs: midnightMs },
      projects: { used: counted.projects },
      api_keys: { used: counted.keys },
      notifications_per_day: { used: counted.told, resetsAtMs: midnightMs },
      streams_at_once: { used: open },
    };
  }
}

const dayMs = 24 * 60 * 60 * 1000;

const timeOf = (ms: number): string => new Date(Math.ceil(ms)).toISOString();

function tierOf({ caller }: Call): Tier {
  if (caller.kind === 'user' || caller.kind === 'api_key') return caller.tier;
  throw new ServiceError('AUTH_INVALID', 'Sign in first.');
}
