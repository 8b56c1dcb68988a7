/** Whom `accept` believes, what it asks of them, and how long it waits. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { concat } from "@std/bytes";
import {
  accept,
  type AcceptOptions,
  type Address,
  type ListenerOptions,
  type ProxyInfo,
  ProxyProtocolError,
  type Trust,
} from "../../mod.ts";
import { ascii, BLOCK4, hex, SIGNATURE_HEX, v2 } from "../codec/_hex.ts";
import { assertBytes, pattern, utf8 } from "../_bytes.ts";
import {
  assertClosed,
  assertRefused,
  CARRIERS,
  HAS_IPV6,
  pairOver,
  receive,
  receiveAll,
  send,
  sendInParts,
  singly,
  tcpLoopback,
  tcpPair,
  TRUST,
  untilAskedAfter,
} from "./_loopback.ts";
import { countListeners } from "./_signal.ts";
import { holdTimers } from "./_timers.ts";

const LINE = ascii("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n");
const HEADERS = [LINE, v2("2111", BLOCK4)];
const CLIENT: Address = {
  transport: "tcp",
  hostname: "192.0.2.1",
  port: 56324,
};
const PAYLOAD = utf8("hello");

/** Gives `accept` what its types do not allow. */
function acceptUntyped(conn: Deno.Conn, options: object): Promise<unknown> {
  return accept(conn, options as AcceptOptions);
}

Deno.test("accept() rejects a wrong option before it touches the connection", async () => {
  const trust = ["127.0.0.1"];
  const wrong: [options: object, error: typeof TypeError, message: string][] = [
    [{}, TypeError, "trust"],
    [{ trust: "127.0.0.1" }, TypeError, "trust"],
    [{ trust: null }, TypeError, "trust"],
    [{ trust: ["127.0.0.1", "localhost"] }, TypeError, "trust[1]"],
    [{ trust: [5] }, TypeError, "trust[0]"],
    [{ trust, untrusted: "accept" }, TypeError, "untrusted"],
    [{ trust, header: "require-if-seen" }, TypeError, "header"],
    [{ trust, versions: [3] }, TypeError, "versions"],
    [{ trust, versions: [] }, RangeError, "versions"],
    [{ trust, maxLength: 0 }, RangeError, "maxLength"],
    [{ trust, maxLength: NaN }, RangeError, "maxLength"],
    [{ trust, timeout: 0 }, RangeError, "timeout"],
    [{ trust, timeout: -1 }, RangeError, "timeout"],
    [{ trust, timeout: -Infinity }, RangeError, "timeout"],
    [{ trust, timeout: NaN }, RangeError, "timeout"],
    [{ trust, timeout: null }, TypeError, "timeout"],
    [{ trust, timeout: "5" }, TypeError, "timeout"],
    // A timer of more than 31 bits would fire at once.
    [{ trust, timeout: 2 ** 31 }, RangeError, "timeout"],
    [{ trust, unmap: "false" }, TypeError, "unmap"],
    [{ trust, mixedTcp6: 1 }, TypeError, "mixedTcp6"],
    [{ trust, maxPending: NaN }, RangeError, "maxPending"],
    // Nobody would be asked.
    [{ trust, verfiy: () => false }, TypeError, 'unknown option "verfiy"'],
    [{ trust, maxLenght: 1, tls: {} }, TypeError, 'unknown option "maxLenght"'],
  ];
  using pair = await tcpPair();
  await send(pair.client, concat([LINE, PAYLOAD]));
  for (const [options, error, message] of wrong) {
    await assertRejects(
      () => acceptUntyped(pair.server, options),
      error,
      message,
    );
  }
  const { conn } = await accept(pair.server, { trust });
  assertEquals(conn.remoteAddr, CLIENT);
  assertBytes(await receive(conn, PAYLOAD.length), PAYLOAD);
});

Deno.test("accept() takes the options of a listener, and uses its own", async () => {
  using pair = await tcpPair();
  await send(pair.client, LINE);
  const options: Required<ListenerOptions> = {
    trust: ["127.0.0.1"],
    untrusted: "reject",
    header: "require",
    lazy: false,
    timeout: 1000,
    signal: new AbortController().signal,
    verify: () => true,
    versions: [1, 2],
    checksum: "verify",
    tlvs: "strict",
    define: [],
    mixedTcp6: false,
    unmap: false,
    maxLength: 107,
    maxPending: 1,
    onReject: () => {},
  };
  const { conn } = await accept(pair.server, options);
  assertEquals(conn.remoteAddr, CLIENT);
});

Deno.test("accept() believes the peers of a list, of a function and any", async () => {
  const trusts: Trust[] = [
    ["127.0.0.1"],
    ["127.0.0.0/8"],
    ["::ffff:127.0.0.1"],
    ["::ffff:7f00:1"],
    ["::ffff:127.0.0.0/104"],
    ["2001:db8::/32", "192.0.2.0/24", "0.0.0.0/0"],
    (hop) => "hostname" in hop && hop.hostname === "127.0.0.1",
    "any",
  ];
  for (const trust of trusts) {
    using pair = await tcpPair();
    await send(pair.client, LINE);
    const { conn } = await accept(pair.server, { trust });
    assertEquals(conn.remoteAddr, CLIENT, String(trust));
  }
});

Deno.test("accept() closes a connection whose peer it does not trust, and names the hop", async () => {
  const trusts: Trust[] = [
    [],
    ["unix"],
    ["127.0.0.2"],
    ["10.0.0.0/8", "::/0"],
    () => false,
  ];
  for (const trust of trusts) {
    for (const untrusted of [undefined, "reject"] as const) {
      using pair = await tcpPair();
      const hop = { ...pair.server.remoteAddr };
      await send(pair.client, LINE);
      const options = untrusted === undefined
        ? { trust }
        : { trust, untrusted };
      const error = await assertRefused(
        accept(pair.server, options),
        "untrusted",
      );
      assertEquals(error.hop, hop);
      assertEquals(error.received, new Uint8Array());
      await assertClosed(pair.client);
    }
  }
});

Deno.test("accept() refuses every peer when the trust function throws, even where others are served directly", async () => {
  const cause = new Error("The list of hops could not be read");
  for (const untrusted of ["reject", "direct"] as const) {
    using pair = await tcpPair();
    const trust = () => {
      throw cause;
    };
    const accepting = accept(pair.server, { trust, untrusted });
    const error = await assertRefused(accepting, "untrusted");
    assertEquals(error.cause, cause);
    await assertClosed(pair.client);
  }
});

Deno.test("accept() believes a UNIX peer only by the entry unix, a function or any", async () => {
  const trusts: [trust: Trust, isTrusted: boolean][] = [
    [["unix"], true],
    [["10.0.0.0/8", "unix"], true],
    ["any", true],
    [(hop) => hop.transport === "unix", true],
    [["0.0.0.0/0", "::/0"], false],
  ];
  for (const [trust, isTrusted] of trusts) {
    using pair = await pairOver("unix");
    await send(pair.client, LINE);
    const accepting = accept(pair.server, { trust });
    if (!isTrusted) {
      const error = await assertRefused(accepting, "untrusted");
      assertEquals(error.hop, { transport: "unix", path: "" });
    } else assertEquals((await accepting).conn.remoteAddr, CLIENT);
  }
});

Deno.test({
  name: "accept() matches an IPv4 peer of a dual-stack listener as IPv4",
  ignore: !HAS_IPV6,
  async fn() {
    const asked: Address[] = [];
    const trusts: Trust[] = [
      ["127.0.0.0/8"],
      (hop) => asked.push(hop) > 0,
    ];
    for (const trust of trusts) {
      using listening = tcpLoopback("::", "127.0.0.1");
      using pair = await listening.pair();
      const { hostname } = pair.server.remoteAddr;
      assertEquals(hostname, "::ffff:127.0.0.1");
      await send(pair.client, LINE);
      const { conn } = await accept(pair.server, { trust });
      assertEquals(conn.remoteAddr, CLIENT);
    }
    assertEquals(asked.map((hop) => "hostname" in hop && hop.hostname), [
      "127.0.0.1",
    ]);
  },
});

Deno.test({
  name: "accept() never matches an IPv6 peer with an IPv4 range",
  ignore: !HAS_IPV6,
  async fn() {
    for (const isTrusted of [false, true]) {
      using listening = tcpLoopback("::1");
      using pair = await listening.pair();
      await send(pair.client, LINE);
      const accepting = accept(pair.server, {
        trust: isTrusted ? ["::1"] : ["0.0.0.0/0"],
      });
      if (isTrusted) assertEquals((await accepting).conn.remoteAddr, CLIENT);
      else await assertRefused(accepting, "untrusted");
    }
  },
});

for (const carrier of CARRIERS) {
  Deno.test(`accept() never looks for a header of a direct peer over ${carrier}`, async () => {
    for (const header of HEADERS) {
      using pair = await pairOver(carrier);
      const hop = pair.server.remoteAddr;
      // Nothing has been sent: to look would be to wait.
      const { info, conn } = await accept(pair.server, {
        trust: [],
        untrusted: "direct",
        verify: () => false, // there is no header to ask about
      });
      assertEquals(info, undefined);
      assertEquals(conn.info, undefined);
      assertEquals(conn.remoteAddr, conn.hopAddr);
      assertEquals(conn.raw.remoteAddr, hop);
      await send(pair.client, header);
      assertBytes(await receive(conn, header.length), header);
    }
  });
}

Deno.test("accept() takes a header off and keeps the real ends with header discard", async () => {
  for (const header of HEADERS) {
    using pair = await tcpPair();
    const { remoteAddr, localAddr } = pair.server;
    await send(pair.client, concat([header, PAYLOAD]));
    const { info, conn } = await accept(pair.server, {
      trust: TRUST,
      header: "discard",
    });
    assertEquals(info?.source, CLIENT);
    assertStrictAddresses(conn, remoteAddr, localAddr);
    assertEquals(pair.server.remoteAddr, remoteAddr);
    assertEquals(pair.server.localAddr, localAddr);
    assertBytes(await receive(conn, PAYLOAD.length), PAYLOAD);
  }
});

Deno.test("accept() refuses a peer without a header with header discard as with require", async () => {
  for (const header of ["discard", "require"] as const) {
    using pair = await tcpPair();
    await send(pair.client, utf8("GET / HTTP/1.1\r\n\r\n"));
    const accepting = accept(pair.server, { trust: TRUST, header });
    const error = await assertRefused(accepting, "signature");
    // Exact reads: 15 bytes are the shortest header.
    assertEquals(error.received, utf8("GET / HTTP/1.1\r"));
    await assertClosed(pair.client);
  }
});

Deno.test("accept() believes a header with header optional", async () => {
  for (const header of HEADERS) {
    for (let at = 1; at <= header.length; at++) {
      using pair = await tcpPair();
      const { taken } = sendInParts(pair, [
        header.subarray(0, at),
        concat([header.subarray(at), PAYLOAD]),
      ]);
      assertEquals(taken, 0);
      const { info, conn } = await accept(pair.server, {
        trust: TRUST,
        header: "optional",
      });
      assertEquals(info?.raw, header);
      assertEquals(conn.remoteAddr, CLIENT);
      assertBytes(await receive(conn, PAYLOAD.length), PAYLOAD);
    }
  }
});

Deno.test("accept() keeps all of a payload without a header with header optional, and does not wait for more of it", async () => {
  const payloads = [
    "QUIT\r\n",
    "\n",
    "PROPFIND / HTTP/1.1\r\n\r\n",
    "PROXX",
    "PROXY\t",
    "PROXYTCP4 192.0.2.1 198.51.100.1 56324 443\r\n",
    "\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    "\r\n\r\n\0\r\nQUIT\r",
    "\r\n\r\n\0\r\nQUIT\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  ];
  for (const payload of payloads) {
    const bytes = ascii(payload);
    for (let at = 1; at <= bytes.length; at++) {
      using pair = await tcpPair();
      const parts = [bytes.subarray(0, at), bytes.subarray(at)];
      sendInParts(pair, parts.filter((part) => part.length > 0));
      const { info, conn } = await accept(pair.server, {
        trust: TRUST,
        header: "optional",
      });
      assertEquals(info, undefined, payload);
      assertEquals(conn.remoteAddr, conn.hopAddr);
      assertBytes(await receive(conn, bytes.length), bytes);
    }
  }
});

Deno.test("accept() keeps a large payload without a header with header optional", async () => {
  using pair = await tcpPair();
  const payload = concat([utf8("\r\n\r\n\0"), pattern(1 << 20)]);
  const sending = send(pair.client, payload)
    .then(() => pair.client.closeWrite());
  const { info, conn } = await accept(pair.server, {
    trust: TRUST,
    header: "optional",
  });
  assertEquals(info, undefined);
  assertBytes(await receiveAll(conn), payload);
  await sending;
});

Deno.test("accept() takes a part of a signature before the end as payload with header optional", async () => {
  for (
    const payload of ["P", "PROXY", "\r", "\r\n\r\n", "\r\n\r\n\0\r\nQUIT"]
  ) {
    using pair = await tcpPair();
    await send(pair.client, ascii(payload));
    await pair.client.closeWrite();
    const { info, conn } = await accept(pair.server, {
      trust: TRUST,
      header: "optional",
    });
    assertEquals(info, undefined);
    assertBytes(await receiveAll(conn), ascii(payload));
    // The client has closed only its half.
    await send(conn, PAYLOAD);
    assertBytes(await receive(pair.client, PAYLOAD.length), PAYLOAD);
  }
});

Deno.test("accept() refuses what is malformed behind a whole signature with header optional", async () => {
  const malformed = [
    { bytes: ascii("PROXY TCP5 ::1 ::1 1 2\r\n"), code: "family" },
    { bytes: ascii("PROXY TCP4 192.0.2.256 "), code: "address" },
    { bytes: hex(SIGNATURE_HEX + "3111000c"), code: "version" },
    { bytes: hex(SIGNATURE_HEX + "2211000c"), code: "command" },
    { bytes: hex(SIGNATURE_HEX + "21410000"), code: "family" },
    { bytes: hex(SIGNATURE_HEX + "2111ffff"), code: "length" },
  ] as const;
  for (const { bytes, code } of malformed) {
    using pair = await tcpPair();
    await send(pair.client, bytes);
    await assertRefused(
      accept(pair.server, { trust: TRUST, header: "optional" }),
      code,
    );
    await assertClosed(pair.client);
  }
});

Deno.test("accept() refuses a header that ends early with header optional, once its signature is whole", async () => {
  for (const text of ["PROXY ", "PROXY TCP4 192.0.2.1"]) {
    using pair = await tcpPair();
    await send(pair.client, ascii(text));
    await pair.client.closeWrite();
    const accepting = accept(pair.server, { trust: TRUST, header: "optional" });
    const error = await assertRefused(accepting, "incomplete");
    assertEquals(error.received, ascii(text));
    await assertClosed(pair.client);
  }
});

Deno.test("accept() reports a peer that closes without a byte as empty with header optional too", async () => {
  using pair = await tcpPair();
  await pair.client.closeWrite();
  await assertRefused(
    accept(pair.server, { trust: TRUST, header: "optional" }),
    "empty",
  );
});

for (const carrier of CARRIERS) {
  Deno.test(`accept() closes a connection over ${carrier} whose header is one byte short at the deadline`, async () => {
    for (const header of HEADERS) {
      using pair = await pairOver(carrier);
      using timers = holdTimers();
      const short = header.subarray(0, -1);
      const asked = untilAskedAfter(short.length, pair.server);
      await send(pair.client, short);
      const accepting = accept(pair.server, { trust: TRUST, timeout: 30 });
      await asked;
      timers.fire();
      const error = await assertRefused(accepting, "timeout");
      assertEquals(timers.delays, [30]);
      assertEquals(error.received, short);
      assertEquals(error.offset, short.length);
      await assertClosed(pair.client);
    }
  });

  Deno.test(`accept() closes a connection over ${carrier} whose peer is silent until the deadline`, async () => {
    using pair = await pairOver(carrier);
    const accepting = accept(pair.server, { trust: TRUST, timeout: 30 });
    const error = await assertRefused(accepting, "timeout");
    assertEquals(error.received, new Uint8Array());
    await assertClosed(pair.client);
  });
}

Deno.test("accept() does not extend the deadline when another byte arrives", async () => {
  for (const header of HEADERS) {
    using pair = await tcpPair();
    using timers = holdTimers();
    const part = header.subarray(0, header.length >> 1);
    const asked = untilAskedAfter(part.length, pair.server);
    sendInParts(pair, singly(part));
    const accepting = accept(pair.server, { trust: TRUST, timeout: 400 });
    await asked;
    timers.fire();
    const error = await assertRefused(accepting, "timeout");
    assertEquals(timers.delays, [400]); // and no other for a byte
    assertEquals(error.received, part);
    await assertClosed(pair.client);
  }
});

Deno.test("accept() leaves a connection alone that is idle for longer than the timeout behind its header", async () => {
  for (const option of [{}, { header: "optional" }] as const) {
    using pair = await tcpPair();
    using timers = holdTimers();
    await send(pair.client, LINE);
    const { conn } = await accept(pair.server, {
      trust: TRUST,
      timeout: 20,
      ...option,
    });
    assertEquals(timers.delays, [20]);
    const reading = receive(conn, PAYLOAD.length);
    timers.fire();
    await send(pair.client, PAYLOAD);
    assertBytes(await reading, PAYLOAD);
  }
});

Deno.test("accept() takes the longest delay that a timer has", async () => {
  using pair = await tcpPair();
  const timeout = 2 ** 31 - 1;
  const accepting = accept(pair.server, { trust: TRUST, timeout });
  // One that is too long would run at once.
  await new Promise((resolve) => setTimeout(resolve, 20));
  await send(pair.client, LINE);
  assertEquals((await accepting).conn.remoteAddr, CLIENT);
});

Deno.test("accept() waits 5 s for a header unless told otherwise", async () => {
  using timers = holdTimers();
  using pair = await tcpPair();
  const asked = untilAskedAfter(0, pair.server);
  const accepting = accept(pair.server, { trust: TRUST });
  await asked;
  timers.fire();
  await assertRefused(accepting, "timeout");
  assertEquals(timers.delays, [5000]);
});

Deno.test("accept() sets no timer with timeout Infinity", async () => {
  using timers = holdTimers();
  using pair = await tcpPair();
  await send(pair.client, LINE);
  const options = { trust: TRUST, timeout: Infinity };
  const { conn } = await accept(pair.server, options);
  assertEquals(conn.remoteAddr, CLIENT);
  assertEquals(timers.delays, []);
});

Deno.test("accept() closes a connection when its signal has fired before", async () => {
  using pair = await tcpPair();
  await send(pair.client, LINE);
  const reason = new Error("Shutting down");
  const signal = AbortSignal.abort(reason);
  const accepting = accept(pair.server, { trust: TRUST, signal });
  const error = await assertRefused(accepting, "aborted");
  assertEquals(error.cause, reason);
  await assertClosed(pair.client);
});

Deno.test("accept() closes a direct peer when its signal has fired before", async () => {
  using pair = await tcpPair();
  const accepting = accept(pair.server, {
    trust: [],
    untrusted: "direct",
    signal: AbortSignal.abort(),
  });
  await assertRefused(accepting, "aborted");
  await assertClosed(pair.client);
});

Deno.test("accept() closes a connection when its signal fires in the middle of the header", async () => {
  using pair = await tcpPair();
  const controller = new AbortController();
  const reason = new Error("Shutting down");
  const begun = LINE.subarray(0, 15);
  sendInParts(
    pair,
    function* () {
      yield begun;
      controller.abort(reason); // the first read is done, the second under way
    }(),
  );
  const { signal } = controller;
  const accepting = accept(pair.server, { trust: TRUST, signal });
  const error = await assertRefused(accepting, "aborted");
  assertEquals(error.cause, reason);
  assertEquals(error.received, begun);
  await assertClosed(pair.client);
});

Deno.test("accept() does nothing when its signal fires after the connection is accepted", async () => {
  using pair = await tcpPair();
  const controller = new AbortController();
  const { signal } = controller;
  await send(pair.client, LINE);
  const { conn } = await accept(pair.server, { trust: TRUST, signal });
  const reading = receive(conn, PAYLOAD.length);
  controller.abort();
  await send(pair.client, PAYLOAD);
  assertBytes(await reading, PAYLOAD);
  await send(conn, PAYLOAD);
  assertBytes(await receive(pair.client, PAYLOAD.length), PAYLOAD);
});

Deno.test("accept() leaves no listener on a signal that outlives the connection", async () => {
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  for (const header of [LINE, utf8("No header at all")]) {
    using pair = await tcpPair();
    await send(pair.client, header);
    const options = { trust: TRUST, signal, verify: () => true };
    await accept(pair.server, options).catch(() => {});
    assertEquals(listeners.now, 0);
  }
});

Deno.test("accept() asks verify with the header and the connection, before anything is written", async () => {
  const answers = [() => true, () => Promise.resolve(true)];
  for (const answer of answers) {
    using pair = await tcpPair();
    let writes = 0;
    const write = pair.server.write.bind(pair.server);
    pair.server.write = (p) => {
      writes++;
      return write(p);
    };
    await send(pair.client, concat([LINE, PAYLOAD]));
    const asked: [info: ProxyInfo, conn: unknown][] = [];
    const accepted = await accept(pair.server, {
      trust: TRUST,
      verify(info, conn) {
        assertEquals(writes, 0);
        assertEquals(conn.remoteAddr, CLIENT);
        asked.push([info, conn]);
        return answer();
      },
    });
    assertEquals(asked.length, 1);
    assert(asked[0]?.[0] === accepted.info);
    assert(asked[0]?.[1] === accepted.conn);
    assertBytes(await receive(accepted.conn, PAYLOAD.length), PAYLOAD);
  }
});

Deno.test("accept() asks verify about LOCAL too", async () => {
  using pair = await tcpPair();
  await send(pair.client, v2("2000"));
  const accepting = accept(pair.server, {
    trust: TRUST,
    verify: ({ command }) => command !== "LOCAL",
  });
  await assertRefused(accepting, "verify");
});

Deno.test("accept() closes a connection that verify refuses, throws at or has no clear answer for", async () => {
  const cause = new Error("The database is away");
  const answers: [answer: () => unknown, cause: unknown][] = [
    [() => false, undefined],
    [() => Promise.resolve(false), undefined],
    [() => undefined, undefined],
    [() => 1, undefined],
    [() => "true", undefined],
    [() => {
      throw cause;
    }, cause],
    [() => Promise.reject(cause), cause],
  ];
  for (const [verify, cause] of answers) {
    using pair = await tcpPair();
    const hop = { ...pair.server.remoteAddr };
    await send(pair.client, LINE);
    const error = await assertRejects(
      () => acceptUntyped(pair.server, { trust: TRUST, verify }),
      ProxyProtocolError,
    );
    assertEquals(error.code, "verify");
    assertEquals(error.cause, cause);
    assertEquals(error.hop, hop);
    assertEquals(error.received, LINE);
    await assertClosed(pair.client);
  }
});

Deno.test("accept() passes on the refusal that verify itself throws", async () => {
  using pair = await tcpPair();
  const hop = { ...pair.server.remoteAddr };
  await send(pair.client, LINE);
  const refusal = new ProxyProtocolError("Not from here", "address");
  const error = await assertRefused(
    accept(pair.server, {
      trust: TRUST,
      verify: () => Promise.reject(refusal),
    }),
    "address",
  );
  assert(error === refusal);
  assertEquals(error.hop, hop);
  await assertClosed(pair.client);
});

Deno.test("accept() gives verify more time than the header has, until the signal fires", async () => {
  using pair = await tcpPair();
  using timers = holdTimers();
  await send(pair.client, LINE);
  const controller = new AbortController();
  const answer = Promise.withResolvers<boolean>();
  const accepting = accept(pair.server, {
    trust: TRUST,
    timeout: 20,
    signal: controller.signal,
    async verify() {
      timers.fire();
      controller.abort();
      return await answer.promise;
    },
  });
  await assertRefused(accepting, "aborted");
  await assertClosed(pair.client);
  answer.resolve(true); // too late, and heard by nobody
});

function assertStrictAddresses(
  conn: { remoteAddr: Address; localAddr: Address; hopAddr: Address },
  remote: Deno.NetAddr,
  local: Deno.NetAddr,
): void {
  assertEquals(conn.remoteAddr, { ...remote });
  assertEquals(conn.hopAddr, { ...remote });
  assertEquals(conn.localAddr, { ...local });
}
