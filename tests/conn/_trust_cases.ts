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
    ["192.0.2.128/25", ["192.0.2.128", "192.0.2.255"], ["192.0.2.127"]],
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
    ["2001:DB8:0:F::/64", ["2001:db8:0:f::b"], ["2001:db8:0:e::a"]],
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
    ["::fffe:0:0/95", ["::fffe:1.2.3.4"], ["10.0.0.1", "::1"]],
    ["::/0", ["::1", "ffff::"], ["10.0.0.1", "::ffff:10.0.0.1"]],
    // Other addresses that hold one of IPv4 are of IPv6.
    ["::10.0.0.0/104", ["::10.0.0.1", "::aff:1"], ["10.0.0.1", "::b00:1"]],
    ["64:ff9b::10.0.0.0/104", ["64:ff9b::10.1.2.3"], [
      "10.1.2.3",
      "64:ff9b::11.0.0.0",
      "::10.1.2.3",
    ]],
    // Zone ids are of this host, and say nothing of the peer.
    ["fe80::1%eth0", ["fe80::1", "fe80::1%eth0", "fe80::1%eth1"], [
      "fe80::2%eth0",
    ]],
    ["fe80::%eth0/64", ["fe80::1", "fe80::2%eth1"], ["fe80:0:0:1::1%eth0"]],
    ["fe80::/64", ["fe80::1%eth0", "fe80::1%25"], ["fe80:0:0:1::1"]],
    ["unix", [], ["127.0.0.1", "::1", "0.0.0.0", "unix"]],
    ["loopback", [
      ...["127.0.0.0", "127.0.0.1", "127.255.255.255", "::1"],
      ...["::ffff:127.0.0.1", "::ffff:7f00:2"],
    ], [
      ...[
        "126.255.255.255",
        "128.0.0.0",
        "::",
        "::2",
        "10.0.0.1",
        "::127.0.0.1",
      ],
      ...["fe80::1", "0.0.0.0", "loopback"],
    ]],
    ["private", [
      ...["10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255"],
      ...["192.168.0.0", "192.168.255.255", "169.254.0.0", "169.254.255.255"],
      ...["fc00::", "fdff:ffff::1", "fe80::", "febf:ffff::1", "fe80::1%eth0"],
      ...["::ffff:10.0.0.1", "::ffff:c0a8:1"],
    ], [
      ...["9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0"],
      ...["192.167.255.255", "192.169.0.0", "169.253.255.255", "169.255.0.0"],
      ...["fbff::", "fe00::", "fe7f::", "fec0::", "2001:db8::1", "::1"],
      ...["127.0.0.1", "100.64.0.1", "::10.0.0.1", "private"],
    ]],
  ];

/** What is wrong with most entries that no list may have. */
function unexpected(entry: unknown): [entry: unknown, problem: string] {
  return [
    entry,
    'expected an address, a range, "loopback", "private" or "unix", received ' +
    JSON.stringify(entry),
  ];
}

function early(entry: string, hint: string): [entry: string, problem: string] {
  return [
    entry,
    `the prefix of "${entry}" ends before its IPv4 address, ${hint}`,
  ];
}

function hostBits(
  entry: string,
  network: string,
  address: string,
): [entry: string, problem: string] {
  return [
    entry,
    `"${entry}" has bits set after its prefix, use "${network}" for the network or "${address}" for the address`,
  ];
}

function host(entry: string, hint: string): [entry: string, problem: string] {
  return [entry, `host names are not supported, use ${hint} "${entry}"`];
}

/** Entries that no list may have, and what is wrong with them. */
export const BAD_ENTRIES: readonly [entry: unknown, problem: string][] = [
  ...[
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
    "10.0.0.O",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1.2.3.4:80",
    "*",
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
    true,
    ["10.0.0.1"],
    ["loopback"],
    { hostname: "10.0.0.1" },
  ].map(unexpected),
  ...[["UNIX", "unix"], ["Private", "private"], ["loopbak", "loopback"]]
    .map(([entry, meant]): [unknown, string] => [
      entry,
      `${unexpected(entry)[1]}, did you mean "${meant}"?`,
    ]),
  ["any", '"any" cannot stand in a list, give it alone'],
  ["none", '"none" cannot stand in a list, give it alone'],
  ["direct", '"direct" cannot stand in a list, give it alone'],
  host("localhost", '["127.0.0.1", "::1"] for'),
  host("LocalHost", '["127.0.0.1", "::1"] for'),
  host("lb-1.example.com", "the addresses of"),
  host("lb-1.example.com.", "the addresses of"),
  // The shape of CVE-2026-90711: read as `::/8`, which has ::1 and no 10.0.0.1.
  early("::ffff:10.0.0.0/8", 'use "10.0.0.0/8"'),
  early("::FFFF:a00:0/8", 'use "10.0.0.0/8"'),
  early("0:0:0:0:0:ffff:10.1.2.3/8", 'use "10.0.0.0/8"'),
  early("::ffff:192.0.2.1/32", 'use "192.0.2.1/32"'),
  early("::ffff:10.0.0.0/0", 'use "0.0.0.0/0"'),
  early("::ffff:0:0/95", "expected 96 to 128"),
  early("::ffff:10.0.0.1/64", "expected 96 to 128"),
  early("::10.0.0.0/8", 'use "::a00:0/104", or "10.0.0.0/8" for IPv4 peers'),
  early(
    "64:ff9b::10.1.2.3/24",
    'use "64:ff9b::a01:200/120", or "10.1.2.0/24" for IPv4 peers',
  ),
  hostBits("10.1.2.3/8", "10.0.0.0/8", "10.1.2.3"),
  hostBits("192.0.2.127/25", "192.0.2.0/25", "192.0.2.127"),
  hostBits("10.0.0.0/0", "0.0.0.0/0", "10.0.0.0"),
  hostBits("::ffff:10.1.2.3/104", "10.0.0.0/8", "10.1.2.3"),
  hostBits("2001:DB8::A/64", "2001:db8::/64", "2001:db8::a"),
  hostBits("::1/64", "::/64", "::1"),
  hostBits("fe80::1%eth0/64", "fe80::/64", "fe80::1"),
  hostBits("64:ff9b::10.0.0.0/64", "64:ff9b::/64", "64:ff9b::a00:0"),
];

/** Every decision as a line, and whether each bad entry is refused. */
export function decideAll(): string {
  const lines = DECISIONS.map(([entry, trusted, others]) => {
    const trusts = readTrust([entry]);
    const answers = [...trusted, ...others].map((host) => trusts(tcp(host)));
    const unix = trusts({ transport: "unix", path: "" });
    return JSON.stringify([entry, ...answers, unix]);
  });
  for (const [entry] of BAD_ENTRIES) {
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
  const refusals = BAD_ENTRIES.map(([, problem]) =>
    `TypeError: Cannot read trust[1]: ${problem}`
  );
  return [...lines, ...refusals].join("\n") + "\n";
}
