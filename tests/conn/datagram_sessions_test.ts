import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  type DatagramSession,
  DatagramSessions,
  type DatagramSessionsOptions,
  decodeSimpleDatagram,
  encodeDatagram,
  encodeSimpleDatagram,
  type ProxyProtocolError,
} from "../../mod.ts";
import { concat, utf8 } from "../_bytes.ts";
import { CAPTURES } from "../_captures.ts";
import { within } from "../_within.ts";
import { holdConsole } from "./_console.ts";

const HOP = { address: "10.0.0.9", family: "IPv4", port: 4000, size: 5 };
const SHOWN_HOP = {
  transport: "udp",
  hostname: "10.0.0.9",
  port: 4000,
} as const;
const HELLO = utf8("hello");

function headerOf(hostname: string, payload = HELLO): Uint8Array {
  return encodeDatagram({
    source: { transport: "udp", hostname, port: 5000 },
    destination: { transport: "udp", hostname: "198.51.100.1", port: 53 },
  }, payload);
}

function watched(options: Partial<DatagramSessionsOptions> = {}) {
  const errors: ProxyProtocolError[] = [];
  const ended: DatagramSession[] = [];
  const sessions = new DatagramSessions({
    trust: ["10.0.0.0/8"],
    idleTimeout: Infinity,
    onReject: (error) => errors.push(error),
    onEnd: (session) => ended.push(session),
    ...options,
  });
  const receive = (bytes: Uint8Array, port = HOP.port) =>
    sessions.receive(bytes, { ...HOP, port });
  return { sessions, receive, errors, ended };
}

for (const { id, header, payload } of CAPTURES) {
  if (!id.includes("-udp-") && !id.includes("doh")) continue;
  for (const mode of ["each", "first"] as const) {
    Deno.test(`DatagramSessions reads ${id}, header: "${mode}"`, () => {
      const { receive, sessions } = watched({ header: mode });
      const received = receive(concat([header, payload]));
      assertEquals(received?.payload, payload);
      assertEquals(received?.session.info?.raw, header);
      assertEquals(received?.session.hop, SHOWN_HOP);
      assertEquals(sessions.stats.accepted, 1);
    });
  }
}

Deno.test("DatagramSessions shows the client and answers to the hop", () => {
  const { receive } = watched();
  const { session, payload } = receive(headerOf("192.0.2.1")) ?? {};
  assertEquals(payload, HELLO);
  assertEquals(session?.remoteAddr, {
    transport: "udp",
    hostname: "192.0.2.1",
    port: 5000,
  });
  assertEquals(session?.localAddr, {
    transport: "udp",
    hostname: "198.51.100.1",
    port: 53,
  });
  assertEquals(session?.replyTo, SHOWN_HOP);
  assertStrictEquals(session?.answer(HELLO), HELLO);
});

Deno.test("DatagramSessions takes the hop as each runtime reports it", () => {
  const { sessions } = watched();
  const datagram = headerOf("192.0.2.1");
  const seen = [
    HOP, // node:dgram
    { address: "10.0.0.9", port: 4000 }, // Bun
    { transport: "udp" as const, hostname: "10.0.0.9", port: 4000 }, // Deno
  ].map((hop) => sessions.receive(datagram, hop)?.session);
  assertStrictEquals(seen[0], seen[1]);
  assertStrictEquals(seen[0], seen[2]);
});

Deno.test("DatagramSessions reads a header in every datagram, header: each", () => {
  const { receive, errors, sessions } = watched();
  const one = receive(headerOf("192.0.2.1"))?.session;
  assertStrictEquals(receive(headerOf("192.0.2.1"))?.session, one);
  // One port of a proxy carries another client.
  const other = receive(headerOf("192.0.2.2"))?.session;
  assert(other !== one);
  assertStrictEquals(receive(headerOf("192.0.2.1"))?.session, one);
  assertEquals(receive(HELLO), undefined);
  assertEquals(errors.map(({ code }) => code), ["signature"]);
  assertEquals(errors[0]?.hop, SHOWN_HOP);
  assertEquals(sessions.stats, {
    accepted: 2,
    direct: 0,
    local: 0,
    active: 2,
    rejected: { signature: 1 },
  });
});

Deno.test("DatagramSessions takes what looks like a header for payload, header: first", () => {
  const { receive, errors } = watched({ header: "first" });
  const first = receive(headerOf("192.0.2.1"))?.session;
  const forged = headerOf("203.0.113.66");
  const second = receive(forged);
  assertStrictEquals(second?.session, first);
  assertEquals(second?.payload, forged);
  assertEquals(second?.session.remoteAddr, first?.remoteAddr);
  assertEquals(receive(new Uint8Array())?.payload, new Uint8Array());
  assertEquals(errors, []);
});

Deno.test("DatagramSessions keeps the ports of a hop apart, header: first", () => {
  const { receive, errors } = watched({ header: "first" });
  receive(headerOf("192.0.2.1"), 4000);
  assertEquals(receive(HELLO, 4001), undefined);
  assertEquals(errors.map(({ code }) => code), ["signature"]);
  const { session } = receive(headerOf("192.0.2.2"), 4001) ?? {};
  assertEquals(session?.replyTo.port, 4001);
});

Deno.test("DatagramSessions begins anew after close(), header: first", () => {
  const { receive, ended, sessions } = watched({ header: "first" });
  const first = receive(headerOf("192.0.2.1"))?.session;
  first?.close();
  assertEquals(ended, [first]);
  const second = receive(headerOf("192.0.2.2"))?.session;
  assert(second !== first);
  first?.close(); // of one that has ended: the new one stays
  assertEquals(sessions.stats.active, 1);
  sessions.close();
  assertEquals(ended, [first, second]);
  assertEquals(sessions.stats.active, 0);
});

Deno.test("DatagramSessions ends a session that is idle", async () => {
  const { promise, resolve } = Promise.withResolvers<DatagramSession>();
  const { receive, sessions } = watched({
    header: "first",
    idleTimeout: 1,
    onEnd: resolve,
  });
  const session = receive(headerOf("192.0.2.1"))?.session;
  const keepsAlive = setInterval(() => {}, 1000); // its own timer does not
  assertStrictEquals(await within(promise, "the end"), session);
  clearInterval(keepsAlive);
  assertEquals(receive(HELLO), undefined);
  assertEquals(sessions.stats.rejected, { signature: 1 });
});

Deno.test("DatagramSessions is bounded, the longest idle session ends", () => {
  const { receive, ended, sessions } = watched({
    header: "first",
    maxSessions: 2,
  });
  const [one, two] = [4001, 4002].map((port) =>
    receive(headerOf("192.0.2.1"), port)?.session
  );
  receive(HELLO, 4001);
  receive(headerOf("192.0.2.1"), 4003);
  assertEquals(ended, [two]);
  assertStrictEquals(receive(HELLO, 4001)?.session, one);
  assertEquals(sessions.stats.active, 2);
});

Deno.test("DatagramSessions rejects who is not trusted", () => {
  const { sessions, errors } = watched();
  const hop = { address: "203.0.113.5", port: 1 };
  assertEquals(sessions.receive(headerOf("192.0.2.1"), hop), undefined);
  assertEquals(errors.map(({ code }) => code), ["untrusted"]);
});

Deno.test("DatagramSessions serves who is not trusted directly and reads no header", () => {
  const { sessions, receive, ended } = watched({
    untrusted: "direct",
    maxSessions: 1,
  });
  const proxied = receive(headerOf("192.0.2.1"))?.session;
  const forged = headerOf("192.0.2.1");
  for (const port of [1, 2, 3]) {
    const direct = sessions.receive(forged, { address: "203.0.113.5", port });
    assertEquals(direct?.payload, forged);
    assertEquals(direct?.session.info, undefined);
    assertEquals(direct?.session.localAddr, undefined);
    assertEquals(direct?.session.remoteAddr, {
      transport: "udp",
      hostname: "203.0.113.5",
      port,
    });
  }
  // However many they are, they end no session of a proxy.
  assertEquals(ended.length, 2);
  assert(!ended.some((session) => session === proxied));
  assertEquals(sessions.stats.direct, 3);
});

Deno.test("DatagramSessions has three ways: a hop, a direct peer, and nobody else", () => {
  const { sessions, errors } = watched({ untrusted: ["203.0.113.5"] });
  const from = (address: string) =>
    sessions.receive(headerOf("192.0.2.1"), { address, port: 1 });
  assertEquals(from("10.0.0.9")?.session.info?.source?.transport, "udp");
  assertEquals(from("203.0.113.5")?.session.info, undefined);
  assertEquals(from("203.0.113.6"), undefined);
  assertEquals(sessions.stats.direct, 1);
  assertEquals(errors.map(({ code }) => code), ["untrusted"]);
});

Deno.test("DatagramSessions without onReject says by console.error what trust throws", () => {
  using held = holdConsole();
  const cause = new Error("mistake");
  const sessions = new DatagramSessions({
    trust: () => {
      throw cause;
    },
  });
  assertEquals(sessions.receive(headerOf("192.0.2.1"), HOP), undefined);
  const [[error] = []] = held.calls;
  assert(error instanceof Error);
  assertStrictEquals(error.cause, cause);
});

Deno.test("DatagramSessions shows the hop for LOCAL and counts it", () => {
  const { receive, sessions } = watched();
  const { session } = receive(encodeDatagram({ command: "LOCAL" }, HELLO)) ??
    {};
  assertEquals(session?.remoteAddr, SHOWN_HOP);
  assertEquals(session?.info?.command, "LOCAL");
  assertEquals(sessions.stats.local, 1);
});

Deno.test("DatagramSessions reads and answers with the Simple Proxy Protocol", () => {
  const { receive, errors } = watched({ header: "simple" });
  const ends = {
    source: { transport: "udp", hostname: "2001:db8::1", port: 5000 },
    destination: { transport: "udp", hostname: "2001:db8::2", port: 53 },
  } as const;
  const { session, payload } = receive(encodeSimpleDatagram(ends, HELLO)) ?? {};
  assertEquals(payload, HELLO);
  assertEquals(session?.remoteAddr, ends.source);
  assertEquals(session?.localAddr, ends.destination);
  assert(session);
  assertEquals(decodeSimpleDatagram(session.answer(utf8("hi"))), {
    ...ends,
    payload: utf8("hi"),
  });
  assertEquals(receive(headerOf("192.0.2.1")), undefined);
  assertEquals(errors.map(({ code }) => code), ["signature"]);
});

Deno.test("DatagramSessions shows mapped addresses as IPv4 with unmap, and answers to the mapped one", () => {
  const { sessions } = watched({ unmap: true });
  const hop = { address: "::ffff:10.0.0.9", port: 4000 };
  const { session } = sessions.receive(headerOf("::ffff:192.0.2.1"), hop) ?? {};
  assertEquals(session?.hop, SHOWN_HOP);
  assertEquals(session?.replyTo.hostname, "::ffff:10.0.0.9");
  assertEquals(session?.remoteAddr, {
    transport: "udp",
    hostname: "192.0.2.1",
    port: 5000,
  });
});

Deno.test("DatagramSessions rejects every beginning of a datagram's header", () => {
  const whole = headerOf("192.0.2.1", new Uint8Array());
  for (const header of ["each", "first"] as const) {
    for (let length = 0; length < whole.length; length++) {
      const { receive, errors, sessions } = watched({ header });
      assertEquals(receive(whole.subarray(0, length)), undefined);
      assertEquals(
        errors.map(({ code }) => code),
        [length === 0 ? "empty" : "incomplete"],
      );
      assertEquals(sessions.stats.accepted, 0);
    }
  }
});

Deno.test("DatagramSessions survives observers that throw", () => {
  const fail = () => {
    throw new Error("a mistake of the observer");
  };
  const { receive, sessions } = watched({ onReject: fail, onEnd: fail });
  assertEquals(receive(HELLO), undefined);
  receive(headerOf("192.0.2.1"))?.session.close();
  assertEquals(sessions.stats.active, 0);
});

for (
  const [options, kind, message] of [
    [{}, TypeError, "Cannot read trust"],
    [{ trust: [], header: "all" }, TypeError, "Cannot read header"],
    [{ trust: [], idleTimout: 1 }, TypeError, 'did you mean "idleTimeout"?'],
    [{ trust: [], idleTimeout: 0 }, RangeError, "Cannot read idleTimeout"],
    [{ trust: [], maxSessions: 0 }, RangeError, "Cannot read maxSessions"],
    [{ trust: [], onEnd: 1 }, TypeError, "Cannot read onEnd"],
    [{ trust: [], versions: [] }, RangeError, "Cannot read versions"],
  ] as const
) {
  Deno.test(`DatagramSessions refuses options: ${message}`, () => {
    assertThrows(
      () => new DatagramSessions(JSON.parse(JSON.stringify(options))),
      kind,
      message,
    );
  });
}

Deno.test("DatagramSessions refuses a hop that is none", () => {
  const { sessions } = watched();
  for (const hop of [{ address: "", port: 1 }, { address: "10.0.0.9" }]) {
    assertThrows(
      () => sessions.receive(HELLO, JSON.parse(JSON.stringify(hop))),
      TypeError,
      "Cannot read the hop of a datagram: expected { address, port }",
    );
  }
});
