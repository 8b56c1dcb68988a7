/**
 * All that an object has, as own properties of another one. Options of a runtime
 * may be an instance of a class, such as the app of a framework, and an adapter
 * reads only what is an object's own.
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

/** Whether it is `Object.prototype`, of this realm or another. */
function isRoot(owner: object): boolean {
  return Object.getPrototypeOf(owner) === null;
}
