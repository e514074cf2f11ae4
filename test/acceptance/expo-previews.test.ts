import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { ExpoManifest } from '#generated/sdk/types.gen.ts';
import { ensureExpoSdk, installTimeoutMs } from '../support/preview/sdk.ts';
import { useSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

const sample = fileURLToPath(new URL('../../examples/tide-times', import.meta.url));

describe('previews of an Expo app over the wire', function () {
  this.timeout(180_000);
  let sdkVersion = '';
  before(async function () {
    this.timeout(installTimeoutMs);
    sdkVersion = await ensureExpoSdk();
  });
  const system = useSystem({ workers: 1 });

  it('are built once a worker has the set, and come with a manifest and a link for Expo Go', async () => {
    const ada = await system.current.person();
    const { id: projectId } = await ada.hive.api.createProject({ body: { name: 'Tide times' } });
    await until('a worker to have the set', async () => (await ada.hive.api.listPreviewSdks({})).items.find(({ version }) => version === sdkVersion)?.status === 'ready', 30_000);
    const built = await ada.hive.previews.build(sample, { projectId, platform: 'ios', sdkVersion, entryFile: 'index.ts' });
    expect(built.job).to.include({ status: 'succeeded', sdk_version: sdkVersion });
    const token = await ada.hive.api.createPreviewToken({ path: { job_id: built.job.id } });
    expect(token.deep_link).to.equal(token.manifest_url.replace(/^http/, 'exp'));
    const answer = await fetch(token.manifest_url, { headers: { accept: 'application/expo+json', 'expo-platform': 'ios', 'expo-runtime-version': 'exposdk:57.0.0' } });
    const manifest = await answer.json() as ExpoManifest;
    expect(manifest.runtimeVersion).to.equal('exposdk:57.0.0');
    const files = built.artifacts.filter(({ kind }) => kind === 'asset').map(({ sha256 }) => sha256);
    expect(new Set(manifest.assets.map(({ key }) => key.split('.')[0]))).to.deep.equal(new Set(files));
    const page = await (await fetch(token.view_url)).text();
    expect(page).to.contain('that has Expo Go').and.to.contain(`Expo ${sdkVersion}`);
  });
});
