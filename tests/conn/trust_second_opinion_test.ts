/**
 * A second opinion on trust lists: `matchSubnets` of `@std/net` decides the
 * same for random ranges and addresses near their edges.
 */

import { assert, assertEquals } from "@std/assert";
import { matchSubnets } from "@std/net/unstable-ip";
import fc from "fast-check";
import { readTrust } from "../../conn/admission/trust.ts";
import { tcp } from "./_trust_cases.ts";

const RUNS = { seed: 20260427, numRuns: 3000 } as const;

/** The bits of an address. */
interface Ip {
  bits: 32 | 128;
  value: bigint;
}

const IP: fc.Arbitrary<Ip> = fc.constantFrom(32 as const, 128 as const)
  .chain((bits) =>
    fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n })
      .map((value) => ({ bits, value }))
  )
  // Mapped addresses are of IPv4 here, and of IPv6 there.
  .filter(({ bits, value }) => bits === 32 || value >> 32n !== 0xffffn);

/** Text as `matchSubnets` compares it: the only form of an address. */
function text({ bits, value }: Ip): string {
  if (bits === 32) {
    return [24n, 16n, 8n, 0n].map((shift) => value >> shift & 255n).join(".");
  }
  const groups = Array.from(
    { length: 8 },
    (_, i) => (value >> BigInt(112 - 16 * i) & 0xffffn).toString(16),
  );
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

/** An address without the bits after a prefix. */
function network({ bits, value }: Ip, prefix: number): Ip {
  const shift = BigInt(bits - prefix);
  return { bits, value: value >> shift << shift };
}

/** A range around an address, and an address that differs from it in one bit. */
const CASE = IP.chain((ip) =>
  fc.record({
    prefix: fc.nat(ip.bits),
    peer: fc.nat(ip.bits - 1).map((bit): Ip => ({
      ...ip,
      value: ip.value ^ (1n << BigInt(bit)),
    })),
    isAddress: fc.boolean(),
  }).map(({ prefix, peer, isAddress }) => ({
    peers: [ip, peer],
    entry: isAddress ? text(ip) : `${text(network(ip, prefix))}/${prefix}`,
  }))
);

Deno.test("readTrust() decides on each range as matchSubnets of @std/net does", () => {
  const decisions = { true: 0, false: 0 };
  fc.assert(
    fc.property(
      CASE,
      fc.array(IP, { maxLength: 3 }),
      ({ peers, entry }, others) => {
        const trusts = readTrust([entry]);
        for (const peer of [...peers, ...others].map(text)) {
          const isTrusted = trusts(tcp(peer));
          assertEquals(
            isTrusted,
            matchSubnets(peer, [entry]),
            `${peer} by ${entry}`,
          );
          decisions[`${isTrusted}`]++;
        }
      },
    ),
    RUNS,
  );
  // One answer alone would prove little.
  assert(decisions.true > RUNS.numRuns && decisions.false > RUNS.numRuns);
});

Deno.test("readTrust() decides on each list as matchSubnets of @std/net does", () => {
  fc.assert(
    fc.property(fc.array(CASE, { minLength: 1, maxLength: 8 }), (cases) => {
      const list = cases.map(({ entry }) => entry);
      const trusts = readTrust(list);
      for (const peer of cases.flatMap(({ peers }) => peers).map(text)) {
        assertEquals(
          trusts(tcp(peer)),
          matchSubnets(peer, list),
          `${peer} by ${list}`,
        );
      }
    }),
    RUNS,
  );
});
