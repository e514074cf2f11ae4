/** Projects that lead out of themselves, configure the build, or exhaust it. See test/support/preview/hostile-corpus.ts. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Case, describeHostile, mebibyte } from '../../support/preview/hostile-corpus.ts';
import { pixel } from '../../support/preview/projects.ts';
import { sdkVersion } from '../../support/preview/sdk.ts';

const notInProject = (name: string, specifier: string): Case => ({
  name,
  files: { 'index.js': `console.log(require(${JSON.stringify(specifier)}))` },
  outcome: 'BUILD_ERROR',
  message: /is not in the project\.$/u,
  check: (result) => {
    // The same words for what exists outside and for what does not, so that a build answers no question about the host.
    expect(result.ok ? null : result.failure.message).to.equal(`"${specifier}" is not in the project.`);
    expect(result.ok ? null : result.failure).to.include({ file: 'index.js', line: 1, import: specifier });
  },
});

const cases = (evil: string, outside: string): Case[] => [
  { name: 'a metro.config.js', files: { 'index.js': 'console.log(1)', 'metro.config.js': `${evil}module.exports={}` }, outcome: 'built' },
  { name: 'a babel.config.js', files: { 'index.js': 'console.log(1)', 'babel.config.js': `${evil}module.exports={}` }, outcome: 'built' },
  { name: 'a .babelrc.js', files: { 'index.js': 'console.log(1)', '.babelrc.js': `${evil}module.exports={}` }, outcome: 'built' },
  {
    name: 'a .babelrc that names a plugin, at the root and below',
    files: {
      'index.js': 'require("./sub/a")',
      '.babelrc': '{"plugins":["./evil.js"]}',
      'sub/a.js': 'console.log(2)',
      'sub/package.json': '{"name":"s","babel":{"plugins":["./evil.js"]}}',
      'sub/.babelrc': '{"plugins":["./evil.js"]}',
      'evil.js': `${evil}module.exports=()=>({visitor:{}})`,
      'sub/evil.js': `${evil}module.exports=()=>({visitor:{}})`,
    },
    outcome: 'built',
  },
  {
    name: 'Babel settings in package.json',
    files: { 'index.js': 'console.log(1)', 'package.json': '{"name":"x","babel":{"plugins":["./evil.js"]},"browserslist":["extends ./evil.js"]}', 'evil.js': evil },
    outcome: 'built',
  },
  {
    name: 'packages in the upload that shadow the preset, the minifier and React',
    files: {
      'index.js': 'console.log(require("react").version)',
      'node_modules/@react-native/babel-preset/index.js': `${evil}module.exports=()=>({})`,
      'node_modules/@react-native/babel-preset/package.json': '{"name":"@react-native/babel-preset","main":"index.js"}',
      'node_modules/metro-minify-terser/index.js': evil,
      'node_modules/react/index.js': 'module.exports={version:"SHADOWED"}',
      'node_modules/react/package.json': '{"name":"react","main":"index.js"}',
    },
    outcome: 'built',
    check: (_result, bundle) => expect(bundle).to.include('19.3.0').and.to.not.include('SHADOWED'),
  },
  notInProject('a path that climbs out to a file that exists', '../secret/secret.json'),
  notInProject('a path that climbs out to a file that does not exist', '../secret/nothing.json'),
  notInProject('a path that climbs to /etc/passwd', '../../../../../../../../etc/passwd'),
  notInProject('an absolute path that exists', join(outside, 'secret.json')),
  notInProject('an absolute path that does not exist', '/no/such/file.json'),
  notInProject('an asset that climbs out', '../secret/secret.png'),
  notInProject('a path into the SDK set', '../sdk/node_modules/react/package.json'),
  notInProject('a path into the process table', '../../proc/self/environ'),
  notInProject('a file of the project that is missing', './missing'),
  notInProject('a subpath import', '#secret'),
  {
    name: 'a package that climbs out of the SDK set',
    files: { 'index.js': 'console.log(require("react/../../secret.json"))' },
    outcome: 'UNKNOWN_IMPORT',
    message: /"react"/u,
  },
  {
    name: 'a symbolic link to a file outside',
    files: { 'index.js': 'console.log(require("./l.json"))' },
    prepare: (folder) => symlinkSync(join(outside, 'secret.json'), join(folder, 'l.json')),
    outcome: 'BUILD_ERROR',
    message: /"l\.json" is not a regular file/u,
  },
  {
    name: 'a symbolic link that stands for the larger scale of an image',
    files: { 'index.js': 'console.log(require("./a.png"))', 'a.png': pixel },
    prepare: (folder) => symlinkSync(join(outside, 'secret.png'), join(folder, 'a@2x.png')),
    outcome: 'BUILD_ERROR',
    message: /"a@2x\.png" is not a regular file/u,
  },
  {
    name: 'a symbolic link to a folder outside',
    files: { 'index.js': 'console.log(require("./d/secret.json"))' },
    prepare: (folder) => symlinkSync(outside, join(folder, 'd')),
    outcome: 'BUILD_ERROR',
    message: /"d" is not a regular file/u,
  },
  {
    name: 'a symbolic link to an endless device',
    files: { 'index.js': 'console.log(require("./z.json"))' },
    prepare: (folder) => symlinkSync('/dev/zero', join(folder, 'z.json')),
    outcome: 'BUILD_ERROR',
    message: /not a regular file/u,
  },
  {
    name: 'a FIFO',
    files: { 'index.js': 'console.log(require("./f.json"))' },
    prepare: (folder) => expect(spawnSync('mkfifo', [join(folder, 'f.json')]).status).to.equal(0),
    outcome: 'BUILD_ERROR',
    message: /"f\.json" is not a regular file/u,
  },
  {
    name: 'a socket',
    files: { 'index.js': 'console.log(1)' },
    prepare: (folder) => {
      const made = spawnSync(process.execPath, ['-e', 'require("net").createServer().listen(process.argv[1],()=>process.kill(process.pid,"SIGKILL"))', join(folder, 's.json')]);
      expect(made.signal).to.equal('SIGKILL');
    },
    outcome: 'BUILD_ERROR',
    message: /"s\.json" is not a regular file/u,
  },
  {
    name: 'folders nested 400 deep',
    files: { 'index.js': 'console.log(1)' },
    prepare: (folder) => {
      const deep = join(folder, 'd/'.repeat(400));
      mkdirSync(deep, { recursive: true });
      writeFileSync(join(deep, 'x.js'), evil);
    },
    outcome: 'built',
  },
  {
    name: 'names that mean something elsewhere',
    files: {
      'index.js': 'console.log(["./__proto__","./constructor","./toString/index.js","./-o","./hivesync-warm-up/index","./%2e%2e/x","./src/_"].length,require("./__proto__"),require("./constructor"),require("./toString/index.js"),require("./-o"),require("./hivesync-warm-up/index"),require("./%2e%2e/x"),require("./_"))',
      '__proto__.js': 'module.exports="one"', 'constructor.js': 'module.exports="two"', 'toString/index.js': 'module.exports="three"', '-o.js': 'module.exports="four"',
      'hivesync-warm-up/index.js': 'module.exports="five"', '%2e%2e/x.js': 'module.exports="six"', '_.js': 'module.exports="seven"',
    },
    outcome: 'built',
    check: (_result, bundle) => {
      for (const word of ['one', 'two', 'three', 'four', 'five', 'six', 'seven']) expect(bundle).to.include(`exports="${word}"`);
    },
  },
  { name: 'a file named as Metro names the project itself', files: { 'index.js': 'console.log(require("/b/sdk/node_modules/react/package.json"))', _: evil }, outcome: 'BUILD_ERROR', message: /is not in the project\.$/u },
  { name: 'a package.json that is no JSON', files: { 'index.js': 'console.log(require("./p/a"))', 'package.json': '{', 'p/package.json': '\0', 'p/a.js': 'module.exports=1' }, outcome: 'built' },
  {
    name: 'a package.json of strange types that would reach prototypes',
    files: {
      'index.js': 'console.log(require("./p/a"), {}.polluted)',
      'package.json': '{"name":["x"],"main":{"__proto__":{"polluted":1}},"__proto__":{"polluted":1},"browser":5,"react-native":[],"exports":{"__proto__":"../secret/secret.json"},"workspaces":["../secret"]}',
      'p/a.js': 'module.exports=1',
    },
    outcome: 'built',
  },
  {
    name: 'a macro of the project’s own',
    files: { 'index.js': "import evil from './evil.macro'; console.log(evil)", 'evil.macro.js': `${evil}module.exports=require('./create')(()=>{${evil}})`, 'create.js': 'module.exports=(make)=>make' },
    outcome: 'built',
  },
  {
    name: 'a JSX source that climbs out',
    files: { 'index.js': '/** @jsxImportSource ../secret */\nconsole.log(<a/>)' },
    outcome: 'BUILD_ERROR',
    message: /"\.\.\/secret\/jsx-(?:dev-)?runtime" is not in the project/u,
  },
  {
    name: 'a JSX source that is a package of the upload',
    files: { 'index.js': '/** @jsxImportSource evil */\nconsole.log(<a/>)', 'node_modules/evil/jsx-runtime.js': evil, 'evil/jsx-runtime.js': evil },
    outcome: 'UNKNOWN_IMPORT',
    message: /"evil" is not part of the SDK set/u,
  },
  { name: 'a codegen component that names another file', files: { 'index.js': 'require("./XNativeComponent")', 'XNativeComponent.js': "import codegenNativeComponent from 'react-native/Libraries/Utilities/codegenNativeComponent';\nexport default codegenNativeComponent('../secret/secret');" }, outcome: 'BUILD_ERROR' },
  {
    name: 'a package.json whose main climbs out',
    files: { 'index.js': 'console.log(require("./p"))', 'p/package.json': '{"name":"p","main":"../../secret/secret.json"}' },
    outcome: 'BUILD_ERROR',
    message: /"\.\/p" is not in the project/u,
  },
  {
    name: 'package.json fields that would redirect a module',
    files: {
      'index.js': 'console.log(require("./a.js"), require("x"))',
      'a.js': 'module.exports="kept"',
      'package.json': '{"name":"x","react-native":{"./a.js":"../secret/secret.json"},"browser":{"./a.js":"./b.js"},"exports":{".":"../secret/secret.json"},"imports":{"#s":"../secret/secret.json"}}',
      'b.js': 'module.exports="redirected"',
    },
    outcome: 'UNKNOWN_IMPORT',
    message: /"x" is not part of the SDK set/u,
  },
  {
    name: 'a redirect of one module to another by package.json',
    files: { 'index.js': 'console.log(require("./a.js"))', 'a.js': 'module.exports="kept"', 'package.json': '{"name":"x","browser":{"./a.js":"./b.js"}}', 'b.js': 'module.exports="redirected"' },
    outcome: 'built',
    check: (_result, bundle) => expect(bundle).to.include('"kept"').and.to.not.include('redirected'),
  },
  {
    name: 'require.context over a folder outside',
    files: { 'index.js': 'const c=require.context("../secret",true,/.*/);console.log(c.keys().map(c))' },
    outcome: 'BUILD_ERROR',
    message: /require\.context is not supported/u,
    check: (result) => expect(result.ok ? null : result.failure).to.include({ file: 'index.js', line: 1 }),
  },
  { name: 'a source-map comment that names a file outside', files: { 'index.js': 'console.log(1);\n//# sourceMappingURL=../secret/secret.json' }, outcome: 'built' },
  { name: 'a dynamic require', files: { 'index.js': 'const n="./"+Math.random();require(n)' }, outcome: 'BUILD_ERROR', message: /Invalid call/u },
  { name: 'a macro', files: { 'index.js': `import preval from 'preval.macro'; console.log(preval\`${evil}\`)` }, outcome: 'UNKNOWN_IMPORT', message: /"preval\.macro"/u },
  {
    name: 'a package that is not in the set',
    files: { 'index.js': 'require("react");\nrequire("left-pad/lib/x")' },
    outcome: 'UNKNOWN_IMPORT',
    message: new RegExp(`"left-pad" is not part of the SDK set react-native ${sdkVersion.replaceAll('.', '\\.')}`, 'u'),
    check: (result) => expect(result.ok ? null : result.failure).to.include({ file: 'index.js', line: 2, import: 'left-pad/lib/x' }),
  },
  { name: 'the code that builds, as an import', files: { 'index.js': 'require("metro/src/Server")' }, outcome: 'UNKNOWN_IMPORT', message: /"metro"/u },
  { name: 'a module of Node', files: { 'index.js': 'require("node:fs")' }, outcome: 'UNKNOWN_IMPORT', message: /"node:fs"/u },
  {
    name: 'two packages with the name of React Native',
    files: { 'index.js': 'console.log(require("react-native").Platform)', 'a/package.json': '{"name":"react-native","version":"9"}', 'b/package.json': '{"name":"react-native","version":"9"}' },
    outcome: 'built',
  },
  {
    name: 'a syntax error',
    files: { 'index.js': 'import "./deep/broken"', 'deep/broken.tsx': 'export const a = 1;\nconst = ;\n' },
    outcome: 'BUILD_ERROR',
    message: /Unexpected token/u,
    check: (result) => {
      expect(result.ok ? null : result.failure).to.include({ file: 'deep/broken.tsx', line: 2, column: 7 });
      expect(result.ok ? null : result.failure.codeFrame).to.include('> 2 | const = ;');
    },
  },
  {
    name: 'the environment of the build',
    files: { 'index.js': 'console.log(process.env.AWS_SECRET_ACCESS_KEY, process.env.HOME, process.env)' },
    outcome: 'built',
    check: (_result, bundle) => expect(bundle).to.include('process.env.AWS_SECRET_ACCESS_KEY'),
  },
  { name: 'text that folds to half a gigabyte', files: { 'index.js': 'console.log("a".repeat(536870000));console.log("y".padEnd(5e8).length>3?1:2)' }, outcome: 'built' },
  { name: 'brackets nested 30,000 deep', files: { 'index.js': `console.log(${'['.repeat(30_000)}${']'.repeat(30_000)})` }, outcome: 'BUILD_ERROR' },
  { name: 'a sum of 20,000 terms', files: { 'index.js': `console.log(${Array.from({ length: 20_000 }, () => 'x').join('+')})` }, outcome: 'BUILD_ERROR' },
  {
    name: 'a file of 150,000 lines',
    files: { 'index.js': `module.exports=[${'"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",f(()=>{let q=1;return q+1}),\n'.repeat(150_000)}]` },
    request: { memoryBytes: 400 * mebibyte },
    outcome: 'OUT_OF_MEMORY',
    message: /more than the \d+ bytes of memory/u,
  },
  {
    name: 'a function that a minifier takes very long over',
    files: { 'index.js': `${Array.from({ length: 300 }, (_, f) => `export function f${f}(a){${'if(a){a=a+1;'.repeat(150)}${'}'.repeat(150)}return a}`).join('\n')}` },
    request: { timeoutMs: 4000 },
    outcome: 'TIMEOUT',
    message: /longer than the 4000 ms/u,
  },
  {
    name: 'more files than allowed',
    files: { 'index.js': 'console.log(1)' },
    prepare: (folder) => {
      mkdirSync(join(folder, 'm'));
      for (let index = 0; index < 3100; index += 1) writeFileSync(join(folder, `m/f${index}.js`), '');
    },
    outcome: 'TOO_LARGE',
    message: /more than 3000 files/u,
  },
  { name: 'a file larger than allowed', files: { 'index.js': '1' }, prepare: (folder) => {
    writeFileSync(join(folder, 'big.json'), '');
    truncateSync(join(folder, 'big.json'), 64 * mebibyte);
  }, outcome: 'TOO_LARGE', message: /"big\.json" is larger/u },
  { name: 'an entry file that is not there', files: { 'other.js': '1' }, outcome: 'BUILD_ERROR', message: /entry file "index\.js" is not in the project/u },
  { name: 'an entry file outside', files: { 'index.js': '1' }, request: { entryFile: '../secret/secret.json' }, outcome: 'BUILD_ERROR', message: /entry file .* is not in the project/u },
  ...['./index.js', 'sub/../index.js', 'index', '', '/b/src/index.js', '__proto__', 'index.js\0.png', 'INDEX.js'].map((entryFile): Case => (
    { name: `the entry file ${JSON.stringify(entryFile)}`, files: { 'index.js': '1' }, request: { entryFile }, outcome: 'BUILD_ERROR', message: /entry file .* is not in the project/u })),
  { name: 'an image that is none', files: { 'index.js': 'console.log(require("./a.png"))', 'a.png': 'not an image' }, outcome: 'BUILD_ERROR' },
];

describeHostile('hostile projects', cases);
