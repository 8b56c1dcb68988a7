/** Which hops a trust list believes. */

import { assertEquals, assertThrows } from "@std/assert";
import type { Address } from "../../codec/mod.ts";
import { readTrust } from "../../conn/_trust.ts";
import type { Trust } from "../../conn/types.ts";

function tcp(hostname: string): Address {
  return { transport: "tcp", hostname, port: 1 };
}

/** An entry, hops that it trusts, and hops that it does not. */
const DECISIONS: [entry: string, trusted: string[], others: string[]][] = [
  ["192.0.2.1", ["192.0.2.1"], ["192.0.2.0", "192.0.2.3", "193.0.2.1"]],
  ["192.0.2.1/32", ["192.0.2.1"], ["192.0.2.0", "192.0.2.2"]],
  ["192.0.2.0/31", ["192.0.2.0", "192.0.2.1"], ["192.0.2.2", "192.0.1.255"]],
  [
    "10.0.0.0/8",
    ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3", "::ffff:a01:203"],
    ["9.255.255.255", "11.0.0.0", "::10.1.2.3", "a00::", "::a00:1"],
  ],
  // Host bits do not count.
  ["10.1.2.3/8", ["10.0.0.0", "10.255.255.255"], ["11.1.2.3"]],
  ["192.0.2.127/25", ["192.0.2.0", "192.0.2.127"], ["192.0.2.128"]],
  ["172.16.0.0/12", ["172.16.0.1", "172.31.255.255"], [
    "172.32.0.0",
    "172.15.255.255",
  ]],
  ["128.0.0.0/1", ["128.0.0.0", "255.255.255.255"], [
    "127.255.255.255",
    "0.0.0.0",
  ]],
  // Everybody, of one family.
  ["0.0.0.0/0", ["0.0.0.0", "255.255.255.255", "::ffff:1.2.3.4"], [
    "::",
    "::1",
    "ffff::",
  ]],
  ["::/0", ["::", "2001:db8::1", "ffff::"], [
    "1.2.3.4",
    "0.0.0.0",
    "::ffff:1.2.3.4",
  ]],
  ["2001:db8::1", ["2001:db8::1", "2001:0DB8:0::01"], [
    "2001:db8::",
    "2001:db8::2",
  ]],
  ["2001:db8::1/128", ["2001:db8::1"], ["2001:db8::"]],
  ["2001:db8::/64", ["2001:db8::ffff:ffff:ffff:ffff"], [
    "2001:db8:0:1::",
    "2001:db8::1:0:0:0:0",
  ]],
  ["2001:DB8:0:F::A/64", ["2001:db8:0:f::b"], ["2001:db8:0:e::a"]],
  ["fd00::/8", ["fd00::1", "fdff::"], ["fc00::1", "fe00::"]],
  ["2000::/3", ["2000::", "3fff::"], ["4000::", "1fff::"]],
  ["::1", ["::1"], ["::2", "0.0.0.1", "127.0.0.1"]],
  // Mapped entries are of IPv4.
  ["::ffff:10.0.0.1", ["10.0.0.1", "::ffff:10.0.0.1", "::FFFF:A00:1"], [
    "10.0.0.2",
    "::10.0.0.1",
  ]],
  ["::ffff:a00:1", ["10.0.0.1"], ["10.0.0.2"]],
  ["::ffff:10.0.0.0/104", ["10.1.2.3", "::ffff:10.1.2.3"], ["11.0.0.0"]],
  ["::ffff:10.0.0.1/128", ["10.0.0.1"], ["10.0.0.0"]],
  ["::ffff:0:0/96", ["10.0.0.1", "255.0.0.0", "::ffff:1.2.3.4"], [
    "::1",
    "::fffe:1.2.3.4",
  ]],
  // A range that only begins like mapped addresses is of IPv6.
  ["::/64", ["::1", "::1.2.3.4"], ["1.2.3.4", "::ffff:1.2.3.4"]],
  ["::ffff:10.0.0.1/64", ["::1"], ["10.0.0.1", "1.2.3.4"]],
  ["::ffff:10.0.0.1/95", ["::fffe:1.2.3.4"], ["10.0.0.1", "1.2.3.4"]],
  // Zone ids are of this host, and say nothing of the peer.
  ["fe80::1%eth0", ["fe80::1", "fe80::1%eth0", "fe80::1%eth1"], [
    "fe80::2%eth0",
  ]],
  ["fe80::%eth0/64", ["fe80::1", "fe80::2%eth1"], ["fe80:0:0:1::1%eth0"]],
  ["fe80::/64", ["fe80::1%eth0", "fe80::1%25"], ["fe80:0:0:1::1"]],
  ["unix", [], ["127.0.0.1", "::1", "0.0.0.0", "unix"]],
];

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
  const bad: unknown[] = [
    "",
    "10.0.0.0/33",
    "10.0.0.0/08",
    "10.0.0.0/-1",
    "10.0.0.0/+8",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "10.0.0.0/8 ",
    "10.0.0.0/8.0",
    "10.0.0.0/1e1",
    "10.0.0.0/255.0.0.0",
    "10.0.0/8",
    "10.0.0.256",
    "10.0.0.01",
    "localhost",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1.2.3.4:80",
    "*",
    "any",
    "UNIX",
    "unix:/run/a",
    "::/129",
    "::/-0",
    ":::/64",
    "[::1]",
    "2001:db8::g",
    "::ffff:10.0.0.0/129",
    "/8",
    "%eth0",
    5,
    null,
    undefined,
    ["10.0.0.1"],
    { hostname: "10.0.0.1" },
  ];
  for (const entry of bad) {
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
