/** CI's share of `deno task fuzz`. `SEED` takes other inputs. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  decodeDatagram,
  ProxyProtocolError,
  type ProxyProtocolErrorCode,
} from "../../../mod.ts";
import { fuzz, inputOf, sum } from "./_fuzz.ts";
import { watch } from "./_watch.ts";

const SEED = Number(Deno.env.get("SEED") ?? 20260427);

/** Inputs that are looked at with one cut, and at every cut. */
const INPUTS = 40_000;
const EVERY_CUT_INPUTS = 1500;

/** Who refuses with each code: any new one has to be put here. */
const REFUSED_BY: Readonly<
  Record<ProxyProtocolErrorCode, "decode" | "decodeDatagram" | "connections">
> = {
  signature: "decode",
  version: "decode",
  command: "decode",
  family: "decode",
  transport: "decode",
  length: "decode",
  line: "decode",
  address: "decode",
  port: "decode",
  tlv: "decode",
  checksum: "decode",
  empty: "decodeDatagram",
  incomplete: "decodeDatagram",
  untrusted: "connections",
  timeout: "connections",
  aborted: "connections",
  verify: "connections",
  overload: "connections",
  io: "connections",
};

Deno.test("decode() holds its promises for mutated headers, cut anywhere", () => {
  using _watching = watch();
  const counts = sum([
    fuzz({ seed: SEED, from: 0, count: INPUTS }),
    fuzz({ seed: SEED + 1, from: 0, count: EVERY_CUT_INPUTS, everyCut: true }),
  ]);
  const count = INPUTS + EVERY_CUT_INPUTS;
  const reached = Object.entries(counts);
  assertEquals(reached.reduce((sum, [, inputs]) => sum + inputs, 0), count);
  // Inputs of a few kinds only would prove little.
  const { accepted = 0, incomplete = 0 } = counts;
  assert(accepted > count / 10, `${accepted} accepted`);
  assert(incomplete > count / 40, `${incomplete} incomplete`);
  for (const [code, by] of Object.entries(REFUSED_BY)) {
    const isMet = (counts[code] ?? 0) > count / 1000;
    if (by === "decode") assert(isMet, `${counts[code]} refused: ${code}`);
  }
});

Deno.test("decodeDatagram() refuses mutated headers that end too early", () => {
  const codes = new Set<string>();
  for (let index = 0; index < 1000; index++) {
    const { bytes, options, cuts: [cut] } = inputOf(SEED, index);
    const length = index % 100 === 0 ? 0 : cut;
    try {
      decodeDatagram(bytes.subarray(0, length), options);
    } catch (error) {
      assert(error instanceof ProxyProtocolError);
      codes.add(error.code);
    }
  }
  for (const [code, by] of Object.entries(REFUSED_BY)) {
    if (by === "decodeDatagram") assert(codes.has(code), code);
    if (by === "connections") assert(!codes.has(code), code);
  }
});

Deno.test("fuzz inputs are the same whenever their number comes up", () => {
  const [one, other] = [inputOf(SEED, 977), inputOf(SEED, 977)];
  assertEquals(one, other);
  assert(one.bytes.toHex() !== inputOf(SEED, 978).bytes.toHex());
  assert(one.bytes.toHex() !== inputOf(SEED + 1, 977).bytes.toHex());
});

Deno.test("fuzz() names the seed, the number and the bytes of a failure", () => {
  const { message } = assertThrows(
    () =>
      fuzz({ seed: SEED, from: 5, count: 1000 }, ({ bytes }) => {
        if (bytes.length > 300) throw new TypeError("too long");
        return undefined;
      }),
    Error,
  );
  const [, index, digits] =
    /^TypeError: too long\n {2}input (\d+) of seed \d+: ([0-9a-f]+)\n/
      .exec(message) ?? [];
  assertEquals(inputOf(SEED, Number(index)).bytes.toHex(), digits);
});
