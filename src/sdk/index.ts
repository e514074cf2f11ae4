/** HiveSync's SDK. */
export { HiveSync, type HiveSyncOptions, type StreamInput } from './client.ts';
export { HiveSyncError } from './errors.ts';
export type { ApiEvent } from './events.ts';
export { waitForJob, type AnyJob, type JobSource, type WaitOptions } from './jobs.ts';
export type { CallOptions, Operations } from './operations.ts';
export { paginate, type Page } from './paginate.ts';
export { PreviewBuildError, type BuildOptions, type BuildProgress, type BuiltPreview } from './previews/build.ts';
export type { LivePreview } from './previews/live.ts';
export type { LiveBuildOptions, LiveJobOptions, LiveOptions, LivePhone } from './previews/live-options.ts';
export type { LiveUpdate } from './previews/live-updates.ts';
export type { GivenFile } from './previews/sources.ts';
export { EventParser, readEvents, type ServerEvent } from './sse.ts';
export type * from '#generated/sdk/types.gen.ts';
