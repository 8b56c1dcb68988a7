/** A port towards the internal server means one client until the server has closed its end. */

import { assertEquals } from "@std/assert";
import { connect } from "node:net";
import { Links } from "../../../../conn/deno/links.ts";
import { accept, type ProxiedConn } from "../../../../mod.ts";
import { tcpPair } from "../../../conn/_loopback.ts";
import { HEADER, receiveText, send } from "../../../conn/_peers.ts";
import { CLIENT } from "../../../conn/_peers.ts";
import { within } from "../../../_within.ts";

/** A client, an internal server, and the two ends between them. */
async function open() {
  const front = await tcpPair();
  const inner = await tcpPair();
  await send(front.client, HEADER);
  const { conn } = await accept(front.server, { trust: "any" });
  const links = new Links();
  const target = inner.client;
  const { localAddr } = target;
  return {
    links,
    client: front.client,
    server: inner.server,
    /** Whom the server takes the client for. */
    seen: () => links.clientAt(localAddr)?.remoteAddr,
    run: (): Promise<void> => links.run(conn, target),
  };
}

/** Closes what a test may have closed. */
function closeAll(...conns: (Deno.TcpConn | ProxiedConn)[]): void {
  for (const conn of conns) {
    try {
      conn.close();
    } catch {
      // Closed already.
    }
  }
}

Deno.test("Links knows a client before its first byte is sent", async () => {
  const { client, server, seen, run } = await open();
  assertEquals(seen(), undefined);
  const running = run();
  assertEquals(seen(), CLIENT.source);
  closeAll(client, server);
  await within(running, "the end of the link");
  assertEquals(seen(), undefined);
});

Deno.test("Links knows a client that is gone until the server has closed its end", async () => {
  const { client, server, seen, run } = await open();
  const running = run();
  await send(client, "request");
  await server.read(new Uint8Array(100));
  client.close();
  assertEquals(await server.read(new Uint8Array(1)), null);
  // The port would be free after a reset.
  for (let i = 0; i < 20; i++) {
    await send(server, "answer");
    assertEquals(seen(), CLIENT.source);
    await new Promise((resolve) => setTimeout(resolve));
  }
  server.close();
  await within(running, "the end of the link");
  assertEquals(seen(), undefined);
});

Deno.test("Links knows a client that has reset until the server has closed its end", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = listener.accept();
  const client = connect(listener.addr.port, "127.0.0.1");
  client.write(HEADER);
  const { conn } = await accept(await accepting, { trust: "any" });
  const { client: target, server } = await tcpPair();
  const { localAddr } = target;
  const links = new Links();
  const running = links.run(conn, target);
  client.write("request");
  await server.read(new Uint8Array(100));
  client.resetAndDestroy();
  assertEquals(await server.read(new Uint8Array(1)), null);
  for (let i = 0; i < 20; i++) {
    await send(server, "answer");
    assertEquals(links.clientAt(localAddr)?.remoteAddr, CLIENT.source);
    await new Promise((resolve) => setTimeout(resolve));
  }
  server.close();
  await within(running, "the end of the link");
  assertEquals(links.clientAt(localAddr), undefined);
});

Deno.test("Links passes an answer on whose server has closed amid the request", async () => {
  const { client, server, run } = await open();
  const running = run();
  const sending = send(client, new Uint8Array(10_000_000)).catch(() => {});
  await server.read(new Uint8Array(100));
  await send(server, "too large");
  server.close(); // with much unread: a reset
  assertEquals(await receiveText(client), "too large");
  client.close();
  await sending;
  await within(running, "the end of the link");
});

Deno.test("Links closes a client that does not end its side after the server has", async () => {
  const { client, server, run } = await open();
  const running = run();
  await send(server, "answer");
  server.close();
  assertEquals(await receiveText(client), "answer");
  let isOver = false;
  running.then(() => isOver = true);
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(isOver, false); // it may still send
  await within(running, "the end of the link");
  client.close();
});

Deno.test("Links lets a client that has been answered go on sending for a while", async () => {
  const { client, server, run } = await open();
  const running = run();
  await send(server, "too large");
  server.close();
  // A reset would come after the first bytes.
  for (let i = 0; i < 5; i++) {
    await send(client, "more");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assertEquals(await receiveText(client), "too large");
  await within(running, "the end of the link");
  client.close();
});

Deno.test("Links closes all clients at once", async () => {
  const { links, client, server, run } = await open();
  const running = run();
  links.abort();
  assertEquals(await receiveText(client), "");
  assertEquals(await server.read(new Uint8Array(1)), null);
  server.close();
  await within(running, "the end of the link");
  client.close();
});
