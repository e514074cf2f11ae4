import type { ObjectStorage } from '#platform/storage/storage.ts';

/** The storage with one method replaced; all else goes to the real one. */
export function storageWith<Name extends 'delete' | 'deletePrefix'>(storage: ObjectStorage, name: Name, method: ObjectStorage[Name]): ObjectStorage {
  return new Proxy(storage, {
    get(target, property) {
      if (property === name) return method;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
