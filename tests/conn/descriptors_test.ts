import { assertEquals } from "@std/assert";
import { proxied, serve } from "../../mod.ts";
import { ascii } from "../codec/_hex.ts";
import { TRUST } from "./_loopback.ts";
import { dial, HEADER, listen, receive, send } from "./_peers.ts";

const CONNECTIONS = 5000;
const AT_ONCE = 50;

/** What a peer sends, and whether it is let in. */
const PEERS: readonly [Uint8Array, boolean][] = [
  [HEADER, true],
  [ascii("GET / HTTP/1.1\r\n"), false],
  [ascii("PROXY TCP4 192.0.2.1 198.51.100.1 1 70000\r\n"), false],
  [HEADER.subarray(0, 20), false],
  [new Uint8Array(), false],
];

/** Open descriptors of this process, where the system tells. */
function descriptors(): number {
  return Array.from(Deno.readDirSync("/proc/self/fd")).length;
}

Deno.test({
  name:
    `proxied() leaves no descriptor behind after ${CONNECTIONS} mixed connections`,
  ignore: Deno.build.os !== "linux",
  async fn() {
    const before = descriptors();
    const listener = proxied(listen(), { trust: TRUST });
    const server = serve(listener, (conn) => conn.pipeTo(conn.writable));
    const visit = async (i: number) => {
      const [bytes, isGood] = PEERS[i % PEERS.length] ?? [HEADER, true];
      using client = await dial(listener, bytes);
      if (isGood) await send(client, "ping");
      await client.closeWrite();
      assertEquals((await receive(client)).length, isGood ? 4 : 0);
    };
    for (let i = 0; i < CONNECTIONS; i += AT_ONCE) {
      await Promise.all(
        Array.from({ length: AT_ONCE }, (_, k) => visit(i + k)),
      );
    }
    await server.shutdown();
    const each = CONNECTIONS / PEERS.length;
    assertEquals(listener.stats, {
      accepted: each,
      direct: 0,
      local: 0,
      pending: 0,
      rejected: { signature: each, port: each, incomplete: each, empty: each },
    });
    assertEquals(descriptors(), before);
  },
});
