import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  accept,
  decode,
  encode,
  proxied,
  type ProxiedConn,
  ProxyProtocolError,
  readTlvs,
  relay,
  type RelayOptions,
  type RelayResult,
  tlvName,
} from "../../mod.ts";
import { utf8 } from "../_bytes.ts";
import { within } from "../_within.ts";
import { tcpPair, TRUST } from "./_loopback.ts";
import {
  CLIENT,
  dial,
  HEADER,
  listen,
  receive,
  receiveText,
  send,
} from "./_peers.ts";

/** A connection that has been accepted, its client, and a target to relay to. */
async function withRelay(
  header: Uint8Array,
  options: RelayOptions,
  work: (ends: {
    client: Deno.TcpConn;
    target: Deno.TcpConn;
    done: Promise<RelayResult>;
  }) => Promise<void>,
  accepting: {
    header?: "require" | "discard";
    untrusted?: "direct";
    trust?: readonly string[];
    tlvs?: "lenient";
  } = {},
): Promise<void> {
  using front = listen();
  using back = listen();
  using client = await dial(front, header);
  const { conn } = await accept(await front.accept(), {
    trust: TRUST,
    ...accepting,
  });
  const done = relay(conn, () => dial(back), options);
  using target = await back.accept();
  await work({ client, target, done });
}

/** The header that a target gets, after the client has ended. */
async function relayed(
  header: Uint8Array,
  options: RelayOptions,
  accepting = {},
): Promise<Uint8Array> {
  let received = new Uint8Array();
  await withRelay(header, options, async ({ client, target, done }) => {
    await client.closeWrite();
    received = await receive(target);
    await target.closeWrite();
    await receive(client);
    assertEquals((await done).error, undefined);
  }, accepting);
  return received;
}

function names(header: Uint8Array): string[] {
  const rest = decode(header)?.rest ?? new Uint8Array();
  return [...readTlvs(rest)].map(({ type }) => tlvName(type));
}

const RICH = encode({
  ...CLIENT,
  tlvs: [
    { type: 0xe0, value: Uint8Array.of(1) },
    { type: 0x01, value: new TextEncoder().encode("h2") },
    { type: 0x03, value: new Uint8Array(4) },
    { type: 0xe0, value: Uint8Array.of(2) },
    // client bits, verify, sub-TLV of version: TLSv1.3
    {
      type: 0x20,
      value: Uint8Array.fromHex("0100000000210007544c5376312e33"),
    },
    { type: 0x05, value: new TextEncoder().encode("id-1") },
  ],
});

Deno.test("relay() copies both ways, passes ends on and counts", async () => {
  await withRelay(HEADER, {}, async ({ client, target, done }) => {
    await send(client, "question");
    await client.closeWrite();
    assertEquals(await receiveText(target), "question");
    await send(target, "late answer");
    await target.closeWrite();
    assertEquals(await receiveText(client), "late answer");
    assertEquals(await done, { sent: 8, received: 11 });
  });
});

Deno.test("relay() copies 4 MiB both ways at once, to the last byte", async () => {
  const up = crypto.getRandomValues(new Uint8Array(65536));
  const down = crypto.getRandomValues(new Uint8Array(65536));
  const write = async (conn: Deno.Conn, block: Uint8Array) => {
    for (let i = 0; i < 64; i++) await send(conn, block);
    await conn.closeWrite();
  };
  const check = async (conn: Deno.Conn, block: Uint8Array) => {
    const all = await receive(conn);
    assertEquals(all.length, 64 * block.length);
    for (let i = 0; i < 64; i++) {
      assertEquals(
        all.subarray(i * block.length, (i + 1) * block.length),
        block,
      );
    }
  };
  await withRelay(HEADER, {}, async ({ client, target, done }) => {
    await Promise.all([
      write(client, up),
      write(target, down),
      check(target, up),
      check(client, down),
    ]);
    assertEquals(await done, { sent: 4 << 20, received: 4 << 20 });
  });
});

Deno.test("relay() sends v2 with the TLVs in their order and a new checksum", async () => {
  assertEquals(await relayed(RICH, { send: 2 }), RICH);
});

Deno.test("relay() sends v1 for a client that came by v2", async () => {
  const line = await relayed(RICH, { send: 1 });
  assertEquals(
    new TextDecoder().decode(line),
    "PROXY TCP4 192.0.2.1 198.51.100.1 1111 2222\r\n",
  );
});

Deno.test("relay() keeps, drops and adds TLVs by name", async () => {
  const kept = await relayed(RICH, { send: 2, keep: ["SSL", "ALPN"] });
  assertEquals(names(kept), ["ALPN", "SSL"]);
  const dropped = await relayed(RICH, { send: 2, drop: ["xE0", "CRC32C"] });
  assertEquals(names(dropped), ["ALPN", "SSL", "UNIQUE_ID"]);
  const added = await relayed(RICH, {
    send: 2,
    add: { ALPN: "http/1.1", NETNS: "blue" },
  });
  assertEquals(names(added), [
    "xE0",
    "CRC32C",
    "xE0",
    "SSL",
    "UNIQUE_ID",
    "ALPN",
    "NETNS",
  ]);
  assertEquals(decode(added)?.tlvs.ALPN, "http/1.1");
  const unchecked = await relayed(RICH, { send: 2, checksum: false });
  assert(!names(unchecked).includes("CRC32C"));
  const checked = await relayed(HEADER, { send: 2, checksum: true });
  assertEquals(names(checked), ["CRC32C"]);
});

Deno.test("relay() replaces by add, adds a second by append, and gives way by ifAbsent", async () => {
  const values = async (options: RelayOptions) => {
    const rest = decode(await relayed(RICH, { send: 2, ...options }))?.rest;
    return [...readTlvs(rest ?? new Uint8Array())]
      .filter(({ type }) => type === 0x01 || type === 0xe0 || type === 0xe5)
      .map(({ type, value }) => `${tlvName(type)} ${value.toHex()}`);
  };
  const received = ["xE0 01", "ALPN 6832", "xE0 02"];
  const tlvs = [
    { type: 0xe0, value: Uint8Array.of(9) },
    { type: 0xe5, value: Uint8Array.of(5) },
  ];
  assertEquals(await values({ add: tlvs }), ["ALPN 6832", "xE0 09", "xE5 05"]);
  assertEquals(
    await values({ append: tlvs }),
    [...received, "xE0 09", "xE5 05"],
  );
  assertEquals(await values({ ifAbsent: tlvs }), [...received, "xE5 05"]);
  // What is dropped, or not kept, is absent.
  assertEquals(
    await values({ drop: ["xE0"], ifAbsent: tlvs }),
    ["ALPN 6832", "xE0 09", "xE5 05"],
  );
  assertEquals(
    await values({ keep: [], ifAbsent: tlvs }),
    ["xE0 09", "xE5 05"],
  );
  // All three at once, each in its turn; what one option repeats is repeated.
  const twice = (value: number) => [
    { type: 0xe5, value: Uint8Array.of(value) },
    { type: 0xe5, value: Uint8Array.of(value + 1) },
  ];
  assertEquals(
    await values({ add: twice(1), append: twice(3), ifAbsent: twice(5) }),
    [...received, "xE5 01", "xE5 02", "xE5 03", "xE5 04"],
  );
  assertEquals(
    await values({ ifAbsent: twice(5) }),
    [...received, "xE5 05", "xE5 06"],
  );
  assertEquals(
    await values({ add: { xE0: Uint8Array.of(7) }, ifAbsent: tlvs }),
    ["ALPN 6832", "xE0 07", "xE5 05"],
  );
});

Deno.test("relay() takes an empty unique id for none, and a checksum for its own to compute", async () => {
  const empty = encode({ ...CLIENT, tlvs: { UNIQUE_ID: new Uint8Array() } });
  const UNIQUE_ID = utf8("id-2");
  const filled = await relayed(empty, { send: 2, ifAbsent: { UNIQUE_ID } });
  assertEquals(names(filled), ["UNIQUE_ID"]);
  assertEquals(decode(filled)?.tlvs.UNIQUE_ID, UNIQUE_ID);
  const kept = await relayed(RICH, {
    send: 2,
    ifAbsent: { UNIQUE_ID },
    uniqueId: true,
  });
  assertEquals(kept, RICH);
  const summed = await relayed(RICH, { send: 2, append: { CRC32C: 0 } });
  assertEquals(names(summed).filter((name) => name === "CRC32C").length, 1);
  assert(decode(summed)?.tlvs.CRC32C); // and it is right, or decode would throw
});

Deno.test("relay() keeps a unique id, and gives one to who has none", async () => {
  const kept = await relayed(RICH, { send: 2, uniqueId: true });
  assertEquals(kept, RICH);
  const made = decode(await relayed(HEADER, { send: 2, uniqueId: true }));
  assertEquals(made?.tlvs.UNIQUE_ID?.length, 36);
  const empty = encode({ ...CLIENT, tlvs: { UNIQUE_ID: new Uint8Array() } });
  const filled = await relayed(empty, { send: 2, uniqueId: true });
  assertEquals(names(filled), ["UNIQUE_ID"]);
  assertEquals(decode(filled)?.tlvs.UNIQUE_ID?.length, 36);
});

Deno.test("relay() passes LOCAL on, and says LOCAL where there is no address", async () => {
  const local = encode({ command: "LOCAL" });
  assertEquals(await relayed(local, { send: 2 }), local);
  const unknown = new TextEncoder().encode("PROXY UNKNOWN\r\n");
  assertEquals(await relayed(unknown, { send: 2 }), local);
  assertEquals(await relayed(unknown, { send: 1 }), unknown);
});

Deno.test("relay() tells the real address of a direct client, without what it claims", async () => {
  const direct = decode(
    await relayed(RICH, { send: 2 }, { trust: [], untrusted: "direct" }),
  );
  assertEquals(direct?.source?.transport, "tcp");
  assert(direct?.source && "hostname" in direct.source);
  assertEquals(direct.source.hostname, "127.0.0.1");
  assertEquals(direct.tlvs, {});
  const ignored = decode(
    await relayed(RICH, { send: 2 }, { header: "discard" }),
  );
  assert(ignored?.source && "hostname" in ignored.source);
  assertEquals(ignored.source.hostname, "127.0.0.1");
  assertEquals(ignored.tlvs, {});
});

Deno.test("relay() takes a plain connection, and tells its real addresses", async () => {
  using front = listen();
  using back = listen();
  for (const send of [undefined, 1, 2] as const) {
    using client = await dial(front, "hello");
    const { localAddr, remoteAddr } = client;
    const done = relay(
      await front.accept(),
      () => dial(back),
      send === undefined ? {} : { send },
    );
    using target = await back.accept();
    await client.closeWrite();
    const bytes = await receive(target);
    const header = bytes.subarray(0, bytes.length - "hello".length);
    if (send === undefined) assertEquals(header.length, 0);
    else {
      const info = decode(header);
      assertEquals(info?.version, send);
      assertEquals(info?.source, { ...localAddr });
      assertEquals(info?.destination, { ...remoteAddr });
      assertEquals(info?.tlvs, {});
    }
    target.close();
    await receive(client);
    assertEquals(await done, { sent: 5, received: 0 });
  }
});

Deno.test("relay() of the raw connection passes on what its header says", async () => {
  using front = listen();
  using back = listen();
  using client = await dial(front, RICH);
  const { conn } = await accept(await front.accept(), { trust: TRUST });
  const done = relay(conn.raw, () => dial(back), { send: 2 });
  using target = await back.accept();
  await client.closeWrite();
  const bytes = await receive(target);
  assertEquals(decode(bytes)?.source, CLIENT.source);
  assertEquals(names(bytes), names(RICH));
  target.close();
  await done;
});

Deno.test("relay() closes a plain connection with wrong options, and when the target cannot be dialled", async () => {
  using front = listen();
  using first = await dial(front);
  const wrong = { send: 3 } as unknown as RelayOptions;
  const plain = await front.accept();
  await assertRejects(() => relay(plain, plain, wrong), TypeError);
  assertEquals((await receive(first)).length, 0);
  using second = await dial(front);
  const { error } = await relay(
    await front.accept(),
    () => Promise.reject(new Error("unreachable")),
    { send: 2 },
  );
  assert(error instanceof Error && error.message === "unreachable");
  assertEquals((await receive(second)).length, 0);
});

Deno.test("relay() says LOCAL for a plain connection of a UNIX socket without a path", async () => {
  const path = await Deno.makeTempFile();
  await Deno.remove(path);
  using front = Deno.listen({ transport: "unix", path });
  using back = listen();
  using client = await Deno.connect({ transport: "unix", path });
  const done = relay(await front.accept(), () => dial(back), { send: 2 });
  using target = await back.accept();
  await client.closeWrite();
  assertEquals(decode(await receive(target))?.command, "LOCAL");
  target.close();
  await done;
  await Deno.remove(path);
});

Deno.test("relay() passes nothing of a header on that was discarded, whatever its command", async () => {
  const tlvs = { AUTHORITY: "client.example" };
  const local = encode({ command: "LOCAL", tlvs }, { checksum: true });
  assertEquals(await relayed(local, { send: 2 }), local);
  const discarding = { header: "discard" };
  assertEquals(
    await relayed(local, { send: 2 }, discarding),
    encode({ command: "LOCAL" }),
  );
  const unspec = encode({ command: "PROXY", family: "UNSPEC", tlvs });
  const told = decode(await relayed(unspec, { send: 2 }, discarding));
  assert(told?.source && "hostname" in told.source);
  assertEquals([told.source.hostname, told.tlvs], ["127.0.0.1", {}]);
});

Deno.test("relay() passes on what can be written of TLVs that were accepted leniently", async () => {
  const tlvs = [
    "010002" + "6832", // ALPN
    "050081" + "00".repeat(129), // UNIQUE_ID, a byte too long
    "e00001" + "07",
    "e1ffff" + "08", // past the end
  ].join("");
  const block = "c0000201c6336401045708ae" + tlvs;
  const length = (block.length / 2).toString(16).padStart(4, "0");
  const header = Uint8Array.fromHex(
    "0d0a0d0a000d0a515549540a" + "2111" + length + block,
  );
  const lenient = { tlvs: "lenient" } as const;
  const passed = await relayed(header, { send: 2 }, lenient);
  assertEquals(names(passed), ["ALPN", "xE0"]);
});

Deno.test("relay() copies between a client and a pair of streams, ends and all", async () => {
  const [up, down] = [new TransformStream(), new TransformStream()];
  using front = listen();
  using client = await dial(front, HEADER);
  const { conn } = await accept(await front.accept(), { trust: TRUST });
  const done = relay(conn, { readable: down.readable, writable: up.writable });
  await send(client, "question");
  await client.closeWrite();
  assertEquals(await new Response(up.readable).text(), "question");
  const writer = down.writable.getWriter();
  await writer.write(utf8("late answer"));
  await writer.close();
  assertEquals(await receiveText(client), "late answer");
  assertEquals(await done, { sent: 8, received: 11 });
});

Deno.test("relay() closes a pair of streams that does not open, or gets wrong options", async () => {
  using front = listen();
  for (const isWrong of [false, true]) {
    using client = await dial(front, HEADER);
    const { conn } = await accept(await front.accept(), { trust: TRUST });
    let closes = 0;
    const to = {
      readable: new ReadableStream<Uint8Array>(),
      writable: new WritableStream<Uint8Array>(),
      opened: Promise.reject(new Error("No route")),
      close: () => void closes++,
    };
    if (isWrong) {
      const options = { send: 2, keep: ["NONSENSE"] } as const;
      await assertRejects(() => relay(conn, to, options), TypeError);
    } else {
      const { error } = await relay(conn, to);
      assert(error instanceof Error);
      assertEquals(error.message, "No route");
    }
    assertEquals(closes, 1);
    assertEquals((await receive(client)).length, 0);
  }
});

Deno.test("relay() refuses wrong TLV options and closes both ends", async () => {
  using front = listen();
  using back = listen();
  for (
    const options of [
      { send: 2, keep: ["NONSENSE"] },
      { send: 2, drop: ["xe0"] },
      { send: 2, drop: ["SSL_CN"] }, // would leave it in, unnoticed
      { send: 2, add: { UNIQUE_ID: new Uint8Array(129) } },
      { send: 2, append: { UNIQUE_ID: new Uint8Array(129) } },
      { send: 2, ifAbsent: { UNIQUE_ID: new Uint8Array(129) } },
    ] as const
  ) {
    using client = await dial(front, HEADER);
    const { conn } = await accept(await front.accept(), { trust: TRUST });
    const to = await dial(back);
    using target = await back.accept();
    await assertRejects(() => relay(conn, to, options));
    assertEquals((await receive(client)).length, 0);
    assertEquals((await receive(target)).length, 0);
  }
});

Deno.test("relay() closes the client when the target cannot be dialled", async () => {
  using front = listen();
  using client = await dial(front, HEADER);
  const { conn } = await accept(await front.accept(), { trust: TRUST });
  const { error } = await relay(
    conn,
    () => Promise.reject(new Error("refused")),
  );
  assert(error instanceof Error);
  assertEquals(error.message, "refused");
  assertEquals((await receive(client)).length, 0);
});

Deno.test("relay() closes both ends when its signal fires", async () => {
  const controller = new AbortController();
  await withRelay(HEADER, { signal: controller.signal }, async (ends) => {
    const { client, target, done } = ends;
    await send(client, "x");
    assertEquals(await target.read(new Uint8Array(1)), 1);
    controller.abort();
    const { sent, error } = await done;
    assertEquals(sent, 1);
    assert(error instanceof Error);
    assertEquals((await receive(client)).length, 0);
    assertEquals((await receive(target)).length, 0);
  });
});

Deno.test("relay() closes both ends and does not dial when its signal has fired", async () => {
  for (const send of [undefined, 2] as const) {
    using pair = await tcpPair();
    const { conn } = await accept(pair.server, {
      trust: [],
      untrusted: "direct",
    });
    let dialled = 0;
    const dial = () => {
      dialled++;
      return Promise.reject(new Error("nobody there"));
    };
    const { error } = await relay(conn, dial, {
      signal: AbortSignal.abort(),
      ...(send && { send }),
    });
    assert(error instanceof ProxyProtocolError);
    assertEquals([error.code, dialled], ["aborted", 0]);
    assertEquals(await receive(pair.client), new Uint8Array());
  }
});

Deno.test("relay() closes a pair of streams that is being opened when its signal fires", async () => {
  using pair = await tcpPair();
  const { conn } = await accept(pair.server, {
    trust: [],
    untrusted: "direct",
  });
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const opened = new Promise<never>(() => {});
  const stop = new AbortController();
  const relaying = relay(conn, { readable, writable, opened, close }, {
    signal: stop.signal,
  });
  stop.abort();
  await relaying;
  await within(closed, "the target to be closed");
});

Deno.test("relay() closes a half-open pair after halfOpenTimeout", async () => {
  for (const halfOpenTimeout of [0, 20]) {
    await withRelay(HEADER, { halfOpenTimeout }, async (ends) => {
      const { client, target, done } = ends;
      await client.closeWrite();
      assertEquals(await done, { sent: 0, received: 0 });
      assertEquals((await receive(client)).length, 0);
      assertEquals((await receive(target)).length, 0);
    });
  }
});

Deno.test("relay() closes both ends when no payload has moved for idleTimeout", async () => {
  await withRelay(HEADER, { idleTimeout: 20 }, async (ends) => {
    const { client, target, done } = ends;
    const { sent, received, error } = await done;
    assertEquals([sent, received], [0, 0]);
    assert(error instanceof Error);
    assertEquals(error.name, "TimeoutError");
    assertEquals(error.message, "Cannot relay: no payload for 20 ms");
    assertEquals((await receive(client)).length, 0);
    assertEquals((await receive(target)).length, 0);
  });
});

Deno.test("relay() with idleTimeout gives up a target that is never there", async () => {
  using pair = await tcpPair();
  await send(pair.client, HEADER);
  const { conn } = await accept(pair.server, { trust: TRUST });
  const never = () => new Promise<never>(() => {});
  const { error } = await relay(conn, never, { idleTimeout: 20 });
  assert(error instanceof Error);
  assertEquals(error.name, "TimeoutError");
  assertEquals((await receive(pair.client)).length, 0);
});

Deno.test("relay() with halfOpenTimeout leaves no failure unheard", async () => {
  using pair = await tcpPair();
  await send(pair.client, HEADER);
  const { conn } = await accept(pair.server, { trust: TRUST });
  const failing: Deno.TcpConn = Object.create(pair.server, {
    read: { value: () => Promise.reject(new Error("reset")) },
    close: { value: () => {} },
  });
  const { error } = await relay(conn, failing, { halfOpenTimeout: 1000 });
  assert(error instanceof Error);
  assertEquals(error.message, "reset");
  // A rejection that nobody has heard ends the process in a task of its own.
  await new Promise((resolve) => setTimeout(resolve));
});

Deno.test("relay() ends when the client resets", async () => {
  await withRelay(HEADER, {}, async ({ client, target, done }) => {
    // Closing with unread bytes makes the system send a reset.
    await send(target, "unread");
    const buffer = new Uint8Array(1);
    await client.read(buffer);
    client.close();
    await receive(target);
    await target.closeWrite().catch(() => {});
    await done;
  });
});

Deno.test("a listener and a relay keep one order: nothing is said before the header", async () => {
  using tcp = listen();
  const listener = proxied(tcp, { trust: TRUST });
  const greet = async (conn: ProxiedConn) => {
    await conn.write(new TextEncoder().encode("220 hello\r\n"));
    conn.close();
  };
  const greeting = listener.accept().then(greet);
  using client = await dial(listener, HEADER.subarray(0, 10));
  let isGreeted = false;
  const buffer = new Uint8Array(64);
  const heard = client.read(buffer).then((count) => {
    isGreeted = true;
    return count;
  });
  // A connection of somebody else comes and goes meanwhile.
  const other = await dial(listener, "nonsense");
  await receive(other);
  other.close();
  assertEquals(isGreeted, false);
  await send(client, HEADER.subarray(10));
  assertEquals(await heard, 11);
  await greeting;
  listener.close();
});

Deno.test("relay() refuses wrong options, and closes both ends", async () => {
  const untyped = (json: string): RelayOptions => JSON.parse(json);
  const wrong: [RelayOptions, typeof Error, string][] = [
    [{ halfOpenTimeout: -1 }, RangeError, "halfOpenTimeout"],
    [{ halfOpenTimeout: NaN }, RangeError, "halfOpenTimeout"],
    [{ halfOpenTimeout: 2 ** 31 }, RangeError, "halfOpenTimeout"],
    [{ idleTimeout: 0 }, RangeError, "idleTimeout"],
    [untyped('{ "send": 3 }'), TypeError, "send: expected 1 or 2"],
    [
      untyped('{ "halfOpenTimout": 1 }'),
      TypeError,
      'unknown option "halfOpenTimout", did you mean "halfOpenTimeout"?',
    ],
    [untyped('{ "version": 2 }'), TypeError, 'unknown option "version"'],
    [untyped('{ "align": 8 }'), TypeError, 'unknown option "align"'],
    [untyped('{ "checksum": 1 }'), TypeError, "checksum"],
    [untyped('{ "uniqueId": "no" }'), TypeError, "uniqueId"],
    [untyped('{ "signal": {} }'), TypeError, "signal"],
    [untyped('{ "keep": "ALPN" }'), TypeError, "keep: expected a list"],
    [
      { drop: ["AUTHORTY"] },
      TypeError,
      'drop: unknown TLV "AUTHORTY", did you mean "AUTHORITY"?',
    ],
    [untyped("null"), TypeError, "options: expected an object"],
  ];
  for (const [options, kind, message] of wrong) {
    using front = listen();
    using back = listen();
    using client = await dial(front, HEADER);
    const { conn } = await accept(await front.accept(), { trust: TRUST });
    const upstream = await dial(back);
    const peer = await back.accept();
    const relaying = relay(conn, upstream, options);
    await assertRejects(() => relaying, kind, message);
    assertEquals(await receive(client), new Uint8Array());
    assertEquals(await receive(peer), new Uint8Array());
    peer.close();
  }
});

Deno.test("relay() passes QMux on unchanged: ALPN h3 over a stream, as haproxy 3.4 sends it", async () => {
  const header = encode({
    ...CLIENT,
    tlvs: { ALPN: "h3", AUTHORITY: "example.com" },
  }, { checksum: true });
  const received = await relayed(header, { send: 2 });
  assertEquals(received, header);
  const info = decode(received);
  assertEquals([info?.transport, info?.tlvs.ALPN], ["STREAM", "h3"]);
});
