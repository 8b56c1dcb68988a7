/** Which hops a trust list believes. */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { Address } from "../../codec/mod.ts";
import {
  readTrust,
  readUntrusted,
  trustList,
} from "../../conn/admission/trust.ts";
import type { Trust, Untrusted } from "../../conn/types.ts";
import { BAD_ENTRIES, DECISIONS, tcp } from "./_trust_cases.ts";

Deno.test("readTrust() trusts the addresses of each entry, and no others", () => {
  for (const [entry, trusted, others] of DECISIONS) {
    const trusts = readTrust([entry]);
    for (const host of trusted) {
      assertEquals(trusts(tcp(host)), true, `${entry}: ${host}`);
    }
    for (const host of others) {
      assertEquals(trusts(tcp(host)), false, `${entry}: ${host}`);
    }
  }
});

Deno.test("readTrust() takes the entries of a list together, in any order", () => {
  const list = ["10.0.0.0/8", "2001:db8::/32", "unix", "::ffff:192.0.2.1"];
  for (const trust of [list, list.toReversed()]) {
    const trusts = readTrust(trust);
    assertEquals(trusts(tcp("10.1.1.1")), true);
    assertEquals(trusts(tcp("2001:db8::1")), true);
    assertEquals(trusts(tcp("192.0.2.1")), true);
    assertEquals(trusts({ transport: "unix", path: "" }), true);
    assertEquals(trusts(tcp("192.0.2.2")), false);
    assertEquals(trusts(tcp("2001:db9::1")), false);
  }
});

Deno.test("readTrust() trusts nobody by none", () => {
  const trusts = readTrust("none");
  const unix: Address = { transport: "unix", path: "" };
  const hops = [tcp("127.0.0.1"), tcp("::1"), tcp(""), unix];
  assertEquals(hops.map(trusts), [false, false, false, false]);
});

Deno.test("readTrust() trusts nobody with an empty list", () => {
  const trusts = readTrust([]);
  for (const host of ["127.0.0.1", "::1", "0.0.0.0", "::"]) {
    assertEquals(trusts(tcp(host)), false);
  }
  assertEquals(trusts({ transport: "unix", path: "" }), false);
});

Deno.test("readTrust() trusts UNIX sockets of both kinds by unix alone", () => {
  for (const transport of ["unix", "unixpacket"] as const) {
    for (const path of ["", "/run/proxy", "10.0.0.1"]) {
      const hop = { transport, path };
      assertEquals(readTrust(["unix"])(hop), true);
      assertEquals(readTrust(["0.0.0.0/0", "::/0", "10.0.0.1"])(hop), false);
      assertEquals(readTrust("any")(hop), true);
    }
  }
});

Deno.test("readTrust() trusts no list with a hop whose address it cannot read", () => {
  const trusts = readTrust(["0.0.0.0/0", "::/0"]);
  for (
    const host of [
      "",
      "localhost",
      "10.0.0.1 ",
      "010.0.0.1",
      "10.0.0.1:80",
      "[::1]",
      "unix",
    ]
  ) {
    assertEquals(trusts(tcp(host)), false, host);
  }
});

Deno.test("readTrust() reads a list once: later changes of it do nothing", () => {
  const list = ["10.0.0.0/8"];
  const trusts = readTrust(list);
  list.push("192.0.2.1", "unix");
  list[0] = "0.0.0.0/0";
  assertEquals(trusts(tcp("10.0.0.1")), true);
  assertEquals(trusts(tcp("192.0.2.1")), false);
  assertEquals(trusts({ transport: "unix", path: "" }), false);
});

Deno.test("readTrust() asks a function with the plain address, port and transport kept", () => {
  const asked: Address[] = [];
  const trusts = readTrust((hop) => asked.push(hop) > 0);
  trusts({ transport: "tcp", hostname: "::ffff:10.0.0.1", port: 7 });
  trusts({ transport: "udp", hostname: "fe80::1%eth0", port: 8 });
  trusts({ transport: "tcp", hostname: "::ffff:a00:1%1", port: 9 });
  trusts({ transport: "unix", path: "/run/a%b" });
  assertEquals(asked, [
    { transport: "tcp", hostname: "10.0.0.1", port: 7 },
    { transport: "udp", hostname: "fe80::1", port: 8 },
    { transport: "tcp", hostname: "10.0.0.1", port: 9 },
    { transport: "unix", path: "/run/a%b" },
  ]);
});

Deno.test("readTrust() names the entry that it cannot read", () => {
  for (const [entry, problem] of BAD_ENTRIES) {
    for (const at of [0, 2]) {
      const list: unknown[] = ["10.0.0.1", "unix", "::1"];
      list[at] = entry;
      assertThrows(
        () => readTrust(list as string[]),
        TypeError,
        `Cannot read trust[${at}]: ${problem}`,
      );
    }
  }
});

/** As code without types may have it. */
function answering(answer: unknown): () => boolean {
  return (() => answer) as () => boolean;
}

Deno.test("readTrust() takes no answer of a function but true for trust", () => {
  for (const [answer, isTrusted] of [[true, true], [false, false]] as const) {
    assertEquals(readTrust(answering(answer))(tcp("::1")), isTrusted);
  }
  for (const answer of [undefined, null]) {
    assertEquals(readTrust(answering(answer))(tcp("::1")), false);
  }
});

Deno.test("readTrust() throws for an answer that is no answer, such as a promise", async () => {
  const answers: [unknown, string][] = [
    // If this rejected unheard, the process would end.
    [Promise.reject(new Error("unheard")), "a promise"],
    [Promise.resolve(true), "a promise"],
    [{ then() {} }, "a promise"],
    [{}, "[object Object]"],
    [1, "1"],
    [0, "0"],
    ["no", '"no"'],
  ];
  for (const [answer, received] of answers) {
    assertThrows(
      () => readTrust(answering(answer))(tcp("::1")),
      TypeError,
      `expected true or false, received ${received}`,
    );
  }
  await new Promise((resolve) => setTimeout(resolve)); // for a rejection to surface
});

Deno.test("readTrust() and readUntrusted() throw for an async function", () => {
  const asyncs: unknown[] = [
    async () => await Promise.resolve(true),
    async function* () {},
  ];
  for (const ask of asyncs) {
    assertThrows(
      () => readTrust(ask as Trust),
      TypeError,
      "Cannot read trust: expected a function that returns true or false, received an async one; use verify",
    );
    assertThrows(
      () => readUntrusted(ask as Untrusted),
      TypeError,
      'Cannot read untrusted: expected a function that returns "reject" or "direct", received an async one; use verify',
    );
  }
});

Deno.test("readTrust() takes nothing but a list, a function, any and none", () => {
  const bad: [unknown, string][] = [
    ...[undefined, null, "", "all the world", 5, true, {}]
      .map((value): [unknown, string] => [value, ""]),
    ["10.0.0.1", 'received "10.0.0.1", use ["10.0.0.1"]'],
    ["unix", 'received "unix", use ["unix"]'],
    ["loopback", 'received "loopback", use ["loopback"]'],
    ["::1, 10.0.0.0/8", 'use ["::1", "10.0.0.0/8"]'],
    ["Any", 'received "Any", did you mean "any"?'],
    [new Set(["10.0.0.1"]), "received [object Set]"],
  ];
  for (const [trust, problem] of bad) {
    const error = assertThrows(() => readTrust(trust as Trust), TypeError);
    assertStringIncludes(
      error.message,
      'Cannot read trust: expected a list, a function, "any" or "none", received ',
    );
    assertStringIncludes(error.message, problem);
    // A hint that is none would be worse than no hint.
    if (problem === "") assertEquals(error.message.includes("use ["), false);
  }
});

/** The IPv4 address in the last octets, in spellings of what may be before it. */
const EMBEDDED: Record<string, readonly string[]> = {
  mapped: ["::ffff:10.0.0.0", "::FFFF:a00:0", "0:0:0:0:0:ffff:a00:0"],
  compatible: ["::10.0.0.0", "::a00:0", "0:0:0:0:0:0:10.0.0.0"],
  NAT64: ["64:ff9b::10.0.0.0", "64:FF9B::A00:0", "64:ff9b:0:0:0:0:10.0.0.0"],
};

for (const [kind, spellings] of Object.entries(EMBEDDED)) {
  Deno.test(`readTrust() misreads no prefix of a ${kind} address`, () => {
    for (const spelling of spellings) {
      for (let prefix = 0; prefix <= 128; prefix++) {
        const entry = `${spelling}/${prefix}`;
        // 10 is 0b00001010: the last bit that is set is the seventh of the octet.
        if (prefix < 96 + 7) {
          const { message } = assertThrows(
            () => readTrust([entry]),
            TypeError,
          );
          const ipv4 = prefix >= 7 ? `10.0.0.0/${prefix}` : undefined;
          // Up to /32 the prefix was meant to be that of the IPv4 address.
          if (prefix <= 32 && ipv4 !== undefined) {
            assertStringIncludes(message, `"${ipv4}"`, entry);
          }
          continue;
        }
        const trusts = readTrust([entry]);
        const isIpv4 = kind === "mapped";
        const start = kind === "NAT64" ? "64:ff9b::" : "::";
        const ipv4 = isIpv4 ? "" : start;
        assertEquals(trusts(tcp(`${ipv4}10.0.0.0`)), true, entry);
        assertEquals(trusts(tcp(`${ipv4}10.0.0.1`)), prefix < 128, entry);
        assertEquals(trusts(tcp(`${ipv4}12.0.0.0`)), false, entry);
        for (
          const other of ["::1", "::", "11.0.0.1", "64:ff9b::1", "0.0.0.1"]
        ) {
          const isInside = other === "11.0.0.1" && isIpv4 && prefix === 96 + 7;
          assertEquals(trusts(tcp(other)), isInside, `${entry} ${other}`);
        }
        assertEquals(trusts(tcp("10.0.0.0")), isIpv4, entry);
      }
    }
  });
}

Deno.test("readUntrusted() serves those of a list directly, and no others", () => {
  const isDirect = readUntrusted(["loopback", "unix"]);
  for (const host of ["127.0.0.1", "::1", "::ffff:127.0.0.2"]) {
    assertEquals(isDirect(tcp(host)), true);
  }
  for (const host of ["10.0.0.1", "", "::2"]) {
    assertEquals(isDirect(tcp(host)), false);
  }
  assertEquals(isDirect({ transport: "unix", path: "" }), true);
  assertThrows(
    () => readUntrusted(["loopback", "10.1.2.3/8"]),
    TypeError,
    'Cannot read untrusted[1]: "10.1.2.3/8" has bits set',
  );
});

Deno.test("readUntrusted() asks a function for reject or direct, and takes no other answer", () => {
  const isDirect = readUntrusted(({ transport }) =>
    transport === "unix" ? "direct" : "reject"
  );
  assertEquals(isDirect({ transport: "unix", path: "" }), true);
  assertEquals(isDirect(tcp("127.0.0.1")), false);
  const answers: unknown[] = [
    true,
    undefined,
    "drop",
    Promise.resolve("direct"),
  ];
  for (const answer of answers) {
    assertThrows(
      () => readUntrusted((() => answer) as Untrusted)(tcp("::1")),
      TypeError,
      'expected "reject" or "direct", received ',
    );
  }
  // Nobody knows who that is.
  assertEquals(readUntrusted(() => "direct")(tcp("")), false);
});

Deno.test("readUntrusted() takes nothing but its two words, a list and a function", () => {
  const bad: [unknown, string][] = [
    ["Direct", 'received "Direct", did you mean "direct"?'],
    ["loopback", 'received "loopback", use ["loopback"]'],
    ["drop", 'received "drop"'],
    [false, "received false"],
    [null, "received [object Null]"],
  ];
  for (const [untrusted, problem] of bad) {
    assertThrows(
      () => readUntrusted(untrusted as Untrusted),
      TypeError,
      `Cannot read untrusted: expected "reject", "direct", a list or a function, ${problem}`,
    );
  }
});

Deno.test("trustList() makes of a list what trust makes of it", () => {
  for (const [entry, trusted, others] of DECISIONS) {
    const isIn = trustList([entry]);
    assertEquals(trusted.map(tcp).every(isIn), true, entry);
    assertEquals(others.map(tcp).some(isIn), false, entry);
  }
  assertThrows(
    () => trustList(["::1", "localhost"]),
    TypeError,
    'Cannot read list[1]: host names are not supported, use ["127.0.0.1", "::1"] for "localhost"',
  );
  assertThrows(
    () => trustList("10.0.0.0/8" as unknown as string[]),
    TypeError,
    'Cannot read list: expected a list, received "10.0.0.0/8", use ["10.0.0.0/8"]',
  );
});

Deno.test("a function with trustList() in it replaces its list while it is used", () => {
  let isProxy = trustList(["10.0.0.0/8"]);
  const trusts = readTrust((hop) => isProxy(hop));
  assertEquals(trusts(tcp("192.0.2.7")), false);
  isProxy = trustList(["192.0.2.7"]);
  assertEquals(trusts(tcp("192.0.2.7")), true);
  assertEquals(trusts(tcp("10.0.0.1")), false);
});
