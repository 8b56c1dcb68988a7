/** relay() between a client and an upstream that refuses, dies or does not read. */

import { assert, assertEquals } from "@std/assert";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { decode } from "../../../mod.ts";
import { within } from "../../_within.ts";
import { CLIENT, dial, HEADER, listen, receive } from "../../conn/_peers.ts";
import type { Relayed } from "../../on/_service.ts";
import { type Host, HOSTS, NODE_HOSTS } from "../../on/_servers.ts";
import { sendUntilStalled, until } from "./_load.ts";

/** What the relay itself may hold for a connection, in bytes. */
const MOST_HELD = 16 << 20;

/** An upstream whose connections are waited for. */
async function upstream(): Promise<{ server: Server; port: number }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return { server, port: typeof address === "object" ? address?.port ?? 0 : 0 };
}

/** A client and the upstream's end, which have exchanged a few bytes. */
async function established(
  { server, relay }: { server: Server; relay: number },
): Promise<{ client: Socket; target: Socket }> {
  const arriving = once(server, "connection");
  const client = connect(relay, "127.0.0.1").on("error", () => {});
  client.write(HEADER);
  client.write("question");
  const [target]: Socket[] = await within(arriving, "the upstream's end");
  assert(target);
  target.on("error", () => {});
  const length = HEADER.length + "question".length;
  let received = new Uint8Array();
  while (received.length < length) {
    const [chunk]: Uint8Array[] = await within(once(target, "data"), "bytes");
    received = Uint8Array.from([...received, ...chunk ?? []]);
  }
  assertEquals(decode(received)?.source, CLIENT.source);
  target.write("answer");
  await within(once(client, "data"), "an answer");
  return { client, target };
}

/** Waits until a connection is closed, which ends when the other end has; the code of its error. */
function closed(socket: Socket): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  let code: unknown;
  socket.once("error", (error) => code = "code" in error && error.code);
  socket.once("end", () => socket.end());
  socket.once("close", () => resolve(code));
  socket.resume();
  return within(promise, "a connection to close");
}

/** What has become of the connection, as soon as it is over. */
async function relayed(host: Host, name: string, count = 1): Promise<Relayed> {
  const { services } = await until(
    host,
    "over",
    ({ services }) => services[name]?.relayed.length === count,
  );
  const last = services[name]?.relayed.at(-1);
  assert(last);
  return last;
}

/** By `relay` of each runtime's sockets, and by that of pairs of streams. */
const CASES = [
  ...Object.entries(HOSTS),
  ...Object.entries(NODE_HOSTS).map(([runtime, start]) =>
    [`${runtime} by ./node`, start] as const
  ),
].flatMap(([runtime, start]) =>
  [false, true].map((relaysPairs) => ({ runtime, start, relaysPairs }))
).filter(({ runtime, relaysPairs }) =>
  !relaysPairs || runtime === "Bun" || runtime === "node 24"
);

for (const { runtime, start, relaysPairs } of CASES) {
  // Connections of Deno have no way to it, nor have these pairs.
  const passesResets = runtime !== "Deno" && !relaysPairs;
  const name = `${runtime}${relaysPairs ? ", pairs of streams" : ""}`;
  Deno.test(`relay() outlives upstreams and clients that fail on ${name}`, async (t) => {
    const { server, port } = await upstream();
    using unreading = listen(); // whose connections are never read
    const gone = listen();
    gone.close();
    const options = { trust: ["127.0.0.1"] };
    await using host = await start({
      good: { options, relayTo: port, relaysPairs },
      unreading: { options, relayTo: unreading.addr.port, relaysPairs },
      refused: { options, relayTo: gone.addr.port, relaysPairs },
    });
    const relay = host.ports.get("good") ?? 0;
    const first = await established({ server, relay });
    first.client.end();
    first.target.end();
    await Promise.all([closed(first.client), closed(first.target)]);
    assertEquals(await relayed(host, "good"), {
      sent: 8,
      received: 6,
      hasFailed: false,
    });
    const { files } = await host.facts();
    let count = 1;

    await t.step("an upstream that refuses", async () => {
      const addr = { ...gone.addr, port: host.ports.get("refused") ?? 0 };
      using client = await dial({ addr }, HEADER);
      assertEquals((await within(receive(client), "the end")).length, 0);
      const told = await relayed(host, "refused");
      assertEquals(told, { sent: 0, received: 0, hasFailed: true });
    });

    for (const who of ["target", "client"] as const) {
      await t.step(`a reset by the ${who}`, async () => {
        const ends = await established({ server, relay });
        const other = who === "target" ? ends.client : ends.target;
        const gone = closed(other);
        ends[who].resetAndDestroy();
        assertEquals(await gone, passesResets ? "ECONNRESET" : undefined);
        const told = await relayed(host, "good", ++count);
        assertEquals(told, { sent: 8, received: 6, hasFailed: true });
      });

      await t.step(`an end by the ${who} and no word more`, async () => {
        const ends = await established({ server, relay });
        const other = who === "target" ? ends.client : ends.target;
        ends[who].end();
        await within(once(other.resume(), "end"), "the end");
        other.end();
        await Promise.all([closed(ends[who]), closed(other)]);
        const told = await relayed(host, "good", ++count);
        assertEquals(told, { sent: 8, received: 6, hasFailed: false });
      });
    }

    await t.step("an upstream that never reads", async () => {
      const before = await host.facts();
      const addr = { ...gone.addr, port: host.ports.get("unreading") ?? 0 };
      const client = await dial({ addr }, HEADER);
      using _target = await unreading.accept();
      const { waiting } = await sendUntilStalled(client);
      const { heap, memory } = await host.facts();
      assert(heap - before.heap < MOST_HELD, `heap ${heap}`);
      assert(memory - before.memory < MOST_HELD, `memory ${memory}`);
      client.close();
      await waiting.catch(() => {}); // it has been closed meanwhile
    });

    await relayed(host, "unreading");
    await until(host, "at rest", (facts) => facts.files <= files);
    server.close();
    await host.end();
  });
}
