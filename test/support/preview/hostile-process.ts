/**
 * Build processes that have been taken over: an SDK set whose Babel is code of the test's. It runs where a hole in Metro or
 * Babel would let a project's code run, before anything of ours, behind the very wall of a build.
 */
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findSdkSet } from '#platform/sdk-sets.ts';
import { builderHash, sdkPlaces } from '#workers/preview/sdk-places.ts';
import { writeFiles } from './projects.ts';
import { sdkVersion } from './sdk.ts';

/** What the payload has at hand: frames as the builder's own code speaks them, and raw bytes. */
const prelude = `
const { join, dirname } = require('node:path');
const { readFrameSync, writeFrameSync } = require(join(dirname(process.argv[1]), 'frames.ts'));
const fs = require('node:fs');
const send = (type, header = {}, body) => writeFrameSync(3, { type, ...header }, body);
const write = (...parts) => { for (const part of parts) for (let at = 0; at < part.length; ) at += fs.writeSync(3, part, at, part.length - at); };
/** A frame whose header is any text. */
const raw = (text, body = Buffer.alloc(0)) => { const header = Buffer.from(text); const head = Buffer.alloc(8); head.writeUInt32BE(header.length, 0); head.writeUInt32BE(body.length, 4); write(head, header, body); };
const takeJob = () => { for (;;) { const frame = readFrameSync(0); if (frame === null) process.exit(0); if (frame.header.type === 'start') send('ready'); if (frame.header.type === 'build' || frame.header.type === 'live' || frame.header.type === 'rebuild') return frame.header; } };
const timings = { sourcesMs: 1, graphMs: 1, serializeMs: 1, assetsMs: 1 };
const finish = (bundle = 'done') => { send('bundle', {}, Buffer.from(bundle)); send('map', {}, Buffer.from('{}')); send('built', { timings, sources: 1, sdkHits: 0, projectHits: 0, transformed: 0 }); send('end'); };
const told = {};
const attempt = async (name, work) => { try { told[name] = (await work()) ?? null; } catch (error) { told[name] = 'refused: ' + (error.code ?? error.message); } };
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
// The builder's own code shall not go on.
process.on('uncaughtException', () => {});
`;

/**
 * Makes a data folder whose SDK set runs `code` (the body of an async function) in place of every build.
 *
 * @returns the data folder.
 */
export const plantPayload = (parent: string, name: string, code: string): string => {
  const dataDir = join(parent, name);
  const set = findSdkSet(sdkVersion);
  if (set === null) throw new Error(`There is no SDK set ${sdkVersion}.`);
  const { root, cache, stamp } = sdkPlaces(dataDir, sdkVersion);
  const payload = `${prelude}\n(async () => { ${code} })().finally(() => process.exit(0));\nthrow new Error('taken over');`;
  writeFiles(join(root, 'node_modules'), {
    'metro/package.json': '{"name":"metro"}',
    '@react-native/metro-babel-transformer/package.json': '{"name":"@react-native/metro-babel-transformer"}',
    '@babel/core/package.json': '{"name":"@babel/core","version":"0","main":"index.js"}',
    '@babel/core/index.js': payload,
  });
  writeFileSync(join(root, 'package.json'), '{}');
  copyFileSync(join(set.sourceDir, 'package-lock.json'), join(root, 'package-lock.json'));
  mkdirSync(cache, { recursive: true });
  writeFileSync(stamp, JSON.stringify({ builderHash: builderHash() }));
  // As a data folder is: open to be read, so that the build's own user can.
  for (const folder of [parent, dataDir]) chmodSync(folder, 0o755);
  return dataDir;
};
