/**
 * What a client of Expo has beside React Native's: the global that expo-modules-core installs natively, its classes and
 * native modules. Of a module only the constants are there, and functions that do nothing, known by their names; a module
 * that the client does not name it does not have.
 */
class EventEmitter {
  addListener(): { remove(): void } {
    return { remove: () => undefined };
  }

  removeAllListeners(): void { /* Nobody listens. */ }
  emit(): void { /* Nobody listens. */ }
  listenerCount(): number { return 0; }
}
class SharedObject extends EventEmitter {}

const nativeModule = (constants: object): object =>
  new Proxy(constants, {
    get: (target, key) => {
      if (key in target || typeof key === 'symbol') return Reflect.get(target, key) as unknown;
      if (key === 'addListener') return () => ({ remove: () => undefined });
      return /^(?:get|set|hide|show|load|remove|prevent)[A-Z]|Async$/u.test(key) ? () => Promise.resolve() : undefined;
    },
  });

export const expoRuntime = (modules: Readonly<Record<string, object>>): Record<string, unknown> => ({
  // React Native's own modules come by the other way.
  nativeModuleProxy: { DevLoadingView: {} },
  RN$LegacyInterop_UIManager_getConstants: () => ({}),
  RN$LegacyInterop_UIManager_getConstantsForViewManager: () => null,
  // Of the engine.
  TextEncoder, URL, URLSearchParams,
  expo: {
    EventEmitter, SharedObject, SharedRef: class extends SharedObject {}, NativeModule: class extends EventEmitter {},
    modules: Object.fromEntries(Object.entries(modules).map(([name, constants]) => [name, nativeModule(constants)])),
    uuidv4: () => '00000000-0000-4000-8000-000000000000', uuidv5: () => '00000000-0000-5000-8000-000000000000',
    getViewConfig: () => ({ validAttributes: {}, directEventTypes: {} }), reloadAppAsync: () => undefined, installModules: () => undefined,
    cacheDir: 'file:///cache/', documentsDir: 'file:///documents/',
  },
});
