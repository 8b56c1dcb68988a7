/** Which hops a trust list believes. */

import { assertEquals, assertThrows } from "@std/assert";
import type { Address } from "../../codec/mod.ts";
import { readTrust } from "../../conn/admission/trust.ts";
import type { Trust } from "../../conn/types.ts";
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
  for (const entry of BAD_ENTRIES) {
    for (const at of [0, 2]) {
      const list: unknown[] = ["10.0.0.1", "unix", "::1"];
      list[at] = entry;
      assertThrows(
        () => readTrust(list as string[]),
        TypeError,
        `Cannot read trust[${at}]`,
      );
    }
  }
});

Deno.test("readTrust() takes no answer of a function but true for trust", () => {
  const answers: unknown[] = [Promise.resolve(false), {}, 1, "no", undefined];
  for (const answer of answers) {
    // As code without types may have it: a promise would be true for everybody.
    assertEquals(readTrust((() => answer) as () => boolean)(tcp("::1")), false);
  }
});

Deno.test("readTrust() takes nothing but a list, a function and any", () => {
  const bad: unknown[] = [undefined, null, "", "all", "10.0.0.1", 5, true, {}];
  for (const trust of bad) {
    assertThrows(
      () => readTrust(trust as Trust),
      TypeError,
      "Cannot read trust",
    );
  }
});
