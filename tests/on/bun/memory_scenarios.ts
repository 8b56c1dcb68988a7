/** Whoever gets an info may do anything to its memory: the connections that come after do not mind. */

import { test } from "node:test";
import { proxied, proxyHop, type ProxyInfo } from "../../../conn/bun.ts";
import { assertOwnMemory, Outcomes, TIMEOUT } from "../_memory.ts";
import { listen, type Socket } from "./_bun.ts";
import { concat, KEY_PAIR } from "./_client.ts";
import { toBytes, TRUST } from "./_kit.ts";

/** What an application keeps of a socket. */
interface Kept {
  info: ProxyInfo | undefined;
  chunks: Uint8Array[];
}

const LISTENERS = [
  { carrier: "TCP", binaryType: "buffer" },
  { carrier: "TCP", binaryType: "uint8array" },
  { carrier: "TCP", binaryType: "arraybuffer" },
  { carrier: "TLS", binaryType: "buffer" },
] as const;

test("Bun: proxied() does not mind what becomes of an info or an error", async () => {
  await Promise.all(LISTENERS.map(async ({ carrier, binaryType }) => {
    const outcomes = new Outcomes();
    const kept = new WeakMap<Socket, Kept>();
    const listener = listen({
      hostname: "127.0.0.1",
      port: 0,
      allowHalfOpen: true,
      ...(carrier === "TLS" && { tls: KEY_PAIR }),
      socket: proxied<Socket>({
        binaryType,
        open: (socket, info) => void kept.set(socket, { info, chunks: [] }),
        data: (socket, payload) =>
          kept.get(socket)?.chunks.push(toBytes(payload)),
        end(socket) {
          const { info, chunks = [] } = kept.get(socket) ?? {};
          outcomes.end(proxyHop(socket), info, concat(chunks));
          socket.end();
        },
      }, { trust: TRUST, timeout: TIMEOUT, onReject: outcomes.reject }),
    });
    try {
      await assertOwnMemory(outcomes, listener.port, carrier === "TLS");
    } finally {
      listener.stop(true);
    }
  }));
});
