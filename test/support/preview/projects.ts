/** Projects on disk for the preview tests. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Builder, BuildRequest, BuildResult } from '#workers/preview/builder.ts';
import { sdkVersion } from './sdk.ts';

export type Files = Readonly<Record<string, string | Buffer>>;

/** A folder of its own under the temporary one, removed by `dispose`. */
export const temporaryFolder = (): { path: string; dispose: () => void } => {
  const path = mkdtempSync(join(tmpdir(), 'hivesync-preview-test-'));
  return { path, dispose: () => rmSync(path, { recursive: true, force: true }) };
};

export const writeFiles = (root: string, files: Files): void => {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
};

let builds = 0;

/** Builds with what tests mostly want; output and cache go into folders of their own under `workDir` unless named. */
export const buildIn = (builder: Builder, workDir: string, sourceDir: string, more: Partial<BuildRequest> = {}): Promise<BuildResult> => {
  builds += 1;
  return builder.build({
    projectKey: 'test',
    sourceDir,
    sdkVersion,
    entryFile: 'index.js',
    platform: 'ios',
    dev: false,
    env: {},
    environment: 'development',
    outDir: join(workDir, `out-${builds}`),
    cacheDir: join(workDir, `cache-${builds}`),
    timeoutMs: 60_000,
    memoryBytes: 1024 * 1024 * 1024,
    ...more,
  });
};

/** A one-pixel PNG. */
export const pixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** An app unlike the sample: plain JavaScript and TSX mixed, no navigation, a class component, many modules, JSON, platform files. */
export const inventoryApp = (shelves: number): Files => ({
  'package.json': JSON.stringify({ name: 'inventory', main: 'main.tsx' }),
  'main.tsx': `import { AppRegistry } from 'react-native'; import { Inventory } from './lib'; AppRegistry.registerComponent('Inventory', () => Inventory);`,
  'lib/index.ts': `export { Inventory } from './Inventory'; export * from './model';`,
  'lib/model.ts': `import stock from '../data/stock.json';
export enum Level { Low = 'low', Fine = 'fine' }
export const levelOf = (count: number): Level => (count < 3 ? Level.Low : Level.Fine);
export const total = stock.items.reduce((sum, { count }) => sum + count, 0);`,
  'lib/Inventory.jsx': `import * as React from 'react';
import { Image, ScrollView, Text, View } from 'react-native';
import { total, levelOf } from './model';
import where from './where';
${Array.from({ length: shelves }, (_, index) => `import Shelf${index} from './shelves/Shelf${index}';`).join('\n')}
export class Inventory extends React.Component {
  state = { open: true };
  #secret = 7;
  render() {
    return <ScrollView><Text>{\`Stock: \${total} (\${levelOf(total)})\`}</Text><Text>{where}</Text><Text>{process.env.PUBLIC_SHOP ?? 'no shop'}</Text>
      <Text>{'private ' + this.#secret}</Text><Image source={require('../data/pixel.png')} />
      {this.state.open && <View>${Array.from({ length: shelves }, (_, index) => `<Shelf${index} />`).join('')}</View>}</ScrollView>;
  }
}`,
  'lib/where.ios.ts': `export default 'on an iPhone';`,
  'lib/where.android.ts': `export default 'on Android';`,
  'data/stock.json': JSON.stringify({ items: [{ count: 4 }, { count: 5 }] }),
  'data/pixel.png': pixel,
  ...Object.fromEntries(
    Array.from({ length: shelves }, (_, index) => [
      `lib/shelves/Shelf${index}.js`,
      `import React from 'react'; import { Text } from 'react-native'; export default function Shelf() { return <Text>shelf ${index}</Text>; }`,
    ]),
  ),
});
