/** The admission of connections, without a socket: events in, calls out. */

import { assertEquals } from "@std/assert";
import { type Address, type ProxyInfo, ProxyProtocolError } from "../../mod.ts";
import { Admission, type Peer } from "../../conn/admission/admission.ts";
import type { Ends } from "../../conn/_ends.ts";
import { Gate } from "../../conn/admission/gate.ts";
import type { Header } from "../../conn/admission/header_reader.ts";
import { type Options, readOptions } from "../../conn/admission/policy.ts";
import { concat, utf8 } from "../_bytes.ts";
import { BLOCK4, tlv, v2 } from "../codec/_hex.ts";
import { TestClock } from "./_test_clock.ts";

const HOP: Address = { transport: "tcp", hostname: "10.0.0.1", port: 4000 };
const CLIENT = "192.0.2.1:56324";
const HEADER = utf8("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n");
const LOCAL = Uint8Array.from([
  ...[0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54],
  ...[0x0a, 0x20, 0x00, 0x00, 0x00],
]);

function reset(): Error {
  return Object.assign(new Error("reset"), { code: "ECONNRESET" });
}

/** A driver that writes down what it is told. */
class TestPeer implements Peer<string> {
  readonly conn = "the connection";
  readonly calls: string[] = [];
  failure: unknown;
  probed: unknown;
  #header: Header | undefined;

  probe(): Promise<unknown> {
    this.calls.push("probe");
    return Promise.resolve(this.probed);
  }

  handOver(): void {
    this.calls.push("handOver");
  }

  ownEnd(): Address {
    return { transport: "tcp", hostname: "::ffff:10.0.0.9", port: 80 };
  }

  show(
    header: Header,
    ends: Ends | undefined,
    isEncrypted: boolean,
  ): void {
    this.#header = header;
    const local = ends?.localAddr;
    const isOwn = local && "port" in local && local.port === 80;
    this.calls.push(
      `show ${textOf(ends?.remoteAddr)}${isOwn ? ` at ${textOf(local)}` : ""}${
        isEncrypted ? " over TLS" : ""
      }`,
    );
  }

  admit(info: ProxyInfo | undefined): void {
    assertEquals(info, this.#header?.info);
    const payload = this.#header?.payload.length ?? 0;
    this.calls.push(`admit ${info?.command ?? "direct"} +${payload}`);
  }

  refuse({ code, hop, received }: ProxyProtocolError): void {
    assertEquals(hop, HOP);
    this.calls.push(`refuse ${code} ${received.length}`);
  }
}

function textOf(address: Address | undefined): string {
  if (address === undefined) return "own";
  return address.path !== undefined
    ? address.path
    : `${address.hostname}:${address.port}`;
}

/** All that a row of the table has in its hands. */
class Case {
  readonly clock = new TestClock();
  readonly peer = new TestPeer();
  readonly controller = new AbortController();
  readonly gate: Gate<string>;
  readonly admission: Admission<string>;
  readonly reported: string[] = [];
  readonly asked: string[] = [];
  answer: PromiseWithResolvers<boolean> = Promise.withResolvers();

  constructor({ asks, ...options }: RowOptions) {
    const given: Options<string> = {
      trust: ["10.0.0.1"],
      signal: this.controller.signal,
      onReject: (error) => this.reported.push(error.code),
      ...(asks && {
        verify: (info, conn) => {
          this.asked.push(`${textOf(info.source)} ${conn}`);
          return this.answer.promise;
        },
      }),
      ...options,
    };
    const policy = readOptions(given, ["encrypted"]);
    this.gate = new Gate(policy, false, this.clock);
    this.admission = new Admission(this.gate, HOP, this.peer);
  }

  begin(): boolean {
    return this.admission.begin();
  }

  /** Takes bytes as they come, and settles what is whole, as a driver does. */
  push(...parts: Uint8Array[]): void {
    for (const part of parts) this.#settle(this.admission.push(part));
  }

  /** Reads what is asked for, and no more. */
  read(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && this.admission.wantsBytes;) {
      const { room } = this.admission;
      room.set(bytes.subarray(at, at + room.length));
      at += room.length;
      this.#settle(this.admission.took(room.length));
    }
  }

  end(): void {
    this.#settle(this.admission.end());
  }

  #settle(header: Header | undefined): void {
    if (header !== undefined) this.admission.settle(header);
  }

  /** Lets what was resolved be heard. */
  async turn(): Promise<void> {
    for (let i = 0; i < 10; i++) await Promise.resolve();
  }

  async say(answer: boolean | Error): Promise<void> {
    if (typeof answer === "boolean") this.answer.resolve(answer);
    else this.answer.reject(answer);
    await this.turn();
  }
}

/** Options, and whether there is a `verify` that is answered by {@link Case.say}. */
type RowOptions = Partial<Options<string>> & { asks?: boolean };

interface Row {
  /** A state, and what happens in it. */
  name: string;
  options?: RowOptions;
  play: (c: Case) => void | Promise<void>;
  /** What the driver was told, in its order. */
  calls: string[];
  /** Besides zeroes; `pending` must be 0 in the end. */
  stats?: Record<string, number | Record<string, number>>;
  /** Codes told to `onReject`. */
  reported?: string[];
}

const PAYLOAD = utf8("GET /");
/** Section 2.2.6: `PP2_CLIENT_SSL`, no certificate. */
const SSL = tlv("20", "0100000000");
const SHOWN = `show ${CLIENT}`;
const ACCEPTED = { accepted: 1 };
const DIRECT = { accepted: 1, direct: 1 };

/** Stats and report of one rejection. */
function rejected(code: string): Pick<Row, "stats" | "reported"> {
  return {
    stats: { rejected: { [code]: 1 } },
    reported: code === "empty" ? [] : [code],
  };
}

const ROWS: readonly Row[] = [
  {
    name: "new: a trusted peer is asked for bytes, the header is read exactly",
    play: (c) => {
      assertEquals(c.begin(), true);
      c.read(concat([HEADER, PAYLOAD]));
    },
    calls: [SHOWN, "admit PROXY +0"],
    stats: ACCEPTED,
  },
  {
    name: "header: pushed whole, with payload",
    play: (c) => {
      c.begin();
      c.push(concat([HEADER, PAYLOAD]));
    },
    calls: [SHOWN, "admit PROXY +5"],
    stats: ACCEPTED,
  },
  {
    name: "header: pushed byte by byte",
    play: (c) => {
      c.begin();
      c.push(...Array.from(HEADER, (byte) => Uint8Array.of(byte)));
    },
    calls: [SHOWN, "admit PROXY +0"],
    stats: ACCEPTED,
  },
  {
    name: "header: LOCAL shows its own ends and is counted",
    play: (c) => {
      c.begin();
      c.push(LOCAL);
    },
    calls: ["show own", "admit LOCAL +0"],
    stats: { accepted: 1, local: 1 },
  },
  {
    name: "header: one that is discarded shows its own ends",
    options: { header: "discard" },
    play: (c) => {
      c.begin();
      c.push(HEADER);
    },
    calls: ["show own", "admit PROXY +0"],
    stats: ACCEPTED,
  },
  {
    name: "encrypted: the client bit of SSL is shown",
    options: { encrypted: true },
    play: (c) => {
      c.begin();
      c.push(v2("2111", BLOCK4 + SSL));
    },
    calls: [`${SHOWN} over TLS`, "admit PROXY +0"],
    stats: ACCEPTED,
  },
  {
    name: "encrypted: it is not shown unless it is asked for",
    play: (c) => {
      c.begin();
      c.push(v2("2111", BLOCK4 + SSL));
    },
    calls: [SHOWN, "admit PROXY +0"],
    stats: ACCEPTED,
  },
  {
    name: "encrypted: LOCAL has no client that used TLS",
    options: { encrypted: true },
    play: (c) => {
      c.begin();
      c.push(v2("2000", SSL));
    },
    calls: ["show own", "admit LOCAL +0"],
    stats: { accepted: 1, local: 1 },
  },
  {
    name: "encrypted: a header that is discarded shows nothing",
    options: { encrypted: true, header: "discard" },
    play: (c) => {
      c.begin();
      c.push(v2("2111", BLOCK4 + SSL));
    },
    calls: ["show own", "admit PROXY +0"],
    stats: ACCEPTED,
  },
  {
    name: "unmap: its own ends are shown as IPv4, for LOCAL too",
    options: { unmap: true },
    play: (c) => {
      c.begin();
      c.push(LOCAL);
    },
    calls: ["show 10.0.0.1:4000 at 10.0.0.9:80", "admit LOCAL +0"],
    stats: { accepted: 1, local: 1 },
  },
  {
    name: "unmap: a direct peer is shown as IPv4",
    options: { unmap: true, trust: [], untrusted: "direct" },
    play: (c) => assertEquals(c.begin(), false),
    calls: ["show 10.0.0.1:4000 at 10.0.0.9:80", "admit direct +0"],
    stats: DIRECT,
  },
  {
    name: "new: an untrusted peer is refused",
    options: { trust: [] },
    play: (c) => assertEquals(c.begin(), false),
    calls: ["refuse untrusted 0"],
    ...rejected("untrusted"),
  },
  {
    name: "new: an untrusted peer is served directly",
    options: { trust: [], untrusted: "direct" },
    play: (c) => assertEquals(c.begin(), false),
    calls: ["show own", "admit direct +0"],
    stats: DIRECT,
  },
  {
    name: "new: a trust function that throws trusts nobody, not even directly",
    options: {
      untrusted: "direct",
      trust: () => {
        throw new Error("of the user");
      },
    },
    play: (c) => assertEquals(c.begin(), false),
    calls: ["refuse untrusted 0"],
    ...rejected("untrusted"),
  },
  {
    name: "new: a peer that has reset is empty, before trust is asked",
    options: {
      trust: () => {
        throw new Error("must not be asked");
      },
    },
    play: (c) => {
      c.peer.failure = reset();
      assertEquals(c.begin(), false);
    },
    calls: ["refuse empty 0"],
    ...rejected("empty"),
  },
  {
    name: "new: a signal that has fired refuses everybody",
    play: (c) => {
      c.controller.abort();
      assertEquals(c.begin(), false);
    },
    calls: ["refuse aborted 0"],
    ...rejected("aborted"),
  },
  {
    name: "header: bad bytes are refused at once",
    play: (c) => {
      c.begin();
      c.push(utf8("PROXY TCP5"), PAYLOAD);
    },
    calls: ["refuse family 10"],
    ...rejected("family"),
  },
  {
    name: "header: an end without a byte is empty",
    play: (c) => {
      c.begin();
      c.end();
    },
    calls: ["refuse empty 0"],
    ...rejected("empty"),
  },
  {
    name: "header: an end within it is incomplete",
    play: (c) => {
      c.begin();
      c.push(HEADER.subarray(0, 7));
      c.end();
    },
    calls: ["refuse incomplete 7"],
    ...rejected("incomplete"),
  },
  {
    name: "header: a reset without a byte is empty",
    play: (c) => {
      c.begin();
      c.admission.fail(reset());
    },
    calls: ["refuse empty 0"],
    ...rejected("empty"),
  },
  {
    name: "header: a reset within it is io",
    play: (c) => {
      c.begin();
      c.push(HEADER.subarray(0, 7));
      c.admission.fail(reset());
    },
    calls: ["refuse io 7"],
    ...rejected("io"),
  },
  {
    name: "header: another failure without a byte is io",
    play: (c) => {
      c.begin();
      c.admission.fail(new Error("bad record"));
    },
    calls: ["refuse io 0"],
    ...rejected("io"),
  },
  {
    name: "header: the deadline is that of the whole header",
    options: { timeout: 100 },
    play: (c) => {
      c.begin();
      c.clock.pass(60);
      c.push(HEADER.subarray(0, 7));
      c.clock.pass(39);
      assertEquals(c.peer.calls, []);
      c.clock.pass(1);
      c.push(HEADER.subarray(7)); // too late
    },
    calls: ["refuse timeout 7"],
    ...rejected("timeout"),
  },
  {
    name: "header: the deadline is over with the header",
    options: { timeout: 100 },
    play: (c) => {
      c.begin();
      c.push(HEADER);
      c.clock.pass(1000);
    },
    calls: [SHOWN, "admit PROXY +0"],
    stats: ACCEPTED,
  },
  {
    name: "header: the signal",
    play: (c) => {
      c.begin();
      c.push(HEADER.subarray(0, 7));
      c.controller.abort();
    },
    calls: ["refuse aborted 7"],
    ...rejected("aborted"),
  },
  {
    name: "header: an optional one that is absent",
    options: { header: "optional" },
    play: (c) => {
      c.begin();
      c.push(PAYLOAD);
    },
    calls: ["show own", "admit direct +5"],
    stats: DIRECT,
  },
  {
    name: "header: an optional one that ends before it can be told",
    options: { header: "optional" },
    play: (c) => {
      c.begin();
      c.push(utf8("PRO"));
      c.end();
    },
    calls: ["show own", "admit direct +3"],
    stats: DIRECT,
  },
  {
    name: "settling: the deadline, the signal and failures do nothing",
    options: { timeout: 100 },
    play: (c) => {
      c.begin();
      const header = c.admission.push(HEADER);
      c.clock.pass(1000);
      c.controller.abort();
      c.admission.fail(reset());
      assertEquals(c.peer.calls, []);
      if (header !== undefined) c.admission.settle(header);
    },
    calls: [SHOWN, "admit PROXY +0"],
    stats: ACCEPTED,
  },
  {
    name: "settling: a peer that has gone is refused",
    play: (c) => {
      c.begin();
      const header = c.admission.push(HEADER);
      c.peer.failure = reset();
      if (header !== undefined) c.admission.settle(header);
    },
    calls: [SHOWN, `refuse io ${HEADER.length}`],
    ...rejected("io"),
  },
  {
    name: "settling: the signal has fired, so nobody is asked",
    options: { asks: true },
    play: (c) => {
      c.begin();
      const header = c.admission.push(HEADER);
      c.controller.abort();
      if (header !== undefined) c.admission.settle(header);
      assertEquals(c.asked, []);
    },
    calls: [SHOWN, "refuse aborted 0"],
    ...rejected("aborted"),
  },
  {
    name: "verify: is asked with what is shown, and its true admits",
    options: { asks: true },
    play: async (c) => {
      c.begin();
      c.push(HEADER);
      await c.turn();
      assertEquals(c.peer.calls, [SHOWN]);
      assertEquals(c.asked, [`${CLIENT} the connection`]);
      assertEquals(c.gate.stats.pending, 1);
      await c.say(true);
    },
    calls: [SHOWN, "probe", "admit PROXY +0"],
    stats: ACCEPTED,
  },
  {
    name: "verify: is not asked about a direct peer",
    options: { asks: true, trust: [], untrusted: "direct" },
    play: (c) => {
      c.begin();
      assertEquals(c.asked, []);
    },
    calls: ["show own", "admit direct +0"],
    stats: DIRECT,
  },
  {
    name: "verify: false refuses",
    options: { asks: true },
    play: async (c) => {
      c.begin();
      c.push(HEADER);
      await c.say(false);
    },
    calls: [SHOWN, `refuse verify ${HEADER.length}`],
    ...rejected("verify"),
  },
  {
    name: "verify: an error refuses",
    options: { asks: true },
    play: async (c) => {
      c.begin();
      c.push(HEADER);
      await c.say(new Error("of the user"));
    },
    calls: [SHOWN, `refuse verify ${HEADER.length}`],
    ...rejected("verify"),
  },
  {
    name: "verify: its own refusal is passed on",
    options: { asks: true },
    play: async (c) => {
      c.begin();
      c.push(HEADER);
      await c.say(new ProxyProtocolError("of the user", "untrusted"));
    },
    calls: [SHOWN, "refuse untrusted 0"],
    ...rejected("untrusted"),
  },
  {
    name: "verify: no deadline bounds it, the signal does",
    options: { asks: true, timeout: 100 },
    play: async (c) => {
      c.begin();
      c.push(HEADER);
      c.clock.pass(1000);
      await c.turn();
      assertEquals(c.peer.calls, [SHOWN]);
      c.controller.abort();
      await c.say(true); // too late
    },
    calls: [SHOWN, `refuse aborted ${HEADER.length}`],
    ...rejected("aborted"),
  },
  {
    name: "verify: a failure is seen after the answer, if that is true",
    options: { asks: true },
    play: async (c) => {
      c.begin();
      c.push(HEADER);
      c.admission.fail(reset());
      c.peer.failure = reset();
      assertEquals(c.gate.stats.pending, 1);
      await c.say(false);
    },
    calls: [SHOWN, `refuse verify ${HEADER.length}`],
    ...rejected("verify"),
  },
  {
    name: "verify: a reset that only a call tells refuses after it",
    options: { asks: true },
    play: async (c) => {
      c.begin();
      c.push(HEADER);
      c.peer.probed = reset();
      await c.say(true);
    },
    calls: [SHOWN, "probe", `refuse io ${HEADER.length}`],
    ...rejected("io"),
  },
  {
    name: "verify: a reset that is known by then refuses after it",
    options: { asks: true },
    play: async (c) => {
      c.begin();
      c.push(HEADER);
      c.peer.failure = reset();
      await c.say(true);
    },
    calls: [SHOWN, "probe", `refuse io ${HEADER.length}`],
    ...rejected("io"),
  },
  {
    name: "verify: the end of what comes does nothing",
    options: { asks: true },
    play: async (c) => {
      c.begin();
      c.push(HEADER);
      c.end();
      c.push(PAYLOAD); // is the driver's to keep
      await c.say(true);
    },
    calls: [SHOWN, "probe", "admit PROXY +0"],
    stats: ACCEPTED,
  },
  {
    name: "lazy: a trusted peer is handed over, then admitted",
    options: { lazy: true },
    play: (c) => {
      assertEquals(c.begin(), true);
      assertEquals(c.peer.calls, ["handOver"]);
      assertEquals(c.gate.stats.pending, 1);
      c.read(HEADER);
    },
    calls: ["handOver", SHOWN, "admit PROXY +0"],
    stats: ACCEPTED,
  },
  {
    name: "lazy: a header that is refused after that",
    options: { lazy: true, timeout: 100 },
    play: (c) => {
      c.begin();
      c.clock.pass(100);
    },
    calls: ["handOver", "refuse timeout 0"],
    ...rejected("timeout"),
  },
  {
    name: "lazy: whoever is not trusted is not handed over",
    options: { lazy: true, trust: [] },
    play: (c) => assertEquals(c.begin(), false),
    calls: ["refuse untrusted 0"],
    ...rejected("untrusted"),
  },
  {
    name: "admitted: nothing changes it any more",
    options: { timeout: 100 },
    play: (c) => {
      c.begin();
      c.push(HEADER);
      c.push(PAYLOAD);
      c.end();
      c.admission.fail(reset());
      c.controller.abort();
      c.clock.pass(1000);
    },
    calls: [SHOWN, "admit PROXY +0"],
    stats: ACCEPTED,
  },
  {
    name: "refused: nothing changes it any more",
    options: { timeout: 100 },
    play: (c) => {
      c.begin();
      c.end();
      c.push(HEADER);
      c.end();
      c.admission.fail(reset());
      c.controller.abort();
      c.clock.pass(1000);
    },
    calls: ["refuse empty 0"],
    ...rejected("empty"),
  },
];

for (const { name, options = {}, play, calls, stats, reported } of ROWS) {
  Deno.test(`Admission, ${name}`, async () => {
    const c = new Case(options);
    await play(c);
    assertEquals(c.peer.calls, calls);
    assertEquals(c.gate.stats, {
      accepted: 0,
      direct: 0,
      local: 0,
      pending: 0,
      rejected: {},
      ...stats,
    });
    assertEquals(c.reported, reported ?? []);
    assertEquals(c.admission.isPending, false);
    c.gate.waits.close();
    assertEquals(c.clock.timers, 0);
  });
}

Deno.test("Admission rejects who has waited longest over maxPending, whatever it has sent", () => {
  const first = new Case({ maxPending: 2 });
  assertEquals(first.begin(), true);
  first.push(HEADER.subarray(0, 7));
  const others = Array.from({ length: 2 }, () => new TestPeer());
  const [second, third] = others.map((peer) =>
    new Admission(first.gate, HOP, peer)
  );
  assertEquals(second?.begin(), true);
  assertEquals(first.peer.calls, []);
  assertEquals(third?.begin(), true);
  assertEquals(first.peer.calls, ["refuse overload 0"]);
  assertEquals(first.gate.stats.pending, 2);
  for (const admission of [second, third]) {
    const header = admission?.push(HEADER);
    if (header !== undefined) admission?.settle(header);
  }
  for (const { calls } of others) {
    assertEquals(calls, [SHOWN, "admit PROXY +0"]);
  }
  assertEquals(first.gate.stats.pending, 0);
});

Deno.test("Admission makes no room for a peer that does not wait", () => {
  const first = new Case({ maxPending: 1 });
  assertEquals(first.begin(), true);
  const peer = new TestPeer();
  const stranger: Address = { ...HOP, hostname: "10.0.0.2" };
  const second = new Admission(first.gate, stranger, {
    conn: "",
    failure: undefined,
    ownEnd: () => HOP,
    show() {},
    admit() {},
    refuse: ({ code }) => peer.calls.push(code),
  });
  assertEquals(second.begin(), false);
  assertEquals([peer.calls, first.peer.calls], [["untrusted"], []]);
  first.push(HEADER);
  assertEquals(first.peer.calls, [SHOWN, "admit PROXY +0"]);
});
