import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { concat } from "@std/bytes";
import { accept, type ProxiedConn } from "../../mod.ts";
import { ascii } from "../codec/_hex.ts";
import { assertBytes, pattern, utf8 } from "../_bytes.ts";
import {
  assertClosed,
  CARRIERS,
  countCloses,
  forEachAtOnce,
  loopback,
  type Pair,
  pairOver,
  receive,
  receiveAll,
  send,
  tcpPair,
  TRUST,
} from "./_loopback.ts";
import { Readable } from "node:stream";

const LINE = ascii("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n");
const HELLO = utf8("hello");

/** The connection of a server, behind a header, and what its client has. */
async function behindHeader(
  { client, server }: Pair,
  payload: Uint8Array = new Uint8Array(),
): Promise<ProxiedConn<Deno.Conn>> {
  await send(client, concat([LINE, payload]));
  return (await accept(server, { trust: TRUST })).conn;
}

async function collect(
  chunks: AsyncIterable<Uint8Array>,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return concat(parts);
}

function collector(): [WritableStream<Uint8Array>, () => Uint8Array] {
  const parts: Uint8Array[] = [];
  const sink = new WritableStream<Uint8Array>({
    write(chunk) {
      parts.push(chunk);
    },
  });
  return [sink, () => concat(parts)];
}

async function byReader(
  stream: ReadableStream<Uint8Array>,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const reader = stream.getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return concat(parts);
    parts.push(value);
  }
}

/** Reads with buffers of odd lengths, each filled up to `least` bytes. */
async function byByob(
  stream: ReadableStream<Uint8Array>,
  least: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const reader = stream.getReader({ mode: "byob" });
  for (;;) {
    const view = new Uint8Array(new ArrayBuffer(10007), 3, 10001);
    const { value, done } = await reader.read(view, { min: least });
    if (value !== undefined) parts.push(value.slice());
    if (done) return concat(parts);
    assert(value.length >= least || value.length > 0);
  }
}

/** Ways to read a connection to its end. */
const WAYS: Record<string, (conn: ProxiedConn) => Promise<Uint8Array>> = {
  "for await": (conn) => collect(conn),
  "a default reader": byReader,
  "a BYOB reader": (conn) => byByob(conn, 1),
  "a BYOB reader with min": (conn) => byByob(conn, 9999),
  "readable": (conn) => byReader(conn.readable),
  "pipeTo": async (conn) => {
    const [sink, collected] = collector();
    await conn.pipeTo(sink);
    return collected();
  },
  "pipeThrough": (conn) => collect(conn.pipeThrough(new TransformStream())),
  "tee": async (conn) => {
    const [one, other] = conn.tee();
    const [bytes, same] = await Promise.all([byReader(one), byReader(other)]);
    assertBytes(same, bytes);
    return bytes;
  },
  "Response": (conn) => new Response(conn).bytes(),
  "Request": (conn) =>
    new Request("http://localhost", { method: "POST", body: conn }).bytes(),
  "Readable.fromWeb": (conn) => collect(Readable.fromWeb(conn)),
  "read": receiveAll,
};

/** Ways that go past the wrapper, to the connection that was accepted. */
const RAW_WAYS: Record<string, (conn: Deno.Conn) => Promise<Uint8Array>> = {
  "raw.read": receiveAll,
  "raw.readable": (raw) => byReader(raw.readable),
  "Response of raw.readable": (raw) => new Response(raw.readable).bytes(),
};

for (const carrier of CARRIERS) {
  for (const [way, readAll] of Object.entries(WAYS)) {
    Deno.test(`ProxiedConn over ${carrier} gives every byte of 1 MiB to ${way}`, async () => {
      const payload = pattern(1 << 20);
      using listening = loopback(carrier);
      for (const header of [LINE, new Uint8Array()]) {
        if (header.length === 0 && carrier === "tls") continue; // slow, and as tcp
        using pair = await listening.pair();
        const sending = send(pair.client, concat([header, payload]))
          .then(() => pair.client.closeWrite());
        // Without a header, the first bytes have been taken to look for it.
        const { conn } = await accept(pair.server, {
          trust: TRUST,
          header: "optional",
        });
        assertEquals(conn.info === undefined, header.length === 0);
        assertBytes(await readAll(conn), payload);
        await sending;
      }
    });
  }

  for (const [way, readAll] of Object.entries(RAW_WAYS)) {
    Deno.test(`ProxiedConn over ${carrier} gives every byte of 1 MiB to ${way}`, async () => {
      const payload = pattern(1 << 20);
      using pair = await pairOver(carrier);
      const sending = send(pair.client, concat([LINE, payload]))
        .then(() => pair.client.closeWrite());
      const { conn } = await accept(pair.server, { trust: TRUST });
      assertBytes(await readAll(conn.raw), payload);
      await sending;
    });
  }

  Deno.test(`ProxiedConn over ${carrier} answers a client that has closed its half, whichever way that is read`, async () => {
    using listening = loopback(carrier);
    await forEachAtOnce(Object.values(WAYS), async (readAll) => {
      using pair = await listening.pair();
      const conn = await behindHeader(pair, HELLO);
      await pair.client.closeWrite();
      assertBytes(await readAll(conn), HELLO);
      await send(conn, utf8("goodbye"));
      await conn.closeWrite();
      assertBytes(await receiveAll(pair.client), utf8("goodbye"));
    });
  });

  Deno.test(`ProxiedConn over ${carrier} echoes 1 MiB by pipeTo of its own writable`, async () => {
    using pair = await pairOver(carrier);
    const payload = pattern(1 << 20);
    const conn = await behindHeader(pair);
    const echoing = conn.pipeTo(conn.writable);
    const sending = send(pair.client, payload)
      .then(() => pair.client.closeWrite());
    assertBytes(await receive(pair.client, payload.length), payload);
    await Promise.all([echoing, sending]);
    await assertClosed(pair.client);
  });

  Deno.test(`ProxiedConn over ${carrier} takes nothing from the connection before it is asked`, async () => {
    using pair = await pairOver(carrier);
    const conn = await behindHeader(pair, HELLO);
    const read = conn.raw.read.bind(conn.raw);
    let reads = 0;
    conn.raw.read = (p) => {
      reads++;
      return read(p);
    };
    const reader = conn.getReader();
    // A stream that is not lazy pulls once it is made, or once it has a reader.
    await new Promise((resolve) => setTimeout(resolve, 0));
    assertEquals(reads, 0);
    reader.releaseLock();
    assertBytes(await receive(conn.raw, 1), HELLO.subarray(0, 1));
  });
}

Deno.test("ProxiedConn is a ReadableStream, its own readable and a byte stream", async () => {
  using pair = await tcpPair();
  const conn = await behindHeader(pair);
  assert(conn instanceof ReadableStream);
  assertStrictEquals(conn.readable, conn);
  assertEquals(conn.locked, false);
  conn.getReader({ mode: "byob" }).releaseLock();
});

Deno.test("ProxiedConn fills a BYOB buffer to min across writes of the client", async () => {
  using pair = await tcpPair();
  const conn = await behindHeader(pair, utf8("12"));
  const reader = conn.getReader({ mode: "byob" });
  const reading = reader.read(new Uint8Array(10), { min: 5 });
  await send(pair.client, utf8("34"));
  await send(pair.client, utf8("56"));
  const { value, done } = await reading;
  assertEquals(done, false);
  assert(value !== undefined && value.length >= 5);
  const rest = utf8("123456").subarray(value.length);
  assertBytes(value, utf8("123456").subarray(0, value.length));
  reader.releaseLock();
  assertBytes(await receive(conn, rest.length), rest);
});

Deno.test("ProxiedConn gives a BYOB reader fewer bytes than min before the end", async () => {
  using pair = await tcpPair();
  const conn = await behindHeader(pair, utf8("12"));
  await pair.client.closeWrite();
  const reader = conn.getReader({ mode: "byob" });
  const view = new Uint8Array(10);
  const first = await reader.read(view, { min: 5 });
  assertBytes(first.value ?? new Uint8Array(), utf8("12"));
  const second = await reader.read(new Uint8Array(1));
  assertEquals(second.done, true);
});

Deno.test("ProxiedConn gives a BYOB buffer no more than it holds, in views of any kind", async () => {
  using pair = await tcpPair();
  const conn = await behindHeader(pair, pattern(16));
  const reader = conn.getReader({ mode: "byob" });
  const words = await reader.read(new Uint16Array(3), { min: 3 });
  assertEquals(words.value, new Uint16Array(pattern(6).buffer));
  const view = await reader.read(new DataView(new ArrayBuffer(6), 1, 4), {
    min: 4,
  });
  assertEquals(view.value?.getUint8(3), pattern(10)[9]);
  reader.releaseLock();
  assertBytes(await receive(conn, 6), pattern(16).subarray(10));
});

Deno.test("ProxiedConn can be read by its stream and by calls in turn", async () => {
  using pair = await tcpPair();
  await send(pair.client, utf8("QUIT 12345"));
  const { conn } = await accept(pair.server, {
    trust: TRUST,
    header: "optional",
  });
  assertBytes(await receive(conn, 2), utf8("QU"));
  const byob = conn.getReader({ mode: "byob" });
  const { value } = await byob.read(new Uint8Array(3), { min: 3 });
  assertBytes(value ?? new Uint8Array(), utf8("IT "));
  byob.releaseLock();
  assertBytes(await receive(conn, 5), utf8("12345"));
});

Deno.test("ProxiedConn reads null at the end, each time", async () => {
  using pair = await tcpPair();
  const conn = await behindHeader(pair, HELLO);
  await pair.client.closeWrite();
  assertBytes(await receive(conn, HELLO.length), HELLO);
  assertEquals(await conn.read(new Uint8Array(8)), null);
  assertEquals(await conn.read(new Uint8Array(8)), null);
});

Deno.test("ProxiedConn takes nothing for a read of zero length", async () => {
  for (const header of [LINE, new Uint8Array()]) {
    using pair = await tcpPair();
    await send(pair.client, concat([header, HELLO]));
    const { conn } = await accept(pair.server, {
      trust: TRUST,
      header: "optional",
    });
    assertEquals(await conn.read(new Uint8Array(0)), 0);
    assertBytes(await receive(conn, HELLO.length), HELLO);
  }
});

Deno.test("ProxiedConn writes by calls and by its stream", async () => {
  using pair = await tcpPair();
  const conn = await behindHeader(pair);
  assertEquals(await conn.write(utf8("by call, ")), 9);
  const writer = conn.writable.getWriter();
  await writer.write(utf8("by stream"));
  writer.releaseLock();
  assertBytes(await receive(pair.client, 18), utf8("by call, by stream"));
});

Deno.test("ProxiedConn goes on to read when its sending direction is closed", async () => {
  using pair = await tcpPair();
  const conn = await behindHeader(pair);
  await conn.closeWrite();
  assertEquals(await pair.client.read(new Uint8Array(1)), null);
  await send(pair.client, HELLO);
  assertBytes(await receive(conn, HELLO.length), HELLO);
});

Deno.test("ProxiedConn closes the connection once, however often it is told", async () => {
  using pair = await tcpPair();
  const conn = await behindHeader(pair);
  const counts = countCloses(pair.server);
  conn.close();
  conn.close();
  conn[Symbol.dispose]();
  assertEquals(counts.closes, 1);
  await assertClosed(pair.client);
});

Deno.test("ProxiedConn does not mind that its raw connection has been closed", async () => {
  using pair = await tcpPair();
  const conn = await behindHeader(pair);
  conn.raw.close();
  conn.close();
  await assertClosed(pair.client);
});

Deno.test("ProxiedConn is closed at the end of a using block", async () => {
  using pair = await tcpPair();
  {
    using conn = await behindHeader(pair);
    await send(conn, HELLO);
  }
  assertBytes(await receive(pair.client, HELLO.length), HELLO);
  await assertClosed(pair.client);
});

Deno.test("ProxiedConn is closed when its stream is cancelled", async () => {
  const ways: ((conn: ProxiedConn) => Promise<void>)[] = [
    (conn) => conn.cancel(),
    (conn) => conn.getReader().cancel(),
    async (conn) => {
      for await (const _ of conn) break;
    },
  ];
  for (const cancel of ways) {
    using pair = await tcpPair();
    const conn = await behindHeader(pair, HELLO);
    const counts = countCloses(pair.server);
    await cancel(conn);
    assertEquals(counts.closes, 1);
    await assertClosed(pair.client);
  }
});

Deno.test("ProxiedConn ends a read that is pending when its stream is cancelled", async () => {
  for (const mode of ["default", "byob"]) {
    using pair = await tcpPair();
    const conn = await behindHeader(pair);
    const reader = mode === "byob"
      ? conn.getReader({ mode: "byob" })
      : conn.getReader();
    const reading = reader.read(new Uint8Array(1));
    await reader.cancel();
    assertEquals((await reading).done, true);
    await assertClosed(pair.client);
  }
});

Deno.test("ProxiedConn rejects a read that is pending when it is closed", async () => {
  const ways: ((conn: ProxiedConn) => Promise<unknown>)[] = [
    (conn) => conn.read(new Uint8Array(1)),
    (conn) => conn.getReader().read(),
    (conn) => conn.getReader({ mode: "byob" }).read(new Uint8Array(1)),
    (conn) => new Response(conn).bytes(),
  ];
  for (const read of ways) {
    using pair = await tcpPair();
    const conn = await behindHeader(pair);
    const reading = read(conn);
    conn.close();
    await assertRejects(() => reading);
    await assertClosed(pair.client);
  }
});

Deno.test("ProxiedConn rejects reads and writes once it is closed", async () => {
  using pair = await tcpPair();
  const conn = await behindHeader(pair, HELLO);
  conn.close();
  await assertRejects(() => conn.read(new Uint8Array(1)));
  await assertRejects(() => conn.write(HELLO));
  await assertRejects(() => conn.closeWrite());
  await assertRejects(() => new Response(conn).bytes());
});

Deno.test("ProxiedConn rejects reads once it is closed, though it has bytes left", async () => {
  using pair = await tcpPair();
  await send(pair.client, HELLO);
  const { conn } = await accept(pair.server, {
    trust: TRUST,
    header: "optional",
  });
  conn.close();
  await assertRejects(() => conn.read(new Uint8Array(1)));
});

Deno.test("ProxiedConn keeps or frees the process by ref and unref", async () => {
  using pair = await tcpPair();
  const conn = await behindHeader(pair);
  const calls: string[] = [];
  pair.server.ref = () => void calls.push("ref");
  pair.server.unref = () => void calls.push("unref");
  conn.unref();
  conn.ref();
  assertEquals(calls, ["unref", "ref"]);
});

Deno.test("ProxiedConn passes on the error of a connection that fails", async () => {
  using pair = await tcpPair();
  const conn = await behindHeader(pair);
  const failure = new Error("The network is down");
  pair.server.read = () => Promise.reject(failure);
  const error = await assertRejects(() => conn.getReader().read());
  assertStrictEquals(error, failure);
});

Deno.test("a stream reads into 4 KiB until a chunk is full, then into 64 KiB", async () => {
  using pair = await tcpPair();
  const conn = await behindHeader(pair);
  const reader = conn.getReader();
  const sizeOf = async (bytes: Uint8Array) => {
    await send(pair.client, bytes);
    let left = bytes.length;
    const sizes: number[] = [];
    while (left > 0) {
      const { value } = await reader.read();
      assert(value !== undefined);
      left -= value.length;
      sizes.push(value.buffer.byteLength);
    }
    return sizes;
  };
  assertEquals(await sizeOf(HELLO), [4096]);
  const [first, ...later] = await sizeOf(pattern(20_000));
  assertEquals(first, 4096);
  assert(later.length > 0);
  assertEquals(new Set(later), new Set([65536]));
  assertEquals(await sizeOf(HELLO), [65536]);
  await reader.cancel();
});

Deno.test("a closed connection is not reset again", async () => {
  using pair = await tcpPair();
  const conn = await behindHeader(pair);
  const counts = countCloses(pair.server);
  assert("reset" in conn && typeof conn.reset === "function");
  conn.reset();
  conn.reset();
  conn.close();
  assertEquals(counts.closes, 1); // a connection of Deno has no reset of its own
  await assertClosed(pair.client);
});
