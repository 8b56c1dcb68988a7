/** How much work is made of a header, counted: a clock would be flaky. */

import type { ProxyInfo } from "../../codec/mod.ts";

/** What takes a step for each character or byte that goes in or comes out. */
const LABORIOUS: readonly [owner: object, names: readonly string[]][] = [
  [String.prototype, ["padEnd", "padStart", "replace", "replaceAll", "split"]],
  [String.prototype, ["trim", "trimEnd", "toString"]],
  [Array.prototype, ["join"]],
  [Uint8Array.prototype, ["toHex"]],
  [TextDecoder.prototype, ["decode"]],
  [JSON, ["stringify"]],
];

/** Counts what {@link LABORIOUS} does while `run` runs. */
export function countWork(run: () => void): number {
  let work = 0;
  using patched = new DisposableStack();
  for (const [owner, names] of LABORIOUS) {
    for (const name of names) {
      const original: unknown = Reflect.get(owner, name);
      if (typeof original !== "function") throw new Error(`No ${name}`);
      const own = Object.getOwnPropertyDescriptor(owner, name);
      Reflect.defineProperty(owner, name, {
        configurable: true,
        writable: true,
        value(this: unknown, ...args: unknown[]): unknown {
          const result: unknown = Reflect.apply(original, this, args);
          work += lengthOf(this) + lengthOf(args[0]) + lengthOf(result);
          return result;
        },
      });
      patched.defer(() => {
        if (own) Reflect.defineProperty(owner, name, own);
        else Reflect.deleteProperty(owner, name);
      });
    }
  }
  run();
  return work;
}

function lengthOf(value: unknown): number {
  return typeof value === "string" || value instanceof Uint8Array
    ? value.length
    : 1;
}

/** The info, and how many of its bytes have been read one by one. */
export function countReads(
  info: ProxyInfo,
): { info: ProxyInfo; readonly reads: number } {
  let reads = 0;
  const raw = new Proxy(info.raw, {
    get(bytes, name) {
      const value: unknown = Reflect.get(bytes, name, bytes);
      if (typeof name === "string" && /^\d/.test(name)) reads++;
      return typeof value === "function" && name !== "constructor"
        ? value.bind(bytes)
        : value;
    },
  });
  return {
    info: { ...info, rest: info.rest, raw },
    get reads() {
      return reads;
    },
  };
}
