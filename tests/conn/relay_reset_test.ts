/** A side of `relay` that is reset: what the other side sees, by the system's own word. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { accept, type ByteDuplex, type ProxiedConn, relay } from "../../mod.ts";
import { within } from "../_within.ts";
import { type Carrier, loopback, TRUST } from "./_loopback.ts";
import { dial, HEADER, listen, send } from "./_peers.ts";

/** Both ends of a connection of `node:net`, which can be reset. */
interface Sockets {
  /** The end that is relayed. */
  near: Socket;
  far: Socket;
}

async function sockets(): Promise<Sockets> {
  const options = { allowHalfOpen: true, noDelay: true };
  const server = createServer(options);
  server.listen(0, "127.0.0.1");
  await within(once(server, "listening"), "a server");
  const address = server.address();
  assert(typeof address === "object" && address !== null);
  const far = connect({ ...options, port: address.port, host: "127.0.0.1" });
  const [near] = await within(once(server, "connection"), "a connection");
  server.close();
  for (const socket of [near, far]) socket.on("error", () => {});
  return { near, far };
}

/** As a pair of streams, to be reset unless `reset` is left out. */
function toPair(socket: Socket, canReset = true): ByteDuplex {
  const { readable, writable } = Duplex.toWeb(socket);
  return {
    readable,
    writable,
    remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 1 },
    close: () => socket.destroy(),
    ...(canReset && { reset: () => socket.resetAndDestroy() }),
  };
}

/** How a connection ends, by what the system answers to a read. */
type End = "end" | "reset";

function endOf(socket: Socket): Promise<End> {
  const { promise, resolve, reject } = Promise.withResolvers<End>();
  socket.on("data", () => {}).on("end", () => resolve("end"));
  socket.on("error", (error) => {
    if ("code" in error && error.code === "ECONNRESET") resolve("reset");
    else reject(error);
  });
  return within(promise, "the end of a connection");
}

async function endOfConn(conn: Deno.Conn): Promise<End> {
  const buffer = new Uint8Array(65536);
  try {
    while (await within(conn.read(buffer), "an end") !== null);
    return "end";
  } catch (error) {
    // Of TLS that ends without a farewell too.
    assert(error instanceof Error, `${error}`);
    return "reset";
  }
}

async function accepted(near: Socket): Promise<ProxiedConn> {
  return (await accept(toPair(near), { trust: TRUST })).conn;
}

for (const side of ["client", "target"] as const) {
  Deno.test(`relay() passes a reset of the ${side} on as a reset`, async () => {
    const ends = { client: await sockets(), target: await sockets() };
    ends.client.far.write(HEADER);
    const conn = await accepted(ends.client.near);
    const done = relay(conn, toPair(ends.target.near));
    const other = side === "client" ? ends.target : ends.client;
    const copied = once(other.far, "data");
    ends[side].far.write("x");
    await within(copied, "a byte");
    const end = endOf(other.far);
    ends[side].far.resetAndDestroy();
    assertEquals(await end, "reset");
    assert((await done).error !== undefined);
  });
}

Deno.test("relay() passes on an end, and that it was aborted, as an end", async () => {
  const stop = new AbortController();
  const [client, target] = [await sockets(), await sockets()];
  client.far.write(HEADER);
  const conn = await accepted(client.near);
  const done = relay(conn, toPair(target.near), { signal: stop.signal });
  const ends = Promise.all([endOf(client.far), endOf(target.far)]);
  client.far.end();
  await within(once(target.far, "end"), "an end");
  stop.abort();
  assertEquals(await ends, ["end", "end"]);
  await done;
  for (const { far } of [client, target]) far.destroy();
});

Deno.test("relay() ends a client in order whose target cannot be reached", async () => {
  const client = await sockets();
  client.far.write(HEADER);
  const conn = await accepted(client.near);
  const end = endOf(client.far);
  const refused = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
  await relay(conn, () => Promise.reject(refused));
  assertEquals(await end, "end");
  client.far.destroy();
});

Deno.test("relay() aborts the stream of a target that cannot be reset", async () => {
  const client = await sockets();
  client.far.write(HEADER);
  const conn = await accepted(client.near);
  const [up, down] = [new TransformStream(), new TransformStream()];
  let closes = 0;
  const done = relay(conn, {
    readable: down.readable,
    writable: up.writable,
    close: () => void closes++,
  });
  const reader = up.readable.getReader();
  client.far.write("x");
  await reader.read();
  client.far.resetAndDestroy();
  await assertRejects(() => reader.read(), Error, "reset by the peer");
  await done;
  assertEquals(closes, 1);
});

// The runtime itself has no way to it: it ends the sending direction of each
// connection that it closes, and says farewell in TLS.
for (const carrier of ["tcp", "tls"] as const satisfies readonly Carrier[]) {
  for (const unread of ["", "unread"]) {
    Deno.test(`a ${carrier} connection of Deno with ${unread || "no"} bytes is closed: its peer sees an end`, async () => {
      using front = loopback(carrier);
      using pair = await front.pair();
      if (unread) await send(pair.client, unread);
      pair.server.close();
      assertEquals(await endOfConn(pair.client), "end");
    });
  }
}

Deno.test("relay() ends a connection of Deno in order when the other side is reset", async () => {
  using front = listen();
  using back = listen();
  const far = connect({ port: front.addr.port, host: "127.0.0.1" });
  far.on("error", () => {}).write(HEADER);
  const { conn } = await accept(await front.accept(), { trust: TRUST });
  const done = relay(conn, () => dial(back));
  using target = await back.accept();
  far.write("x");
  await target.read(new Uint8Array(1));
  far.resetAndDestroy();
  assertEquals(await endOfConn(target), "end");
  const { error } = await done;
  assert(error instanceof Deno.errors.ConnectionReset);
});
