import type { ProxyHeader, ProxyInfo } from "../codec/mod.ts";
import { bufferAfter } from "./_buffer_size.ts";
import { type Ends, toAddress } from "./_ends.ts";
import { closeDuplex, openDuplex } from "./native/duplex_conn.ts";
import { IdleWatch } from "./sending/idle_watch.ts";
import { isReset } from "./sending/is_reset.ts";
import type { RelayOptions, RelayResult } from "./sending/types.ts";
import { readRelayOptions, type RelayPlan } from "./sending/read_options.ts";
import { relayedHeader } from "./sending/relayed_header.ts";
import { Waits } from "./admission/waits.ts";
import {
  closeQuietly,
  connBehind,
  type ProxiedConn,
  resetQuietly,
} from "./proxied_conn.ts";
import type { ByteDuplex, NativeConn } from "./native_types.ts";
import { writeHeader } from "./write_header.ts";

export type { RelayOptions, RelayResult } from "./sending/types.ts";

/** First buffer of each direction, in bytes: with 4096, an idle relay held 9 KiB more on Deno. */
const FIRST_BUFFER_SIZE = 256;

/**
 * A connection, or a function that makes one. Nothing is read from the client
 * while the function runs, so a client that leaves is not noticed. A function
 * that may never settle needs its own deadline, or a `signal` in
 * {@link RelayOptions}.
 */
export type RelayTarget =
  | NativeConn
  | ByteDuplex
  | (() => Promise<NativeConn | ByteDuplex>);

/**
 * Copies in both directions between a client and a target until both have
 * ended. With `send`, it first writes a header to the target: the client, and
 * the received TLVs (section 4.1, chains of proxies). With `header: "discard"`,
 * only LOCAL of the received header is forwarded. The end of one direction is
 * forwarded, and the other direction continues. At the end both connections are
 * closed, in every case.
 *
 * When one side is reset, or fails in another way, the other side is reset if
 * its connection has a `reset()`. Connections of Deno have no `reset()`, so
 * their peer sees an orderly end, also of TLS. To reset on Deno, use `relay` of
 * `./node`.
 *
 * `from` may also be a connection that this library has not accepted, such as a
 * `Deno.Conn`. The header then has the connection's real addresses and no TLVs,
 * as at the first proxy of a chain.
 *
 * Failures of the connections, including a failure to connect, are returned in
 * the result.
 *
 * @throws {TypeError} for a wrong option. Both connections are then closed.
 * @throws {RangeError} for an option out of its range. Both connections are
 * then closed.
 *
 * @example
 * ```ts ignore
 * import { proxied, relay } from "@edgewire/proxy-protocol";
 *
 * const front = proxied(Deno.listen({ port: 8443 }), { trust: ["10.0.0.0/8"] });
 * const dial = () => Deno.connect({ hostname: "10.0.0.9", port: 443 });
 * for await (const conn of front) {
 *   relay(conn, dial, { send: 2, drop: ["xEA"], checksum: true }).then(
 *     ({ sent, received, error }) => {
 *       console.log(sent, received, error); // 5 0 undefined
 *     },
 *   );
 * }
 * ```
 */
export async function relay(
  from: ProxiedConn | NativeConn,
  to: RelayTarget,
  options: RelayOptions = {},
): Promise<RelayResult> {
  const closeEnds = () => {
    closeQuietly(from);
    if (typeof to !== "function") closeTarget(to);
  };
  let plan: RelayPlan;
  try {
    plan = readRelayOptions(options);
  } catch (error) {
    closeEnds();
    throw error;
  }
  const { send, checksum, halfOpenTimeout, idleTimeout, signal } = plan;
  const result: RelayResult = { sent: 0, received: 0 };
  const waits = new Waits({ timeout: Infinity, signal });
  let header: ProxyHeader | undefined;
  try {
    waits.check();
    if (send !== undefined) {
      await waits.within(async () => await connBehind(from)?.ready);
      header = relayedHeader(originOf(from), plan);
    }
  } catch (error) {
    waits.close();
    closeEnds();
    return { ...result, error };
  }
  const opening = open(to, waits);
  let directions: Promise<void>[] = [];
  let close = closeQuietly;
  const idle = Promise.withResolvers<never>();
  const watch = new IdleWatch(
    idleTimeout,
    () => result.sent + result.received,
    idle.reject,
  );
  try {
    const work = async () => {
      const target = await opening;
      if (header !== undefined) {
        await writeHeader(
          target,
          header,
          checksum === undefined ? {} : { checksum },
        );
      }
      directions = [
        copy(from, target, (count) => result.sent += count),
        copy(target, from, (count) => result.received += count),
      ];
      await allEnded(directions, halfOpenTimeout);
    };
    await waits.within(() => Promise.race([work(), idle.promise]));
  } catch (error) {
    result.error = error;
    if (isReset(error, directions.length > 0)) close = resetQuietly;
  }
  waits.close();
  watch.stop();
  close(from);
  opening.then(close, () => {}); // a failure is in the result already
  await Promise.allSettled(directions);
  return result;
}

/** Returns what a header says of a client: its own ends if it was not accepted here. */
function originOf(
  from: ProxiedConn | NativeConn,
): Ends & { info: ProxyInfo | undefined } {
  return connBehind(from) ?? {
    info: undefined,
    remoteAddr: toAddress(from.remoteAddr),
    localAddr: toAddress(from.localAddr),
  };
}

async function open(to: RelayTarget, waits: Waits): Promise<NativeConn> {
  const conn = typeof to === "function" ? await to() : to;
  if ("read" in conn) return conn;
  try {
    return await waits.within(() => openDuplex(conn));
  } catch (error) {
    closeDuplex(conn);
    throw error;
  }
}

function closeTarget(conn: NativeConn | ByteDuplex): void {
  if ("read" in conn) closeQuietly(conn);
  else closeDuplex(conn);
}

/** Copies one direction to its end, and passes the end on. */
async function copy(
  from: Pick<NativeConn, "read">,
  to: Pick<NativeConn, "write" | "closeWrite">,
  onCopied: (count: number) => void,
): Promise<void> {
  let buffer = new Uint8Array(FIRST_BUFFER_SIZE);
  for (;;) {
    const count = await from.read(buffer);
    if (count === null) break;
    for (let at = 0; at < count;) {
      at += await to.write(buffer.subarray(at, count));
    }
    onCopied(count);
    buffer = bufferAfter(buffer, count);
  }
  // This fails if the other end has closed both of its directions.
  await to.closeWrite().catch(() => {});
}

/** Resolves when all have ended, or `timeout` ms after the first. */
async function allEnded(
  directions: readonly Promise<void>[],
  timeout: number,
): Promise<void> {
  const all = Promise.all(directions);
  if (timeout === Infinity) return void await all;
  await Promise.race([all, ...directions]); // `all` too: unheard, its failure would end the process
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeout);
  try {
    await Promise.race([all, promise]);
  } finally {
    clearTimeout(timer);
  }
}
