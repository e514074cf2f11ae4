/** Where React Native looks for an asset in a built app, per platform (the layout `react-native bundle` writes). */
import { hasExpo } from './expo.ts';
import type { MetroAsset } from './metro.ts';
import type { Platform } from './protocol.ts';

const androidDensity = new Map([
  [0.75, 'ldpi'],
  [1, 'mdpi'],
  [1.5, 'hdpi'],
  [2, 'xhdpi'],
  [3, 'xxhdpi'],
  [4, 'xxxhdpi'],
]);
const drawableTypes = new Set(['gif', 'heic', 'heif', 'jpeg', 'jpg', 'ktx', 'png', 'webp', 'xml']);
const iosScales = [1, 2, 3];

/** The scales a device of the platform can show; where none fits, the nearest larger one, else the largest. */
const shownScales = (scales: readonly number[], platform: Platform): number[] => {
  if (platform === 'android') return scales.filter((scale) => scale > 0);
  const fitting = scales.filter((scale) => iosScales.includes(scale));
  if (fitting.length > 0) return fitting;
  const largest = Math.max(...iosScales);
  const chosen = scales.find((scale) => scale > largest) ?? scales.at(-1);
  return chosen === undefined ? [] : [chosen];
};

const densityOf = (scale: number): string => androidDensity.get(scale) ?? `${Math.round(scale * 160)}dpi`;

/** Path under the output folder, always below `assets/`. */
const pathOf = (asset: MetroAsset, scale: number, platform: Platform): string => {
  const location = asset.httpServerLocation.replace(/^\//u, '');
  if (platform === 'ios') {
    const suffix = scale === 1 ? '' : `@${scale}x`;
    return `${location.replaceAll('../', '_')}/${asset.name}${suffix}.${asset.type}`;
  }
  const identifier = `${location}/${asset.name}`
    .toLowerCase()
    .replaceAll('/', '_')
    .replaceAll(/[^a-z0-9_]/gu, '')
    .replace(/^(?:assets|assetsunstable_path)_/u, '');
  const folder = drawableTypes.has(asset.type) ? `drawable-${densityOf(scale)}` : 'raw';
  return `assets/${folder}/${identifier}.${asset.type}`;
};

/** None for the web: its bundle carries them (see web-asset.ts). */
export const assetFiles = (assets: readonly MetroAsset[], platform: Platform): { asset: MetroAsset; file: string; path: string; scale: number }[] =>
  (platform === 'web' ? [] : assets).flatMap((asset) => {
    // expo-asset chooses among all that there are.
    const shown = new Set(hasExpo ? asset.scales : shownScales(asset.scales, platform));
    return asset.scales.flatMap((scale, index) => {
      const file = asset.files[index];
      return file === undefined || !shown.has(scale) ? [] : [{ asset, file, path: pathOf(asset, scale, platform), scale }];
    });
  });
