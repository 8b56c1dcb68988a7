/** Peers that wear a server out, and what is asked of the server meanwhile. */

import { send } from "../../conn/_loopback.ts";
import { HEADER } from "../../conn/_peers.ts";
import { concat, pattern, utf8 } from "../../_bytes.ts";
import { LONGEST_WAIT } from "../../_within.ts";
import type { Facts } from "../../on/_service.ts";
import type { Host } from "../../on/_servers.ts";

/** The only service of a server. */
export const NAME = "all";

/** How much is done at once. */
const AT_ONCE = 100;

/** Asks a server until it is as it should be; fails with what it told last. */
export async function until(
  host: Host,
  what: string,
  isSo: (facts: Facts) => boolean,
): Promise<Facts> {
  const end = performance.now() + LONGEST_WAIT;
  for (;;) {
    const facts = await host.facts();
    if (isSo(facts)) return facts;
    if (performance.now() > end) {
      throw new Error(`Not ${what}: ${JSON.stringify(facts)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** How many headers the service waits for. */
export function pendingOf({ services }: Facts): number | undefined {
  return services[NAME]?.stats?.pending;
}

/** Does work so often, a hundred at once. */
export async function inBatches<T>(
  count: number,
  work: () => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  while (results.length < count) {
    const size = Math.min(AT_ONCE, count - results.length);
    results.push(...await Promise.all(Array.from({ length: size }, work)));
  }
  return results;
}

/** Makes connections, each with the same first bytes. */
export function dialMany(
  port: number,
  count: number,
  bytes: Uint8Array,
): Promise<Deno.TcpConn[]> {
  return inBatches(count, async () => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await conn.write(bytes);
    return conn;
  });
}

/** Closes connections. */
export function closeAll(conns: readonly Deno.TcpConn[]): void {
  for (const conn of conns) conn.close();
}

/** Makes a good connection, and has it served; the time to its first byte, in ms. */
export async function timeToFirstByte(port: number): Promise<number> {
  const start = performance.now();
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(HEADER);
  await conn.read(new Uint8Array(1));
  return performance.now() - start;
}

/** What a service tells of the client of {@link HEADER}. */
export const TOLD: Uint8Array = utf8(
  JSON.stringify({ hostname: "192.0.2.1", port: 1111 }) + "\n",
);

/** What a connection with {@link HEADER} gets that has sent this behind it. */
export function answerTo(payload: Uint8Array): Uint8Array {
  return concat([TOLD, payload]);
}

/** What {@link sendUntilStalled} sends. */
export const BLOCK: Uint8Array = pattern(65536);

/** What the buffers of the system may hold for a connection, in bytes. */
const MOST_SENT = 48 << 20;

/** How long a write waits that nobody takes, in ms. */
const STALL = 400;

/** Sends blocks until no more is taken; how many, and the write that waits. */
export async function sendUntilStalled(
  conn: Deno.TcpConn,
): Promise<{ blocks: number; waiting: Promise<void> }> {
  for (let blocks = 0; blocks * BLOCK.length < MOST_SENT; blocks++) {
    const waiting = send(conn, BLOCK);
    const { promise, resolve } = Promise.withResolvers<"late">();
    const timer = setTimeout(resolve, STALL, "late");
    const first = await Promise.race([waiting, promise]);
    clearTimeout(timer);
    if (first === "late") return { blocks: blocks + 1, waiting };
  }
  throw new Error(`${MOST_SENT} bytes were taken`);
}
