/** Files that are not what they seem: kinds, links, sizes, names, images. See test/support/preview/hostile-corpus.ts. */
import { spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Case, describeHostile, mebibyte } from '../../support/preview/hostile-corpus.ts';
import { pixel } from '../../support/preview/projects.ts';

const isRoot = process.getuid?.() === 0;

/** A device as root; as anybody else that none can be made, and what leads to one instead. */
const device = (kind: 'b' | 'c', major: string, minor: string, elsewhere: string) => (folder: string): void => {
  const place = join(folder, 'z.json');
  const made = spawnSync('mknod', [place, kind, major, minor]);
  expect(made.status, made.stderr.toString()).to.equal(isRoot ? 0 : 1);
  if (!isRoot) symlinkSync(elsewhere, place);
};

const refused = (name: string, prepare: NonNullable<Case['prepare']>, file: string): Case => ({
  name,
  files: { 'index.js': `console.log(require(${JSON.stringify(`./${file}`)}))` },
  prepare,
  outcome: 'BUILD_ERROR',
  check: (result) => expect(result.ok ? null : result.failure).to.deep.equal({ code: 'BUILD_ERROR', message: `"${file}" is not a regular file.`, file }),
});

const chunk = (type: string, data: Buffer): Buffer => {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(data.length, 0);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, data, Buffer.alloc(4)]);
};
const bytes = (...parts: (string | number[] | Buffer)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))));
const pngOf = (width: number, height: number): Buffer => {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', header)]);
};
const box = (size: number, type: string): Buffer => { const head = Buffer.alloc(8); head.writeUInt32BE(size, 0); head.write(type, 4, 'latin1'); return head; };
const entities = `<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa">${'bcdefghi'.split('').map((name, index) => `<!ENTITY ${name} "${`&${'abcdefgh'[index] ?? 'a'};`.repeat(10)}">`).join('')}<!ENTITY x SYSTEM "file:///etc/passwd">]><svg width="10" height="10"><text>&i;&x;</text></svg>`;

/** Images whose headers lie. Either their words are taken for an asset's size, or the build says that it is none; it never waits. */
const images: Readonly<Record<string, [file: string, content: Buffer | string]>> = {
  'a PNG of 2³¹ by 2³¹ pixels': ['a.png', pngOf(0x7fffffff, 0x7fffffff)],
  'a PNG of 2³² − 1 by 0 pixels': ['a.png', pngOf(0xffffffff, 0)],
  'a PNG that ends in its header': ['a.png', pngOf(5, 5).subarray(0, 20)],
  'a PNG as Apple writes it, cut short': ['a.png', bytes([0x89], 'PNG\r\n\x1a\n', [0, 0, 0, 4], 'CgBI', [0, 0])],
  'a JPEG whose segments have no length': ['a.jpg', bytes([0xff, 0xd8, 0xff, 0xe0], Buffer.alloc(100_000))],
  'a JPEG of segments without end': ['a.jpg', bytes([0xff, 0xd8], Buffer.alloc(1_000_000, Buffer.from([0xff, 0xe1, 0x00, 0x02])))],
  'a JPEG that points behind its end': ['a.jpg', bytes([0xff, 0xd8, 0xff, 0xe1, 0xff, 0xff], 'Exif\0\0', Buffer.alloc(10))],
  'a HEIC of boxes without size': ['a.heic', bytes(box(24, 'ftyp'), 'heicmif1heic', Buffer.alloc(4), box(0, 'meta'), Buffer.alloc(64))],
  'a HEIC whose box holds itself': ['a.heic', bytes(box(16, 'ftyp'), 'heic', Buffer.alloc(4), box(0xffffffff, 'meta'), box(0, 'iprp'), Buffer.alloc(64))],
  'a JPEG XL of a box without size': ['a.png', bytes([0, 0, 0, 0x0c], 'JXL ', [0x0d, 0x0a, 0x87, 0x0a], box(0, 'jxlp'), Buffer.alloc(64))],
  'a JPEG 2000 of a box without size': ['a.png', bytes(box(12, 'jP  '), [0x0d, 0x0a, 0x87, 0x0a], box(0, 'ftyp'), 'jp2 ', Buffer.alloc(64), box(0, 'jp2h'))],
  'an ICNS of entries without size': ['a.png', bytes('icns', [0, 0, 0x10, 0], 'ic07', [0, 0, 0, 0], Buffer.alloc(64))],
  'a TIFF whose list points at itself': ['a.png', bytes('II*\0', [8, 0, 0, 0, 0xff, 0xff], Buffer.alloc(200, 1), [8, 0, 0, 0])],
  'an ICO of 65,535 images': ['a.png', bytes([0, 0, 1, 0, 0xff, 0xff], Buffer.alloc(20))],
  'a GIF that ends in its name': ['a.gif', 'GIF89a'],
  'a WebP that says nothing of itself': ['a.webp', bytes('RIFF', [0xff, 0xff, 0xff, 0xff], 'WEBPVP8X', Buffer.alloc(6))],
  'a PSD of negative size': ['a.psd', bytes('8BPS', [0, 1], Buffer.alloc(8), [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])],
  'an SVG of entities that multiply, one of them a file outside': ['a.svg', entities],
  'an SVG of attributes that a pattern would take long over': ['a.svg', `<svg ${'a="'.repeat(200_000)}`],
  'an SVG whose numbers have a million digits': ['a.svg', `<svg width="${'9'.repeat(1_000_000)}" height="1e999999" viewBox="${'0 '.repeat(100_000)}"/>`],
  'an empty image': ['a.png', ''],
  'a folder’s worth of nothing in an image': ['a.bmp', Buffer.alloc(4 * mebibyte)],
  'a font that is none': ['a.ttf', bytes('\0\x01\0\0', Buffer.alloc(1_000, 0xff))],
};

const scaled = ['a@0x.png', 'a@99999999999999999999x.png', 'a@0.00001x.png', 'a@1e9x.png', 'a@-1x.png', 'a@2x@3x.png', 'a@x.png', 'a@1.5x.png', 'a@4x.png'];
const namesElsewhere = ['CON', 'aux', 'NUL.txt', 'com1', 'LPT9.a', 'a.', 'b ', 'c...', ' d', '$', 'e;f', 'g&h', 'i"j', "k'l", 'm`n', 'o<p>', 'q|r', 's*t', 'u:v', '-rf', '--help', '%00', '%2e%2e', 'w\u00a0x', '😀', 'e\u0301', 'é', 'İ', 'ı', 'ß', 'ﬁ', 'Å', 'hasOwnProperty', '__defineGetter__', 'prototype', 'then', 'toJSON', 'valueOf'];

const cases = (_evil: string, outside: string): Case[] => [
  refused('a device that never ends', device('c', '1', '5', '/dev/zero'), 'z.json'),
  refused('a device that waits for a key', device('c', '5', '0', '/dev/tty'), 'z.json'),
  refused('a disk', device('b', '7', '0', '/dev/full'), 'z.json'),
  refused('a hard link to a file outside', (folder) => linkSync(join(outside, 'secret.json'), join(folder, 'h.json')), 'h.json'),
  refused('a link to itself', (folder) => symlinkSync('l.json', join(folder, 'l.json')), 'l.json'),
  refused('a link to a file of the project', (folder) => symlinkSync('index.js', join(folder, 'l.js')), 'l.js'),
  refused('a link to the process table', (folder) => symlinkSync('/proc/self/environ', join(folder, 'e.json')), 'e.json'),
  refused('a link to nothing', (folder) => symlinkSync('/no/such/file', join(folder, 'n.json')), 'n.json'),
  refused('a FIFO in the place of a folder’s index', (folder) => {
    mkdirSync(join(folder, 'd'));
    expect(spawnSync('mkfifo', [join(folder, 'd/index.js')]).status).to.equal(0);
  }, 'd/index.js'),
  { name: 'an entry that is a folder', files: { 'index.js/index.js': 'console.log(1)' }, outcome: 'BUILD_ERROR', message: /entry file "index\.js" is not in the project/u },
  { name: 'an entry that is a FIFO', files: { 'other.js': '1' }, prepare: (folder) => { spawnSync('mkfifo', [join(folder, 'index.js')]); }, outcome: 'BUILD_ERROR', message: /"index\.js" is not a regular file/u },
  { name: 'an empty entry', files: { 'index.js': '' }, outcome: 'built' },
  { name: 'an entry of zeros', files: { 'index.js': Buffer.alloc(1000) }, outcome: 'BUILD_ERROR', message: /Unexpected character/u },
  { name: 'an entry that is no UTF-8', files: { 'index.js': Buffer.from([0x63, 0xff, 0xfe, 0xc0, 0xaf, 0x28]) }, outcome: ['BUILD_ERROR', 'built'] },
  { name: 'an entry of two bytes a letter', files: { 'index.js': Buffer.from('\ufeffconsole.log(1)', 'utf16le') }, outcome: ['BUILD_ERROR', 'built'] },
  { name: 'an entry that is a program', files: { 'index.js': Buffer.concat([Buffer.from('\x7fELF'), Buffer.alloc(5000, 7)]) }, outcome: 'BUILD_ERROR' },
  { name: 'a first line that names a program', files: { 'index.js': '#!/bin/sh -c "touch /tmp/x"\nconsole.log(1)' }, outcome: 'built' },
  {
    name: 'sparse files that are each small enough, and too large together',
    files: { 'index.js': '1' },
    prepare: (folder) => {
      for (let index = 0; index < 8; index += 1) {
        writeFileSync(join(folder, `s${index}.json`), '');
        truncateSync(join(folder, `s${index}.json`), 15 * mebibyte);
      }
    },
    outcome: 'TOO_LARGE',
    message: /The project is larger than \d+ bytes/u,
  },
  {
    name: 'a sparse file of a terabyte',
    files: { 'index.js': '1' },
    prepare: (folder) => { writeFileSync(join(folder, 't.json'), ''); truncateSync(join(folder, 't.json'), 2 ** 40); },
    outcome: 'TOO_LARGE',
    message: /"t\.json" is larger than \d+ bytes/u,
  },
  {
    name: '6,100 folders',
    files: { 'index.js': '1' },
    prepare: (folder) => { for (let index = 0; index < 6_100; index += 1) mkdirSync(join(folder, `d${index}`)); },
    outcome: 'TOO_LARGE',
    message: /too many folders/u,
  },
  {
    name: 'names that differ in letter case or Unicode form alone',
    files: { 'index.js': 'console.log(require("./A"),require("./a"),require("./caf\u00e9"),require("./cafe\u0301"))', 'A.js': 'module.exports="upper"', 'a.js': 'module.exports="lower"', 'caf\u00e9.js': 'module.exports="one"', 'cafe\u0301.js': 'module.exports="two"' },
    outcome: 'built',
    check: (_result, bundle) => { for (const word of ['upper', 'lower', 'one', 'two']) expect(bundle).to.include(`"${word}"`); },
  },
  {
    name: 'names that mean something to other systems',
    files: { 'index.js': namesElsewhere.map((_, index) => `console.log(require("./n${index}"))`).join('\n'), ...Object.fromEntries(namesElsewhere.flatMap((name, index) => [[`${name}/m.js`, `module.exports="name ${index}"`], [`n${index}.js`, `module.exports=require(${JSON.stringify(`./${name}/m`)})`]])) },
    outcome: 'built',
    check: (_result, bundle) => { for (const [index] of namesElsewhere.entries()) expect(bundle).to.include(`"name ${index}"`); },
  },
  {
    name: 'names with line ends and terminal sequences',
    files: { 'index.js': 'console.log(require("./a\\nb.js"), require("./\\u001b[31m.js"))', 'a\nb.js': '1', '\u001b[31m.js': 'const = ;' },
    outcome: 'BUILD_ERROR',
    check: (result) => expect(JSON.stringify(result.ok ? '' : result.failure)).to.not.include('\\u001b'),
  },
  {
    name: 'a name that is no UTF-8',
    files: { 'index.js': '1' },
    prepare: (folder) => writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe, 0x2e, 0x6a, 0x73])]), '1'),
    outcome: 'BUILD_ERROR',
    message: /is not a regular file/u,
  },
  {
    name: 'a package.json that is a folder, and one of eight megabytes',
    files: { 'index.js': 'console.log(require("./p/a"))', 'package.json/package.json': '{}', 'p/package.json': `{"name":"${'x'.repeat(8 * mebibyte)}"}`, 'p/a.js': 'module.exports=1' },
    outcome: 'built',
  },
  ...Object.entries(images).map(([name, [file, content]]): Case => ({
    name, files: { 'index.js': `console.log(require("./${file}"))`, [file]: content }, outcome: ['built', 'BUILD_ERROR'], request: { timeoutMs: 15_000 },
  })),
  { name: 'scales that are none', files: { 'index.js': 'console.log(require("./a.png"))', 'a.png': pixel, ...Object.fromEntries(scaled.map((file) => [file, pixel])) }, outcome: 'built' },
  { name: 'a scale that is a folder', files: { 'index.js': 'console.log(require("./a.png"))', 'a.png': pixel, 'a@2x.png/x.js': '1' }, outcome: ['built', 'BUILD_ERROR'] },
  { name: 'an image asked for by its scale', files: { 'index.js': 'console.log(require("./a@2x.png"))', 'a@2x.png': pixel }, outcome: ['built', 'BUILD_ERROR'] },
  {
    name: 'six hundred images in six folders, all imported by one module',
    files: { 'index.js': Array.from({ length: 600 }, (_, index) => `require("./i${index % 6}/${index}.png")`).join('\n'), ...Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`i${index % 6}/${index}.png`, pixel])) },
    outcome: ['built', 'TIMEOUT'],
    check: (result) => expect(result.files.filter(({ kind }) => kind === 'asset')).to.have.length(result.ok ? 600 : 0),
  },
  {
    name: 'two thousand images',
    files: { 'index.js': Array.from({ length: 2_000 }, (_, index) => `require("./i/${index}.png")`).join('\n'), ...Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`i/${index}.png`, pixel])) },
    outcome: ['built', 'TIMEOUT'],
    message: /longer than the 20000 ms/u,
    check: (result) => expect(result.files.filter(({ kind }) => kind === 'asset')).to.have.length(result.ok ? 2_000 : 0),
  },
  {
    name: '2,990 modules of one line each, all imported',
    files: { 'index.js': Array.from({ length: 2_990 }, (_, index) => `require("./m/${index}")`).join('\n'), ...Object.fromEntries(Array.from({ length: 2_990 }, (_, index) => [`m/${index}.js`, `module.exports=${index}`])) },
    outcome: ['built', 'TIMEOUT'],
    check: (_result, bundle) => { if (bundle !== '') expect(bundle).to.include('exports=2989'); },
  },
];

describeHostile('hostile files', cases);
