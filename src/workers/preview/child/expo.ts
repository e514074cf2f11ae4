/**
 * Whether the set of this process is one of Expo's. Told by what lies in it: the transformer and the plugins are loaded by
 * Metro, which hands them nothing.
 */
import { existsSync } from 'node:fs';

export const hasExpo = existsSync(`${process.argv[2] ?? '/b'}/sdk/node_modules/babel-preset-expo/package.json`);
