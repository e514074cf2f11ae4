import type { ProjectSettings, ProjectSettingsUpdate } from '#generated/sdk/types.gen.ts';

/** What a project has before anybody sets anything. */
export const defaultSettings: ProjectSettings = {
  preview: { sdk_version: null, target_platform: 'ios', entry_file: 'index.js', environment: 'development', dev: false },
  ai: { enabled: true, style: 'concise' },
  notifications: { preview_ready: true, preview_failed: true },
};

/** Stored settings over the defaults, so that a setting added later has a value in old projects too. */
export function readSettings(stored: ProjectSettingsUpdate): ProjectSettings {
  return mergeSettings(defaultSettings, stored);
}

/** Merges group by group: an absent field stays. */
export function mergeSettings(settings: ProjectSettings, change: ProjectSettingsUpdate): ProjectSettings {
  return {
    preview: { ...settings.preview, ...change.preview },
    ai: { ...settings.ai, ...change.ai },
    notifications: { ...settings.notifications, ...change.notifications },
  };
}
