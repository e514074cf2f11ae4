/**
 * The Babel transformer of every build. Its configuration is closed: no file of a project is looked for, read or run,
 * whatever it is called. (Metro's `enableBabelRCLookup: false` alone is not enough: the stock transformer still looks
 * for a project's Babel files.)
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { hasExpo } from './expo.ts';

type Node = {
  type: string;
  leadingComments?: Comment[] | null;
  innerComments?: Comment[] | null;
  trailingComments?: Comment[] | null;
};
type Comment = { value: string };
type Ast = Node & { comments?: Comment[] | null };
type NodePath = {
  node: Node & { name?: string; computed?: boolean; value?: unknown; loc?: { start: { line: number; column: number } } };
  parentPath: NodePath | null;
  get(name: string): NodePath;
  matchesPattern(pattern: string): boolean;
  isMemberExpression(): boolean;
  isIdentifier(options?: { name: string }): boolean;
  isStringLiteral(): boolean;
  isAssignmentExpression(): boolean;
  isUpdateExpression(): boolean;
  replaceWith(node: unknown): void;
  scope: { hasBinding(name: string): boolean };
  key: string | number | null;
};
type BabelTypes = {
  stringLiteral(value: string): unknown;
  traverseFast(node: Node, visit: (node: Node) => void): void;
};
type BabelCore = {
  parseSync(source: string, options: object): Ast;
  transformFromAstSync(ast: Ast, source: string, options: object): { ast: Ast; metadata: unknown } | null;
  types: BabelTypes;
};
type TransformArguments = {
  filename: string;
  src: string;
  plugins: unknown[];
  options: {
    dev: boolean;
    hot?: boolean;
    type?: string;
    platform: string | null;
    publicPath: string;
    inlinePlatform?: boolean;
    experimentalImportSupport?: boolean;
    customTransformOptions?: unknown;
    unstable_transformProfile?: string;
    enableBabelRuntime?: boolean | string;
  };
};

const base = process.argv[2] ?? '/b';
const sdkRequire = createRequire(`${base}/sdk/node_modules/metro/package.json`);
const presetRequire = createRequire(`${base}/sdk/node_modules/@react-native/metro-babel-transformer/package.json`);
const babel = presetRequire('@babel/core') as BabelCore;
const { version } = sdkRequire('@babel/core/package.json') as { version: string };
// Expo's packages are written for its own preset.
const preset = presetRequire(hasExpo ? 'babel-preset-expo' : '@react-native/babel-preset') as { getCacheKey?(): string };

// Expo's preset would run a project's app.config.js for the value of `process.env.APP_MANIFEST` (what expo-constants tells
// a page), unless it is there already.
const { env: readByPresets } = process;
if (hasExpo) readByPresets['APP_MANIFEST'] = JSON.stringify({ name: 'Preview', slug: 'preview' });

// The root every file name is told against. It need not exist, and is the same wherever a build runs.
const root = '/b/src';

let inlined: ReadonlyMap<string, string> = new Map();

/** Sets what `process.env.<KEY>` reads as in the project's own modules. The process builds once, so this is set once. */
export const inlineEnvironment = (values: ReadonlyMap<string, string>): void => {
  inlined = values;
};

const keyOf = (path: NodePath): string | null => {
  const property = path.get('property');
  if (path.node.computed !== true && property.isIdentifier()) return property.node.name ?? null;
  return property.isStringLiteral() && typeof property.node.value === 'string' ? property.node.value : null;
};

const environmentPlugin = ({ types }: { types: BabelTypes }): object => ({
  name: 'hivesync-environment',
  visitor: {
    MemberExpression(path: NodePath): void {
      if (!path.get('object').matchesPattern('process.env') || path.scope.hasBinding('process')) return;
      const key = keyOf(path);
      const value = key === null ? undefined : inlined.get(key);
      if (value === undefined) return;
      const parent = path.parentPath;
      if ((parent?.isAssignmentExpression() === true && path.key === 'left') || parent?.isUpdateExpression() === true) return;
      path.replaceWith(types.stringLiteral(value));
    },
    CallExpression(path: NodePath): void {
      const callee = path.get('callee');
      if (!callee.isMemberExpression() || !callee.matchesPattern('require.context') || path.scope.hasBinding('require')) return;
      const message = 'require.context is not supported in a preview; import each module by name.';
      throw Object.assign(new SyntaxError(message), { loc: path.node.loc?.start });
    },
  },
});

/** Babel opens the file a `sourceMappingURL` comment names; no later pass shall find one. */
const dropSourceMapComments = (ast: Ast): void => {
  const keep = (comments: Comment[]): Comment[] => comments.filter((comment) => !comment.value.includes('sourceMappingURL'));
  babel.types.traverseFast(ast, (node) => {
    if (node.leadingComments) node.leadingComments = keep(node.leadingComments);
    if (node.innerComments) node.innerComments = keep(node.innerComments);
    if (node.trailingComments) node.trailingComments = keep(node.trailingComments);
  });
  if (ast.comments) ast.comments = keep(ast.comments);
};

type Configuration = { presets: unknown[]; caller: Record<string, unknown> };

/**
 * Lists that were handed to Babel before, the same ones for the same content: what it makes of a list of presets or plugins (some
 * sixty plugins, twice a module) it keeps for that very list.
 */
const lists = new Map<string, unknown[]>();
const sameList = (name: string, make: () => unknown[]): unknown[] => {
  const known = lists.get(name);
  if (known !== undefined) return known;
  const list = make();
  lists.set(name, list);
  return list;
};

const reactNativeConfiguration = (options: TransformArguments['options']): Configuration => {
  const { experimentalImportSupport, ...presetOptions } = options;
  const { platform, inlinePlatform, unstable_transformProfile } = options;
  const given = { projectRoot: root, ...presetOptions, disableImportExportTransform: experimentalImportSupport, enableBabelRuntime: options.enableBabelRuntime };
  return {
    presets: sameList(JSON.stringify(given), () => [[preset, given]]),
    caller: { name: 'metro', bundler: 'metro', platform, inlinePlatform, unstable_transformProfile },
  };
};

/** What Expo's tools tell its preset of a build for its clients, whose engine is Hermes. */
const expoConfiguration = ({ dev, platform, type }: TransformArguments['options'], fromProject: boolean): Configuration => ({
  presets: sameList('expo', () => [preset]),
  caller: {
    name: 'metro', bundler: 'metro', platform, isDev: dev, isServer: false, isNodeModule: !fromProject, isHMREnabled: false,
    engine: platform === 'web' ? undefined : 'hermes', supportsStaticESM: false, metroSourceType: type,
    // It looks for packages that have a plugin of their own: in the set, never in the project.
    projectRoot: `${base}/sdk`,
    // The environment is the plugin's above.
    preserveEnvVars: true,
  },
});

/** Those of the module's origin; Metro names the same ones for every module, in a new list each time. */
const pluginLists: { readonly fromProject: boolean; readonly list: readonly unknown[]; readonly own: number }[] = [];
const pluginsOf = (plugins: readonly unknown[], fromProject: boolean): readonly unknown[] => {
  const own = fromProject ? [environmentPlugin] : [];
  const known = pluginLists.find((other) => other.fromProject === fromProject && other.list.length === own.length + plugins.length && plugins.every((plugin, index) => other.list[own.length + index] === plugin));
  if (known !== undefined) return known.list;
  const list = [...own, ...plugins];
  pluginLists.push({ fromProject, list, own: own.length });
  return list;
};

/** Metro's hook: a module's source to its syntax tree, transformed for React Native. */
export const transform = ({ filename, src, plugins, options }: TransformArguments): { ast: Ast; metadata?: unknown } => {
  const fromProject = !filename.startsWith('../');
  const config = {
    sourceType: 'unambiguous',
    babelrc: false,
    configFile: false,
    browserslistConfigFile: false,
    inputSourceMap: false,
    root,
    cwd: root,
    filename,
    envName: options.dev ? 'development' : 'production',
    code: false,
    ast: true,
    cloneInputAst: false,
    highlightCode: false,
    plugins: pluginsOf(plugins, fromProject),
    ...(hasExpo ? expoConfiguration(options, fromProject) : reactNativeConfiguration(options)),
  };
  const parsed = babel.parseSync(src, config);
  if (src.includes('sourceMappingURL')) dropSourceMapComments(parsed);
  const result = babel.transformFromAstSync(parsed, src, config);
  if (result === null) throw new Error('the module was not transformed');
  return { ast: result.ast, metadata: result.metadata };
};

let cacheKey: string | null = null;

/** Part of every transform's key: this file, Babel and the preset. */
export const getCacheKey = (): string => {
  cacheKey ??= createHash('sha256')
    .update(readFileSync(new URL(import.meta.url)))
    .update(version)
    .update(hasExpo ? (presetRequire('babel-preset-expo/package.json') as { version: string }).version : (preset.getCacheKey?.() ?? ''))
    .digest('hex');
  return cacheKey;
};
