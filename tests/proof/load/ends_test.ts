/** Peers that leave at each byte of their header, in each way there is. */

import { assertEquals } from "@std/assert";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { encode } from "../../../mod.ts";
import { utf8 } from "../../_bytes.ts";
import { within } from "../../_within.ts";
import { CLIENT } from "../../conn/_peers.ts";
import type { Facts } from "../../on/_service.ts";
import { HOSTS } from "../../on/_servers.ts";
import { NAME, pendingOf, until } from "./_load.ts";

const HEADERS = {
  v1: utf8("PROXY TCP4 192.0.2.1 198.51.100.1 1111 2222\r\n"),
  "v2 with TLVs": encode({
    ...CLIENT,
    tlvs: { ALPN: "h2", AUTHORITY: "sni.example", UNIQUE_ID: utf8("id") },
  }, { checksum: true }),
};

/** How a peer leaves. */
const WAYS = {
  // Both directions, with nobody to read what still comes.
  FIN: (socket: Socket) => socket.destroy(),
  "a half-close": (socket: Socket) => socket.end(),
  RST: (socket: Socket) => socket.resetAndDestroy(),
};

/** A connection that has said a part of its header. */
async function dial(port: number, bytes: Uint8Array): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  if (bytes.length === 0) return socket;
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.write(bytes, () => resolve());
  await promise;
  return socket;
}

/** Ends a connection, and waits until it is closed; a refusal may be a reset. */
async function leave(
  socket: Socket,
  way: (socket: Socket) => unknown,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on("error", () => {}).on("close", () => resolve()).resume();
  way(socket);
  await within(promise, "a connection to close");
}

for (const [runtime, start] of Object.entries(HOSTS)) {
  Deno.test(`a peer may leave at each byte of its header on ${runtime}`, async (t) => {
    const options = { trust: ["127.0.0.1"], timeout: 30_000 };
    await using host = await start({ [NAME]: { options } });
    // All of them leave at once, each at another byte.
    const leaveBy = async (
      way: (socket: Socket) => unknown,
      header: Uint8Array,
    ) => {
      const sockets = await Promise.all(
        Array.from(header, (_, at) => dial(host.port, header.subarray(0, at))),
      );
      const ports = sockets.map(({ localPort }) => localPort);
      const count = sockets.length;
      await until(host, "pending", (facts) => pendingOf(facts) === count);
      await Promise.all(sockets.map((socket) => leave(socket, way)));
      const isOver = (facts: Facts) => pendingOf(facts) === 0;
      return { ports, ...await until(host, "over", isOver) };
    };
    const first = await leaveBy(WAYS.FIN, HEADERS.v1);
    let empty = 1;
    for (const [version, header] of Object.entries(HEADERS)) {
      for (const [name, way] of Object.entries(WAYS)) {
        await t.step(`${version}, by ${name}`, async () => {
          const { ports, services } = await leaveBy(way, header);
          const { stats, rejected = [] } = services[NAME] ?? {};
          const code = way === WAYS.RST ? "io" : "incomplete";
          const outcomes = new Map(
            rejected.slice(1 - ports.length).map((
              { port, code, received },
            ) => [port, { code, received }]),
          );
          const [silent, ...others] = ports;
          for (const [i, port] of others.entries()) {
            assertEquals(outcomes.get(port), { code, received: i + 1 });
          }
          // Only counted.
          assertEquals(outcomes.has(silent), false);
          assertEquals(stats?.rejected.empty, ++empty);
          assertEquals(outcomes.size, others.length);
        });
      }
    }
    await until(host, "at rest", ({ files }) => files <= first.files);
    await host.end();
  });
}
