/** Sets a method of an object in place of the method of its class, not enumerable. */
export function override<A extends unknown[]>(
  target: object,
  name: string,
  method: (...args: A) => unknown,
): void {
  Object.defineProperty(target, name, {
    value: method,
    writable: true,
    configurable: true,
  });
}
