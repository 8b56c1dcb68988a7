import { assertEquals } from "@std/assert";
import { proxied } from "../../mod.ts";
import { ascii } from "../codec/_hex.ts";
import { send, TRUST } from "./_loopback.ts";
import { once } from "node:events";
import net from "node:net";

Deno.test("proxied() holds nobody up for peers that reset before they are accepted", async () => {
  // Deno's accept() throws NotConnected for each: haproxy's health checks with
  // a header end so, and anyone who can connect can do it at will.
  const tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = tcp.addr;
  for (let i = 0; i < 8; i++) {
    const socket = net.connect(port, "127.0.0.1");
    await once(socket, "connect");
    socket.resetAndDestroy();
    await once(socket, "close");
  }
  using client = await Deno.connect({ hostname: "127.0.0.1", port });
  await send(client, ascii("PROXY UNKNOWN\r\n"));
  using listener = proxied(tcp, { trust: TRUST });
  using conn = await listener.accept();
  assertEquals(conn.info?.family, "UNSPEC");
  // Counted as peers that sent nothing, not as failures after which to pause.
  assertEquals(listener.stats.rejected, { empty: 8 });
});
