/**
 * Metro's plugin for the assets of Expo's clients. They keep each file of an update by its key in the manifest; expo-asset
 * finds it there by the hash that the bundle names, or by `<hash>.<type>`, which is how our manifests write keys
 * (uniqueAssets in #domains/previews/manifest-service.ts). Expo's own tools take MD5; anything that is the same at both
 * ends does, and SHA-256 is what our artifacts are known by.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { MetroAsset } from './metro.ts';

const hashed = (asset: MetroAsset): MetroAsset & { fileHashes: string[] } => ({
  ...asset,
  fileHashes: asset.files.map((file) => createHash('sha256').update(readFileSync(file)).digest('hex')),
});

export { hashed as 'module.exports' };
