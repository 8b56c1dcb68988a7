import { assert, assertEquals, assertRejects } from "@std/assert";
import { connect } from "node:net";
import { encode, type ProxyHeader, writeHeader } from "../../mod.ts";
import { CLIENT, dial, HEADER, listen, receive } from "./_peers.ts";

Deno.test("writeHeader() writes to a Deno.Conn in one call", async () => {
  const writes: Uint8Array[] = [];
  const conn = {
    write: (p: Uint8Array) => {
      writes.push(p.slice());
      return Promise.resolve(p.length);
    },
  };
  await writeHeader(conn, CLIENT);
  assertEquals(writes, [HEADER]);
});

Deno.test("writeHeader() goes on where a write takes a part", async () => {
  const taken: number[] = [];
  const conn = {
    write: (p: Uint8Array) => {
      const count = Math.min(p.length, 10);
      taken.push(...p.subarray(0, count));
      return Promise.resolve(count);
    },
  };
  await writeHeader(conn, CLIENT);
  assertEquals(Uint8Array.from(taken), HEADER);
});

Deno.test("writeHeader() writes the rest once a socket of Bun takes it", async () => {
  const taken: number[] = [];
  let calls = 0;
  const socket = {
    write(p: Uint8Array, ...others: unknown[]): number {
      assertEquals(others, []); // Bun takes a second argument for an offset
      const count = calls++ % 2 === 0 ? Math.min(p.length, 10) : 0;
      taken.push(...p.subarray(0, count));
      return count;
    },
    terminate() {},
  };
  await writeHeader(socket, CLIENT);
  assertEquals(Uint8Array.from(taken), HEADER);
  assert(calls > 2);
});

Deno.test("writeHeader() writes one chunk to a stream and leaves it unlocked", async () => {
  for (const wrap of [false, true]) {
    const chunks: Uint8Array[] = [];
    const writable = new WritableStream<Uint8Array>({
      write: (chunk) => void chunks.push(chunk),
    });
    await writeHeader(wrap ? { writable } : writable, CLIENT);
    assertEquals(chunks, [HEADER]);
    assertEquals(writable.locked, false);
  }
});

Deno.test("writeHeader() writes to a socket of node:net", async () => {
  using listener = listen();
  const socket = connect(listener.addr.port, "127.0.0.1");
  using peer = await listener.accept();
  await writeHeader(socket, CLIENT);
  socket.end();
  assertEquals(await receive(peer), HEADER);
  await new Promise((resolve) => socket.once("close", resolve).destroy());
});

Deno.test("writeHeader() rejects when the socket fails", async () => {
  const failing = {
    write: (_: Uint8Array, callback: (error?: Error) => void) => {
      callback(new Error("broken pipe"));
      return false;
    },
  };
  await assertRejects(() => writeHeader(failing, CLIENT), Error, "broken pipe");
});

Deno.test("writeHeader() says LOCAL where there is no address to tell", async () => {
  using listener = listen();
  const local = encode({ command: "LOCAL" });
  for (
    const header of [
      {},
      { command: "PROXY" },
      { command: "PROXY", family: "UNSPEC", transport: "UNSPEC" },
      { ...CLIENT, family: "UNSPEC" },
    ] as const
  ) {
    const conn = await dial(listener);
    using peer = await listener.accept();
    await writeHeader(conn, header);
    conn.close();
    assertEquals(await receive(peer), local);
  }
});

Deno.test("writeHeader() leaves zone ids out", async () => {
  const chunks: Uint8Array[] = [];
  const writable = new WritableStream<Uint8Array>({
    write: (chunk) => void chunks.push(chunk),
  });
  const end = { transport: "tcp", port: 1 } as const;
  await writeHeader(writable, {
    version: 1,
    source: { ...end, hostname: "fe80::1%eth0" },
    destination: { ...end, hostname: "fe80::2%2" },
  });
  assertEquals(
    new TextDecoder().decode(chunks[0]),
    "PROXY TCP6 fe80::1 fe80::2 1 1\r\n",
  );
});

Deno.test("writeHeader() writes nothing of a header that cannot be encoded", async () => {
  let calls = 0;
  const conn = { write: () => Promise.resolve(++calls) };
  const source = { ...CLIENT.source, port: 70000 };
  await assertRejects(
    () => writeHeader(conn, { ...CLIENT, source }),
    RangeError,
    "source.port",
  );
  // As a caller without types may have it.
  const [nothing]: ProxyHeader[] = JSON.parse("[null]");
  assert(nothing !== undefined);
  await assertRejects(
    () => writeHeader(conn, nothing),
    TypeError,
    "Cannot encode header: expected an object",
  );
  assertEquals(calls, 0);
});

Deno.test("writeHeader() writes nothing for names and options that are none", async () => {
  let calls = 0;
  const conn = { write: () => Promise.resolve(++calls) };
  const misspelt: ProxyHeader = JSON.parse('{ "src": 1, "dst": 2 }');
  await assertRejects(
    () => writeHeader(conn, misspelt),
    TypeError,
    'unknown name "src", did you mean "source"?',
  );
  for (
    const [json, message] of [
      ['{ "aling": 8 }', 'unknown option "aling", did you mean "align"?'],
      ['{ "send": 2 }', 'unknown option "send"'],
      ['{ "checksum": "yes" }', "checksum: expected true or false"],
      ["null", "options: expected an object"],
    ] as const
  ) {
    await assertRejects(
      () => writeHeader(conn, CLIENT, JSON.parse(json)),
      TypeError,
      message,
    );
  }
  assertEquals(calls, 0);
});

Deno.test("writeHeader() reads a header by name, as a class has it", async () => {
  class Header implements ProxyHeader {
    get version(): 2 {
      return 2;
    }
    get source() {
      return CLIENT.source;
    }
    get destination() {
      return CLIENT.destination;
    }
    get tlvs() {
      return { ALPN: "h2" };
    }
  }
  const writes: Uint8Array[] = [];
  const conn = {
    write: (bytes: Uint8Array) => {
      writes.push(bytes);
      return Promise.resolve(bytes.length);
    },
  };
  await writeHeader(conn, new Header());
  await writeHeader(conn, new Header(), { version: 1 });
  const header = { ...CLIENT, tlvs: { ALPN: "h2" } };
  assertEquals(writes, [encode(header), encode({ ...CLIENT, version: 1 })]);
});

Deno.test("writeHeader() writes what encode() writes of every field and option", async () => {
  const header = {
    version: 1,
    command: "PROXY",
    family: "INET",
    transport: "STREAM",
    source: { transport: "tcp", hostname: "192.0.2.1", port: 1 },
    destination: { transport: "tcp", hostname: "192.0.2.2", port: 2 },
    tlvs: { ALPN: "h2" },
  } as const;
  const options = { version: 2, checksum: true, align: 16 } as const;
  const written: Uint8Array[] = [];
  await writeHeader(
    {
      write: (bytes: Uint8Array) => {
        written.push(bytes.slice());
        return Promise.resolve(bytes.length);
      },
    },
    header,
    options,
  );
  assertEquals(written, [encode(header, options)]);
  assertEquals((written[0]?.length ?? 0) % 16, 0);
});
