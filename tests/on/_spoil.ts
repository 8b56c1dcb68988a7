/**
 * What anyone may do who has got an info or an error: transfer its memory to
 * another thread, overwrite it, put properties on it. On any runtime.
 */

/** Accessors of an info and of an error. */
const ACCESSORS = ["rest", "received"];

/** Every object that can be reached from a value, itself first. */
function reachable(value: unknown, seen: Set<object> = new Set()): Set<object> {
  if (typeof value !== "object" || value === null || seen.has(value)) {
    return seen;
  }
  seen.add(value);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return seen;
  const accessors = ACCESSORS.filter((name) => name in value);
  for (const name of [...Reflect.ownKeys(value), ...accessors]) {
    reachable(Reflect.get(value, name), seen);
  }
  return seen;
}

/** Spoils all that can be reached from these; how many buffers were transferred. */
export function spoil(...values: unknown[]): number {
  let transferred = 0;
  for (const value of values) {
    for (const one of reachable(value)) {
      if (one instanceof Uint8Array) transferred += spoilBytes(one);
      else if (!ArrayBuffer.isView(one)) {
        Object.assign(one, { note: "a user's" });
      }
    }
  }
  return transferred;
}

function spoilBytes(bytes: Uint8Array): number {
  Object.assign(bytes, { note: "a user's" });
  const { buffer } = bytes;
  if (!(buffer instanceof ArrayBuffer) || buffer.detached) return 0;
  // All of it: what lies beside the array is nobody else's either.
  new Uint8Array(buffer).fill(0xff);
  structuredClone(buffer, { transfer: [buffer] });
  if (bytes.length > 0) throw new Error("Not transferred");
  return 1;
}

/** Whether something that can be reached from a value has been spoilt before. */
export function isSpoilt(value: unknown): boolean {
  return Array.from(reachable(value)).some((one) =>
    Object.hasOwn(one, "note") ||
    (ArrayBuffer.isView(one) && one.buffer instanceof ArrayBuffer &&
      one.buffer.detached)
  );
}
