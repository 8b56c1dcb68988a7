/** Which hops trust entries believe: the same on every runtime. */

import type { Address } from "../../codec/mod.ts";
import { readTrust } from "../../conn/admission/trust.ts";

/** A hop by its address. */
export function tcp(hostname: string): Address {
  return { transport: "tcp", hostname, port: 1 };
}

/** An entry, hops that it trusts, and hops that it does not. */
export const DECISIONS: [entry: string, trusted: string[], others: string[]][] =
  [
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

/** Entries that no list may have. */
export const BAD_ENTRIES: readonly unknown[] = [
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

/** Every decision as a line, and whether each bad entry is refused. */
export function decideAll(): string {
  const lines = DECISIONS.map(([entry, trusted, others]) => {
    const trusts = readTrust([entry]);
    const answers = [...trusted, ...others].map((host) => trusts(tcp(host)));
    const unix = trusts({ transport: "unix", path: "" });
    return JSON.stringify([entry, ...answers, unix]);
  });
  for (const entry of BAD_ENTRIES) {
    try {
      readTrust(["10.0.0.1", entry as string]);
      lines.push(`${JSON.stringify(entry)} is taken`);
    } catch (error) {
      lines.push(String(error));
    }
  }
  return lines.join("\n") + "\n";
}

/** What {@link decideAll} has to say. */
export function expectedDecisions(): string {
  const lines = DECISIONS.map(([entry, trusted, others]) =>
    JSON.stringify([
      entry,
      ...trusted.map(() => true),
      ...others.map(() => false),
      entry === "unix",
    ])
  );
  const refusals = BAD_ENTRIES.map((entry) =>
    `TypeError: Cannot read trust[1]: expected an address, a range or "unix", received ${
      JSON.stringify(entry)
    }`
  );
  return [...lines, ...refusals].join("\n") + "\n";
}
