/**
 * Runs a bundle as a phone would: a JavaScript engine with native modules and the Fabric renderer stubbed, nothing else.
 * Called as `node bundle-runner.ts <bundle> <ios|android> [Expo's native modules as JSON]`; prints one line of JSON (see
 * load-bundle.ts).
 */
import { readFileSync } from 'node:fs';
import vm from 'node:vm';
import { expoRuntime } from './expo-runtime.ts';

type View = { name: string; props: Record<string, unknown>; children: View[] };
type AppRegistry = { getAppKeys(): string[]; runApplication(name: string, parameters: object, mode: number): void };

const [bundlePath = '', platform = 'ios', expoModules] = process.argv.slice(2);
const errors: string[] = [];
const textOf = (value: unknown): string => (value instanceof Error || (typeof value === 'object' && value !== null && 'message' in value) ? String(value.message) : String(value));
const noteError = (...args: unknown[]): void => {
  errors.push(args.map(textOf).join(' ').slice(0, 1000));
};

const screen = { width: 390, height: 844, scale: 3, fontScale: 1, densityDpi: 480 };
const constants: Record<string, object> = {
  PlatformConstants: {
    osVersion: '18.0', systemName: 'iOS', interfaceIdiom: 'phone', isTesting: true, forceTouchAvailable: false,
    reactNativeVersion: expoModules === undefined ? { major: 0, minor: 88, patch: 1, prerelease: null } : { major: 0, minor: 86, patch: 3, prerelease: null },
    Version: 35, Release: '15', Model: 'phone', Brand: 'stub', Manufacturer: 'stub', uiMode: 'normal', Serial: '', Fingerprint: '',
  },
  DeviceInfo: { Dimensions: { window: screen, screen, windowPhysicalPixels: screen, screenPhysicalPixels: screen } },
  // Expo's clients keep an update's bundle as a file.
  SourceCode: { scriptURL: expoModules === undefined ? 'https://preview.test/bundle.js' : 'file:///updates/bundle.js' },
  SettingsManager: { settings: {} },
  I18nManager: { isRTL: false, doLeftAndRightSwapInRTL: true, localeIdentifier: 'en' },
};
/** Host functions React itself runs on: timers and turns of the engine. */
const hostModules: Record<string, object> = {
  NativeMicrotasksCxx: { queueMicrotask },
  NativeIdleCallbacksCxx: {
    requestIdleCallback: (callback: (deadline: object) => void) => setTimeout(() => callback({ didTimeout: false, timeRemaining: () => 10 }), 0),
    cancelIdleCallback: clearTimeout,
  },
};
/** A native module whose every method does nothing and whose constants are those the app needs to start. */
const nativeModule = (name: string): object =>
  new Proxy(
    {},
    {
      get: (_target, key) => {
        if (key === 'getConstants') return () => constants[name] ?? {};
        return key === 'then' || typeof key === 'symbol' ? undefined : () => undefined;
      },
    },
  );

type NativeEventHandler = (instance: unknown, type: string, payload: object) => void;
const safeArea = { insets: { top: 47, left: 0, right: 0, bottom: 34 }, frame: { x: 0, y: 0, width: screen.width, height: screen.height } };
const providers: unknown[] = [];
let sendEvent: NativeEventHandler = () => undefined;
let root: View[] = [];
const node = (name: string, props: unknown, children: View[] = []): View => ({ name, props: { ...(props as object) }, children });
const clone = (view: View, props: unknown, children: View[]): View => ({ name: view.name, props: { ...view.props, ...(props as object) }, children });
const measured = (...args: unknown[]): void => {
  const done = args.find((argument) => typeof argument === 'function');
  (done as ((...numbers: number[]) => void) | undefined)?.(0, 0, screen.width, screen.height, 0, 0);
};
const fabric: Record<string, unknown> = {
  registerEventHandler: (handler: NativeEventHandler) => {
    sendEvent = handler;
  },
  createNode: (_tag: number, name: string, _rootTag: number, props: unknown, instance: unknown) => {
    if (name === 'RNCSafeAreaProvider') providers.push(instance);
    return node(name, props);
  },
  cloneNode: (view: View) => clone(view, {}, view.children),
  cloneNodeWithNewChildren: (view: View, children?: View[]) => clone(view, {}, children ?? []),
  cloneNodeWithNewProps: (view: View, props: unknown) => clone(view, props, view.children),
  cloneNodeWithNewChildrenAndProps: (view: View, ...more: unknown[]) => clone(view, more.find((part) => !Array.isArray(part)) ?? {}, (more.find(Array.isArray) as View[] | undefined) ?? []),
  createChildSet: () => [],
  appendChild: (parent: View, child: View) => {
    parent.children.push(child);
    return parent;
  },
  appendChildToSet: (set: View[], child: View) => void set.push(child),
  completeRoot: (_rootTag: number, set: View[]) => {
    root = set;
    // The one native event a first screen waits for: how much of the display is safe.
    for (const instance of providers.splice(0)) setTimeout(() => sendEvent(instance, 'topInsetsChange', safeArea), 0);
  },
  measure: measured,
  measureInWindow: measured,
  measureLayout: measured,
  getBoundingClientRect: () => [0, 0, screen.width, screen.height],
  unstable_DefaultEventPriority: 32,
  unstable_DiscreteEventPriority: 2,
  unstable_ContinuousEventPriority: 8,
  unstable_IdleEventPriority: 268_435_456,
  unstable_getCurrentEventPriority: () => 32,
};

const callable = new Map<string, () => unknown>();
const silent = (): void => undefined;
const scope: Record<string, unknown> = {
  console: { log: silent, info: silent, debug: silent, trace: silent, assert: silent, warn: silent, error: noteError },
  setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate, queueMicrotask,
  performance: { now: () => performance.now() },
  __nativeComponentRegistry__hasComponent: () => true,
  nativeLoggingHook: silent,
  nativePerformanceNow: () => performance.now(),
  requestAnimationFrame: (callback: (time: number) => void) => setTimeout(() => callback(performance.now()), 0),
  cancelAnimationFrame: clearTimeout,
  // Expo's modules are none of React Native's: what a client does not have must not seem to be there.
  __turboModuleProxy: (name: string) => hostModules[name] ?? (name.startsWith('Expo') ? null : nativeModule(name)),
  RN$Bridgeless: true,
  RN$registerCallableModule: (name: string, module: () => unknown) => callable.set(name, module),
  RN$handleException: (error: unknown) => {
    noteError(error);
    return true;
  },
  nativeFabricUIManager: new Proxy(fabric, { get: (target, key) => target[String(key)] ?? silent }),
};
if (expoModules !== undefined) Object.assign(scope, expoRuntime(JSON.parse(expoModules) as Record<string, object>));
for (const alias of ['global', 'globalThis', 'window', 'self']) scope[alias] = scope;
process.on('uncaughtException', noteError);

const texts = (view: View): string[] => {
  const own = view.name === 'RCTRawText' || view.name === 'RawText' ? [String(view.props['text'])] : [];
  return [...own, ...view.children.flatMap(texts)];
};
const names = (view: View): string[] => [view.name, ...view.children.flatMap(names)];
const images = (view: View): string[] => {
  const source = view.props['source'] ?? view.props['src'];
  const own = (Array.isArray(source) ? source : [source]).flatMap((entry: unknown) =>
    typeof entry === 'object' && entry !== null && 'uri' in entry && typeof entry.uri === 'string' ? [entry.uri] : [],
  );
  return [...own, ...view.children.flatMap(images)];
};

let appKeys: string[] = [];
try {
  vm.runInContext(readFileSync(bundlePath, 'utf8'), vm.createContext(scope), { filename: 'bundle.js', timeout: 20_000 });
  const registry = (scope['RN$AppRegistry'] ?? callable.get('AppRegistry')?.()) as AppRegistry | undefined;
  appKeys = registry?.getAppKeys().filter((key) => key !== 'LogBox') ?? [];
  const [name] = appKeys;
  if (registry !== undefined && name !== undefined) registry.runApplication(name, { rootTag: 1, initialProps: {}, fabric: true }, 0);
} catch (error) {
  noteError(error instanceof Error ? error.stack : error);
}

const answer = (): void => {
  const report = { platform, appKeys, errors, texts: root.flatMap(texts), views: [...new Set(root.flatMap(names))], images: root.flatMap(images) };
  process.stdout.write(JSON.stringify(report), () => process.exit(0));
};
// The tree is done when it holds text and has not grown for some turns, or when the time is up.
const deadline = performance.now() + 10_000;
let last = -1;
let still = 0;
const look = (): void => {
  const count = root.flatMap(texts).length;
  still = count === last && count > 0 ? still + 1 : 0;
  last = count;
  if (still >= 5 || performance.now() > deadline) answer();
  else setTimeout(look, 20);
};
look();
