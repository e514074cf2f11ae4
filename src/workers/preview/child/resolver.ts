/**
 * Where an import may lead: a project's relative imports stay in the project, its bare imports come from the SDK set,
 * and the SDK's imports stay in the SDK. Nothing in the upload (package.json fields, node_modules, names) bends that.
 */
import { dirname, join, relative } from 'node:path';

export type Resolution = { type: string; filePath?: string; filePaths?: readonly string[] };

export type ResolutionContext = {
  readonly originModulePath: string;
  readonly resolveRequest: (context: ResolutionContext, name: string, platform: string | null) => Resolution;
  readonly getPackage: (path: string) => unknown;
  readonly getPackageForModule: (path: string) => unknown;
  readonly mainFields?: readonly string[];
  readonly preferNativePlatform?: boolean;
  readonly unstable_conditionNames?: readonly string[];
};

/** An import that leads out of the project, or to nothing in it: one answer for both, so that it tells nothing. */
export class NotInProject extends Error {
  readonly specifier: string;
  readonly origin: string;

  constructor(specifier: string, origin: string) {
    super(`"${specifier}" is not in the project.`);
    this.name = 'NotInProject';
    this.specifier = specifier;
    this.origin = origin;
  }
}

/** A component that Expo's tools would bundle for a web view of its own; Babel has put what loads it in its place. */
class DomComponent extends NotInProject {
  constructor(origin: string) {
    super('use dom', origin);
    this.message = '"use dom" is not supported in a preview: such a component is a page of its own, which is not built.';
  }
}

export class NotInSdk extends Error {
  readonly specifier: string;
  readonly origin: string;

  constructor(specifier: string, packageName: string, origin: string, sdk: { name: string; version: string; importable: string[] }) {
    super(
      `The package "${packageName}" is not part of the SDK set ${sdk.name} ${sdk.version}. ` +
        `A preview can import: ${sdk.importable.join(', ')}.`,
    );
    this.name = 'NotInSdk';
    this.specifier = specifier;
    this.origin = origin;
  }
}

/** A module of React Native that the web has no counterpart of. */
export class NotOnTheWeb extends Error {
  readonly specifier: string;
  readonly origin: string;

  constructor(specifier: string, origin: string) {
    super(`"${specifier}" is not there on the web; import what you need from "react-native", or in a file that ends in .native.js.`);
    this.name = 'NotOnTheWeb';
    this.specifier = specifier;
    this.origin = origin;
  }
}

/** What Babel and Metro themselves write into a project's modules. */
const writtenByTransforms = ['@babel/runtime', 'metro-runtime'];

/** What a development bundle of Expo's loads to talk to a development server. None stands behind a preview, and without one it throws. */
const needsDevServer = (origin: string, specifier: string): boolean =>
  origin.includes('/node_modules/expo/src/') && /\/(?:setupHMR|messageSocket)$/u.test(specifier);

/** What Expo's preset writes instead of "react-native" where it builds for a page. */
const writtenForPages = 'react-native-web';

const packageNameOf = (specifier: string): string => {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
};

const isRelative = (specifier: string): boolean => /^\.\.?(?:\/|$)/u.test(specifier);
const isInside = (path: string, folder: string): boolean => path.startsWith(`${folder}/`);

const placesOf = (resolution: Resolution): readonly string[] =>
  resolution.filePaths ?? (resolution.filePath === undefined ? [] : [resolution.filePath]);

/** How a browser's bundle finds modules: React Native's fields and conditions, and files named `.native.js`, lead to native code. */
const webFields = { mainFields: ['browser', 'module', 'main'], unstable_conditionNames: [], preferNativePlatform: false };

/** On the web React Native is react-native-web, and so is the registry that Metro writes into every asset's module, whatever a version calls it. */
const webNames = new Map<string, string>([
  ['react-native', 'react-native-web'],
  ...['react-native/asset-registry', 'react-native/Libraries/Image/AssetRegistry', '@react-native/assets-registry/registry']
    .map((name): [string, string] => [name, 'react-native-web/dist/modules/AssetRegistry']),
]);

export const createResolver = (
  places: { src: string; sdk: string },
  sdk: { name: string; version: string; importable: string[] },
): ((context: ResolutionContext, specifier: string, platform: string | null) => Resolution) => {
  const importable = new Set([...sdk.importable, ...writtenByTransforms]);

  const fromProject = (context: ResolutionContext, specifier: string, platform: string | null): Resolution => {
    const origin = context.originModulePath;
    const refuse = (): never => {
      throw new NotInProject(specifier, origin);
    };
    if (specifier.includes('\0') || specifier.includes('\\')) return refuse();

    if (isRelative(specifier)) {
      // Counted from the project's root: a path that leads out and comes back by the name its folder has here leads out, too.
      if (/^\.\.(?:\/|$)/u.test(join(relative(places.src, dirname(origin)), specifier))) return refuse();
      // Without packages there is no main, browser, react-native, exports or imports field to follow.
      const plain = { ...context, getPackage: () => null, getPackageForModule: () => null };
      let resolution: Resolution;
      try {
        resolution = context.resolveRequest(plain, specifier, platform);
      } catch {
        // Metro's own error lists the candidates it tried; ours says the same of every miss.
        return refuse();
      }
      return placesOf(resolution).every((path) => isInside(path, places.src)) ? resolution : refuse();
    }

    if (specifier.startsWith('/') || specifier.startsWith('#') || specifier === '') return refuse();
    if (sdk.name === 'expo' && specifier === 'expo/dom/internal') throw new DomComponent(origin);
    const packageName = packageNameOf(specifier);
    const unknown = (): never => {
      throw new NotInSdk(specifier, packageName, origin, sdk);
    };
    const isWritten = platform === 'web' && sdk.name === 'expo' && packageName === writtenForPages;
    if ((!importable.has(packageName) && !isWritten) || specifier.split('/').includes('..')) return unknown();
    const name = platform === 'web' ? (webNames.get(specifier) ?? specifier) : specifier;
    // Its inner modules are native code, or speak to it.
    if (platform === 'web' && name.startsWith('react-native/')) throw new NotOnTheWeb(specifier, origin);
    let resolution: Resolution;
    try {
      resolution = context.resolveRequest({ ...context, originModulePath: `${places.sdk}/project.js` }, name, platform);
    } catch {
      return unknown();
    }
    return placesOf(resolution).every((path) => isInside(path, places.sdk)) ? resolution : unknown();
  };

  return (given, specifier, platform) => {
    const context = platform === 'web' ? { ...given, ...webFields } : given;
    if (isInside(context.originModulePath, places.sdk)) {
      // Packages that render on a server too ask for its modules, and never call them in a client.
      if (specifier.startsWith('node:') || needsDevServer(context.originModulePath, specifier)) return { type: 'empty' };
      const name = platform === 'web' ? (webNames.get(specifier) ?? specifier) : specifier;
      const resolution = context.resolveRequest(context, name, platform);
      if (!placesOf(resolution).every((path) => isInside(path, places.sdk))) {
        throw new NotInProject(specifier, context.originModulePath);
      }
      return resolution;
    }
    // Metro resolves a few modules of its own by absolute path, from a path that stands for the project's root.
    if (isInside(specifier, places.sdk) && context.originModulePath === `${places.src}/_`) {
      return context.resolveRequest(context, specifier, platform);
    }
    return fromProject(context, specifier, platform);
  };
};
