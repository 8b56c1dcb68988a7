/** Gives an object a method in place of its class's, as invisible as that. */
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
