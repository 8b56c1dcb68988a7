/**
 * Spellings of ranges, good and bad: each has the meaning that `node:net` finds
 * in it, or is a TypeError. Nothing is taken for something else.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { BlockList, isIP } from "node:net";
import { readTrust } from "../../conn/admission/trust.ts";
import { tcp } from "./_trust_cases.ts";

/** An address as a number, by the parser of URLs. */
function valueOf(address: string, bits: number): bigint {
  const host = bits === 32 ? `[::ffff:${address}]` : `[${address}]`;
  const [start = "", end] = new URL(`http://${host}/`).hostname.slice(1, -1)
    .split("::");
  const groups = (text: string) => text === "" ? [] : text.split(":");
  const [front, back] = [groups(start), groups(end ?? "")];
  const zeros = Array(8 - front.length - back.length).fill("0");
  const all = [...front, ...zeros, ...back].map((group) =>
    group.padStart(4, "0")
  );
  return BigInt(`0x${all.join("")}`) & ((1n << BigInt(bits)) - 1n);
}

/** What a range is, by the second opinion; `undefined` for none. */
function secondOpinion(entry: string): BlockList | undefined {
  const [, address = "", , prefix] =
    /^([^%/]*)(%[^/]*)?(?:\/(0|[1-9]\d{0,2}))?$/s.exec(entry) ?? [];
  const version = isIP(address);
  const bits = version === 4 ? 32 : 128;
  if (version === 0 || Number(prefix ?? 0) > bits) return undefined;
  const shift = BigInt(bits - Number(prefix ?? bits));
  const value = valueOf(address, bits);
  if (value >> shift << shift !== value) return undefined; // bits after the prefix
  const ranges = new BlockList();
  const family = version === 4 ? "ipv4" : "ipv6";
  ranges.addSubnet(address, Number(prefix ?? bits), family);
  return ranges;
}

/** Peers near the ranges below, none of them mapped: BlockList has its own mind of those. */
const PEERS = [
  ...["10.0.0.0", "10.0.0.1", "10.255.255.255", "11.0.0.0", "9.255.255.255"],
  ...["8.0.0.1", "1.2.3.4", "127.0.0.1", "0.0.0.0", "255.255.255.255"],
  ...["100.0.0.1", "2.0.0.1", "10.0.0.16", "10.16.0.1"],
  ...["::", "::1", "2001:db8::1", "2001:db8:0:1::", "2001:db9::", "fe80::1"],
  ...["ffff::", "a00::", "2001:d8::", "201:db8::1"],
];

/** Whether an entry was taken; if so it must mean what the second opinion says. */
function isTaken(entry: string): boolean {
  const ranges = secondOpinion(entry);
  if (ranges === undefined) {
    assertThrows(
      () => readTrust([entry]),
      TypeError,
      "Cannot read trust[0]",
    );
    return false;
  }
  const trusts = readTrust([entry]);
  for (const peer of PEERS) {
    const family = isIP(peer) === 4 ? "ipv4" : "ipv6";
    // Ranges of one family have no addresses of the other.
    const isOfFamily = (isIP(entry.split(/[%/]/)[0] ?? "") === 4) ===
      (family === "ipv4");
    assertEquals(
      trusts(tcp(peer)),
      isOfFamily && ranges.check(peer, family),
      `${peer} by ${JSON.stringify(entry)}`,
    );
  }
  return true;
}

/** Other ways to write 10.0.0.0/8, ::1 and their like, as attackers and people do. */
const BAD = [
  // Numbers in other bases, lengths and forms (inet_aton takes all of these).
  ...["012.0.0.0/8", "0xa.0.0.0/8", "10.0/8", "10/8", "10", "167772160"],
  ...["0x0a000000/8", "10.0.0.0.0/8", "10.0.0.", ".10.0.0", "10..0.0"],
  ...["+10.0.0.0/8", "-10.0.0.0", "1e1.0.0.0", "10.0.0.0x", "010.0.0.0"],
  // Prefixes.
  ...[
    "10.0.0.0/00",
    "10.0.0.0/8.",
    "10.0.0.0/ 8",
    "10.0.0.0 /8",
    "10.0.0.0//8",
  ],
  ...[
    "10.0.0.0/0x8",
    "10.0.0.0/08",
    "10.0.0.0/٨",
    "10.0.0.0/8\n",
    "10.0.0.0/8\0",
  ],
  ...["10.0.0.0\\8", "10.0.0.0/NaN", "10.0.0.0/Infinity", "10.0.0.0/1000"],
  ...["10.0.0.0/255.0.0.0", "10.0.0.0/0.255.255.255", "10.0.0.0/33", "::/129"],
  ...["10.0.0.0-10.0.0.9", "10.0.0.*", "10.0.0.0,11.0.0.0", "10.0.0.0/8,::/0"],
  // Bits after the prefix: an address, or the network around it?
  ...["10.9.8.7/8", "10.0.0.1/31", "10.0.0.0/0", "128.0.0.0/0", "::1/127"],
  ...["2001:db8::1/32", "ffff::/15", "64:ff9b::1.2.3.4/96"],
  // Letters and digits that only look like them.
  ...["１０.0.0.0/8", "10。0。0。0", "10.0.0.0／8", "١٠.0.0.0", "10.0.0.O"],
  ...[
    "\ufeff10.0.0.1",
    "10.0.0.1\u200b",
    "10.0.0.1\u00a0",
    "\t10.0.0.1",
    "10.0.0.1\r\n",
  ],
  // IPv6.
  ...["::1::", "1:::2", ":1", "1:", ":", "::g", "[::1]", "[::1]/128", "::1/"],
  ...["1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "00001::"],
  ...["::1.2.3", "::1.2.3.4.5", "::256.1.1.1", "::01.2.3.4", "1.2.3.4::"],
  ...["::ffff:10.0.0.0/8/8", "::1/128%eth0/64", "ip6-localhost", "0::0::0"],
  // Names.
  ...[
    "unix ",
    "Unix",
    "unix:",
    "/run/socket",
    "any",
    "ANY",
    "none",
    "loopback ",
  ],
  ...["http://10.0.0.1", "10.0.0.1:80", "10.0.0.1@eth0", "true", "null", "{}"],
];

/** Unusual, and good. */
const GOOD = [
  ...[
    "10.0.0.0/8",
    "10.0.0.1",
    "0.0.0.0/0",
    "255.255.255.255/32",
    "10.16.0.0/12",
  ],
  ...[
    "::/0",
    "::",
    "::1",
    "0:0:0:0:0:0:0:1",
    "2001:DB8::/32",
    "2001:0db8::1/128",
  ],
  ...[
    "1:2:3:4:5:6:7::",
    "::2:3:4:5:6:7:8",
    "2001:db8::1.2.3.4",
    "fe80::1%eth0",
  ],
  ...["fe80::%eth0/64", "::1.2.3.4", "64:ff9b::1.2.3.0/120", "10.0.0.1%lo"],
];

Deno.test(`readTrust() takes none of ${BAD.length} spellings for a range`, () => {
  for (const entry of BAD) {
    assertEquals(isTaken(entry), false, JSON.stringify(entry));
  }
});

Deno.test(`readTrust() takes ${GOOD.length} unusual spellings for what they are`, () => {
  for (const entry of GOOD) {
    assertEquals(isTaken(entry), true, JSON.stringify(entry));
  }
});

/** Such as `10.0.0.0/8%eth0` and `10.0.0.1%`: `trust_zone_test.ts` has them. */
function hasWrongZone(entry: string): boolean {
  return /\/.*%|%(\/|%|$)|%.*%/s.test(entry);
}

/** What typing errors are made of. */
const CHARACTER = fc.constantFrom(..."0123456789abfx.:/% -+*[]\0\n٨。");

/** A good entry of which a few characters are others, fewer or more. */
const MISSPELT = fc.tuple(
  fc.constantFrom(...GOOD),
  fc.array(
    fc.record({
      at: fc.nat(40),
      removed: fc.nat(2),
      added: fc.string({ unit: CHARACTER, maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
).map(([entry, edits]) =>
  edits.reduce((text, { at, removed, added }) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + added + text.slice(place + removed);
  }, entry)
)
  // Mapped addresses are of IPv4 here, and of IPv6 there.
  .filter((entry) => !/ffff/i.test(entry))
  .filter((entry) => !hasWrongZone(entry));

Deno.test("readTrust() takes no misspelt range for another one", () => {
  const counts = { taken: 0, refused: 0 };
  fc.assert(
    fc.property(MISSPELT, (entry) => {
      counts[isTaken(entry) ? "taken" : "refused"]++;
    }),
    { seed: 20260427, numRuns: 5000 },
  );
  // One outcome alone would prove little.
  assert(counts.taken > 500 && counts.refused > 500, JSON.stringify(counts));
});
