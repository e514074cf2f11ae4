/**
 * Metro's plugin for the assets of a web build: each is carried in the bundle as a data URL, at one scale, so that a web
 * preview is one object behind one signed URL, and runs in a frame whose origin is opaque and whose folder has no address.
 */
import { readFileSync } from 'node:fs';
import type { MetroAsset } from './metro.ts';

/** Most screens show two pixels for one; an image of three is scaled down, one of one looks blurred. */
const wantedScale = 2;

const contentTypes: Readonly<Record<string, string>> = {
  png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp', bmp: 'image/bmp', svg: 'image/svg+xml',
  ttf: 'font/ttf', otf: 'font/otf', mp3: 'audio/mpeg', wav: 'audio/wav', mp4: 'video/mp4', webm: 'video/webm', pdf: 'application/pdf',
};

/** The scale to carry: the wanted one, else the next larger, else the largest. */
const chosenScale = (scales: readonly number[]): number => scales.findIndex((scale) => scale >= wantedScale);

/**
 * react-native-web asks for `<httpServerLocation>/<name>.<type>`. Behind a "#" that is a fragment of the data URL, which
 * nobody looks at.
 */
const inlined = (asset: MetroAsset): MetroAsset => {
  const at = chosenScale(asset.scales);
  const file = asset.files.at(at);
  if (file === undefined) throw new Error(`The asset ${asset.name}.${asset.type} has no file.`);
  const contentType = contentTypes[asset.type.toLowerCase()] ?? 'application/octet-stream';
  const data = readFileSync(file).toString('base64');
  return { ...asset, httpServerLocation: `data:${contentType};base64,${data}#`, scales: [1], files: [file] };
};

// Metro takes it by `require`; the sets do not agree on whether a default export is looked for.
export { inlined as 'module.exports' };
