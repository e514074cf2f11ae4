/** `npm run sdk:install -- [version] [data folder]`: installs and primes an SDK set (`0.88.1`, `57`, `expo@57`), with a bar. */
import { resolve } from 'node:path';
import { SingleBar, Presets } from 'cli-progress';
import { installSdkSet, primeLater, type InstallProgress } from './sdk-install.ts';
import { defaultSdkVersion, listSdkSets, sdkSetMeant } from '#platform/sdk-sets.ts';

const [asked = defaultSdkVersion(), dataDir = '.hivesync'] = process.argv.slice(2);
const version = sdkSetMeant(asked)?.version;
if (version === undefined) {
  process.stderr.write(`There is no SDK set ${asked}; there are ${listSdkSets().map((set) => `${set.version} (${set.name})`).join(', ')}.\n`);
  process.exit(1);
}

const bar = new SingleBar(
  { format: 'SDK {version}  {stage}  {bar} {percentage}%', clearOnComplete: false, hideCursor: true, noTTYOutput: true, notTTYSchedule: 5000, stream: process.stderr },
  Presets.shades_classic,
);
bar.start(1, 0, { version, stage: 'starting'.padEnd(11) });
try {
  const onProgress: InstallProgress = ({ stage, done, total }) => {
    bar.setTotal(Math.max(1, total));
    bar.update(done, { version, stage: stage.padEnd(11) });
  };
  await installSdkSet(version, { dataDir: resolve(dataDir), onProgress });
  await primeLater(version, { dataDir: resolve(dataDir), onProgress });
  bar.setTotal(1);
  bar.update(1, { version, stage: 'ready'.padEnd(11) });
  bar.stop();
} catch (error) {
  bar.stop();
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
