/** `accept` of pairs of streams, as Cloudflare's and WinterTC's sockets are. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { concat } from "@std/bytes";
import { accept, type ByteDuplex } from "../../mod.ts";
import { ascii } from "../codec/_hex.ts";
import { assertBytes, pattern, utf8 } from "../_bytes.ts";
import { within } from "../_within.ts";
import { assertRefused, receive, receiveAll, send } from "./_loopback.ts";

const LINE = ascii("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n");
const HELLO = utf8("hello");
const OPENED = {
  remoteAddress: "10.0.0.1:4000",
  localAddress: "[2001:db8::1]:80",
};

/** A socket in memory, and what its peer sees of it. */
interface Memory {
  socket: ByteDuplex & { close(): Promise<void> };
  sent: Uint8Array[];
  closes: number;
  wasCancelled: boolean;
}

/** Gives its chunks, then ends, or stays silent. */
function memory(
  chunks: Uint8Array[],
  { type, ends = true, opened = Promise.resolve(OPENED) }: {
    type?: "bytes";
    ends?: boolean;
    opened?: Promise<typeof OPENED>;
  } = {},
): Memory {
  const waiting = chunks.map((chunk) => chunk.slice());
  const silence = Promise.withResolvers<void>();
  function pull(
    controller: {
      enqueue(chunk: Uint8Array<ArrayBuffer>): void;
      close(): void;
      readonly byobRequest?: ReadableStreamBYOBRequest | null;
    },
  ): Promise<void> | void {
    const chunk = waiting.shift();
    if (chunk !== undefined) return controller.enqueue(chunk);
    if (!ends) return silence.promise;
    controller.close();
    controller.byobRequest?.respond(0);
  }
  function cancel(): void {
    result.wasCancelled = true;
    silence.resolve();
  }
  const readable: ReadableStream<Uint8Array> = type === "bytes"
    ? new ReadableStream({ type, pull, cancel })
    : new ReadableStream({ pull, cancel }, { highWaterMark: 0 });
  const writable = new WritableStream<Uint8Array>({
    write: (chunk) => void result.sent.push(chunk.slice()),
  });
  const result: Memory = {
    socket: {
      readable,
      writable,
      opened,
      close() {
        result.closes++;
        return Promise.resolve();
      },
    },
    sent: [],
    closes: 0,
    wasCancelled: false,
  };
  return result;
}

for (const type of [undefined, "bytes"] as const) {
  const name = type ?? "chunks";
  const option = type === undefined ? {} : { type };

  Deno.test(`accept() takes a header from a stream of ${name}, cut anywhere`, async () => {
    const all = concat([LINE, HELLO]);
    for (let at = 1; at <= all.length; at++) {
      const chunks = [all.subarray(0, at), all.subarray(at)];
      const { socket } = memory(chunks.filter(({ length }) => length), option);
      const { conn } = await accept(socket, { trust: ["10.0.0.0/8"] });
      assertEquals(conn.remoteAddr, {
        transport: "tcp",
        hostname: "192.0.2.1",
        port: 56324,
      });
      assertEquals(conn.hopAddr, {
        transport: "tcp",
        hostname: "10.0.0.1",
        port: 4000,
      });
      assertStrictEquals(conn.raw, socket);
      assertBytes(await receiveAll(conn), HELLO);
    }
  });

  Deno.test(`accept() leaves 1 MiB behind a header in a stream of ${name} as it is`, async () => {
    const payload = pattern(1 << 20);
    const { socket } = memory([concat([LINE, payload])], option);
    const { conn } = await accept(socket, { trust: "any" });
    assertBytes(await new Response(conn).bytes(), payload);
  });

  Deno.test(`accept() writes and closes a stream of ${name}`, async () => {
    const peer = memory([LINE], { ...option, ends: false });
    const { conn } = await accept(peer.socket, { trust: "any" });
    await send(conn, HELLO);
    assertEquals(peer.sent, [HELLO]);
    conn.close();
    conn.close();
    assertEquals(peer.closes, 1);
  });

  Deno.test(`accept() closes a stream of ${name} that is silent until the deadline`, async () => {
    const chunks = [LINE.subarray(0, 30)];
    const peer = memory(chunks, { ...option, ends: false });
    const accepting = accept(peer.socket, { trust: "any", timeout: 20 });
    const error = await assertRefused(accepting, "timeout");
    assertEquals(error.received, LINE.subarray(0, 30));
    assert(peer.wasCancelled);
    assertEquals(peer.closes, 1);
  });
}

Deno.test("accept() reads a byte stream exactly: raw begins with the payload", async () => {
  const { socket } = memory([concat([LINE, HELLO])], { type: "bytes" });
  const { conn } = await accept(socket, { trust: "any" });
  assertBytes(
    await new Response(conn.raw.readable.pipeThrough(new TransformStream()))
      .bytes(),
    HELLO,
  );
});

Deno.test("accept() shows the ends of opened where the header has none", async () => {
  const { socket } = memory([ascii("PROXY UNKNOWN\r\n")]);
  const { conn } = await accept(socket, { trust: ["10.0.0.1"] });
  const hop = { transport: "tcp", hostname: "10.0.0.1", port: 4000 } as const;
  assertEquals(conn.remoteAddr, hop);
  assertEquals(conn.localAddr, {
    transport: "tcp",
    hostname: "2001:db8::1",
    port: 80,
  });
});

Deno.test("accept() trusts a pair without known ends only by any", async () => {
  for (
    const trust of ["any", ["0.0.0.0/0", "::/0", "unix"], () => true] as const
  ) {
    const { socket: { readable, writable } } = memory([LINE]);
    const accepting = accept({ readable, writable }, { trust });
    if (trust !== "any") await assertRefused(accepting, "untrusted");
    else assertEquals((await accepting).info?.raw, LINE);
  }
});

Deno.test("accept() believes no end of opened that is not an address and a port", async () => {
  // Its last group would pass for a port, and the rest for another address.
  const remoteAddresses = ["fd00::1:2", "2001:db8::1", "10.0.0.1", "", ":80"];
  for (const remoteAddress of remoteAddresses) {
    const opened = Promise.resolve({ ...OPENED, remoteAddress });
    const { socket } = memory([LINE], { opened });
    const trust = ["fd00::1", "2001:db8::", "10.0.0.1", "::/0", "0.0.0.0/0"];
    const { hop } = await assertRefused(accept(socket, { trust }), "untrusted");
    assertEquals(hop, { transport: "tcp", hostname: "", port: 0 });
  }
});

Deno.test("accept() refuses a socket that cannot be opened, nor closed", async () => {
  const { socket } = memory([LINE], { opened: Promise.reject(new Error()) });
  socket.close = () => {
    throw new Error("cannot be closed");
  };
  await assertRefused(accept(socket, { trust: "any" }), "io");
});

Deno.test("accept() closes a socket that does not open, and one that takes too long", async () => {
  const cause = new Error("No route");
  const failing = memory([LINE], { opened: Promise.reject(cause) });
  const error = await assertRefused(
    accept(failing.socket, { trust: "any" }),
    "io",
  );
  assertEquals(error.cause, cause);
  assertEquals(failing.closes, 1);

  const opened = Promise.withResolvers<typeof OPENED>();
  const slow = memory([LINE], { opened: opened.promise });
  const options = { trust: "any", timeout: 10 } as const;
  await assertRefused(accept(slow.socket, options), "timeout");
  assertEquals(slow.closes, 1);
});

Deno.test("ProxiedConn.close() ends a write to a pair of streams that waits", async () => {
  const { socket: { readable } } = memory([LINE], { ends: false });
  const { promise: isWriting, resolve: begin } = Promise.withResolvers<void>();
  const writable = new WritableStream<Uint8Array>({
    write(_, { signal }) {
      begin();
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    },
  });
  const { conn } = await accept({ readable, writable }, { trust: "any" });
  const writing = [conn.write(HELLO), conn.write(HELLO)];
  await isWriting; // the first: the second waits for it
  conn.close();
  const ended = await within(Promise.allSettled(writing), "the writes to end");
  assertEquals(ended.map(({ status }) => status), ["rejected", "rejected"]);
});

Deno.test("accept() that never waits for opened leaves its failure to nobody", async () => {
  const { promise, reject } = Promise.withResolvers<typeof OPENED>();
  const { socket } = memory([LINE], { opened: promise });
  socket.close = () => Promise.resolve(reject(new Error("closed")));
  const options = { trust: "any", signal: AbortSignal.abort() } as const;
  await assertRefused(accept(socket, options), "aborted");
  // Where nobody has heard it, the runtime says so at the end of its turn.
  await new Promise((resolve) => setTimeout(resolve));
});

Deno.test("accept() has one deadline for opening a socket and its header", async () => {
  const opened = new Promise<typeof OPENED>((resolve) => {
    setTimeout(resolve, 60, OPENED);
  });
  const { socket } = memory([], { opened, ends: false });
  const accepting = accept(socket, { trust: "any", timeout: 100 });
  // Timers fire in the order of their times, however late.
  const { promise: isLate, resolve } = Promise.withResolvers<"late">();
  const late = setTimeout(resolve, 140, "late");
  const refused = assertRefused(accepting, "timeout");
  const first = await Promise.race([refused, isLate]);
  clearTimeout(late);
  await refused;
  assert(first !== "late");
  assertEquals(
    first.message,
    "Cannot read PROXY header from 10.0.0.1:4000: not complete within 100 ms",
  );
});

Deno.test("accept() keeps a payload without a header that comes in chunks with header optional", async () => {
  for (const type of [undefined, "bytes"] as const) {
    const chunks = [utf8("PR"), utf8("OPFIND / HTTP/1.1\r\n"), HELLO];
    const option = type === undefined ? {} : { type };
    const { socket } = memory(chunks, option);
    const { info, conn } = await accept(socket, {
      trust: "any",
      header: "optional",
    });
    assertEquals(info, undefined);
    assertBytes(await receive(conn, 100), concat(chunks));
  }
});
