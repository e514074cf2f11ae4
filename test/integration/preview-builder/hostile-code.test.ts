/** Modules that name what is not theirs, or that a parser, transform or minifier would choke on. See test/support/preview/hostile-corpus.ts. */
import { expect } from 'chai';
import { type Case, describeHostile } from '../../support/preview/hostile-corpus.ts';

/** Every way to name what is not the project's own; each is refused in words that do not depend on what is there. */
const foreign = [
  'file:///etc/passwd', 'file:../secret/secret.json', 'data:application/json,{}', 'data:text/javascript,import("node:fs")', 'node:child_process', 'http://127.0.0.1/x.js', 'https://example.com/x.js', 'blob:x',
  '/etc/passwd', '/dev/stdin', '/proc/self/mem', '/b/src/index.js', '/b/sdk/package.json', '/b/cache/installed.json', '/b/w/main.ts', '//etc/passwd', '~/x', 'C:\\x', 'C:/x', '\\\\server\\share', '..\\secret\\secret.json', './..\\secret',
  '..', '../', '../src/index.js', '../../b/src/index.js', './../secret/secret', './a/../../secret/secret.json', './%2e%2e/secret', './..%2fsecret', './.././secret', './\0', '../secret/secret.json?raw', './index.js/../../secret/secret.json',
  '#x', '@', '@/x', '@/../secret', '@scope', '..secret', '...', 'react/../../../../etc/passwd', 'react/%2e%2e/x', 'react\\..\\x', 'react/./../react-native', '@babel/runtime/../core', 'metro-runtime/../metro', '@babel/core', 'metro-minify-terser', '__proto__', 'constructor', 'fs', 'child_process', 'react-native/../../hivesync/installed.json', '!!raw-loader!../secret/secret.json', 'virtual:x', '\u0000polyfill', 'package.json',
];

const strict = (name: string, code: string, more: Partial<Case> = {}): Case => ({ name, files: { 'index.js': code }, outcome: 'built', ...more });
/** A parser, transform or minifier may give up; the process may not, but for the memory or the time it may take. */
const heavy = (name: string, code: string, file = 'index.js'): Case => ({
  name,
  files: file === 'index.js' ? { 'index.js': code } : { 'index.js': `console.log(require("./${file}"))`, [file]: code },
  request: { timeoutMs: 12_000, memoryBytes: 700 * 1024 * 1024 },
  outcome: ['built', 'BUILD_ERROR', 'OUT_OF_MEMORY', 'TIMEOUT'],
});

const times = (count: number, text: string): string => text.repeat(count);
const outsideFields = (field: string): Readonly<Record<string, unknown>> => ({ name: 'p', [field]: field === 'exports' || field === 'imports' ? { '.': '../../secret/secret.json', './*': '../../secret/*', '#s': '../../secret/secret.json' } : '../../secret/secret.json' });

const cases = (evil: string): Case[] => [
  ...foreign.map((specifier): Case => ({
    name: `the import ${JSON.stringify(specifier)}`,
    files: { 'index.js': `console.log(require(${JSON.stringify(specifier)}))`, 'a/b.js': '1' },
    outcome: ['BUILD_ERROR', 'UNKNOWN_IMPORT'],
    message: /is not in the project\.$|is not part of the SDK set/u,
    check: (result) => expect(result.ok ? null : result.failure.import).to.be.oneOf([specifier, specifier.replaceAll('\0', '')]),
  })),
  ...['main', 'module', 'browser', 'react-native', 'exports', 'imports', 'types', 'source', 'bin', 'files', 'unpkg'].map((field): Case => ({
    name: `the field ${field} of a folder’s package.json that leads outside`,
    files: { 'index.js': 'console.log(require("./p"))', 'p/package.json': JSON.stringify(outsideFields(field)), 'p/index.js': 'module.exports="its own index"' },
    outcome: 'built',
    check: (_result, bundle) => expect(bundle).to.include('its own index'),
  })),
  strict('every field of package.json that a bundler would follow', 'console.log(1)', {
    files: {
      'index.js': 'import "./side"; console.log(require("./d").default)', 'side.js': 'globalThis.kept="kept though free of effects"', 'd.js': 'export default "dependency"',
      'package.json': JSON.stringify({
        name: 'x', sideEffects: false, workspaces: ['../secret', '/etc/*'], dependencies: { evil: 'file:../secret' }, scripts: { preinstall: 'touch /tmp/pwned', install: evil }, overrides: { react: 'file:../secret' }, resolutions: { react: '../secret' },
        haste: { providesModuleNodeModules: ['*'] }, metro: { projectRoot: '/' }, jest: { transform: '../secret' }, babel: { extends: '../secret/babel' }, 'react-native': { react: '../secret' }, codegenConfig: { jsSrcsDir: '../secret' }, browser: { './side.js': false, './d.js': '/etc/passwd' },
        type: 'module', engines: { node: '>=999' }, packageManager: 'evil@1', imports: { '#x': '/etc/passwd' }, expo: { plugins: ['./evil'] },
      }),
    },
    check: (_result, bundle) => expect(bundle).to.include('kept though free of effects').and.to.include('"dependency"'),
  }),
  ...['.babelrc.json', 'babel.config.json', 'babel.config.cjs', 'babel.config.mjs', 'babel.config.ts', '.swcrc', '.browserslistrc', 'metro.config.cjs', 'metro.config.json', 'metro.config.ts', '.metrorc.js', '.watchmanconfig', 'app.config.js', 'app.json', 'react-native.config.js', '.env', '.npmrc', 'tsconfig.json', 'jsconfig.json', '.flowconfig', '.eslintrc.js', 'postcss.config.js', 'index.js.map', '.hivesyncrc', 'node_modules/.package-lock.json'].map((name): Case => ({
    name: `a ${name} that would change the build`,
    files: {
      'index.ts': 'console.log("unchanged", require("react").version)',
      'index.js': 'require("./index.ts")',
      [name]: name.endsWith('.json') || name.endsWith('rc')
        ? JSON.stringify({ extends: ['../secret/secret.json', '/etc/passwd'], presets: ['./evil.js'], plugins: ['./evil.js'], compilerOptions: { baseUrl: '..', paths: { react: ['../secret/secret.json'] }, plugins: [{ name: './evil.js' }], jsxImportSource: '/etc' }, references: [{ path: '../secret' }], jsc: { experimental: { plugins: [['./evil.js', {}]] } } })
        : `${evil}module.exports={presets:['./evil.js'],plugins:['./evil.js'],transformer:{babelTransformerPath:require.resolve('./evil.js')},resolver:{extraNodeModules:{react:'../secret'}},projectRoot:'/'}`,
      'evil.js': `${evil}module.exports=()=>({visitor:{}})`,
    },
    outcome: 'built',
    check: (_result, bundle) => expect(bundle).to.include('"unchanged"').and.to.include('19.3.0'),
  })),
  ...['/etc', '/b/sdk', '../secret', './../..', 'file:///etc', 'node:fs', 'metro', '', ' ', '__proto__', 'x'.repeat(5_000)].map((source): Case => ({
    name: `the JSX source ${JSON.stringify(source.slice(0, 40))}`, files: { 'index.js': `/** @jsxImportSource ${source} */\nexport const one = <a/>;` }, outcome: ['BUILD_ERROR', 'UNKNOWN_IMPORT', 'built'],
    check: (result, bundle) => { if (result.ok) expect(bundle).to.include('react.transitional.element'); },
  })),
  strict('pragmas of other dialects', `/** @jsxRuntime classic */\n/** @jsx require("fs").readFileSync */\n/** @jsxFrag evil */\n// @flow strict\n// @ts-nocheck\n/// <reference path="../secret/secret.json" />\n/// <reference types="/etc/passwd" />\n"use evil"; console.log(1)`),
  ...['//# sourceMappingURL=file:///etc/passwd', '//# sourceMappingURL=/etc/passwd', '//@ sourceMappingURL=../secret/secret.json', '/*# sourceMappingURL=../secret/secret.json */', '//# sourceURL=file:///etc/passwd', '//# sourceMappingURL=http://127.0.0.1:9/x.map', '//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbIi9ldGMvcGFzc3dkIl0sIm1hcHBpbmdzIjoiQUFBQSJ9', `//# sourceMappingURL=data:application/json;base64,${'A'.repeat(1_000_000)}`, '//# sourceMappingURL=index.js.map'].map((comment): Case => ({
    name: `the comment ${comment.slice(0, 60)}`, files: { 'index.js': `console.log(1);\n${comment}\n`, 'index.js.map': '{"version":3,"sources":["/etc/passwd"],"sourcesContent":[null],"mappings":"AAAA"}' }, outcome: 'built',
    check: (result) => expect(result.ok && result.metadata.modules.transformed).to.equal(1),
  })),
  strict('ways to find files while it is built', 'console.log(__filename, __dirname, require.resolve("./index.js"), typeof require.resolveWeak, require.main, require.cache, module.parent, process.cwd, process.argv, process.env.PATH)', { outcome: ['built', 'BUILD_ERROR'] }),
  strict('import.meta and new URL', 'console.log(new URL("../secret/secret.json", import.meta.url), import.meta.dirname)', { outcome: ['built', 'BUILD_ERROR'] }),
  strict('a worker of another file', 'new Worker(new URL("../secret/secret.js", "file:///")); importScripts("../secret/secret.js")'),
  strict('an import put together', 'const n="../sec"+"ret/secret.json"; import(n).then(console.log)', { outcome: 'BUILD_ERROR', message: /Invalid call|is not in the project/u }),
  strict('a template as an import', 'require(`../secret/${"secret"}.json`)', { outcome: 'BUILD_ERROR', message: /Invalid call|is not in the project/u }),
  strict('a template without a hole as an import', 'require(`../secret/secret.json`)', { outcome: 'BUILD_ERROR', message: /is not in the project/u }),
  strict('require.context by another name', 'const r=require; const c="context"; console.log(r[c]?.("../secret"), require["context"]("../secret"))', { outcome: ['built', 'BUILD_ERROR'] }),
  strict('require.context without arguments', 'require.context()', { outcome: 'BUILD_ERROR', message: /require\.context is not supported/u }),
  strict('imports with attributes', 'import s from "../secret/secret.json" with { type: "json" }; import b from "../secret/secret.png" with { type: "bytes" }; console.log(s, b)', { outcome: 'BUILD_ERROR' }),
  strict('an export from outside', 'export * from "../secret/secret.json"', { outcome: 'BUILD_ERROR', message: /is not in the project/u }),
  strict('a lazy import from outside', 'const s = () => require("../secret/secret.json"); console.log(s)', { outcome: 'BUILD_ERROR', message: /is not in the project/u }),
  strict('an import from outside that may be missing', 'let a, b; try { a = require("../secret/secret.json") } catch { a = "caught one" } try { b = require("../secret/nothing.json") } catch { b = "caught two" } console.log(a, b)', {
    check: (_result, bundle) => expect(bundle).to.include('caught one').and.to.include('caught two'),
  }),
  strict('Babel’s own macros and directives', '"use no memo"; "use client"; "use server"; import "babel-plugin-macros"; codegen`module.exports = require("fs")`', { outcome: 'UNKNOWN_IMPORT', message: /"babel-plugin-macros"/u }),
  strict('a codegen specification that is none', 'x', { files: { 'index.js': 'require("./NativeX"); require("./YNativeComponent")', 'NativeX.ts': 'import { TurboModuleRegistry, type TurboModule } from "react-native"; export interface Spec extends TurboModule { a(b: import("../secret/secret").T): void } export default TurboModuleRegistry.getEnforcing<Spec>("../secret");', 'YNativeComponent.ts': 'import codegenNativeComponent from "react-native/Libraries/Utilities/codegenNativeComponent"; type Props = { a: typeof import("/etc/passwd") }; export default codegenNativeComponent<Props>("Y", { excludedPlatforms: ["../x"], paperComponentName: "/etc/passwd" });' }, outcome: ['built', 'BUILD_ERROR', 'UNKNOWN_IMPORT'] }),
  strict('a module that imports itself, and a ring of three', 'x', { files: { 'index.js': 'import * as me from "./index"; import "./a"; console.log(me)', 'a.js': 'import "./b"', 'b.js': 'import "./c"', 'c.js': 'import "./a"; import "./index"' } }),
  strict('code that would run while it is folded', `console.log([..."a".repeat(1e8)].length, 10n ** 1000000n, Array(1e9).join("x"), "x".padStart(1e9), ${evil ? '(()=>{throw 1})()' : '1'}, /(a+)+$/.test("${'a'.repeat(40)}!"), JSON.parse("[".repeat(1e6)), String.raw\`\${"a".repeat(1e8)}\`)`),
  strict('getters and prototypes in what is folded', 'Object.prototype.evil = 1; Array.prototype.map = null; console.log({ __proto__: { polluted: 1 }, get a() { return 1 } }.a, ({}).__proto__.x = 5, { ["__proto__"]: 1 })'),
  strict('a strange environment', 'console.log(process.env.EXPO_PUBLIC_A, process.env["EXPO_PUBLIC_B"], process.env.__proto__, process["env"].EXPO_PUBLIC_A)', { request: { env: { EXPO_PUBLIC_A: '";require("fs");"', EXPO_PUBLIC_B: '</script>\u2028`${1}' } } }),
  heavy('arrays nested 100,000 deep', `x=${times(100_000, '[')}${times(100_000, ']')}`),
  heavy('parentheses nested 100,000 deep', `x=${times(100_000, '(')}1${times(100_000, ')')}`),
  heavy('objects nested 20,000 deep', `x=${times(20_000, '{a:')}1${times(20_000, '}')}`),
  heavy('functions nested 5,000 deep', `${times(5_000, 'function f(){')}${times(5_000, '}')}`),
  heavy('arrows nested 5,000 deep', `x=${times(5_000, 'a=>')}1`),
  heavy('blocks nested 20,000 deep', `${times(20_000, '{')}${times(20_000, '}')}`),
  heavy('templates nested 5,000 deep', `x=${times(5_000, '`${')}1${times(5_000, '}`')}`),
  heavy('JSX nested 5,000 deep', `export default ${times(5_000, '<a>')}${times(5_000, '</a>')}`),
  heavy('JSX of 50,000 attributes', `export default <a ${Array.from({ length: 50_000 }, (_, index) => `b${index}={${index}}`).join(' ')}/>`),
  heavy('types nested 5,000 deep', `type T = ${times(5_000, 'Array<')}1${times(5_000, '>')}; export const t: T = 1`, 'a.ts'),
  heavy('generics that could be anything', `${times(2_000, 'f<a,b<c,')}1`, 'a.tsx'),
  heavy('arrows that could be anything', `x=${times(40, '(a=(')}1${times(40, '))=>1')}`),
  heavy('a choice of 20,000', `x=${times(20_000, 'a?b:')}c`),
  heavy('20,000 else ifs', `${times(20_000, 'if(a){b}else ')}{}`),
  heavy('a chain of 50,000 calls', `x${times(50_000, '.a()')}`),
  heavy('an optional chain of 5,000', `x${times(5_000, '?.a')}`),
  heavy('100,000 negations', `x=${times(100_000, '!')}1`),
  heavy('50,000 awaits', `async function f(){${times(50_000, 'await 1;')}}`),
  heavy('classes nested 2,000 deep', `${times(2_000, 'x=class{static a=')}1${times(2_000, '}')}`),
  heavy('a pattern nested 3,000 deep', `const ${times(3_000, '{a:')}b${times(3_000, '}')} = {}`),
  heavy('100,000 declarations', Array.from({ length: 100_000 }, (_, index) => `export let v${index}=${index};`).join('\n')),
  heavy('20,000 labels', `${Array.from({ length: 20_000 }, (_, index) => `l${index}:`).join('')}for(;;);`),
  heavy('a text of eight megabytes', `x="${times(8 * 1024 * 1024, 'a')}"`),
  heavy('a comment of eight megabytes', `/*${times(8 * 1024 * 1024, 'a')}*/1`),
  heavy('a line of eight megabytes of spaces', `1${times(8 * 1024 * 1024, ' ')};2`),
  heavy('half a million comments', `${times(500_000, '/**/')}1`),
  heavy('half a million escapes', `x="${times(500_000, '\\u0041')}"`),
  heavy('a number of a million digits', `x=${times(1_000_000, '9')}`),
  heavy('a big integer of a million digits', `x=${times(1_000_000, '9')}n*${times(10_000, '7')}n`),
  heavy('a pattern of a million letters', `x=/${times(1_000_000, 'a')}/u`),
  heavy('patterns that never end', `x=/${times(200, '(a*)*')}/;y=/${times(20_000, '(')}${times(20_000, ')')}/u;z=/a{1,99999}{1,99999}/`),
  heavy('JSON of fifteen megabytes', `[${times(1_500_000, '"abcdef",')}1]`, 'a.json'),
  heavy('JSON nested 200,000 deep', `${times(200_000, '[')}${times(200_000, ']')}`, 'a.json'),
  heavy('JSON that reaches for prototypes', '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}', 'a.json'),
  heavy('JSON of a million keys', `{${Array.from({ length: 1_000_000 }, (_, index) => `"k${index}":1`).join(',')}}`, 'a.json'),
  heavy('an unending string', `x="${times(1_000_000, 'a')}`),
  heavy('an unending template', `x=\`${times(200_000, '${a')}`),
  heavy('a million semicolons', times(1_000_000, ';')),
  heavy('a million lines', times(1_000_000, '\n')),
  heavy('20,000 imports of one module', times(20_000, 'require("./b");'), 'a.js'),
];

describeHostile('hostile code', cases);
