import type { Address, DefinedTlvs, TlvReader } from "../codec/mod.ts";
import { checkConn } from "./_misuse.ts";
import { Gate } from "./admission/gate.ts";
import { readOptions } from "./admission/policy.ts";
import { toRefusal } from "./admission/refusal.ts";
import type { Waits } from "./admission/waits.ts";
import { closeDuplex, openDuplex } from "./native/duplex_conn.ts";
import { hopOf, NativePeer } from "./native/peer.ts";
import type { ByteDuplex, NativeConn } from "./native_types.ts";
import type { ProxiedConn } from "./proxied_conn.ts";
import type { Accepted, AcceptOptions } from "./types.ts";

/**
 * Reads the PROXY header of a connection. Resolves to the header and to the
 * connection after it, which shows the client's address (section 2).
 *
 * The header is read exactly: not one byte of the payload is read from the
 * connection. A pair of streams without BYOB cannot be read exactly. Payload
 * that was read with the header is then delivered first. Nothing is written
 * before the header has arrived.
 *
 * @throws {ProxyProtocolError} when the connection is rejected. The connection
 * is then closed. Code `empty` means that the peer closed without sending a
 * byte, as TCP health checks do. Do not log it.
 * @throws {TypeError} for a wrong or unknown option, for a value that is not a
 * connection, and for a connection that was accepted already. The connection is
 * then unchanged.
 * @throws {RangeError} for an option out of its range. The connection is then
 * unchanged.
 *
 * @example
 * ```ts ignore
 * import { accept } from "@edgewire/proxy-protocol";
 *
 * for await (const tcp of Deno.listen({ port: 8080 })) {
 *   accept(tcp, { trust: ["10.0.0.0/8"] }).then(({ info, conn }) => {
 *     console.log(conn.remoteAddr); // { transport: "tcp", hostname: "192.0.2.7", port: 51234 }
 *     console.log(info?.tlvs.AUTHORITY); // example.com
 *     return conn.pipeTo(conn.writable);
 *   }).catch(console.error);
 * }
 * ```
 */
export function accept<
  C extends NativeConn | ByteDuplex,
  R extends TlvReader = never,
>(
  conn: C,
  options: AcceptOptions<ProxiedConn<object, DefinedTlvs<R>>, R>,
): Promise<Accepted<C, DefinedTlvs<R>>>;
export async function accept<C extends NativeConn | ByteDuplex>(
  conn: C,
  options: AcceptOptions,
): Promise<Accepted<C>> {
  checkConn(conn);
  // Counted by nobody, and reported to the caller alone.
  const policy = { ...readOptions(options), onReject: undefined };
  const gate = new Gate<ProxiedConn<C>>(policy, true);
  try {
    const [native, left] = await open(conn, policy.timeout, gate.waits);
    const hop = hopOf(native);
    const accepted = await new Promise<ProxiedConn<C>>((resolve, reject) =>
      new NativePeer(native, conn, hop, gate, resolve, reject).begin(left)
    );
    if (policy.lazy) {
      // Reading and `ready` pass on what goes wrong.
      accepted.ready.then(() => show(accepted)).catch(() => {})
        .finally(() => gate.waits.close());
    } else {
      show(accepted);
      gate.waits.close();
    }
    return { info: accepted.info, conn: accepted };
  } catch (error) {
    gate.waits.close();
    throw error;
  }
}

/** Shows the client on the connection that was given, from now on. */
function show(conn: ProxiedConn): void {
  try {
    void conn.raw;
  } catch (error) { // of a connection that is not the runtime's own
    conn.close();
    throw toRefusal(error);
  }
}

/** Opens a pair of streams; what is left of the deadline then, in ms. */
async function open(
  conn: NativeConn | ByteDuplex,
  timeout: number,
  waits: Waits,
): Promise<[native: NativeConn, left: number]> {
  if ("read" in conn) return [conn, timeout];
  const begin = performance.now();
  const opening = openDuplex(conn);
  try {
    const native = await waits.within(() => opening);
    return [native, timeout - (performance.now() - begin)];
  } catch (error) {
    closeDuplex(conn);
    throw toRefusal(error, await hopSoon(opening));
  }
}

/** The peer of a connection that has been opened by now. */
async function hopSoon(
  opening: Promise<NativeConn>,
): Promise<Address | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), 0);
  const hop = opening.then(hopOf, () => undefined);
  return await Promise.race([hop, promise]).finally(() => clearTimeout(timer));
}
