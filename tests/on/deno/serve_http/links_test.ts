/** A port towards the internal server means one client until the server has closed its end. */

import { assert, assertEquals } from "@std/assert";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { Links } from "../../../../conn/deno/links.ts";
import { accept, type ProxiedConn } from "../../../../mod.ts";
import { tcpPair } from "../../../conn/_loopback.ts";
import { HEADER, receiveText, send } from "../../../conn/_peers.ts";
import { CLIENT } from "../../../conn/_peers.ts";
import { within } from "../../../_within.ts";
import { until } from "./_kit.ts";

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
    seen: () => links.linkAt(localAddr)?.client.shown.remoteAddr,
    /** Whether a request of the port would be the client's. */
    isOpen: async () => await links.linkAt(localAddr)?.isOpen(),
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
    assertEquals(
      links.linkAt(localAddr)?.client.shown.remoteAddr,
      CLIENT.source,
    );
    await new Promise((resolve) => setTimeout(resolve));
  }
  server.close();
  await within(running, "the end of the link");
  assertEquals(links.linkAt(localAddr), undefined);
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

/** Sends until nobody takes more. */
async function fill(conn: Deno.TcpConn): Promise<void> {
  const chunk = new Uint8Array(1_000_000);
  for (;;) {
    const writing = conn.write(chunk).then(() => true, () => false);
    const pause = new Promise<false>((resolve) =>
      setTimeout(resolve, 100, false)
    );
    if (!await Promise.race([writing, pause])) return;
  }
}

Deno.test("a Link is open while its server reads nothing, sends nothing, or the client has ended", async () => {
  const { client, server, run, isOpen } = await open();
  const running = run();
  assertEquals(await isOpen(), true);
  await fill(client);
  assertEquals(await isOpen(), true);
  client.close();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals(await isOpen(), true);
  server.close();
  await within(running, "the end of the link");
});

/** A server that can reset its connection, which no call of Deno does. */
async function openReset() {
  const listening = createServer({ allowHalfOpen: true });
  listening.listen(0, "127.0.0.1");
  await once(listening, "listening");
  const address = listening.address();
  const port = typeof address === "object" ? address?.port ?? 0 : 0;
  const accepted = once(listening, "connection");
  const target = await Deno.connect({ hostname: "127.0.0.1", port });
  const [server]: Socket[] = await accepted;
  server?.on("error", () => {}); // it writes until it resets
  listening.close();
  const { localAddr } = target;
  const front = await tcpPair();
  await send(front.client, HEADER);
  const { conn } = await accept(front.server, { trust: "any" });
  const links = new Links();
  const running = links.run(conn, target);
  const link = links.linkAt(localAddr);
  assert(server && link);
  return { client: front.client, server, link, links, localAddr, running };
}

Deno.test("a Link is not open after its server has reset it, also if the client reads nothing", async () => {
  for (const isBlocked of [false, true]) {
    const { client, server, link, running } = await openReset();
    assertEquals(await link.isOpen(), true);
    if (isBlocked) {
      server.write(new Uint8Array(50_000_000));
      await new Promise((resolve) => setTimeout(resolve, 300));
      assertEquals(await link.isOpen(), true);
    }
    server.resetAndDestroy();
    await once(server, "close");
    assertEquals(await link.isOpen(), false);
    client.close();
    await within(running, "the end of the link");
  }
});

Deno.test("a Link is not open if the client has ended and reads nothing, since nobody can tell", async () => {
  const { client, server, link, running } = await openReset();
  await client.closeWrite();
  await once(server.resume(), "end");
  assertEquals(await link.isOpen(), true);
  server.write(new Uint8Array(50_000_000));
  await until("blocked", async () => !await link.isOpen());
  server.resetAndDestroy();
  client.close();
  await within(running, "the end of the link");
});

Deno.test("a Link that ends leaves its port to another that has got it", async () => {
  const { client, server, links, localAddr, running } = await openReset();
  server.write(new Uint8Array(50_000_000));
  await new Promise((resolve) => setTimeout(resolve, 300));
  server.resetAndDestroy();
  await once(server, "close");
  // The system gives the port away, here to a connection that says so.
  const front = await tcpPair();
  await send(front.client, HEADER);
  const { conn } = await accept(front.server, { trust: "any" });
  const inner = await tcpPair();
  const target = new Proxy(inner.client, {
    get(target, name) {
      if (name === "localAddr") return localAddr;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const second = links.run(conn, target);
  const link = links.linkAt(localAddr);
  client.close();
  await within(running, "the end of the first link");
  assertEquals(links.linkAt(localAddr), link);
  front.client.close();
  inner.server.close();
  await within(second, "the end of the second link");
  assertEquals(links.linkAt(localAddr), undefined);
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
