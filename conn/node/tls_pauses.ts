import process from "node:process";
import { TLSSocket } from "node:tls";
import { override } from "./override.ts";

/** Whether a TLS socket that is paused continues to read. */
const READS_ON = "deno" in process.versions;

/**
 * Makes `pause()` of a TLS socket effective. On Deno (2.9.6) a paused socket
 * continues to read, keeps all bytes and loses its end. Of 3 MB, 2 MB were kept at
 * once, and 'end' was not emitted. The connection below can be paused.
 */
export function mendPauses(socket: object): void {
  if (!READS_ON || !(socket instanceof TLSSocket)) return;
  const handle: unknown = Reflect.get(socket, "_handle");
  if (!isReading(handle)) return;
  if (!isReading(Reflect.get(handle, "_nativeTcpHandle"))) return;
  const { readStart } = handle;
  for (const name of ["readStart", "readStop"] as const) {
    override(handle, name, () => {
      const below: unknown = Reflect.get(handle, "_nativeTcpHandle");
      return isReading(below) ? below[name]() : 0; // it is closed
    });
  }
  Reflect.apply(readStart, handle, []); // TLS itself reads from now on
}

/** What reads a connection. */
interface Reading {
  readStart(): unknown;
  readStop(): unknown;
}

function isReading(handle: unknown): handle is Reading {
  return typeof handle === "object" && handle !== null &&
    typeof Reflect.get(handle, "readStart") === "function" &&
    typeof Reflect.get(handle, "readStop") === "function";
}
