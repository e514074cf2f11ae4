/** What Expo Go tells a bundle of itself, once it has an update with this manifest and a file for each of its assets. */
import type { ExpoManifest } from '#generated/sdk/types.gen.ts';

/** Where the client keeps the file of an asset. */
export const localFileOf = (key: string): string => `file:///updates/${key}`;

/** The constants of its native modules, by what expo-updates (IUpdatesController.kt, AppController.swift) and expo-constants define. */
export const expoGoModules = (manifest: ExpoManifest, platform: 'ios' | 'android'): Record<string, object> => ({
  ExpoUpdates: {
    isEnabled: true, isUsingEmbeddedAssets: false, isEmbeddedLaunch: false, runtimeVersion: manifest.runtimeVersion,
    // Android hands the text over, iOS the object.
    ...(platform === 'android' ? { manifestString: JSON.stringify(manifest) } : { manifest }),
    localAssets: Object.fromEntries(manifest.assets.map(({ key }) => [key, localFileOf(key)])),
  },
  ExponentConstants: { executionEnvironment: 'storeClient', experienceUrl: 'exp://preview.test/api/v1/preview/manifest?token=t', statusBarHeight: 20 },
  ExpoGo: { expoVersion: '57.0.0', projectConfig: {} },
  ...Object.fromEntries(['ExpoAsset', 'ExpoFontLoader', 'ExpoFontUtils', 'ExpoImage', 'ExpoKeepAwake', 'ExpoLinking', 'ExpoFetchModule'].map((name) => [name, {}])),
});
