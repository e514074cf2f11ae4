/** The SDK set the preview tests build with: installed and primed once into the repository's data folder, which `npm start` uses too. */
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { installSdkSet, primeLater, type InstallProgress } from '#workers/preview/sdk-install.ts';
import { defaultSdkVersion, sdkSetMeant } from '#platform/sdk-sets.ts';

export const dataDir = fileURLToPath(new URL('../../../.hivesync', import.meta.url));
export const sdkVersion = defaultSdkVersion();

/** How long the first run may take; measured: 20 s for the packages, 50–70 s for priming on two cores. */
export const installTimeoutMs = 15 * 60_000;

const telling = (version: string): InstallProgress => {
  let told = '';
  return ({ stage, done, total }) => {
    const tenth = `${stage} ${Math.floor((done / Math.max(1, total)) * 10) * 10} %`;
    if (tenth !== told) process.stderr.write(`    SDK set ${version}: ${tenth}\n`);
    told = tenth;
  };
};

/** Makes the SDK set ready, saying on stderr what it does; nothing to do from the second run on. */
export const ensureSdk = async (): Promise<void> => {
  const onProgress = telling(sdkVersion);
  await installSdkSet(sdkVersion, { dataDir, onProgress });
  // Here rather than in a worker of some test, which would end before it is through.
  await primeLater(sdkVersion, { dataDir, onProgress });
};

/** Expo's set for one phone: what its tests wait for on a new machine. Builds for the others do without. */
export const ensureExpoSdk = async (): Promise<string> => {
  const { version } = sdkSetMeant('expo@57') ?? expect.fail('there is no set of Expo');
  await installSdkSet(version, { dataDir, platforms: ['ios'], onProgress: telling(version) });
  return version;
};
