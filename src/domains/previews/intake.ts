/** What a request for a preview comes to once the project's settings and the rules have been applied. Pure. */
import type { LimitName, PreviewSource, ProjectSettings, TierLimits, ValidationFault } from '#generated/sdk/types.gen.ts';
import type { Tier } from '#platform/call.ts';
import { ServiceError } from '#platform/errors.ts';
import { defaultSdkVersion, findSdkSet } from '#platform/sdk-sets.ts';
import { checkSourcePaths } from '#platform/source-paths.ts';

/** No tier builds larger single files: Metro holds each in memory several times over. */
const fileBytes = 50 * 1024 * 1024;

export interface PreviewChoices {
  readonly sdk_version?: string | null | undefined;
  readonly target_platform?: 'ios' | 'android' | 'web' | undefined;
  readonly device_type?: string | null | undefined;
  readonly entry_file?: string | undefined;
  readonly environment?: 'development' | 'staging' | 'production' | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly dev?: boolean | undefined;
}

export interface Intake {
  readonly sdk_version: string;
  readonly target_platform: 'ios' | 'android' | 'web';
  readonly device_type: string | null;
  readonly entry_file: string;
  readonly environment: 'development' | 'staging' | 'production';
  readonly env: Readonly<Record<string, string>>;
  readonly dev: boolean;
  readonly files: readonly PreviewSource[];
  readonly sourceBytes: number;
}

/** What the caller's tier allows, and which larger one would allow so much. */
export interface Allowance {
  readonly limits: Pick<TierLimits, 'preview_source_files' | 'preview_source_bytes'>;
  readonly tier: Tier;
  readonly upgradeTo: (limit: LimitName, needed: number) => Tier | null;
}

/**
 * Fills in what was left out from the project's settings, normalises every path, and refuses what breaks a rule:
 * VALIDATION_ERROR with a pointer to each fault, QUOTA_EXCEEDED for more files or bytes than the tier allows.
 */
export function takeIn(
  choices: PreviewChoices, files: readonly PreviewSource[], settings: ProjectSettings['preview'], allowance: Allowance,
): Intake {
  const platform = choices.target_platform ?? settings.target_platform;
  const sdkVersion = choices.sdk_version ?? settings.sdk_version ?? defaultSdkVersion();
  const faults: ValidationFault[] = [];
  const set = findSdkSet(sdkVersion);
  if (set === null) faults.push({ pointer: '#/body/sdk_version', message: 'is not an SDK set; listPreviewSdks names them', rule: 'sdk_version' });
  else if (!set.platforms.some((one) => one === platform)) {
    faults.push({ pointer: '#/body/target_platform', message: `is not built by the SDK set ${sdkVersion}`, rule: 'target_platform' });
  }
  requireRoom('preview_source_files', files.length, allowance);
  const checked = checkSourcePaths(files, choices.entry_file ?? settings.entry_file);
  if (!checked.ok) {
    faults.push(...checked.faults.map((fault) => ({
      pointer: fault.index < 0 ? '#/body/entry_file' : `#/body/files/${fault.index}/path`, message: fault.message, rule: fault.rule,
    })));
  }
  for (const [index, file] of files.entries()) {
    if (file.size > fileBytes) faults.push({ pointer: `#/body/files/${index}/size`, message: `must be at most ${fileBytes} bytes`, rule: 'maximum' });
  }
  faults.push(...sizesThatDiffer(files));
  if (faults.length > 0 || !checked.ok) throw new ServiceError('VALIDATION_ERROR', 'The sources cannot be built like this.', { details: faults.slice(0, 100) });
  const sourceBytes = files.reduce((sum, file) => sum + file.size, 0);
  requireRoom('preview_source_bytes', sourceBytes, allowance);
  return {
    sdk_version: sdkVersion,
    target_platform: platform,
    device_type: choices.device_type ?? null,
    entry_file: checked.entryFile,
    environment: choices.environment ?? settings.environment,
    env: choices.env ?? {},
    dev: choices.dev ?? settings.dev,
    files: files.map((file, index) => ({ ...file, path: checked.normalised[index] ?? file.path })),
    sourceBytes,
  };
}

/** One hash is one content and has one size. */
function sizesThatDiffer(files: readonly PreviewSource[]): ValidationFault[] {
  const sizes = new Map<string, number>();
  const faults: ValidationFault[] = [];
  for (const [index, file] of files.entries()) {
    const size = sizes.get(file.sha256) ?? file.size;
    sizes.set(file.sha256, size);
    if (size !== file.size) faults.push({ pointer: `#/body/files/${index}/size`, message: 'another file with this hash has another size', rule: 'size' });
  }
  return faults;
}

function requireRoom(limit: 'preview_source_files' | 'preview_source_bytes', used: number, { limits, tier, upgradeTo }: Allowance): void {
  const allowed = limits[limit];
  if (allowed === null || used <= allowed) return;
  throw new ServiceError('QUOTA_EXCEEDED', `Your tier (${tier}) allows ${allowed} for ${limit.replaceAll('_', ' ')}; this preview has ${used}.`, {
    details: { limit, allowed, used, tier, upgrade_to: upgradeTo(limit, used) },
  });
}
