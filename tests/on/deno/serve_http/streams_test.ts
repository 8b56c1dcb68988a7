/** Bodies, events and WebSockets, and how handlers hear that a client has left. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { proxyInfo } from "../../../../conn/deno.ts";
import { assertBytes, concat, pattern, utf8 } from "../../../_bytes.ts";
import { within } from "../../../_within.ts";
import { CLIENT, Client, headerOf, request, serve, until } from "./_kit.ts";

Deno.test("serveHttp() echoes 3 MB in chunks, both ways at once", async () => {
  await using server = serve(({ body }) => new Response(body));
  using client = await Client.dial(server);
  const bytes = pattern(3_000_000);
  await client.send(
    "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
  );
  const sending = (async () => {
    for (let at = 0; at < bytes.length;) {
      const chunk = bytes.subarray(at, at += 1 + at % 70_000);
      await client.send(concat([
        utf8(`${chunk.length.toString(16)}\r\n`),
        chunk,
        utf8("\r\n"),
      ]));
    }
    await client.send("0\r\n\r\n");
  })();
  const { status, body } = await client.answer();
  await sending;
  assertEquals(status, 200);
  assertBytes(Uint8Array.from(body, (c) => c.charCodeAt(0)), bytes);
});

/** Serves events until the client leaves, and says how that was told. */
function events() {
  const heard: string[] = [];
  const handler = (request: Request) => {
    request.signal.addEventListener("abort", () => heard.push("abort"));
    let timer: ReturnType<typeof setInterval>;
    const body = new ReadableStream({
      start(controller) {
        const event = utf8("data: tick\n\n");
        controller.enqueue(event);
        timer = setInterval(() => controller.enqueue(event), 10);
      },
      cancel() {
        heard.push("cancel");
        clearInterval(timer);
      },
    });
    const headers = { "content-type": "text/event-stream" };
    return new Response(body, { headers });
  };
  return { heard, handler };
}

for (const end of ["close", "reset", "fin"] as const) {
  Deno.test(`serveHttp() tells a handler of events that its client has left, by ${end}`, async () => {
    const { heard, handler } = events();
    await using server = serve(handler);
    using client = await Client.dial(server);
    await client.send(request("/"));
    await client.until("data: tick\n\n");
    await client.until("data: tick\n\n");
    if (end === "reset") await new Promise((r) => setTimeout(r, 50));
    if (end === "fin") await client.conn.closeWrite();
    else client.conn.close(); // with events unread, a reset
    await until("told", () => heard.length === 2);
    assertEquals(heard.toSorted(), ["abort", "cancel"]);
  });
}

Deno.test("serveHttp() tells a handler that answers late that its client has left", async () => {
  let heard = 0;
  const answering = Promise.withResolvers<Response>();
  await using server = serve((request) => {
    request.signal.addEventListener("abort", () => heard++);
    return answering.promise;
  });
  const client = await Client.dial(server);
  await client.send(request("/"));
  await until("accepted", () => server.stats.accepted === 1);
  client.conn.close();
  await until("told", () => heard === 1);
  answering.resolve(new Response());
});

Deno.test("serveHttp() answers a client that has ended its side", async () => {
  await using server = serve(async ({ url }) => {
    await Promise.resolve();
    return new Response(new URL(url).pathname);
  });
  for (let i = 0; i < 20; i++) {
    using client = await Client.dial(server);
    await client.send(request("/1") + request("/2"));
    await client.conn.closeWrite();
    assertEquals((await client.answer()).body, "/1");
    assertEquals((await client.answer()).body, "/2");
    assertEquals(await client.rest(), "");
  }
});

/** Opens a WebSocket by hand, for the constructor sends no header. */
async function openWebSocket(
  server: { addr: { port: number } },
  header: Uint8Array,
): Promise<Client> {
  const client = await Client.dial(server, header);
  const { status } = await client.ask("/", {
    headers: "Connection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
  });
  assertEquals(status, 101);
  return client;
}

/** A frame of a client, under a mask of zeroes. */
function frame(opcode: number, text: string): Uint8Array {
  const payload = utf8(text);
  return concat([
    Uint8Array.of(0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0),
    payload,
  ]);
}

Deno.test("serveHttp() upgrades 50 WebSockets, each with its own client", async () => {
  const closed: number[] = [];
  await using server = serve((request, { remoteAddr, proxy }) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => {
      const known = proxyInfo(request) === proxy;
      socket.send(`${data} ${remoteAddr.hostname}:${remoteAddr.port} ${known}`);
    };
    socket.onclose = () => closed.push(remoteAddr.port);
    return response;
  });
  const clients = await Promise.all(Array.from(
    { length: 50 },
    (_, i) => openWebSocket(server, headerOf(CLIENT.hostname, 1000 + i)),
  ));
  await Promise.all(clients.map(async (client, i) => {
    for (const word of ["one", "two"]) {
      await client.send(frame(1, word));
      const expected = `${word} ${CLIENT.hostname}:${1000 + i} true`;
      const [first, length] = await client.take(2);
      assertEquals([first, length], [0x81, expected.length]);
      const answer = await client.take(expected.length);
      assertEquals(new TextDecoder().decode(answer), expected);
    }
  }));
  // Half of them say that they leave.
  for (const [i, client] of clients.entries()) {
    if (i % 2 === 0) await client.send(frame(8, "\x03\xe8"));
    if (i % 2 === 0) await client.rest();
    client.conn.close();
  }
  await until("closed", () => closed.length === 50);
});

Deno.test("serveHttp() passes an answer on that comes before the request has ended", async () => {
  await using server = serve(() => new Response("too large", { status: 413 }));
  using client = await Client.dial(server);
  const length = 50_000_000;
  await client.send(
    `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n`,
  );
  const sending = client.send(new Uint8Array(length)).catch(() => {});
  const { status, body } = await client.answer();
  assertEquals([status, body], [413, "too large"]);
  client.conn.close();
  await sending;
});

Deno.test("serveHttp() answers pipelined requests in their order, in parts of any size", async () => {
  await using server = serve(async ({ url }) => {
    const n = Number(new URL(url).pathname.slice(1));
    if (n % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    return new Response(`answer ${n}`);
  });
  const text = Array.from({ length: 30 }, (_, n) => request(`/${n}`)).join("");
  for (const size of [1, 7, 1000]) {
    using client = await Client.dial(server);
    const sending = (async () => {
      for (let at = 0; at < text.length; at += size) {
        await client.send(text.slice(at, at + size));
      }
    })();
    for (let n = 0; n < 30; n++) {
      assertEquals((await client.answer()).body, `answer ${n}`);
    }
    await sending;
  }
});

Deno.test("serveHttp() leaves HTTP to Deno, which refuses what is none", async () => {
  await using server = serve(() => new Response("handled"));
  using client = await Client.dial(server);
  await client.send("hello\r\n\r\n");
  assertStringIncludes(await client.rest(), "HTTP/1.1 400");
});

Deno.test("serveHttp() serves 200 clients that stay, and many answers to each", async () => {
  let calls = 0;
  await using server = serve((_, { remoteAddr }) => {
    calls++;
    return new Response(String(remoteAddr.port));
  });
  const clients = await Promise.all(Array.from(
    { length: 200 },
    (_, i) => Client.dial(server, headerOf(CLIENT.hostname, 2000 + i)),
  ));
  for (let round = 0; round < 5; round++) {
    await Promise.all(clients.map(async (client, i) => {
      assertEquals((await client.ask("/")).body, String(2000 + i));
    }));
  }
  assertEquals(calls, 1000);
  for (const client of clients) client.conn.close();
  await within(server.shutdown(), "shutdown");
  assert(server.stats.accepted === 200);
});
