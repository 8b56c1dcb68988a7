/**
 * Returns an object with all own and inherited properties of another. Options of a
 * runtime may be an instance of a class, such as the app of a framework. An adapter
 * reads only own properties.
 */
export function ownAndInherited(options: object): object {
  const all: object = {};
  let owner: unknown = options;
  while (typeof owner === "object" && owner !== null && !isRoot(owner)) {
    for (const name of Reflect.ownKeys(owner)) {
      if (name === "constructor" || Object.hasOwn(all, name)) continue;
      Reflect.set(all, name, Reflect.get(options, name));
    }
    owner = Object.getPrototypeOf(owner);
  }
  return all;
}

/** Whether an object is the `Object.prototype` of any realm. */
function isRoot(owner: object): boolean {
  return Object.getPrototypeOf(owner) === null;
}
