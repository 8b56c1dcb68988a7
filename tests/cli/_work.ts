/** How much work is made of a header, counted: a clock would be flaky. */

/** What takes a step for each character or byte that goes in or comes out. */
const LABORIOUS: readonly [owner: object, names: readonly string[]][] = [
  [String.prototype, ["padEnd", "padStart", "replace", "replaceAll", "split"]],
  [String.prototype, ["trim", "trimEnd", "toString"]],
  [Array.prototype, ["join"]],
  [Uint8Array.prototype, ["toHex"]],
  [TextDecoder.prototype, ["decode"]],
  [DataView.prototype, ["getUint8", "getUint16", "getUint32", "getInt32"]],
  [JSON, ["stringify"]],
];

/** Counts what {@link LABORIOUS} does while `run` runs. */
export function countWork(run: () => void): number {
  let work = 0;
  watch(LABORIOUS, run, (self, args, result) => {
    work += lengthOf(self) + lengthOf(args[0]) + lengthOf(result);
  });
  return work;
}

/** Bytes that a method of a DataView reads. */
const VIEWED: Readonly<Record<string, number>> = {
  getUint8: 1,
  getUint16: 2,
  getUint32: 4,
  getInt32: 4,
};

/** Counts the bytes that are read through views while `run` runs. */
export function countViewed(run: () => void): number {
  let bytes = 0;
  for (const [name, length] of Object.entries(VIEWED)) {
    const inner = run;
    run = () =>
      watch([[DataView.prototype, [name]]], inner, () => bytes += length);
  }
  run();
  return bytes;
}

/** Calls back after each call of some methods while `run` runs. */
function watch(
  methods: typeof LABORIOUS,
  run: () => void,
  onCall: (self: unknown, args: unknown[], result: unknown) => void,
): void {
  using patched = new DisposableStack();
  for (const [owner, names] of methods) {
    for (const name of names) {
      const original: unknown = Reflect.get(owner, name);
      if (typeof original !== "function") throw new Error(`No ${name}`);
      const own = Object.getOwnPropertyDescriptor(owner, name);
      Reflect.defineProperty(owner, name, {
        configurable: true,
        writable: true,
        value(this: unknown, ...args: unknown[]): unknown {
          const result: unknown = Reflect.apply(original, this, args);
          onCall(this, args, result);
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
}

function lengthOf(value: unknown): number {
  return typeof value === "string" || value instanceof Uint8Array
    ? value.length
    : 1;
}
