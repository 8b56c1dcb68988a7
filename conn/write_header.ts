import { readEncodeOptions } from "../codec/internal.ts";
import type { EncodeOptions, ProxyHeader } from "../codec/mod.ts";
import { headerBytes } from "./sending/header_bytes.ts";

/**
 * Target of {@link writeHeader}: a stream, a pair of streams, a `Deno.Conn`, a
 * socket of `node:net` or one of Bun.
 */
export type HeaderTarget =
  | WritableStream<Uint8Array>
  | { readonly writable: WritableStream<Uint8Array> }
  | {
    /**
     * Either resolves to the number of bytes written, as a `Deno.Conn` does, or
     * calls back when all of them are written, as a socket of Node does.
     */
    write(
      bytes: Uint8Array,
      callback: (error?: Error | null) => void,
    ): Promise<number> | boolean;
  }
  | {
    /** Returns how many bytes were written, -1 if the socket is closed. */
    write(bytes: Uint8Array): number;
    /** Closes the connection at once. Only sockets of Bun have this method. */
    terminate(): void;
  };

/**
 * Writes a header in one write, before any payload. Many receivers reject a header
 * in pieces (section 2).
 *
 * A v2 header without addresses is written as LOCAL, which nearly every receiver
 * accepts. Many reject PROXY with UNSPEC. Zone ids of addresses are left out.
 *
 * @throws {TypeError} like {@link encode}. Nothing has then been written.
 * @throws {RangeError} like {@link encode}. Nothing has then been written.
 * @throws {Error} of the runtime when the connection fails, and for a socket of
 * Bun that is closed.
 *
 * @example
 * ```ts ignore
 * import { writeHeader } from "@edgewire/proxy-protocol";
 *
 * const backend = await Deno.connect({ hostname: "10.0.0.9", port: 8080 });
 * await writeHeader(backend, {
 *   source: { transport: "tcp", hostname: "192.0.2.1", port: 56324 },
 *   destination: { transport: "tcp", hostname: "198.51.100.1", port: 443 },
 * });
 * await backend.write(new TextEncoder().encode("hello"));
 * backend.close();
 * ```
 */
export async function writeHeader(
  conn: HeaderTarget,
  header: ProxyHeader,
  options: EncodeOptions = {},
): Promise<void> {
  readEncodeOptions(options);
  await writeOnce(conn, headerBytes(header, options));
}

async function writeOnce(
  conn: HeaderTarget,
  bytes: Uint8Array,
): Promise<void> {
  if (!("write" in conn)) {
    const stream = "getWriter" in conn ? conn : conn.writable;
    const writer = stream.getWriter();
    try {
      await writer.write(bytes);
    } finally {
      writer.releaseLock();
    }
    return;
  }
  if ("terminate" in conn) return await writePolling(conn, bytes);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const result = conn.write(
    bytes,
    (error) => error ? reject(error) : resolve(),
  );
  if (typeof result === "boolean") return await promise;
  // The system may accept only a part when its buffer is nearly full.
  let taken = await result;
  while (taken < bytes.length) {
    taken += Number(await conn.write(bytes.subarray(taken), () => {}));
  }
}

/**
 * Writes to a socket that calls a handler of its user, and not us, when it can
 * write more. Trying again is rare: a header is the first that is sent.
 */
async function writePolling(
  conn: { write(bytes: Uint8Array): number },
  bytes: Uint8Array,
): Promise<void> {
  for (let rest = bytes;;) {
    const taken = conn.write(rest);
    if (taken < 0) {
      throw new Error("Cannot write the header: the socket is closed");
    }
    rest = rest.subarray(taken);
    if (rest.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
